"""What a router could not write before it stopped: kept in files, and written at the next start."""

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from router.core import notices
from router.core.agents import WrapUp
from router.core.record import Disposition
from router.core.supervision import Mode, Stretch
from router.core.tags import CallTag, Way
from router.edge.store import unwritten
from router.edge.store import writer as store_writer
from router.edge.store.database import prepare
from router.edge.store.operations import (
    Advised,
    Arrival,
    End,
    Happening,
    Operation,
    Reached,
    Tagging,
    WrappedUp,
)
from router.edge.store.outbox import Noticed
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.store.supervisions import Supervised, Unseen
from router.edge.store.unwritten import Unwritten
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, abandoned, encoded, eventually, talked
from tests.harness.postgres import Postgres


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for what is temporary."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(unwritten, "TEMPORARY", (str(folder),))
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/callrouter.db"
    prepare(made)
    return made


@contextmanager
def away(url: str) -> Iterator[None]:
    """Meanwhile the SQLite database takes nothing."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def stopped(url: str, state: Path, *calls: str, within: float = 0.1) -> int:
    """Start a router's writer, have these calls come and go, and stop it: what `close` says."""
    writer = Writer(url, queue_limit=1000, unwritten=Unwritten(state))
    writer.start()
    for id in calls:
        writer.arrived(a_call(id), PLAN, TRACE)
        for seq, event in enumerate(TALK, start=1):
            writer.happened(id, seq, TEN + timedelta(seconds=seq), event)
        writer.ended(talked(a_call(id)))
    lost = writer.close(within)
    assert writer.close(0) == 0, "a second time there is nothing left to keep"
    eventually(lambda: all(thread.name != "store-writer" for thread in threading.enumerate()))
    return lost


def started(url: str, state: Path) -> list[MutableMapping[str, Any]]:
    """Start a router's writer, and stop it when it has written what was left: the log."""
    writer = Writer(url, queue_limit=1000, unwritten=Unwritten(state))
    with capture_logs() as logged:
        writer.start()
        writer.catch_up(20)
        assert writer.close(20) == 0
    assert (writer.conflicts, writer.refused) == (0, 0)
    return logged


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*unwritten-*"))


def dispositions(url: str) -> dict[str, Disposition | None]:
    with closing(Queries(url)) as queries:
        found = queries.calls(CallFilter(limit=1000))
    return {call.info.id: call.record.disposition if call.record else None for call in found}


def test_what_cannot_be_written_at_a_stop_is_written_at_the_next_start(url: str, state: Path) -> None:
    with away(url):
        assert stopped(url, state, "c1") == 0
    [file] = kept(state)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().splitlines()) == len(TALK) + 2
    started(url, state)
    assert kept(state) == []
    with closing(Queries(url)) as queries:
        story = queries.call("c1")
    assert isinstance(story, CallStory)
    assert (story.info, story.record) == (a_call("c1"), talked(a_call("c1")))
    assert [story.plan, story.trace] == encoded([PLAN, TRACE])
    assert [row.event for row in story.timeline] == encoded(TALK)


def test_a_stop_with_nothing_left_keeps_nothing(url: str, state: Path) -> None:
    assert stopped(url, state, "c1", within=20) == 0
    assert kept(state) == []


def test_several_stops_keep_several_files_and_one_start_writes_all(url: str, state: Path) -> None:
    with away(url):
        for id in ("c1", "c2", "c3"):
            assert stopped(url, state, id) == 0
    assert len(kept(state)) == 3
    writer = Writer(url, queue_limit=1000, unwritten=Unwritten(state))
    writer.ended(abandoned(a_call("c1")))  # It is newer, so what was kept comes first, and stays.
    writer.start()
    assert writer.close(20) == 0
    assert writer.conflicts == 1
    assert dispositions(url) == dict.fromkeys(("c1", "c2", "c3"), Disposition.ANSWERED)
    assert kept(state) == []


def test_a_file_that_is_written_again_changes_nothing(url: str, state: Path) -> None:
    with away(url):
        stopped(url, state, "c1")
    [file] = kept(state)
    text = file.read_bytes()
    started(url, state)
    file.write_bytes(text)
    started(url, state)
    assert dispositions(url) == {"c1": Disposition.ANSWERED}
    with closing(Queries(url)) as queries:
        story = queries.call("c1")
    assert isinstance(story, CallStory)
    assert len(story.timeline) == len(TALK)


