"""What doctor goes by beside Asterisk: databases, disks, clocks, who listens, who may read; that one check
harms no other."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from router.core.findings import Finding, Severity, error
from router.core.plan import Speak
from router.edge.doctor import checks, clocks, console, daemon, deliveries, keeping, listening, sounds, visit
from router.edge.doctor.checks import Check
from router.edge.doctor.console import Console, ConsoleError
from router.edge.doctor.keeping import MB
from router.edge.doctor.visit import Visit
from router.edge.store.database import prepare
from router.edge.web.health import serve
from tests.edge.patient import ROUTE, RULES, Patient
from tests.edge.sinks import Sinks
from tests.harness.postgres import Postgres
from tests.harness.router import lasting_port

pytestmark = pytest.mark.usefixtures("alone")

E, W, N, U, OK = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.NOT_CHECKED, Severity.OK


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    async with Patient(tmp_path) as made:
        yield made


def told(found: list[Finding]) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.what) for finding in found]


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


# Who listens

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F98 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 1 1
   1: 00000000:13AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:1F98 0100007F:9C40 01 00000000:00000000 00:00000000 00000000   107        0 3 1
   3: 0100007F:9C40 0100007F:1F98 01 00000000:00000000 00:00000000 00000000     0        0 4 1
   4: short
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 0000000000000000FFFF00000100007F:1F98 0000000000000000FFFF0000:0 0A 0:0 00:0 0 107 0 1
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0 0A 0:0 00:0 0 33 0 1
   2: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0 0A 0:0 00:0 0 33 0 1
"""


def test_who_listens() -> None:
    ari = listening.port(8088, (TCP, TCP6))
    assert [(one.address, one.user, one.is_open) for one in ari.listeners] == [
        (ip_address("127.0.0.1"), 107, False),
        (ip_address("::ffff:127.0.0.1"), 107, False),
    ]
    assert ari.connections == 1
    found = {
        port: [one.is_open for one in listening.port(port, (TCP, TCP6)).listeners] for port in (5038, 80, 81)
    }
    assert found == {5038: [True], 80: [True], 81: [False]}
    assert listening.port(9).listeners == ()


async def test_where_that_is_not_shown(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "TABLES", (Path("/nowhere"),))
    [found] = await patient.found("openness")
    assert found.severity is U


# Who may read

FILE, FOLDER = 0o100000, 0o040000
READERS: list[tuple[str, int, int, set[int], bool]] = [
    ("root", FILE | 0o000, 0, set(), True),
    ("the owner", FILE | 0o400, 1, set(), True),
    ("the owner, who may not", FILE | 0o044, 1, {2}, False),
    ("the group", FILE | 0o040, 9, {2}, True),
    ("the group, which may not", FILE | 0o404, 9, {2}, False),
    ("others", FILE | 0o004, 9, {3}, True),
    ("others, who may not", FILE | 0o440, 9, {3}, False),
    ("a folder to pass through", FOLDER | 0o711, 9, set(), True),
    ("a folder that is closed", FOLDER | 0o750, 9, set(), False),
]


@pytest.mark.parametrize("row", READERS, ids=[row[0] for row in READERS])
def test_who_may_read(row: tuple[str, int, int, set[int], bool]) -> None:
    _, mode, user, groups, may = row
    assert sounds.may_read(os.stat_result((mode, 0, 0, 0, 1, 2, 0, 0, 0, 0)), user, groups) is may


@pytest.fixture
def made(patient: Patient) -> Speak:
    """A prompt that is there."""
    patient.rules = RULES + "last_resort: [hangup]\n" + ROUTE.format("{say: Hei.}")
    text = Speak("Hei.", "en")
    for ending in (".wav", ".wav16"):
        patient.prompts().path(text, ending).parent.mkdir(parents=True, exist_ok=True)
        patient.prompts().path(text, ending).write_bytes(b"RIFF")
    return text


