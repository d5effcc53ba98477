"""The writer's statements: each takes any number of rows as one JSON document.

Theory of operation. `executemany` steps the database once a row, and sqlite3 gives up and takes back the
interpreter's lock at each step. Beside a busy event loop every taking back may wait a whole switch interval
(5 ms), so 660 rows cost 1.3 s of wall time and 118 ms of CPU; as one statement over `json_each` they cost
one step: 88 ms and 12 ms, measured in one run with a thread that computes 200 us between two system calls.
PostgreSQL gets the same statement over `json_array_elements`, in one round trip.

Every statement may be run again after a commit whose success was not seen: what is there stays as it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from router.core import notices
from router.core.notices import About
from router.core.record import CallRecord, Disposition
from router.core.tags import CallTag
from router.edge.store import operations as ops
from router.edge.store.database import run_plain
from router.edge.store.followups import COLUMNS as FOLLOWED
from router.edge.store.followups import FollowingUp
from router.edge.store.operations import Advised, Arrival, End, Happening, Operation, Row, Tagging, WrappedUp
from router.edge.store.outbox import OUTBOX_COLUMNS, Noticed, outbox_rows
from router.edge.store.supervisions import (
    ENDING_COLUMNS,
    SUPERVISION_COLUMNS,
    Supervised,
    Unseen,
    ended_unseen,
    supervision_row,
)
from router.edge.store.tables import (
    ATTEMPTS,
    CALLS,
    DECISIONS,
    DELIVERIES,
    MESSAGES,
    METADATA,
    OUTBOX,
    SUPERVISIONS,
    TAGS,
    TIMELINE,
    WRAP_UPS,
)


class Written(Enum):
    """What became of one operation."""

    NEW = "new"
    REPEATED = "repeated"
    """it was there already, the same"""
    CONFLICT = "conflict"
    """the call has another disposition, which stays"""


class BulkStatements:
    """The statements for one kind of database, as its own SQL: compiled once (a cache hit would be 20 us)."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.following = FollowingUp()
        self.follow_ups = {
            name: self._compiled(self._insert(METADATA.tables[name], columns).on_conflict_do_nothing())
            for name, columns in FOLLOWED.items()
        }
        self.outbox = self._compiled(self._insert(OUTBOX, OUTBOX_COLUMNS).on_conflict_do_nothing())
        self.arrivals = self._compiled(self._insert(CALLS, ops.ARRIVAL_COLUMNS).on_conflict_do_nothing())
        self.timeline = self._compiled(self._insert(TIMELINE, ops.TIMELINE_COLUMNS).on_conflict_do_nothing())
        self.attempts = self._compiled(self._insert(ATTEMPTS, ops.ATTEMPT_COLUMNS).on_conflict_do_nothing())
        messages = self._insert(MESSAGES, ops.MESSAGE_COLUMNS)
        self.messages = self._compiled(messages.on_conflict_do_nothing())
        tags = self._insert(TAGS, ops.TAG_COLUMNS)
        self.tags = self._compiled(tags.on_conflict_do_nothing())
        wrap_ups = self._insert(WRAP_UPS, ops.WRAP_UP_COLUMNS)
        self.wrap_ups = self._compiled(wrap_ups.on_conflict_do_nothing())
        deliveries = self._insert(DELIVERIES, ops.DELIVERY_COLUMNS)
        self.deliveries = self._compiled(deliveries.on_conflict_do_nothing())
        decisions = self._insert(DECISIONS, ops.DECISION_COLUMNS)
        self.decisions = self._compiled(decisions.on_conflict_do_nothing())
        ends = self._insert(CALLS, ops.END_COLUMNS)
        # Invariant 2: a disposition never changes after commit, whoever writes.
        once = ends.on_conflict_do_update(
            index_elements=[CALLS.c.id],
            set_={name: ends.excluded[name] for name in ops.OUTCOME_COLUMNS},
            where=CALLS.c.disposition.is_(None),
        )
        self.ends = self._compiled(once)
        supervisions = self._insert(SUPERVISIONS, SUPERVISION_COLUMNS)
        self.supervisions = self._compiled(
            supervisions.on_conflict_do_update(
                index_elements=[SUPERVISIONS.c.supervision, SUPERVISIONS.c.number],
                set_={name: supervisions.excluded[name] for name in ENDING_COLUMNS},
            )
        )

    def run(self, connection: Connection, statement: str, rows: list[Row]) -> int:
        """The number of rows written."""
        if not rows:
            return 0
        document = ops.as_document(rows)
        return run_plain(
            connection, statement, (document,) if self._dialect.positional else {"rows": document}
        )

    def _compiled(self, statement: Insert) -> str:
        return statement.compile(dialect=self._dialect).string

    def _insert(self, table: Table, columns: Sequence[str]) -> Any:
        # Both dialects' Insert have the ON CONFLICT methods, but no common type declares them.
        insert: Any = sqlite.insert if self._dialect.name == "sqlite" else postgresql.insert
        return insert(table).from_select(list(columns), self._rows(table, columns))

    def _rows(self, table: Table, columns: Sequence[str]) -> Select[Any]:
        document = bindparam("rows", type_=Text)
        if self._dialect.name == "sqlite":
            source = func.json_each(document).table_valued("value").alias("r")
        else:
            elements = func.json_array_elements(cast(document, JSON))
            source = elements.table_valued("value").render_derived(name="r")
        values: list[ColumnElement[Any]] = [
            cast(source.c.value.op("->>")(literal_column(str(place), Integer)), table.c[name].type)
            for place, name in enumerate(columns)
        ]
        # SQLite's parser needs a WHERE between a FROM and an ON CONFLICT (sqlite.org/lang_upsert.html, 2.2).
        return select(*values).select_from(source).where(text("true"))