def test_a_damaged_file_is_put_aside_and_hinders_nothing(url: str, state: Path) -> None:
    with away(url):
        stopped(url, state, "c1")
        stopped(url, state, "c2")
    first, _ = kept(state)
    arrival, *_, end = first.read_bytes().splitlines()
    first.write_bytes(b"\n".join((arrival, end[:50], b"\xff{", b"7", end)))
    logged = started(url, state)
    assert dispositions(url) == {"c1": Disposition.ANSWERED, "c2": Disposition.ANSWERED}
    [aside] = kept(state)
    assert aside.name == f"{first.name}.damaged"
    [told] = [entry for entry in logged if entry["log_level"] == "error"]
    assert (told["event"], told["file"], told["lines"]) == (
        "records that were kept are damaged",
        str(aside),
        3,
    )
    assert len([entry for entry in started(url, state) if entry["log_level"] == "error"]) == 0


def test_a_database_that_is_still_away_leaves_the_files(url: str, state: Path) -> None:
    with away(url):
        stopped(url, state, "c1")
        assert stopped(url, state, "c2") == 0
        writer = Writer(url, queue_limit=1000, unwritten=Unwritten(state))
        writer.start()
        writer.catch_up(20)
        assert writer.failing_since is not None, "nobody waits longer for it"
        assert writer.close(0.1) == 0
    assert len(kept(state)) == 2
    started(url, state)
    assert dispositions(url) == dict.fromkeys(("c1", "c2"), Disposition.ANSWERED)


def test_what_comes_too_late_of_calls_that_were_live_is_not_written(url: str, state: Path) -> None:
    """A router that had to begin without it has taken them over, and writes a history of its own."""
    files = Unwritten(state)
    tag = CallTag("c2", "booking", "kari", Way.PHONE, TEN)
    ours = a_call("c2", route="evening")
    files.keep(
        [
            Arrival(a_call("c1"), PLAN, TRACE),
            Arrival(a_call("c2"), PLAN, TRACE),
            Happening("c2", 1, TEN, TALK[0]),
            Tagging(replace(tag, tag="by_rules", way=Way.RULE), NOTICED),
            Tagging(tag),
            Happening("c1", 1, TEN, TALK[0]),
            End(talked(a_call("c1"))),
        ]
    )
    writer = Writer(url, queue_limit=1000, unwritten=files)
    with away(url):
        writer.start()
        writer.catch_up(20)
        assert writer.ended_before == {"c1"}
        writer.arrived(ours, PLAN, TRACE)
        writer.happened("c2", 1, TEN, TALK[1])
    eventually(lambda: writer.queued == 0)
    assert writer.close(20) == 0
    assert (kept(state), writer.conflicts) == ([], 0)
    assert dispositions(url) == {"c1": Disposition.ANSWERED, "c2": None}
    with closing(Queries(url)) as queries:
        story, over = queries.call("c2"), queries.call("c1")
    assert isinstance(story, CallStory)
    assert isinstance(over, CallStory)
    assert story.info == ours
    assert [row.event for row in story.timeline] == encoded(TALK[1:2])
    assert [row.event for row in over.timeline] == encoded(TALK[:1])


def test_files_of_routers_that_stop_later_are_found(
    url: str, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "LOOK_AGAIN", 0.0)
    writer = Writer(url, queue_limit=1000, unwritten=Unwritten(state))
    writer.start()
    writer.catch_up(20)
    Unwritten(state).keep([Arrival(a_call("c1"), PLAN, TRACE), End(talked(a_call("c1")))])
    writer.arrived(a_call("c2"), PLAN, TRACE)
    eventually(lambda: not kept(state))
    assert writer.close(20) == 0
    assert dispositions(url) == {"c1": Disposition.ANSWERED, "c2": None}


def test_where_the_state_takes_no_file_a_temporary_one_is_written(
    url: str, tmp_path: Path, temporary: Path
) -> None:
    state = tmp_path / "no folder"
    state.write_text("")
    with away(url), capture_logs() as logged:
        assert stopped(url, state, "c1") == len(TALK) + 2, "the system may remove it"
    [file] = kept(temporary)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    errors = [(one["event"], one["file"]) for one in logged if one["log_level"] == "error" and "file" in one]
    assert errors[-1] == ("records kept for the next start", str(file))
    started(url, tmp_path / "another router's")
    assert kept(temporary) == [file]
    started(url, state)
    assert kept(temporary) == []
    assert dispositions(url) == {"c1": Disposition.ANSWERED}


