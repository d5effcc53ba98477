"""Verdicts in the database: made and undone by commands, read by the router. Nothing is ever deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update

from router.core.verdict import Verdict
from router.edge.store.database import Access, begin
from router.edge.store.tables import VERDICTS

_COLUMNS = tuple(VERDICTS.c[name] for name in Verdict.__struct_fields__)


class Verdicts(Access):
    """Those of one database."""

    def add(self, verdict: Verdict) -> Verdict:
        """Write a new one down; it comes back with its id."""
        values = {name: getattr(verdict, name) for name in Verdict.__struct_fields__ if name != "id"}
        with begin(self._writing) as connection:
            row = connection.execute(insert(VERDICTS).values(values).returning(*_COLUMNS)).one()
        return _verdict(row)

    def undo(self, number: str, client: str | None, who: str, now: datetime) -> Sequence[Verdict]:
        """End all that hold of a number (for one client, if given); those that were ended."""
        which = and_(_standing(now), VERDICTS.c.number == number)
        if client is not None:
            which = and_(which, VERDICTS.c.client == client)
        ended = update(VERDICTS).where(which).values(undone_at=now, undone_by=who).returning(*_COLUMNS)
        with begin(self._writing) as connection:
            return [_verdict(row) for row in connection.execute(ended)]

    def standing(self, now: datetime) -> Sequence[Verdict]:
        """All that hold now, in the order they were made."""
        with begin(self._reading) as connection:
            rows = connection.execute(select(*_COLUMNS).where(_standing(now)).order_by(VERDICTS.c.id)).all()
        return [_verdict(row) for row in rows]


def _standing(now: datetime) -> ColumnElement[bool]:
    lasts = or_(VERDICTS.c.until.is_(None), VERDICTS.c.until > now)
    return and_(VERDICTS.c.undone_at.is_(None), lasts)


def _verdict(row: Row[Any]) -> Verdict:
    return Verdict(**row._mapping)