def write_together(connection: Connection, bulk: BulkStatements, batch: Sequence[Operation]) -> bool:
    """Write a batch with at most one statement a table.

    False if an end did not find its call open: then nothing of the batch may be committed, and each
    operation is to be written alone.
    """
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    answers: list[CallRecord] = []
    tags: list[CallTag] = []
    """Those of which is told what the database knows of their calls."""
    supervisions: dict[tuple[str, int], Row] = {}
    for operation in batch:
        match operation:
            case Happening():
                rows["timeline"].append(ops.timeline_row(operation))
            case Tagging(tag, told):
                rows["tags"].append(ops.tag_row(tag))
                tags += [tag] if told is None else []
            case WrappedUp(wrap_up):
                rows["wrap_ups"].append(ops.wrap_up_row(wrap_up))
            case Arrival():
                rows["arrivals"].append(ops.arrival_row(operation))
            case Advised():
                rows["decisions"].append(ops.decision_row(operation))
            case End(record):
                _add_end(rows, record)
                if record.answers and record.disposition is Disposition.ANSWERED:
                    answers.append(record)
            case Supervised(_, stretch):
                # One statement cannot write a row twice on PostgreSQL.
                supervisions[stretch.supervision, stretch.number] = supervision_row(operation)
            case Unseen():
                connection.execute(ended_unseen(operation))
    rows["supervisions"] = list(supervisions.values())
    bulk.run(connection, bulk.arrivals, rows["arrivals"])
    bulk.run(connection, bulk.timeline, rows["timeline"])
    closed = bulk.run(connection, bulk.ends, rows["ends"])
    for table in ("attempts", "messages", "deliveries", "tags", "wrap_ups", "supervisions", "decisions"):
        bulk.run(connection, getattr(bulk, table), rows[table])
    for record in answers:
        _done(connection, record)
    of_all = [row for operation in batch for row in _told_of(operation)] + tags_told(connection, tags)
    ended = [operation.record for operation in batch if isinstance(operation, End)]
    tagged = [operation.tag for operation in batch if isinstance(operation, Tagging)]
    bulk.run(connection, bulk.outbox, of_all + follow_up(connection, bulk, ended, tagged))
    return closed == len(rows["ends"])


