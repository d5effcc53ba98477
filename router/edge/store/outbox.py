"""The outbox: what other systems are to be told (core/notices.py), kept until they were.

A notice is written in the transaction that writes what it tells of, so there is never one without the other.
Numbers come into sight in their order, whoever writes: those who write take turns.

It is sent at least once: it stays unsent until whoever sends it says otherwise. Of one call all are written
by the router that has the call, which also sends them, in the order of their numbers.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from router.core import notices
from router.core.notices import CallNotice, Notice
from router.edge.store.database import Access, begin, take_turn
from router.edge.store.tables import OUTBOX, to_micros

OUTBOX_COLUMNS = ("notice", "router", "call_id", "client", "type", "at", "body")

ANY_ROUTER = ""
"""In place of the one that is to send a notice: several may, if there are several."""

FORGET_AT_ONCE = 1000
"""Rows; a larger statement would keep the writer waiting."""

_ENCODER = msgspec.json.Encoder()


class Noticed(msgspec.Struct, frozen=True, gc=False):
    """A notice, and the router that is to send it, by the id of its Asterisk."""

    router: str
    notice: Notice


class Outgoing(msgspec.Struct, frozen=True):
    """A notice as it is sent."""

    id: int
    """Grows; not without gaps."""
    notice: str
    """The id that the notice tells of itself."""
    call_id: str
    """Empty of an agent's."""
    client: str
    """Empty where nobody has the number that was called."""
    type: str
    at: datetime
    body: str
    """JSON."""


def outbox_rows(router: str, told: Iterable[Notice]) -> list[tuple[str | int, ...]]:
    """In the order of OUTBOX_COLUMNS; `router` is the id of the Asterisk that the router is beside."""
    return [
        (
            notice.id,
            router,
            notice.call.id if isinstance(notice, CallNotice) else "",
            (notice.call.client if isinstance(notice, CallNotice) else notice.client) or "",
            notices.type_of(notice),
            to_micros(notice.at),
            _ENCODER.encode(notice).decode(),
        )
        for notice in told
    ]


def tell(connection: Connection, router: str, notice: Notice) -> None:
    """Put one notice into it, as one of the last things that a transaction does (`take_turn`)."""
    take_turn(connection)
    ((*row,),) = outbox_rows(router, (notice,))
    values = dict(zip(OUTBOX_COLUMNS, row, strict=True)) | {"at": notice.at}
    connection.execute(insert(OUTBOX), values)


class Outbox(Access):
    """The outbox of one database."""

    def unsent(self, router: str, limit: int, without: Collection[str] = ()) -> Sequence[Outgoing]:
        """What one router is to send, in that order; at most so many, none of the clients in `without`."""
        mine = _unsent(router)
        return self._read(and_(mine, OUTBOX.c.client.not_in(without)) if without else mine, limit)

    def since(self, id: int, limit: int) -> Sequence[Outgoing]:
        """What was written after that one, sent or not, by whichever router; at most so many."""
        return self._read(OUTBOX.c.id > id, limit)

    def last(self) -> int:
        """The id of the newest; 0 where there is none."""
        with begin(self._reading) as connection:
            return connection.execute(select(func.max(OUTBOX.c.id))).scalar() or 0

    def first(self) -> int:
        """The id of the oldest that is kept; 0 where there is none."""
        with begin(self._reading) as connection:
            found: int = connection.execute(select(func.coalesce(func.min(OUTBOX.c.id), 0))).scalar_one()
        return found

    def sent(self, ids: Collection[int], at: datetime) -> None:
        """Those have been taken."""
        with begin(self._writing) as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(sent_at=at))

    def waiting(self, router: str) -> tuple[int, datetime | None]:
        """How many one router has yet to send, and since when the oldest waits."""
        with begin(self._reading) as connection:
            chosen = select(func.count(), func.min(OUTBOX.c.at)).where(_unsent(router))
            count, oldest = connection.execute(chosen).one()
        return count, oldest

    def waiting_for_all(self) -> tuple[int, datetime | None]:
        """The same, of all routers."""
        with begin(self._reading) as connection:
            unsent = select(func.count(), func.min(OUTBOX.c.at)).where(OUTBOX.c.sent_at.is_(None))
            count, oldest = connection.execute(unsent).one()
        return count, oldest

    def forget(self, before: datetime, *, unsent: bool) -> int:
        """Remove FORGET_AT_ONCE of what was told before that, of what was not sent only if `unsent`; how many
        that were."""
        old = OUTBOX.c.at < before
        if not unsent:
            old = and_(old, OUTBOX.c.sent_at.is_not(None))
        some = select(OUTBOX.c.id).where(old).order_by(OUTBOX.c.id).limit(FORGET_AT_ONCE)
        with begin(self._writing) as connection:
            return connection.execute(delete(OUTBOX).where(OUTBOX.c.id.in_(some))).rowcount

    def _read(self, chosen: ColumnElement[bool], limit: int) -> Sequence[Outgoing]:
        columns = [OUTBOX.c[name] for name in Outgoing.__struct_fields__]
        with begin(self._reading) as connection:
            rows = connection.execute(select(*columns).where(chosen).order_by(OUTBOX.c.id).limit(limit))
            return [Outgoing(*row) for row in rows]


def _unsent(router: str) -> ColumnElement[bool]:
    mine = or_(OUTBOX.c.router == router, OUTBOX.c.router == ANY_ROUTER)
    return and_(OUTBOX.c.sent_at.is_(None), mine)