def test_where_no_file_can_be_written_records_are_lost_and_counted(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "no folder"
    file.write_text("")
    monkeypatch.setattr(unwritten, "TEMPORARY", (str(file),))
    with away(url), capture_logs() as logged:
        assert stopped(url, file, "c1") == len(TALK) + 2
    lost = {"event": "records lost at stop", "operations": len(TALK) + 2, "log_level": "error"}
    assert lost in logged


def test_a_file_that_is_not_safe_on_the_disk_is_none(
    state: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not Unwritten(state).keep([End(talked(a_call("c1")))])
    assert list(state.iterdir()) == list(temporary.iterdir()) == []


def refused(url: str, state: Path) -> None:
    """The one file that is there is not read, and stays."""
    [file] = kept(state)
    logged = started(url, state)
    assert [entry["event"] for entry in logged] == ["records that were kept cannot be read"]
    assert (dispositions(url), kept(state)) == ({}, [file])


def test_files_of_others_are_not_read(url: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with away(url):
        stopped(url, state, "c1")
    monkeypatch.setattr(os, "geteuid", lambda: state.stat().st_uid + 1)
    refused(url, state)


def test_what_is_no_file_is_not_read(url: str, state: Path, tmp_path: Path) -> None:
    with away(url):
        stopped(url, state, "c1")
    [file] = kept(state)
    elsewhere = file.rename(tmp_path / "elsewhere.jsonl")
    file.symlink_to(elsewhere)
    refused(url, state)
    file.unlink()
    os.mkfifo(file)
    refused(url, state)


def test_a_file_that_cannot_be_removed_stays(url: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with away(url):
        stopped(url, state, "c1")

    def no(*_: object) -> None:
        raise PermissionError("read-only")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", no)
        assert "records that are written stay kept" in [entry["event"] for entry in started(url, state)]
    started(url, state)
    assert kept(state) == []


def test_what_nobody_has_thought_of_hinders_nothing(
    url: str, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object) -> None:
        raise IndexError("list index out of range")

    with away(url):
        stopped(url, state, "c1")
    monkeypatch.setattr(unwritten, "_read", no)
    assert stopped(url, state, "c2", within=20) == 0
    assert dispositions(url) == {"c2": Disposition.ANSWERED}


def test_what_no_file_can_hold_is_refused_alone(state: Path) -> None:
    files = Unwritten(state)
    with capture_logs() as logged:
        assert files.keep([End(talked(a_call("c1", caller="\ud800"))), End(talked(a_call("c2")))])
    assert (logged[0]["event"], logged[0]["call_id"]) == ("row refused", "c1")
    [found] = files.found()
    assert list(found.operations) == [End(talked(a_call("c2")))]


NOTICED = Noticed("ast1", notices.of_arrival(a_call())[0])
STRETCH = Stretch("s1", 1, "fjord", "per", "PJSIP/per", "kari", "c1", Mode.LISTEN, TEN)
OPERATIONS: list[Operation] = [
    Arrival(a_call(), PLAN, list(TRACE)),
    Happening("c1", 1, TEN, TALK[0]),
    Happening("c1", 1, TEN, TALK[1], NOTICED),
    End(talked(a_call())),
    Tagging(CallTag("c1", "booking", "kari", Way.PHONE, TEN), NOTICED),
    Advised(a_call(), "blocked", list(TRACE)),
    WrappedUp(WrapUp("c1", "kari", "fjord", "desk", TEN, TEN)),
    Supervised("r1", STRETCH),
    Unseen("r1", TEN),
    Reached("fjord", "+4790000001", TEN),
]


def test_every_operation_is_read_as_it_was_kept(state: Path) -> None:
    files = Unwritten(state)
    assert files.keep(OPERATIONS)
    [found] = files.found()
    assert list(found.operations) == OPERATIONS
    kinds = {json.loads(line)["type"] for line in found.file.read_text().splitlines()}
    assert len(kinds) == 9


def test_postgresql_that_is_away_at_a_stop(postgres: Postgres, state: Path) -> None:
    url = postgres.new_database()
    prepare(url)
    postgres.stop()
    try:
        assert stopped(url, state, "c1") == 0
        assert len(kept(state)) == 1
    finally:
        postgres.start()
    started(url, state)
    assert kept(state) == []
    assert dispositions(url) == {"c1": Disposition.ANSWERED}