async def test_prompts_that_asterisk_cannot_read(
    patient: Patient, made: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = listening.Listener(ip_address("127.0.0.1"), 54321)
    monkeypatch.setattr(sounds, "port", lambda number: listening.Port((nobody,), 0))
    patient.prompts().path(made).chmod(0o600)
    found = await patient.found("prompts")
    [cannot] = [one for one in found if "54321" in one.what]
    assert cannot.severity is E
    assert cannot.remedy.startswith("chmod o+r")


async def test_prompts_of_an_asterisk_that_is_not_seen(
    patient: Patient, made: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "port", lambda number: listening.Port((), 0))
    assert (U, "whether Asterisk can read the prompts: it is not seen on this machine") in told(
        await patient.found("prompts")
    )


async def test_prompts_of_an_asterisk_elsewhere(patient: Patient, made: Speak) -> None:
    patient.settings["ari"]["url"] = patient.ari.url.replace("127.0.0.1", "0.0.0.0")
    assert (U, "whether Asterisk can read the prompts: it is on another machine") in told(
        await patient.found("prompts")
    )


NOT_READY = '{"ready": false, "reasons": ["no connection to Asterisk"]}'


async def test_prompts_that_are_fetched(patient: Patient, made: Speak) -> None:
    name = f"{patient.prompts().name(made)}.wav"
    web = lasting_port()
    patient.settings["web"] = {"port": web}
    patient.settings["speech"] = {"seen_as": f"http://127.0.0.1:{web}/prompts"}
    assert (U, "whether prompts can be fetched: no router is running") in told(await patient.found("prompts"))
    status = {f"/prompts/{name}": 200, "/healthz": 200, "/readyz": 503}

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(status=status.get(request.path, 404), text=NOT_READY)

    app = aiohttp.web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = await serve(app, "127.0.0.1", web)
    try:
        assert (OK, "prompts can be fetched, from here at least") in told(await patient.found("prompts"))
        status.pop(f"/prompts/{name}")
        assert (E, "prompts cannot be fetched: it answers 404") in told(await patient.found("prompts"))
        assert (E, "the router runs, and takes no calls: no connection to Asterisk") in told(
            await patient.found("router")
        )
        patient.prompts().path(made).unlink()
        assert (await patient.found("prompts"))[0].severity is E, "who runs has made them all"
    finally:
        await runner.cleanup()


# Mail


async def test_mail_is_taken(patient: Patient) -> None:
    with Sinks() as sinks:
        patient.settings["mail"] = {"host": "127.0.0.1", "port": sinks.smtp.port, "tls": "none"}
        assert told(await patient.found("mail")) == [(OK, "the mail server lets us in (unencrypted)")]
        password = patient.folder / "password"
        password.write_text("hush")
        patient.settings["mail"] |= {"username": "pbx", "password_file": str(password)}
        found = told(await patient.found("mail"))
        assert [severity for severity, _ in found] == [E, W]
    assert sinks.mails == []


async def test_a_mail_server_that_is_silent(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LIMIT", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        patient.settings["mail"] = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
        [found] = await patient.found("mail")
    assert found.severity is E


HOOKS: list[tuple[str, str, tuple[str, ...], Severity, str]] = [
    ("without https", "http://127.0.0.1/in", (), E, "is never posted to: it is not https"),
    ("without https, but allowed", "http://127.0.0.1/in", ("127.0.0.1",), OK, "is found: 127.0.0.1"),
    ("with https", "https://127.0.0.1/in", (), OK, "is found: 127.0.0.1"),
]


@pytest.mark.parametrize(
    ("url", "allow", "severity", "what"), [row[1:] for row in HOOKS], ids=[row[0] for row in HOOKS]
)
async def test_a_signed_webhook(
    patient: Patient, url: str, allow: tuple[str, ...], severity: Severity, what: str
) -> None:
    secret = patient.folder / "secret"
    secret.write_text("hush-hush")
    patient.settings["webhooks"] = {"secret_file": str(secret), "allow": allow}
    patient.rules = RULES + f'messages: {{webhook: "{url}"}}\n' + ROUTE.format("message")
    [found] = await patient.found("webhooks")
    assert (found.severity, what in found.what) == (severity, True)


# How they are done


async def test_rules_on_a_disk_that_does_not_answer(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "RULES_LIMIT", 0.05)
    patient.more["load"] = lambda: time.sleep(0.3)
    [found] = await patient.found("rules")
    assert (found.severity, "they could not be read within 0.05 s" in found.what) == (E, True)


async def test_without_uvloop(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "find_spec", lambda name: None)
    assert [finding.severity for finding in await patient.found("versions")] == [OK, N]
    patient.settings["loop"] = "asyncio"
    assert [finding.severity for finding in await patient.found("versions")] == [OK]


async def test_a_check_that_fails_harms_no_other(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LIMIT", 0.1)

    async def fails(visit: Visit) -> AsyncIterator[Finding]:
        yield error("found before", "mend it")
        raise ZeroDivisionError("by nobody")

    async def is_slow(visit: Visit) -> AsyncIterator[Finding]:
        await asyncio.sleep(60)
        yield error("never", "nothing")

    found = await patient.found(Check("fails", fails), Check("is slow", is_slow), "webhooks")
    assert told(found) == [
        (E, "found before"),
        (U, "the rest: the check itself failed (ZeroDivisionError: by nobody)"),
        (U, "the rest: it took longer than 0.1 s"),
        (OK, "no rule has messages posted to other systems"),
    ]


async def test_what_blocks_for_ever_keeps_nobody_from_ending() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await visit.aside(lambda: time.sleep(0.3))
    with pytest.raises(KeyError):
        await visit.aside(lambda: os.environ["CALLED_BY_NOBODY"])


CONSOLES: list[tuple[str, tuple[str, ...], str]] = [
    ("is not there", ("no-such-program",), "`no-such-program` cannot be run here"),
    ("refuses", ("sh", "-c", "echo Unable to connect >&2; exit 1"), "says: Unable to connect"),
    ("refuses without a word", ("false",), "says: exit status 1"),
    ("is silent", ("sleep", "60", "#"), "has not answered within 0.2 s"),
]


@pytest.mark.parametrize(("program", "why"), [row[1:] for row in CONSOLES], ids=[row[0] for row in CONSOLES])
async def test_a_console_that(program: tuple[str, ...], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "LIMIT", 0.2)
    arguments: Any = program[:2] if program[0] == "sleep" else program
    with pytest.raises(ConsoleError, match=why):
        await Console(arguments).ask("60" if program[0] == "sleep" else "core show version")


async def test_a_console_by_ssh(tmp_path: Path) -> None:
    """As ssh does it: what it is given is put together, and read by a shell."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    ssh.chmod(0o755)
    said = await Console((str(ssh), "pbx", "printf", "'<%s>'")).ask("dialplan show")
    assert said == "<dialplan show>"
