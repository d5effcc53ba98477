"""What doctor finds of databases, disks and clocks."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from router.core.findings import Severity
from router.edge.doctor import clocks, keeping
from router.edge.doctor.keeping import MB
from router.edge.store.database import prepare
from tests.edge.patient import Patient, told
from tests.harness.postgres import Postgres

pytestmark = pytest.mark.usefixtures("alone")

E, W, N, U, OK = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.NOT_CHECKED, Severity.OK


# The database


def _version(file: Path, version: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()


def _plain(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


DATABASES: list[tuple[str, Callable[[Path], object], Severity, str]] = [
    ("good", lambda file: None, OK, "the database can be read, and is of this version"),
    ("with its log", lambda file: None, OK, "SQLite keeps a log (WAL) of "),
    ("not there", lambda file: file.unlink(), N, "there is no database yet"),
    ("older", lambda file: _version(file, "0001"), W, "the database has version 0001"),
    ("newer", lambda file: _version(file, "9999"), E, "the database has version 9999"),
    (
        "no database",
        lambda file: file.write_text("hello" * 1000),
        E,
        "cannot be used: file is not a database",
    ),
    ("in another mode", _plain, W, "the database is in the mode `delete`"),
]


@pytest.mark.parametrize(
    ("made", "severity", "what"), [row[1:] for row in DATABASES], ids=[row[0] for row in DATABASES]
)
async def test_sqlite(
    patient: Patient, tmp_path: Path, made: Callable[[Path], object], severity: Severity, what: str
) -> None:
    file = tmp_path / "callrouter.db"
    prepare(f"sqlite:///{file}")
    made(file)
    assert any(one[0] is severity and what in one[1] for one in told(await patient.found("database")))


def _no_database(file: Path) -> None:
    file.write_text("hello" * 1000)


def _corrupt(file: Path) -> None:
    """Its header is good, and what follows is not."""
    head = file.read_bytes()[:100]
    file.write_bytes(head + b"\xff" * 40_000)


@pytest.mark.parametrize("made", [_no_database, _corrupt])
async def test_a_database_that_is_broken(
    patient: Patient, tmp_path: Path, made: Callable[[Path], object]
) -> None:
    file = tmp_path / "callrouter.db"
    prepare(f"sqlite:///{file}")
    made(file)
    [found] = await patient.found("database")
    assert found.severity is E
    assert "put back the last backup: deploy/OPERATIONS.md" in found.remedy, found


async def test_a_log_that_grows(patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "callrouter.db"
    prepare(f"sqlite:///{file}")
    monkeypatch.setattr(keeping, "LARGEST_WAL", -1)
    assert (W, "the database's log has 0 MB, so some program reads in it without an end") in told(
        await patient.found("database")
    )


async def test_a_database_on_another_machine(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(f"sqlite:///{tmp_path / 'callrouter.db'}")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nnas:/pbx {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(keeping, "MOUNTS", mounts)
    what = "the database is on a file system of another machine (nfs4), where SQLite may lose records"
    assert (W, what) in told(await patient.found("database"))


async def test_postgresql(patient: Patient, postgres: Postgres) -> None:
    patient.settings["database"] = postgres.new_database()
    await asyncio.to_thread(prepare, patient.settings["database"])
    found = told(await patient.found("database"))
    assert {severity for severity, _ in found} == {OK}
    assert (OK, "PostgreSQL's clock and ours agree") in found


async def test_a_url_that_is_none(patient: Patient) -> None:
    patient.settings["database"] = "mysql://there"
    assert (await patient.found("database"))[0].severity is E


MOUNTS = "/dev/a / ext4 rw 0 0\nshort\ntmpfs /tmp tmpfs rw 0 0\nnas:/x /tmp/my\\040calls nfs rw 0 0\n"
PLACES = [("/var", "ext4"), ("/tmp/x", "tmpfs"), ("/tmp/my calls/db", "nfs"), ("/tmpx", "ext4")]


@pytest.mark.parametrize(("path", "kind"), PLACES, ids=[row[0] for row in PLACES])
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert keeping.file_system(Path(path), MOUNTS) == kind


# Disks

SPACES: list[tuple[str, int, int | None, Severity, str]] = [
    ("plenty", 50_000 * MB, 10_000_000, OK, "has 50 GB left"),
    ("of no bound of files", 50_000 * MB, None, OK, "has 50 GB left"),
    ("little", 500 * MB, 10_000, W, "has only 500 MB left"),
    ("none", 5 * MB, 10_000, E, "is full: 5 MB are free"),
    ("none for files", 5000 * MB, 3, E, "is full: only 3 more files can be made"),
]


@pytest.mark.parametrize("row", SPACES, ids=[row[0] for row in SPACES])
def test_space(row: tuple[str, int, int | None, Severity, str]) -> None:
    _, free, files, severity, what = row
    found = keeping.space("state", "/var/lib/callrouter", free, files)
    assert (found.severity, what in found.what) == (severity, True)


async def test_a_folder_that_is_not_there_yet(patient: Patient, tmp_path: Path) -> None:
    patient.settings["state"] = str(tmp_path / "deep" / "er")
    assert {finding.severity for finding in await patient.found("disk")} <= {OK, W, N}
    assert not (tmp_path / "deep").exists()


async def test_a_folder_that_cannot_be(patient: Patient) -> None:
    patient.settings |= {"state": "/dev/null/state", "speech": {"folder": "/sys"}}
    found = await patient.found("disk")
    assert (E, "the folder for state cannot be made: /dev/null is no folder") in told(found)


async def test_a_folder_that_cannot_be_written(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = await patient.found("disk")
    assert (E, f"the folder for state cannot be written by user {os.geteuid()}") in told(found)


async def test_a_database_that_cannot_be_written(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(f"sqlite:///{tmp_path / 'callrouter.db'}")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert (E, "the database cannot be written") in told(await patient.found("database"))


# Clocks

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CLOCKS: list[tuple[str, float, float, Severity, str]] = [
    ("agree", 0.005, 0.01, OK, "Asterisk's clock and ours agree"),
    ("agree, slowly", 4.0, 9.0, OK, "Asterisk's clock and ours agree"),
    ("ahead", 5.0, 1.0, W, "Asterisk's clock is 4 s ahead of ours"),
    ("behind", -4.0, 1.0, W, "Asterisk's clock is 4 s behind ours"),
    ("far behind", -3600.0, 1.0, E, "Asterisk's clock is 3600 s behind ours"),
]


@pytest.mark.parametrize("row", CLOCKS, ids=[row[0] for row in CLOCKS])
def test_clocks(row: tuple[str, float, float, Severity, str]) -> None:
    _, theirs, after, severity, what = row
    found = clocks.difference(
        "Asterisk", NOON + timedelta(seconds=theirs), NOON, NOON + timedelta(seconds=after)
    )
    assert (found.severity, found.what) == (severity, what)


async def test_a_zone_that_is_not_known(patient: Patient) -> None:
    rules = patient.loaded()
    lost = replace(rules, clients={"fjord": replace(rules.clients["fjord"], timezone="Europe/Nowhere")})
    patient.more["load"] = lambda: lost
    assert told(await patient.found("zones")) == [(E, "this machine does not know the zone Europe/Nowhere")]


ZONES: list[tuple[str, str, str, Severity | None]] = [
    ("new", "tzdata.zi", "# version 2026b\n", OK),
    ("old", "+VERSION", "2019a\n", W),
]


@pytest.mark.parametrize(
    ("name", "text", "severity"), [row[1:] for row in ZONES], ids=[row[0] for row in ZONES]
)
async def test_zone_data(
    patient: Patient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    severity: Severity,
) -> None:
    (tmp_path / name).write_text(text)
    monkeypatch.setattr(clocks, "TZPATH", (str(tmp_path),))
    patient.more["clock"] = lambda: NOON
    assert [finding.severity for finding in await patient.found("zones")] == [severity]


def test_zone_data_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "TZPATH", ())
    version, where = clocks.zone_data()
    assert int(version[:4]) >= 2025
    assert Path(where).name == "tzdata"


async def test_zone_data_of_no_version(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "zone_data", lambda: ("", ""))
    assert await patient.found("zones") == []
