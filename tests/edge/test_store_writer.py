"""The writer on real SQLite files: what is written, what is refused, what outlives a database in trouble."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StatementError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from router.core.events import KeyPressed
from router.core.record import Disposition
from router.edge.store.database import prepare
from router.edge.store.errors import UnusableDatabaseError
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.store.writer import BATCH, Writer, is_rows_fault
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, abandoned, encoded, eventually, talked

ROOM = 200_000


class Store:
    """A writer and the database it writes to."""

    def __init__(self, folder: Path, queue_limit: int = ROOM) -> None:
        self.file = folder / "records" / "callrouter.db"
        self.url = f"sqlite:///{self.file}"
        prepare(self.url)
        self.writer = Writer(self.url, queue_limit=queue_limit)

    def raw(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, isolation_level=None, timeout=0)

    def count(self, table: str) -> int:
        connection = self.raw()
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        connection.close()
        return found

    def dispositions(self) -> dict[str, Disposition | None]:
        queries = Queries(self.url)
        found = queries.calls(CallFilter(limit=10_000))
        queries.close()
        return {call.info.id: call.record.disposition if call.record else None for call in found}

    def settle(self) -> None:
        assert self.writer.close(20) == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.writer.close(0)


def live_through(writer: Writer, id: str) -> None:
    """A whole call: it arrives, things happen, it ends."""
    call = a_call(id)
    writer.arrived(call, PLAN, TRACE)
    for seq, event in enumerate(TALK, start=1):
        writer.happened(id, seq, TEN + timedelta(seconds=seq), event)
    writer.ended(talked(call))


def test_a_whole_call_is_read_back_as_it_was_told(store: Store) -> None:
    store.writer.start()
    live_through(store.writer, "c1")
    store.settle()
    queries = Queries(store.url)
    story = queries.call("c1")
    queries.close()
    assert isinstance(story, CallStory)
    assert story.info == a_call("c1")
    assert story.record == talked(a_call("c1"))
    assert [story.plan, story.trace] == encoded([PLAN, TRACE])
    assert [row.event for row in story.timeline] == encoded(TALK)
    assert [row.at for row in story.timeline] == [TEN + timedelta(seconds=n) for n in (1, 2, 3, 4)]


def test_text_of_callers_is_stored_as_it_is(store: Store) -> None:
    strange = a_call(
        "c1", caller="'; DROP TABLE calls; -- \"{}[]\\ \N{SNOWMAN}\U0001f4de\t", route="på kvällen"
    )
    store.writer.start()
    store.writer.arrived(strange, PLAN, TRACE)
    store.settle()
    queries = Queries(store.url)
    assert queries.calls(CallFilter())[0].info == strange
    queries.close()


def test_calls_are_committed_in_groups(store: Store) -> None:
    for number in range(200):
        live_through(store.writer, f"c{number}")
    store.writer.start()
    store.settle()
    operations = 200 * (len(TALK) + 2)
    assert store.count("calls") == 200
    assert store.writer.written == operations
    assert store.writer.commits == -(-operations // BATCH)
    assert store.writer.commit_seconds > 0
    assert store.writer.queued == 0


def test_a_lone_operation_is_committed_without_others(store: Store) -> None:
    store.writer.start()
    store.writer.arrived(a_call("c1"), PLAN, TRACE)
    eventually(lambda: store.writer.commits == 1)
    store.writer.ended(abandoned(a_call("c1")))
    eventually(lambda: store.writer.commits == 2)
    assert store.dispositions() == {"c1": Disposition.ABANDONED}


def test_several_threads_may_hand_over(store: Store) -> None:
    store.writer.start()

    def live_fifty(thread: int) -> None:
        for number in range(50):
            live_through(store.writer, f"t{thread}-{number}")

    threads = [threading.Thread(target=live_fifty, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.settle()
    assert store.count("timeline") == 4 * 50 * len(TALK)
    assert set(store.dispositions().values()) == {Disposition.ANSWERED}


# One disposition a call.


def two_ends_together(store: Store) -> None:
    store.writer.ended(talked(a_call("c1")))
    store.writer.ended(abandoned(a_call("c1")))
    store.writer.start()


def two_ends_one_after_the_other(store: Store) -> None:
    store.writer.start()
    store.writer.ended(talked(a_call("c1")))
    eventually(lambda: store.writer.commits == 1)
    store.writer.ended(abandoned(a_call("c1")))


def same_channel_under_another_id(store: Store) -> None:
    store.writer.ended(talked(a_call("c1")))
    store.writer.ended(abandoned(a_call("c2", channel="channel-of-c1")))
    store.writer.start()


CONFLICTS = [two_ends_together, two_ends_one_after_the_other, same_channel_under_another_id]


@pytest.mark.parametrize("conflict", CONFLICTS, ids=lambda conflict: conflict.__name__)
def test_the_first_disposition_stays(store: Store, conflict: Callable[[Store], None]) -> None:
    store.writer.arrived(a_call("c1"), PLAN, TRACE)
    conflict(store)
    store.writer.arrived(a_call("c9"), PLAN, TRACE)
    store.settle()
    assert store.dispositions() == {"c1": Disposition.ANSWERED, "c9": None}
    assert store.count("attempts") == 2
    assert store.writer.conflicts == 1
    assert store.writer.refused == 0


def test_the_same_end_told_again_is_no_conflict(store: Store) -> None:
    store.writer.start()
    for _ in range(2):
        live_through(store.writer, "c1")
        eventually(lambda: store.writer.queued == 0)
    store.settle()
    assert store.writer.conflicts == 0
    assert (store.count("calls"), store.count("attempts"), store.count("timeline")) == (1, 2, len(TALK))


def test_an_end_without_an_arrival_brings_the_call(store: Store) -> None:
    store.writer.start()
    store.writer.ended(talked(a_call("c1")))
    store.settle()
    assert store.dispositions() == {"c1": Disposition.ANSWERED}


def test_an_arrival_told_after_the_end_changes_nothing(store: Store) -> None:
    store.writer.start()
    store.writer.ended(talked(a_call("c1")))
    eventually(lambda: store.writer.commits == 1)
    store.writer.arrived(a_call("c1"), PLAN, TRACE)
    store.settle()
    assert store.dispositions() == {"c1": Disposition.ANSWERED}


# A row that cannot be stored.

POISON: dict[str, Callable[[Writer], None]] = {
    "event that is not text": lambda writer: writer.happened("p", 1, TEN, KeyPressed(0, "\ud83d")),
    "moment without a time zone": lambda writer: writer.happened("p", 1, TEN.replace(tzinfo=None), TALK[0]),
    "half a character": lambda writer: writer.arrived(a_call("p", caller="\ud83d"), PLAN, TRACE),
    "no client's Asterisk": lambda writer: writer.arrived(
        msgspec.structs.replace(a_call("p"), asterisk_id=None), PLAN, TRACE
    ),
    "not a record": lambda writer: writer.ended(msgspec.structs.replace(talked(a_call("p")), ended_at=None)),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_only_the_row_that_cannot_be_stored_is_refused(
    store: Store, poison: Callable[[Writer], None]
) -> None:
    live_through(store.writer, "before")
    poison(store.writer)
    live_through(store.writer, "after")
    store.writer.start()
    store.settle()
    assert store.dispositions() == {"before": Disposition.ANSWERED, "after": Disposition.ANSWERED}
    assert store.count("timeline") == 2 * len(TALK)
    assert (store.writer.refused, store.writer.conflicts) == (1, 0)
    assert store.writer.failing_since is None


class DriverError(Exception):
    """What PostgreSQL's driver raises, as far as it is looked at."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


