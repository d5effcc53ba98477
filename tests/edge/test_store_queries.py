"""Reads of a real SQLite file: lists, one call, counts, and what recovery needs."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from router.core.keyedin import is_feature_code
from router.core.record import CallInfo, Disposition
from router.edge.store.database import parse_url, prepare, reading_engine
from router.edge.store.errors import UnusableDatabaseError
from router.edge.store.queries import CallFilter, CallStory, Counts, NoSuchCall, Queries, SeveralCalls
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, a_code, abandoned, encoded, informed, talked

HOUR = timedelta(hours=1)
CODES = (
    a_code("kk1", at=TEN + 1.1 * HOUR, caller="+4790000001"),
    a_code("kk2", at=TEN + 3.5 * HOUR, client=None, dialled="logged_in", route="agent no agent"),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A morning: three calls of fjord, one of acme, one that is still open, and two feature codes."""
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    prepare(url)
    writer = Writer(url, queue_limit=200_000)
    for call, record in (
        (a_call("aa1", at=TEN), talked),
        (a_call("aa2", at=TEN + HOUR), abandoned),
        (a_call("bb1", at=TEN + 2 * HOUR, client="acme"), talked),
        (a_call("bb2", at=TEN + 3 * HOUR, client=None), abandoned),
    ):
        writer.arrived(call, PLAN, TRACE)
        writer.ended(record(call))
    for code in CODES:
        writer.arrived(code, PLAN, ())
        writer.ended(informed(code))
    writer.arrived(a_call("cc1", at=TEN + 4 * HOUR), PLAN, TRACE)
    writer.start()
    assert writer.close(20) == 0
    return url


@pytest.fixture
def queries(url: str) -> Iterator[Queries]:
    made = Queries(url)
    yield made
    made.close()


FILTERS = [
    ("all, the latest first", CallFilter(), ["cc1", "bb2", "bb1", "aa2", "aa1"]),
    ("feature codes, too", CallFilter(codes=True), ["cc1", "kk2", "bb2", "bb1", "kk1", "aa2", "aa1"]),
    ("the latest two", CallFilter(limit=2), ["cc1", "bb2"]),
    ("the two after those", CallFilter(limit=2, after="bb2"), ["bb1", "aa2"]),
    ("one client's", CallFilter(client="fjord"), ["cc1", "aa2", "aa1"]),
    ("one disposition's", CallFilter(disposition=Disposition.ANSWERED), ["bb1", "aa1"]),
    ("since a moment, that moment too", CallFilter(since=TEN + 2 * HOUR), ["cc1", "bb2", "bb1"]),
    ("ended since a moment", CallFilter(ended_since=TEN + 2 * HOUR), ["bb2", "bb1"]),
    ("all conditions", CallFilter(client="fjord", disposition=Disposition.ANSWERED, since=TEN), ["aa1"]),
    ("of nobody", CallFilter(client="nobody"), []),
    ("after a call that is not there", CallFilter(after="zz"), []),
]


