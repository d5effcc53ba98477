"""Tags and corrections in the database, as people give them beside the router: added, never changed.

What other systems are told of one is written in the same transaction. The router writes the tags of its own
calls by its writer (bulk.py).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace
from sqlalchemy import Connection, Table, func, insert, select

from router.core import notices
from router.core.corrections import Correction
from router.core.notices import About
from router.core.record import Disposition
from router.core.ruleset import RuleSet
from router.core.tags import CallTag
from router.edge.store.bulk import BulkStatements, follow_up
from router.edge.store.database import Access, begin
from router.edge.store.outbox import tell
from router.edge.store.tables import CALLS, CORRECTIONS, TAGS

_ABOUT = tuple(CALLS.c[name] for name in About.__struct_fields__)
_MOMENT = timedelta(microseconds=1)


class Tags(Access):
    """Those of one database."""

    def put(self, tag: CallTag, rules: RuleSet | None = None) -> CallTag:
        """Write down that a call has a tag, or has it no longer, and what `rules` say is to be done then. It
        comes back as it was written: not before what is said of the call already, whatever clock that went
        by."""
        with begin(self._writing) as connection:
            router, call, _ = _about(connection, tag.call_id)
            made = replace(tag, at=_after_all(connection, TAGS, tag.call_id, tag.at))
            connection.execute(insert(TAGS), _values(made) | {"removed": int(made.removed)})
            if rules is None:
                tell(connection, router, notices.of_tag(made, call))
            else:
                bulk = BulkStatements(connection.dialect)
                bulk.following.use(rules)
                following = follow_up(connection, bulk, (), (made,))
                tell(connection, router, notices.of_tag(made, call))
                bulk.tell(connection, following)
        return made

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
