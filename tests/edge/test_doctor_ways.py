"""What doctor goes by beside ARI: who listens, who may read, mail, broker, console; and one check harms no
other."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.core.findings import Finding, Severity, error
from router.core.plan import Speak
from router.edge.doctor import broker as broker_check
from router.edge.doctor import checks, console, daemon, deliveries, listening, sounds, visit
from router.edge.doctor.checks import Check
from router.edge.doctor.console import Console, ConsoleError
from router.edge.doctor.visit import Visit
from router.edge.store.database import prepare
from router.edge.store.writer import Writer
from router.edge.web.health import serve
from tests.edge.patient import ROUTE, RULES, Patient, told
from tests.edge.sinks import Sinks
from tests.edge.stories import PLAN, TEN, TRACE, a_call, talked
from tests.harness.broker import ACL, Broker, Reader
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("alone")

E, W, N, U, OK = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.NOT_CHECKED, Severity.OK


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
    web = free_port(socket.SOCK_STREAM)
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


# A router that runs


@asynccontextmanager
async def running(patient: Patient, **metrics: float) -> AsyncIterator[None]:
    """A router, of which these metrics are told."""
    web = free_port(socket.SOCK_STREAM)
    patient.settings["web"] = {"port": web}
    lines = [f"# HELP {name} As it is.\n# TYPE {name} gauge\n{name} {is_}\n" for name, is_ in metrics.items()]

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text="".join(lines) if request.path == "/metrics" else "{}")

    app = aiohttp.web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = await serve(app, "127.0.0.1", web)
    try:
        yield
    finally:
        await runner.cleanup()


DATABASES: list[tuple[str, str, str]] = [
    ("SQLite", "", "fuser -v "),
    ("PostgreSQL", "postgresql://callrouter@127.0.0.1/calls", "see that its server runs"),
    ("none that we know", "mysql://there", "the router's log says why"),
]


@pytest.mark.parametrize(("url", "remedy"), [row[1:] for row in DATABASES], ids=[row[0] for row in DATABASES])
async def test_a_router_whose_database_takes_nothing(patient: Patient, url: str, remedy: str) -> None:
    patient.settings |= {"database": url} if url else {}
    async with running(patient, callrouter_store_failing=0.0):
        assert [one.severity for one in await patient.found("router")] == [OK]
    async with running(patient, callrouter_store_failing=1.0):
        [_, failing] = await patient.found("router")
    assert failing.severity is E
    assert failing.what.startswith("the running router's database takes nothing: ")
    assert remedy in failing.remedy


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
    ("with https", "https://127.0.0.1/in", (), E, "127.0.0.1 is within one's own net"),
    ("with https, and allowed", "https://127.0.0.1/in", ("127.0.0.1",), OK, "is found: 127.0.0.1"),
    ("with https, outside", "https://1.1.1.1/in", (), OK, "is found: 1.1.1.1"),
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


# The broker


async def test_a_broker(patient: Patient, broker: Broker) -> None:
    patient.settings["mqtt"] = broker.settings()
    assert told(await patient.found("broker")) == [
        (OK, "the MQTT broker lets us in, and takes what we publish")
    ]
    url = f"sqlite:///{patient.folder / 'callrouter.db'}"
    await asyncio.to_thread(prepare, url)
    assert (OK, "0 notices wait to be published") in told(await patient.found("broker"))
    patient.ari.entity = "ast1"
    writer = Writer(url, queue_limit=1000)
    writer.start()
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.ended(talked(a_call("c1")))
    writer.close(10)
    patient.more["clock"] = lambda: TEN + timedelta(hours=1)
    [_, late] = await patient.found("broker")
    assert (late.severity, "notices wait to be published, the oldest since 20" in late.what) == (W, True)
    patient.settings["mqtt"] |= {"password_file": None}
    [refused, _] = await patient.found("broker")
    assert refused.severity is E
    assert refused.what.startswith("the MQTT broker does not let us in: ")
    assert "Not authorized" in refused.what


NOT_LET = "the MQTT broker lets us in, and does not let us publish to callrouter/events/-/doctor"
SHUT = """\
user router
topic read callrouter/#
"""


async def test_a_broker_that_lets_us_publish_nothing(patient: Patient, broker: Broker) -> None:
    patient.settings["mqtt"] = broker.settings()
    broker.allow(SHUT)
    try:
        found = await _until(patient, E)
    finally:
        broker.allow(ACL)
    assert found.what == f"{NOT_LET}: Not authorized"
    assert "have the broker's ACL let `router` write callrouter/events/#, " in found.remedy
    assert "callrouter/routers/one/status, and read callrouter/routers/one/commands/#" in found.remedy
    await _until(patient, OK)


async def _until(patient: Patient, severity: Severity) -> Finding:
    """The first of the broker, once it is as bad: Mosquitto reads its ACL anew when it comes to it."""
    for _ in range(50):
        [found, *_] = await patient.found("broker")
        if found.severity is severity:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_what_is_published_is_an_event_and_not_kept(patient: Patient, broker: Broker) -> None:
    patient.settings["mqtt"] = broker.settings()
    with Reader(broker) as reader:
        assert [one.severity for one in await patient.found("broker")] == [OK]
        await asyncio.to_thread(wait_until, lambda: reader.heard, "it is heard")
        [told] = reader.heard
        assert (told.topic, told.retained) == ("events/-/doctor", False)
        assert told.body.keys() == {"type", "id", "at", "version"}
        assert told.body["type"] == "doctor"
    with Reader(broker) as later:
        assert later.at("events/-/doctor") is None


async def test_a_broker_that_wants_tls(
    patient: Patient, broker: Broker, capfd: pytest.CaptureFixture[str]
) -> None:
    patient.settings["mqtt"] = {"host": "127.0.0.1", "port": broker.port, "tls": False}
    began = time.monotonic()
    [found] = await patient.found("broker")
    assert found.severity is E
    assert found.what == (
        "the MQTT broker does not let us in: it closed the connection without a word; perhaps that port "
        "wants TLS (`mqtt.tls: true`)"
    )
    assert time.monotonic() - began < 5, "it does not wait for what cannot come"
    assert capfd.readouterr() == ("", "")


@asynccontextmanager
async def hangs_up_after(*answers: bytes) -> AsyncIterator[int]:
    """The port of a broker that gives these answers to what it is sent, and then hangs up; with none
    it says nothing until we hang up."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(1000)
            writer.write(answer)
            await writer.drain()
        if not answers:
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await over.wait()


