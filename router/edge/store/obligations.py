"""Obligations to call somebody back: made by follow-ups, done with by later calls, or by command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_

from router.edge.store.database import Access, begin
from router.edge.store.followups import closed, reach
from router.edge.store.tables import OBLIGATIONS


class Obligation(msgspec.Struct, frozen=True):
    """Somebody is to call somebody back."""

    id: int
    call_id: str
    """After which call."""
    follow_up: str
    client: str
    number: str
    """Whom to call (E.164)."""
    caller: str
    """Whom that call came from."""
    owner: str
    """A person's id; empty for everybody."""
    why: str
    """The condition of the follow-up that held."""
    made_at: datetime
    due_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_call: str | None
    """The call by which it was done."""

    def overdue(self, now: datetime) -> bool:
        """Whether it was to be done before `now` (aware), and is not."""
        return self.closed_at is None and self.due_at < now


_COLUMNS = tuple(OBLIGATIONS.c[name] for name in Obligation.__struct_fields__)
_OWED = OBLIGATIONS.c.closed_at.is_(None)
_DONE_TOGETHER = ("client", "follow_up", "number", "owner")
"""What is alike in obligations that one call back does."""
_CALLERS = select(*(OBLIGATIONS.c[name] for name in _DONE_TOGETHER)).where(_OWED).distinct()
_BY_URGENCY = (OBLIGATIONS.c.due_at, OBLIGATIONS.c.id)
_DONE_LAST = (case((_OWED, 0), else_=1), OBLIGATIONS.c.closed_at.desc(), *_BY_URGENCY)


class Obligations(Access):
    """Those of one database."""

    def listed(
        self,
        *,
        client: str | None = None,
        owner: str | None = None,
        number: str | None = None,
        done: bool = False,
        after: Obligation | None = None,
        limit: int,
    ) -> list[Obligation]:
        """The most urgent first; `done` also those that are done, after all others, the latest first. `after`
        only those behind that one, as it was when it was listed."""
        wanted: list[ColumnElement[bool]] = [] if done else [_OWED]
        if number is not None:
            wanted.append(OBLIGATIONS.c.number == number)
        if client is not None:
            wanted.append(OBLIGATIONS.c.client == client)
        if owner is not None:
            wanted.append(OBLIGATIONS.c.owner.in_(("", owner)))
        if after is not None:
            wanted.append(_behind(after))
        return self._read(wanted, limit, _DONE_LAST if done else _BY_URGENCY)

    def of_number(self, number: str, client: str | None) -> list[Obligation]:
        """Those to call a number (E.164), of one client or of all, that are not done."""
        wanted = [_OWED, OBLIGATIONS.c.number == number]
        return self._read(wanted if client is None else [*wanted, OBLIGATIONS.c.client == client], 1000)

    def of_call(self, call_id: str) -> list[Obligation]:
        """Those that follow one call."""
        return self._read([OBLIGATIONS.c.call_id == call_id], 1000)

    def find(self, id: int) -> Obligation | None:
        """The one with that id."""
        found = self._read([OBLIGATIONS.c.id == id], 1)
        return found[0] if found else None

    def done(self, id: int, who: str, now: datetime) -> int:
        """Somebody has called back, which does all that the same follow-up asks of the same person for that
        number; how many that are, 0 where it was done before."""
        one, alike = OBLIGATIONS.alias(), OBLIGATIONS.c
        same = and_(*(alike[name] == one.c[name] for name in _DONE_TOGETHER))
        wanted = select(alike.id).where(same, _OWED, one.c.id == id, one.c.closed_at.is_(None))
        with begin(self._writing) as connection:
            return closed(connection, connection.scalars(wanted).all(), now, who)

    def reached(self, number: str, client: str, who: str, now: datetime) -> int:
        """Somebody of a client has talked with who has that number (E.164); how many that does."""
        with begin(self._writing) as connection:
            return reach(connection, number, client, who, now)

    def figures(self, now: datetime) -> tuple[int, int]:
        """How many callers somebody is to call back, and how many of them since before `now`: who has called
        five times is one."""
        with begin(self._reading) as connection:
            owed, overdue = (
                connection.execute(select(func.count()).select_from(callers.subquery())).scalar_one()
                for callers in (_CALLERS, _CALLERS.where(OBLIGATIONS.c.due_at < now))
            )
        return owed, overdue

    def _read(
        self,
        wanted: list[ColumnElement[bool]],
        limit: int,
        order: Sequence[ColumnElement[Any]] = _BY_URGENCY,
    ) -> list[Obligation]:
        in_order = select(*_COLUMNS).where(*wanted).order_by(*order)
        with begin(self._reading) as connection:
            return [Obligation(**row._mapping) for row in connection.execute(in_order.limit(limit))]


def _behind(one: Obligation) -> ColumnElement[bool]:
    """What comes after it where all are listed: those that are done come last, the latest first."""
    less_urgent = tuple_(*_BY_URGENCY) > (one.due_at, one.id)
    if one.closed_at is None:
        return or_(OBLIGATIONS.c.closed_at.is_not(None), less_urgent)
    as_late = and_(OBLIGATIONS.c.closed_at == one.closed_at, less_urgent)
    return or_(OBLIGATIONS.c.closed_at < one.closed_at, as_late)