@pytest.mark.parametrize(("wanted", "ids"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_list(queries: Queries, wanted: CallFilter, ids: list[str]) -> None:
    assert [call.info.id for call in queries.calls(wanted)] == ids


def test_who_called_lately(queries: Queries) -> None:
    found = queries.who_called(["fjord", "nobody"], TEN + HOUR, TEN + 5 * HOUR, 9)
    caller = a_call("aa2").caller
    assert found == [("fjord", caller, TEN + HOUR), ("fjord", caller, TEN + 4 * HOUR)]
    assert queries.who_called(["fjord"], TEN + HOUR, TEN + 4 * HOUR, 9) == found[:1]
    assert queries.who_called(["fjord"], TEN + HOUR, TEN + 5 * HOUR, 1) == found[1:], "the latest"


def test_rows_of_callers_are_those_that_are_no_feature_codes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    prepare(url)
    writer = Writer(url, queue_limit=1000)
    dialled, routes = ("+4722334455", "22334455", "code12", ""), ("main", "agent in", "Agent in", "agent", "")
    odd = [
        replace(a_call(f"c{number}"), dialled=what, route=route, client=client)
        for number, (what, route, client) in enumerate(product(dialled, (*routes, None), ("fjord", None)))
    ]
    for info in odd:
        writer.arrived(info, PLAN, ())
    writer.start()
    assert writer.close(20) == 0
    with closing(Queries(url)) as queries:
        found = {call.info.id for call in queries.calls(CallFilter(limit=100))}
        assert len(queries.calls(CallFilter(limit=100, codes=True))) == len(odd)
    assert found == {info.id for info in odd if not is_feature_code(info)}
    assert left_out(odd, found) == {("22334455", "agent in"), ("code12", "agent in"), ("", "agent in")}


def left_out(calls: Iterable[CallInfo], found: set[str]) -> set[tuple[str, str | None]]:
    """What those that were not found had dialled, and their routes."""
    return {(info.dialled, info.route) for info in calls if info.id not in found}


def test_calls_of_one_moment_are_paged_without_loss(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    prepare(url)
    writer = Writer(url, queue_limit=1000)
    for number in range(5):
        writer.arrived(a_call(f"c{number}"), PLAN, TRACE)
    writer.start()
    writer.close(20)
    queries = Queries(url)
    seen: list[str] = []
    while page := queries.calls(CallFilter(limit=2, after=seen[-1] if seen else None)):
        seen += [call.info.id for call in page]
    queries.close()
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


def test_a_listed_call_has_its_attempts_in_order(queries: Queries) -> None:
    [call] = queries.calls(CallFilter(client="acme"))
    assert call.record == talked(call.info)


FINDS = [
    ("the whole id", "aa1", "aa1"),
    ("the beginning of one id", "c", "cc1"),
    ("the beginning of two", "aa", SeveralCalls("aa", ("aa1", "aa2"))),
    ("no beginning", "x", NoSuchCall("x")),
    ("a wildcard is only a letter", "a%", NoSuchCall("a%")),
]


@pytest.mark.parametrize(("asked", "found"), [row[1:] for row in FINDS], ids=[row[0] for row in FINDS])
def test_find(queries: Queries, asked: str, found: object) -> None:
    answer = queries.call(asked)
    assert (answer.info.id if isinstance(answer, CallStory) else answer) == found


def test_an_id_that_begins_another_is_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    prepare(url)
    writer = Writer(url, queue_limit=1000)
    for id in ("7", "77"):
        writer.arrived(a_call(id), PLAN, TRACE)
    writer.start()
    writer.close(20)
    queries = Queries(url)
    found = queries.call("7")
    queries.close()
    assert isinstance(found, CallStory)
    assert (found.info.id, found.record) == ("7", None)


def test_counts(queries: Queries) -> None:
    assert queries.counts() == Counts(1, {Disposition.ANSWERED: 2, Disposition.ABANDONED: 2})
    assert queries.counts(since=TEN + 3 * HOUR) == Counts(1, {Disposition.ABANDONED: 1})


# Recovery.

TIMELINES = [
    ("nothing happened yet", (), 0, 1),
    ("all is there", (1, 2, 3), 3, 4),
    ("a row is missing: only what is before it", (1, 2, 4), 2, 5),
    ("the first is missing: nothing", (2, 3), 0, 4),
]


@pytest.mark.parametrize(
    ("stored", "usable", "next_seq"), [row[1:] for row in TIMELINES], ids=[row[0] for row in TIMELINES]
)
def test_an_open_call_is_resumed_from_what_is_whole(
    url: str, stored: tuple[int, ...], usable: int, next_seq: int
) -> None:
    writer = Writer(url, queue_limit=1000)
    for seq in reversed(stored):
        writer.happened("cc1", seq, TEN + timedelta(seconds=seq), TALK[seq - 1])
    writer.start()
    assert writer.close(20) == 0
    queries = Queries(url)
    [call] = queries.open_calls()
    queries.close()
    assert (call.info, [call.plan]) == (a_call("cc1", at=TEN + 4 * HOUR), encoded([PLAN]))
    assert [row.event for row in call.timeline] == encoded(TALK[:usable])
    assert [row.seq for row in call.timeline] == list(range(1, usable + 1))
    assert call.next_seq == next_seq


def test_open_calls_of_one_asterisk(queries: Queries) -> None:
    assert [call.info.id for call in queries.open_calls("ast1")] == ["cc1"]
    assert queries.open_calls("another") == []


def test_a_database_that_is_damaged_inside_is_told(url: str) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'timeline'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as damaged:
        damaged.seek((page - 1) * size)
        damaged.write(b"\xff" * size)
    queries = Queries(url)
    with pytest.raises(UnusableDatabaseError, match="malformed"):
        queries.open_calls()
    queries.close()


# Readers and the writer.


def test_a_reader_in_the_middle_of_reading_keeps_no_writer_waiting(url: str, queries: Queries) -> None:
    reader = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM calls").fetchone() == (7,)
    writer = Writer(url, queue_limit=1000)
    writer.ended(talked(a_call("cc1", at=TEN + 4 * HOUR)))
    writer.start()
    assert writer.close(20) == 0
    assert reader.execute("SELECT count(*) FROM calls WHERE disposition IS NULL").fetchone() == (1,)
    reader.close()
    assert queries.counts().open == 0


def test_a_reader_cannot_write(url: str) -> None:
    engine = reading_engine(parse_url(url))
    with engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("DELETE FROM calls"))
    engine.dispose()


def test_what_a_dialplan_was_told_is_found_and_no_call(url: str, queries: Queries) -> None:
    writer = Writer(url, queue_limit=100)
    for id, client, treatment in (
        ("dd1", "fjord", "ring"),
        ("dd2", "fjord", "blocked"),
        ("dd3", "acme", "blocked"),
    ):
        writer.advised(a_call(id, at=TEN + 5 * HOUR, client=client), treatment, TRACE)
    writer.start()
    assert writer.close(20) == 0
    found = queries.decision("dd1")
    assert found is not None
    assert (found.info.id, found.treatment, [found.trace]) == ("dd1", "ring", encoded([TRACE]))
    assert [queries.decision(id) for id in ("dd", "zz", "aa1")] == [None] * 3, "several, none, and a call's"
    assert [row.info.id for row in queries.screened("fjord", TEN + 5 * HOUR, 10)] == ["dd2"]
    assert {row.info.id for row in queries.screened(None, TEN + 5 * HOUR, 10)} == {"dd2", "dd3"}
    assert queries.counts() == Counts(1, {Disposition.ANSWERED: 2, Disposition.ABANDONED: 2})
    assert queries.call("dd1") == NoSuchCall("dd1")