def follow_up(
    connection: Connection, bulk: BulkStatements, ended: Sequence[CallRecord], tags: Sequence[CallTag]
) -> list[Row]:
    """Write what is to be done after these calls and tags, which are written already; what other systems are
    told of it: rows of the outbox."""
    due = bulk.following.rows(connection, ended, tags)
    for table, statement in bulk.follow_ups.items():
        bulk.run(connection, statement, due.get(table, []))
    bulk.following.close(connection, ended)
    return due.get("outbox", [])


def _add_end(rows: dict[str, list[Row]], record: CallRecord) -> None:
    rows["ends"].append(ops.end_row(record))
    rows["attempts"] += [ops.attempt_row(record.info.id, attempt) for attempt in record.attempts]
    rows["tags"] += map(ops.tag_row, record.tags)  # written before, unless a crash came between
    if record.message is not None:
        rows["messages"].append(ops.message_row(record, record.message))
        rows["deliveries"] += ops.delivery_rows(record, record.message)


def _told_of(operation: Operation) -> Sequence[Row]:
    """What other systems are told of an operation, but for tags of calls not at hand: rows of the outbox."""
    match operation:
        case Arrival(info):
            return outbox_rows(info.asterisk_id, notices.of_arrival(info))
        case End(record):
            return outbox_rows(record.info.asterisk_id, notices.of_end(record))
        case Happening(told=Noticed(router, notice)) | Tagging(told=Noticed(router, notice)):
            return outbox_rows(router, (notice,))
        case _:
            return ()


def tags_told(connection: Connection, tags: Sequence[CallTag]) -> list[Row]:
    """What other systems are told of tags, whose calls are written down already: rows of the outbox."""
    if not tags:
        return []
    columns = [CALLS.c[name] for name in ("asterisk_id", *About.__struct_fields__)]
    chosen = select(*columns).where(CALLS.c.id.in_({tag.call_id for tag in tags}))
    calls = {row.id: (row.asterisk_id, About(*row[1:])) for row in connection.execute(chosen)}
    known = [(tag, *calls[tag.call_id]) for tag in tags if tag.call_id in calls]
    return [row for tag, router, call in known for row in outbox_rows(router, (notices.of_tag(tag, call),))]


def _done(connection: Connection, record: CallRecord) -> None:
    """Who was called back wishes it no longer."""
    wish = and_(MESSAGES.c.call_id == record.answers, MESSAGES.c.done_at.is_(None))
    done = {"done_at": record.ended_at, "done_by": record.answered_by}
    connection.execute(update(MESSAGES).where(wish).values(done))


def write_alone(connection: Connection, bulk: BulkStatements, operation: Operation) -> Written:
    """Write one operation, and say what was found."""
    if isinstance(operation, End):
        found = _closed_before(connection, operation)
        if found is not None:
            return found
    return Written.NEW if write_together(connection, bulk, [operation]) else Written.CONFLICT


def _closed_before(connection: Connection, end: End) -> Written | None:
    """What an end meets in the database; None if the call is open, or not there at all."""
    record, info = end.record, end.record.info
    same_key = and_(
        CALLS.c.asterisk_id == info.asterisk_id,
        CALLS.c.asterisk_started == info.asterisk_started,
        CALLS.c.channel == info.channel,
    )
    columns = select(CALLS.c.id, CALLS.c.disposition, CALLS.c.ended_at)
    for row in connection.execute(columns.where(or_(CALLS.c.id == info.id, same_key))):
        if row.id != info.id:
            return Written.CONFLICT
        if row.disposition is not None:
            same = (row.disposition, row.ended_at) == (record.disposition.value, record.ended_at)
            return Written.REPEATED if same else Written.CONFLICT
    return None
