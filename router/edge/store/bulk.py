"""The writer's statements: each takes any number of rows at once.

Theory of operation. `executemany` steps the database once a row, and sqlite3 gives up and takes back the
interpreter's lock at each step. Beside a busy event loop every taking back may wait a whole switch interval
(5 ms), so 660 rows cost 1.3 s of wall time and 118 ms of CPU; as one statement they cost one step: 88 ms and
12 ms, measured in one run with a thread that computes 200 us between two system calls. SQLite gets them as
VALUES, which costs half of what reading them out of a JSON document does there; PostgreSQL gets a JSON
document, in one round trip, since its driver sends every value of a VALUES by itself.

Every statement may be run again after a commit whose success was not seen: what is there stays as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from enum import Enum
from functools import lru_cache
from itertools import chain
from operator import itemgetter
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
from router.core.tags import CallTag, is_news, standing
from router.edge.store import operations as ops
from router.edge.store.database import Parameters, read_plain, run_plain, take_turn
from router.edge.store.followups import COLUMNS as FOLLOWED
from router.edge.store.followups import FollowingUp, talks_of
from router.edge.store.operations import (
    Advised,
    Arrival,
    End,
    Happening,
    Operation,
    Reached,
    Row,
    Tagging,
    WrappedUp,
)
from router.edge.store.outbox import OUTBOX_COLUMNS, Noticed, outbox_rows
from router.edge.store.queries import tags_of
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
    OBLIGATIONS,
    OUTBOX,
    SUPERVISIONS,
    TAGS,
    TIMELINE,
    WRAP_UPS,
)

MOST_VALUES = 2_000
"""In one statement. SQLite takes 32,766 (sqlite.org/limits.html, 9), but each number of rows is a statement
of its own, of which 128 are kept prepared, at 140 bytes a value."""

_ROWS = "@rows"
"""Stands in a statement of SQLite for its rows, whose number is known only later."""


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
        numbers = self._rows(OBLIGATIONS, ["number"]).cte("numbers")
        of_them = or_(*(OBLIGATIONS.c[name].in_(select(numbers)) for name in ("number", "caller")))
        self._owed = self._compiled(
            select(OBLIGATIONS.c.id).where(OBLIGATIONS.c.closed_at.is_(None), of_them)
        )
        self._outbox = self._compiled(self._insert(OUTBOX, OUTBOX_COLUMNS).on_conflict_do_nothing())
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
        if self._dialect.name != "sqlite":
            return run_plain(connection, statement, self._document(rows))
        width, written = len(rows[0]), 0
        at_once = MOST_VALUES // width
        for first in range(0, len(rows), at_once):
            some = rows[first : first + at_once]
            whole = _with_rows(statement, width, len(some))
            written += run_plain(connection, whole, tuple(chain.from_iterable(some)))
        return written

    def tell(self, connection: Connection, rows: list[Row]) -> None:
        """Put these into the outbox; the last that a transaction does."""
        if rows:
            take_turn(connection)
            self.run(connection, self._outbox, rows)

    def owed(self, connection: Connection, numbers: Collection[str]) -> list[int]:
        """The ids of the obligations to call one of these numbers back that are open."""
        found = read_plain(connection, self._owed, self._document([(number,) for number in numbers]))
        return [id for (id,) in found]

    def _document(self, rows: Sequence[Row]) -> Parameters:
        document = ops.as_document(rows)
        return (document,) if self._dialect.positional else {"rows": document}

    def _compiled(self, statement: Insert | Select[Any]) -> str:
        return statement.compile(dialect=self._dialect).string

    def _insert(self, table: Table, columns: Sequence[str]) -> Any:
        # Both dialects' Insert have the ON CONFLICT methods, but no common type declares them.
        insert: Any = sqlite.insert if self._dialect.name == "sqlite" else postgresql.insert
        rows = select(text(_ROWS)) if self._dialect.name == "sqlite" else self._rows(table, columns)
        return insert(table).from_select(list(columns), rows)

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
        return select(*values).select_from(source)


@lru_cache(maxsize=1000)
def _with_rows(statement: str, width: int, count: int) -> str:
    """A statement of SQLite for that many rows; the same text each time, so that it is prepared once."""
    row = f"({', '.join('?' * width)})"
    return statement.replace(f"SELECT {_ROWS}", f"VALUES {', '.join([row] * count)}")


def write_together(connection: Connection, bulk: BulkStatements, batch: Sequence[Operation]) -> bool:
    """Write a batch, as many rows of a table as may be by one statement.

    False if an end did not find its call open: then nothing of the batch may be committed, and each
    operation is to be written alone.
    """
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    outbox = rows["outbox"]
    ended: list[CallRecord] = []
    reached: list[Reached] = []
    tags: list[CallTag] = []
    said: list[CallTag] = []
    """Tags by people: written where they are news, and told with what the database knows of their calls."""
    supervisions: dict[tuple[str, int], Row] = {}
    for operation in batch:
        match operation:
            case Happening(told=told):
                rows["timeline"].append(ops.timeline_row(operation))
                if told is not None:
                    outbox += outbox_rows(told.router, (told.notice,))
            case Tagging(tag, None):
                said.append(tag)
            case Tagging(tag, Noticed() as told):
                rows["tags"].append(ops.tag_row(tag))
                tags.append(tag)
                outbox += outbox_rows(told.router, (told.notice,))
            case WrappedUp(wrap_up):
                rows["wrap_ups"].append(ops.wrap_up_row(wrap_up))
            case Arrival(info):
                rows["arrivals"].append(ops.arrival_row(operation))
                outbox += outbox_rows(info.asterisk_id, notices.of_arrival(info))
            case Advised():
                rows["decisions"].append(ops.decision_row(operation))
            case End(record):
                _add_end(rows, record)
                ended.append(record)
                outbox += outbox_rows(record.info.asterisk_id, notices.of_end(record))
            case Supervised(_, stretch):
                # One statement cannot write a row twice on PostgreSQL.
                supervisions[stretch.supervision, stretch.number] = supervision_row(operation)
            case Unseen():
                connection.execute(ended_unseen(operation))
            case Reached():
                reached.append(operation)
    rows["supervisions"] = list(supervisions.values())
    if said:
        _hold(connection, {one.call_id for one in said} | {one.info.id for one in ended})
    bulk.run(connection, bulk.arrivals, rows["arrivals"])
    bulk.run(connection, bulk.timeline, rows["timeline"])
    closed = bulk.run(connection, bulk.ends, sorted(rows["ends"], key=itemgetter(0)))  # as _hold
    for table in ("attempts", "messages", "deliveries", "tags", "wrap_ups", "supervisions", "decisions"):
        bulk.run(connection, getattr(bulk, table), rows[table])
    for record in ended:
        if record.answers and record.disposition is Disposition.ANSWERED:
            _done(connection, record)
    news = _news(connection, said)
    bulk.run(connection, bulk.tags, [ops.tag_row(tag) for tag in news])
    outbox += tags_told(connection, news)
    outbox += follow_up(connection, bulk, ended, tags + said)
    for one in reached:  # Who may have called in this very transaction.
        bulk.following.reached(connection, one)
    bulk.tell(connection, outbox)
    return closed == len(rows["ends"])


def follow_up(
    connection: Connection, bulk: BulkStatements, ended: Sequence[CallRecord], tags: Sequence[CallTag]
) -> list[Row]:
    """Write what is to be done after these calls and tags, which are written already; what other systems are
    told of it: rows of the outbox."""
    due = bulk.following.rows(connection, ended, tags)
    for table, statement in bulk.follow_ups.items():
        bulk.run(connection, statement, due.get(table, []))
    talks = talks_of(ended)
    if talks and (owed := bulk.owed(connection, {talk.info.caller for talk in talks})):
        bulk.following.close(connection, talks, owed)
    return due.get("outbox", [])


def _add_end(rows: dict[str, list[Row]], record: CallRecord) -> None:
    rows["ends"].append(ops.end_row(record))
    rows["attempts"] += [ops.attempt_row(record.info.id, attempt) for attempt in record.attempts]
    rows["tags"] += map(ops.tag_row, record.tags)  # written before, unless a crash came between
    if record.message is not None:
        rows["messages"].append(ops.message_row(record, record.message))
        rows["deliveries"] += ops.delivery_rows(record, record.message)


def _hold(connection: Connection, ids: Collection[str]) -> None:
    """On PostgreSQL nobody else says anything of these calls, or ends them, until this is committed. In the
    order of their ids, so that no two wait for each other."""
    connection.execute(select(CALLS.c.id).where(CALLS.c.id.in_(ids)).order_by(CALLS.c.id).with_for_update())


def _news(connection: Connection, said: Sequence[CallTag]) -> list[CallTag]:
    """Those of these tags that are to be written, which are not yet: who says again what is so already, or
    takes off what is not there, says nothing."""
    ids = {tag.call_id for tag in said}
    rows = tags_of(connection, ids) if ids else {}
    there = {(id, tag.tag) for id, all_rows in rows.items() for tag in standing(all_rows)}
    news = []
    for tag in said:
        key = tag.call_id, tag.tag
        if is_news(tag, key in there):
            news.append(tag)
            (there.discard if tag.removed else there.add)(key)
    return news


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
