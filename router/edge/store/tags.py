"""Tags and corrections in the database, as people give them beside the router: added, never changed.

What other systems are told of one is written in the same transaction. The router writes the tags of its own
calls by its writer (bulk.py).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, Table, func, insert, select

from router.core import notices
from router.core.corrections import Correction
from router.core.notices import About
from router.core.record import Disposition
from router.core.ruleset import RuleSet
from router.core.tags import CallTag, is_news, standing
from router.edge.store.bulk import BulkStatements, follow_up
from router.edge.store.database import Access, begin
from router.edge.store.outbox import tell
from router.edge.store.queries import tags_of
from router.edge.store.tables import CALLS, CORRECTIONS, TAGS

_ABOUT = tuple(CALLS.c[name] for name in About.__struct_fields__)
_MOMENT = timedelta(microseconds=1)


class Put(NamedTuple):
    """What came of a tag that was to be put on a call, or taken off."""

    row: CallTag
    """As it was written; else the one by which it is so already, or the one that was not needed."""
    written: bool
    """False where it was so already, and there was no note."""
    due: bool
    """Whether something is to be done now that was not before."""


class Tags(Access):
    """Those of one database."""

    def put(self, tag: CallTag, rules: RuleSet | None = None) -> Put:
        """Write down that a call has a tag, or has it no longer, and what `rules` say is to be done then. A
        row is not before what is said of the call already, whatever clock that went by. What is so already
        is not written again; but what is to be done after it and was not made due, is now."""
        with begin(self._writing) as connection:
            router, call, _ = _about(connection, tag.call_id)
            rows = standing(tags_of(connection, [tag.call_id])[tag.call_id])
            before = next((one for one in rows if one.tag == tag.tag), None)
            made, written = replace(tag, at=_after_all(connection, TAGS, tag.call_id, tag.at)), False
            if is_news(tag, before is not None):
                connection.execute(insert(TAGS), _values(made) | {"removed": int(made.removed)})
                written = True
            bulk = BulkStatements(connection.dialect)
            following = []
            if rules is not None:
                bulk.following.use(rules)
                following = follow_up(connection, bulk, (), (made,))
            if written:
                tell(connection, router, notices.of_tag(made, call))
            bulk.tell(connection, following)
        return Put(made if written else before or tag, written, bulk.following.news)

    def correct(self, correction: Correction) -> Correction:
        """Write down what somebody says became of a call; it comes back as `put` has it."""
        with begin(self._writing) as connection:
            router, call, automatic = _about(connection, correction.call_id)
            at = _after_all(connection, CORRECTIONS, correction.call_id, correction.at)
            made = replace(correction, at=at)
            connection.execute(insert(CORRECTIONS), _values(made))
            tell(connection, router, notices.of_correction(made, Disposition(automatic), call))
        return made


def _values(row: CallTag | Correction) -> dict[str, object]:
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    return {name: one.value if isinstance(one, StrEnum) else one for name, one in values.items()}


def _after_all(connection: Connection, table: Table, call_id: str, at: datetime) -> datetime:
    """`at`, or the moment after the latest row of the call, if that is later."""
    latest = select(func.max(table.c.at)).where(table.c.call_id == call_id)
    last: datetime | None = connection.execute(latest).scalar_one()
    return at if last is None else max(at, last + _MOMENT)


def _about(connection: Connection, call_id: str) -> tuple[str, About, str]:
    """The router that has or had the call, what is told of it, and its disposition. On PostgreSQL the end of
    the call, and what else is said of it, waits from here on: whoever comes second sees the first."""
    chosen = select(CALLS.c.asterisk_id, CALLS.c.disposition, *_ABOUT).where(CALLS.c.id == call_id)
    router, disposition, *about = connection.execute(chosen.with_for_update()).one()
    return router, About(*about), disposition
