"""Backups of a database in use, and what a router finds when one is put back."""

import json
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.edge.store import backup as copies
from router.edge.store.backup import copy_database
from router.edge.store.database import prepare
from router.edge.store.errors import StoreError, UnusableDatabaseError
from router.edge.store.queries import CallFilter, CallStory, Queries
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, encoded, eventually, talked
from tests.harness.postgres import Postgres, programs

pytestmark = pytest.mark.usefixtures("alone")

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    made = f"sqlite:///{tmp_path / 'state' / 'callrouter.db'}"
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        made = postgres.new_database()
    prepare(made)
    return made


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    made = Writer(url, queue_limit=100_000)
    made.start()
    yield made
    made.close(20)


def a_whole_call(writer: Writer) -> str:
    """Written from arrival to end; its id."""
    call = a_call(f"c{next(_numbers)}")
    writer.arrived(call, PLAN, TRACE)
    for seq, event in enumerate(TALK, start=1):
        writer.happened(call.id, seq, TEN, event)
    writer.ended(talked(call))
    return call.id


def put_back(copy: Path, folder: Path, request: pytest.FixtureRequest) -> str:
    """As deploy/OPERATIONS.md has it; the URL of the database."""
    if copy.name == copies.SQLITE_COPY:
        (folder / "state").mkdir(parents=True)
        shutil.copy(copy, folder / "state" / "callrouter.db")
        return f"sqlite:///{folder / 'state' / 'callrouter.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    made = postgres.new_database()
    found = programs()
    assert found is not None
    restore = [str(found / "pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={made}", str(copy)]
    subprocess.run(restore, check=True, timeout=60)
    return made


@contextmanager
def busy(writer: Writer) -> Iterator[list[str]]:
    """Calls are written all the time; the ids of all so far."""
    written: list[str] = []
    over = Event()

    def write() -> None:
        while not over.is_set():
            written.append(a_whole_call(writer))
            while writer.queued > 2_000:
                sleep(0.001)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            eventually(lambda: len(written) > 500)
            yield written
        finally:
            over.set()
        writing.result()


def test_a_copy_of_a_database_in_use_is_whole(
    url: str, writer: Writer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    before = [a_whole_call(writer) for _ in range(100)]
    eventually(lambda: writer.queued == 0)
    (tmp_path / "copy").mkdir()
    with busy(writer) as meanwhile:
        copy = copy_database(url, tmp_path / "copy")
    after = a_whole_call(writer)
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]

    back = put_back(copy, tmp_path / "elsewhere", request)
    prepare(back)
    with closing(Queries(back)) as queries:
        kept = {one.info.id: one.record for one in queries.calls(CallFilter(limit=100_000))}
        story = queries.call(before[0])
    assert set(before) < set(kept) <= {*before, *meanwhile}
    assert after not in kept
    assert all(record == talked(a_call(id)) for id, record in kept.items() if record is not None)
    assert isinstance(story, CallStory)
    assert [row.event for row in story.timeline] == encoded(TALK)


def test_a_router_goes_on_with_what_was_put_back(
    url: str, writer: Writer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = a_whole_call(writer)
    assert writer.close(20) == 0
    (tmp_path / "copy").mkdir()
    back = put_back(copy_database(url, tmp_path / "copy"), tmp_path / "elsewhere", request)
    again = Writer(back, queue_limit=1000)
    again.start()
    second = a_whole_call(again)
    assert again.close(20) == 0
    with closing(Queries(back)) as queries:
        assert {one.info.id for one in queries.calls(CallFilter())} == {first, second}


def test_a_user_with_a_password_is_not_shown_to_everybody(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database()
    prepare(url)
    assert copy_database(url, tmp_path).stat().st_size > 0
    with pytest.raises(UnusableDatabaseError, match=r"cannot be used: pg_dump: error") as told:
        copy_database(url + "-gone", tmp_path)
    assert "crat" not in str(told.value)
    with pytest.raises(UnusableDatabaseError, match="password authentication failed"):
        copy_database(url.replace("crat", "cret"), tmp_path)


def test_what_cannot_be_copied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableDatabaseError, match="in memory only"):
        copy_database("sqlite://", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(copies, "_DEBIAN", tmp_path)
    with pytest.raises(StoreError, match="there is no pg_dump here"):
        copy_database("postgresql://callrouter@127.0.0.1/calls", tmp_path)


def test_pg_dump_is_found_where_debian_has_it(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    prepare(url)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = programs()
    assert found is not None
    for version in ("9.6", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "pg_dump").symlink_to(found / "pg_dump")
    monkeypatch.setattr(copies, "_DEBIAN", tmp_path)
    assert copy_database(url, tmp_path).name == "callrouter.dump"


# The command


class Router:
    """A router's folder, and commands beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "callrouter.yaml"
        self.config.write_text("state: state\n")

    def keeps(self) -> None:
        """A call, a message, a recorded prompt, a calendar, and a prompt that can be made again."""
        url = f"sqlite:///{self.state / 'callrouter.db'}"
        prepare(url)
        writer = Writer(url, queue_limit=1000)
        writer.start()
        a_whole_call(writer)
        assert writer.close(20) == 0
        for name in (
            "messages/c1.wav",
            "prompts/recorded/hello.wav",
            "prompts/nb/made.wav",
            "calendars/a.json",
        ):
            (self.state / name).parent.mkdir(parents=True, exist_ok=True)
            (self.state / name).write_text(name)

    def type(self, *words: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words, "--config", str(self.config)])
        assert done.exit_code == exit_code, done.output
        return done.output


@pytest.fixture
def router(tmp_path: Path) -> Router:
    return Router(tmp_path)


def test_all_that_a_router_keeps_is_in_it(router: Router) -> None:
    router.keeps()
    (router.state / "messages" / "gone.wav").symlink_to("removed-as-it-is-copied")
    made = router.folder / "backups" / "monday"
    told = router.type("backup", str(made))
    assert told.splitlines()[0].split("  ")[0] == "callrouter.db"
    assert {str(file.relative_to(made)) for file in made.rglob("*") if file.is_file()} == {
        "callrouter.db", "messages/c1.wav", "recorded/hello.wav", "calendars/a.json"
    }  # fmt: skip
    assert (made / "messages" / "c1.wav").read_text() == "messages/c1.wav"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [folder.name for folder in made.parent.iterdir()] == ["monday"]


def test_programs_are_told_what_is_in_it(router: Router) -> None:
    router.keeps()
    told = json.loads(router.type("backup", str(router.folder / "b"), "--json"))
    assert told.pop("database_bytes") > 10_000
    assert told == {
        "folder": str(router.folder / "b"),
        "database": "callrouter.db",
        "messages": 1,
        "recorded": 1,
        "calendars": 1,
    }


def test_a_router_that_keeps_only_records(router: Router) -> None:
    prepare(f"sqlite:///{router.state / 'callrouter.db'}")
    assert "0 recording(s)" in router.type("backup", str(router.folder / "b"))


def test_a_folder_that_is_there_is_left_alone(router: Router) -> None:
    router.keeps()
    (router.folder / "b").mkdir()
    told = router.type("backup", str(router.folder / "b"), exit_code=1)
    assert told.endswith("b` is there already; name a folder that is not\n")
    assert list((router.folder / "b").iterdir()) == []


def test_without_a_database_nothing_is_left(router: Router) -> None:
    told = router.type("backup", str(router.folder / "b"), exit_code=1)
    assert told.startswith("there is no database at ")
    assert [file.name for file in router.folder.iterdir()] == ["callrouter.yaml"]


def test_where_nothing_can_be_written_that_is_told(router: Router) -> None:
    router.keeps()
    (router.folder / "file").write_text("")
    told = router.type("backup", str(router.folder / "file" / "b"), exit_code=1)
    assert told.endswith("; no backup was made\n")


def test_a_damaged_database_is_told_and_not_kept(router: Router) -> None:
    router.keeps()
    file = router.state / "callrouter.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'calls'")
        connection.commit()
    told = router.type("backup", str(router.folder / "b"), exit_code=1)
    assert "damaged" in told or "malformed" in told
    assert not (router.folder / "b").exists()
