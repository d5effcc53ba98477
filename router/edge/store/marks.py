"""Marks of what commands write for calls: two that are alike say that nothing was written in between."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Select, Table, func, select, type_coerce

from router.edge.store.database import Access, begin
from router.edge.store.tables import CONTACTS, DO_NOT_CONTACT, VERDICTS

Mark = tuple[int, ...]

_PRIME = 1_000_003
"""Moments are summed modulo this: microseconds of very many would be more than a database can count."""


def _marked(table: Table, moments: Iterable[Column[object]]) -> Select[Any]:
    sums = [func.sum(type_coerce(moment, BigInteger) % _PRIME) for moment in moments]
    columns: list[ColumnElement[Any]] = [func.count(), *(func.coalesce(total, 0) for total in sums)]
    return select(*columns).select_from(table)


_MARKED = {
    "verdicts": _marked(VERDICTS, (VERDICTS.c.made_at, VERDICTS.c.undone_at)),
    "contacts": _marked(CONTACTS, (CONTACTS.c.changed_at,)),
    "do not contact": _marked(DO_NOT_CONTACT, (DO_NOT_CONTACT.c.made_at, DO_NOT_CONTACT.c.removed_at)),
}
"""By the columns of which each change writes one."""


class Marks(Access):
    """Those of one database."""

    def all(self) -> Mapping[str, Mark]:
        """Of `verdicts`, `contacts` and `do not contact`: how many rows, and what their moments of change add
        up to, so that also a change by somebody whose clock is behind is seen."""
        with begin(self._reading) as connection:
            found = {name: connection.execute(marked).one() for name, marked in _MARKED.items()}
        return {name: tuple(map(int, row)) for name, row in found.items()}
