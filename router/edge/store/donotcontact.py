"""Numbers that nobody is to call, in the database. Nothing is ever deleted: what is removed keeps its row."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from router.core.donotcontact import NOBODY_SPARED, DoNotContact, Spared
from router.edge.store.database import Access, begin
from router.edge.store.tables import DO_NOT_CONTACT

_COLUMNS = tuple(DO_NOT_CONTACT.c[name] for name in DoNotContact.__struct_fields__)


class DoNotContacts(Access):
    """Those of one database."""

    def add(self, entry: DoNotContact) -> DoNotContact:
        """Write a new one down; it comes back with its id."""
        values = {name: getattr(entry, name) for name in DoNotContact.__struct_fields__ if name != "id"}
        with begin(self._writing) as connection:
            row = connection.execute(insert(DO_NOT_CONTACT).values(values).returning(*_COLUMNS)).one()
        return _entry(row)

    def remove(self, number: str, client: str | None, who: str, now: datetime) -> Sequence[DoNotContact]:
        """End all that hold of a number (for one client, if given); those that were ended."""
        which = and_(_standing(now), DO_NOT_CONTACT.c.number == number)
        if client is not None:
            which = and_(which, DO_NOT_CONTACT.c.client == client)
        ended = update(DO_NOT_CONTACT).where(which).values(removed_at=now, removed_by=who)
        with begin(self._writing) as connection:
            return [_entry(row) for row in connection.execute(ended.returning(*_COLUMNS))]

    def standing(
        self,
        now: datetime,
        client: str | None = None,
        *,
        number: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[DoNotContact]:
        """All that hold now (of one client, those of all clients included; of one number), in the order they
        were made; those behind the one with the id `after`, at most `limit`."""
        which = [_standing(now), DO_NOT_CONTACT.c.id > after]
        if client is not None:
            which.append(or_(DO_NOT_CONTACT.c.client == client, DO_NOT_CONTACT.c.client.is_(None)))
        if number is not None:
            which.append(DO_NOT_CONTACT.c.number == number)
        in_order = select(*_COLUMNS).where(*which).order_by(DO_NOT_CONTACT.c.id).limit(limit)
        with begin(self._reading) as connection:
            return [_entry(row) for row in connection.execute(in_order)]


def spared_among(
    connection: Connection, numbers: Collection[str], now: datetime, *more: DoNotContact
) -> Spared:
    """Whom of these numbers (E.164) nobody is to call now, with `more` that are about to be written."""
    some = {number for number in numbers if number}
    if not some:
        return NOBODY_SPARED
    found = select(*_COLUMNS).where(_standing(now), DO_NOT_CONTACT.c.number.in_(some))
    return Spared([*map(_entry, connection.execute(found).all()), *more])


def _standing(now: datetime) -> ColumnElement[bool]:
    lasts = or_(DO_NOT_CONTACT.c.until.is_(None), DO_NOT_CONTACT.c.until > now)
    return and_(DO_NOT_CONTACT.c.removed_at.is_(None), lasts)


def _entry(row: Row[Any]) -> DoNotContact:
    return DoNotContact(**row._mapping)