async def test_a_broker_that_is_silent(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_check, "LIMIT", 1.0)
    async with hangs_up_after() as port:
        patient.settings["mqtt"] = {"host": "127.0.0.1", "port": port, "tls": False}
        [found] = await patient.found("broker")
    assert found.what == "the MQTT broker does not let us in: it has not answered within 1 s"


WELCOME, REFUSED = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x87\x00"
"""MQTT 5: CONNACK; DISCONNECT with the reason 0x87, Not authorized."""
HANGING_UP: list[tuple[str, tuple[bytes, ...], str]] = [
    ("at once, and says why", (REFUSED,), "the MQTT broker does not let us in: Not authorized"),
    (
        "over what is published, and says why",
        (WELCOME, REFUSED),
        f"{NOT_LET}: Not authorized",
    ),
    (
        "over what is published, without a word",
        (WELCOME, b""),
        f"{NOT_LET}: it closed the connection without a word",
    ),
]


@pytest.mark.parametrize(
    ("says", "what"), [row[1:] for row in HANGING_UP], ids=[row[0] for row in HANGING_UP]
)
async def test_a_broker_that_hangs_up(patient: Patient, says: tuple[bytes, ...], what: str) -> None:
    async with hangs_up_after(*says) as port:
        patient.settings["mqtt"] = {"host": "127.0.0.1", "port": port, "tls": False}
        [found] = await patient.found("broker")
    assert (found.severity, found.what) == (E, what)


async def test_a_router_that_the_broker_does_not_take(patient: Patient, broker: Broker) -> None:
    """Its ACL may let it publish notices, and not its status."""
    patient.settings["mqtt"] = broker.settings()
    async with running(patient, callrouter_mqtt_connected=1.0):
        assert [one.severity for one in await patient.found("broker")] == [OK]
    async with running(patient, callrouter_mqtt_connected=0.0):
        [_, found] = await patient.found("broker")
    assert (found.severity, found.what) == (
        E,
        "the MQTT broker lets us in, and the running router publishes nothing there",
    )
    assert "callrouter/routers/one/status" in found.remedy


BROKERS: list[tuple[str, dict[str, object], Severity, str]] = [
    ("none", {}, OK, "no MQTT broker is set"),
    ("nobody there", {"host": "127.0.0.1", "port": 1, "tls": False}, E, "does not let us in"),
]


@pytest.mark.parametrize("row", BROKERS, ids=[row[0] for row in BROKERS])
async def test_a_broker_that_is_not_there(
    patient: Patient, row: tuple[str, dict[str, object], Severity, str]
) -> None:
    patient.settings["mqtt"] = row[1]
    [found] = await patient.found("broker")
    assert (found.severity, row[3] in found.what) == (row[2], True)


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
        (OK, "no rule has anything posted to other systems"),
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