FAULTS = [
    ("a value that does not fit", DataError("", {}, DriverError("22003")), True),
    ("a key that is there", IntegrityError("", {}, DriverError("23505")), True),
    ("a value the driver cannot bind", ProgrammingError("", {}, sqlite3.ProgrammingError()), True),
    ("a value that cannot be bound", StatementError("", "", {}, TypeError()), True),
    ("a number too large", OverflowError(), True),
    ("a table that is gone", ProgrammingError("", {}, DriverError("42P01")), False),
    ("a lost connection", DataError("", {}, DriverError("22003"), connection_invalidated=True), False),
    ("a full disk", OperationalError("", {}, DriverError("53100")), False),
    ("no connection to be had", TimeoutError(), False),
    ("a folder without access", PermissionError(), False),
]


@pytest.mark.parametrize(("error", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_whose_fault_it_is(error: Exception, fault: bool) -> None:
    assert is_rows_fault(error) is fault


# A database in trouble.


def test_a_locked_database_is_waited_for(store: Store) -> None:
    other = store.raw()
    other.execute("BEGIN EXCLUSIVE")
    store.writer.start()
    live_through(store.writer, "c1")
    eventually(lambda: store.writer.failing_since is not None)
    assert store.writer.queued > 0
    other.execute("ROLLBACK")
    other.close()
    eventually(lambda: store.writer.queued == 0)
    assert store.writer.failing_since is None
    assert store.dispositions() == {"c1": Disposition.ANSWERED}


@pytest.fixture
def disk(store: Store) -> Iterator[threading.Event]:
    """While it is set, no connection can make the database larger."""
    full = threading.Event()

    def limit(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        if full.is_set():
            cursor = connection.cursor()
            pages = cursor.execute("PRAGMA page_count").fetchone()[0]
            cursor.execute(f"PRAGMA max_page_count={pages}")
            cursor.close()

    sqlalchemy_event.listen(Engine, "connect", limit)
    yield full
    sqlalchemy_event.remove(Engine, "connect", limit)


def test_a_full_disk_is_waited_for(store: Store, disk: threading.Event) -> None:
    disk.set()
    store.writer.start()
    for number in range(300):
        live_through(store.writer, f"c{number}")
    eventually(lambda: store.writer.failing_since is not None)
    assert store.writer.queued > 0
    disk.clear()
    eventually(lambda: store.writer.queued == 0)
    assert len(store.dispositions()) == 300
    assert (store.writer.refused, store.writer.conflicts, store.writer.shed) == (0, 0, 0)


def test_a_folder_that_goes_and_comes_back_is_waited_for(store: Store, tmp_path: Path) -> None:
    store.writer.start()
    live_through(store.writer, "early")
    eventually(lambda: store.writer.queued == 0)
    away = tmp_path / "away"
    store.file.parent.rename(away)
    live_through(store.writer, "meanwhile")
    eventually(lambda: store.writer.failing_since is not None)
    away.rename(store.file.parent)
    eventually(lambda: store.writer.queued == 0)
    assert store.dispositions() == {"early": Disposition.ANSWERED, "meanwhile": Disposition.ANSWERED}


def test_after_a_database_was_deleted_records_go_into_a_new_one(store: Store) -> None:
    store.writer.start()
    store.writer.arrived(a_call("open"), PLAN, TRACE)
    eventually(lambda: store.writer.queued == 0)
    shutil.rmtree(store.file.parent)
    store.writer.ended(talked(a_call("open")))
    eventually(lambda: store.writer.failing_since is not None)
    store.file.parent.mkdir()
    store.settle()
    assert store.dispositions() == {"open": Disposition.ANSWERED}


def test_a_full_queue_sheds_timeline_rows_and_keeps_calls(tmp_path: Path) -> None:
    store = Store(tmp_path, queue_limit=20)
    for number in range(10):
        live_through(store.writer, f"c{number}")
    assert store.writer.shed > 0
    store.writer.start()
    eventually(lambda: store.writer.queued == 0)
    live_through(store.writer, "later")
    store.settle()
    assert set(store.dispositions().values()) == {Disposition.ANSWERED}
    assert len(store.dispositions()) == 11
    assert store.count("timeline") + store.writer.shed == 11 * len(TALK)


def test_a_full_queue_sheds_what_dialplans_were_told(tmp_path: Path) -> None:
    store = Store(tmp_path, queue_limit=2)
    for number in range(5):
        store.writer.advised(a_call(f"d{number}"), "ring", TRACE)
    assert store.writer.shed == 3
    store.writer.start()
    store.settle()
    assert store.count("decisions") == 2


def test_what_cannot_be_written_in_time_is_counted_at_close(store: Store) -> None:
    other = store.raw()
    other.execute("BEGIN EXCLUSIVE")
    store.writer.start()
    live_through(store.writer, "c1")
    eventually(lambda: store.writer.failing_since is not None)
    assert store.writer.close(0.1) == len(TALK) + 2
    other.close()


def test_nothing_is_taken_after_close(store: Store) -> None:
    store.writer.start()
    store.settle()
    store.writer.arrived(a_call("c1"), PLAN, TRACE)
    assert store.writer.shed == 1
    assert store.dispositions() == {}


WRONG_URLS = [
    ("no URL", "callrouter.db", "write sqlite:////path"),
    ("an unknown database", "oracle://localhost/x", "use sqlite or postgresql"),
    ("an unknown kind", "sqlight:///x.db", "write sqlite:////path"),
]


@pytest.mark.parametrize(("url", "told"), [row[1:] for row in WRONG_URLS], ids=[row[0] for row in WRONG_URLS])
def test_a_url_of_no_use_is_refused(url: str, told: str) -> None:
    with pytest.raises(UnusableDatabaseError, match=told):
        Writer(url, queue_limit=ROOM)
