"""MQTT with a real Mosquitto, by TLS and an ACL: what is published, what is obeyed, and a broker that comes
and goes."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from router.core.agents import Change
from router.core.events import LegAnswered
from router.core.notices import About, CallQueued
from router.edge import mqtt as module
from router.edge.ari.backoff import Backoff
from router.edge.bell import Bell
from router.edge.mqtt import Mqtt
from router.edge.mqttwords import NoOrderError, Order, OrderAgent, OrderReload, OrderTag, RouterStatus
from router.edge.outboxmetrics import OutboxMetrics
from router.edge.queueviews import SeenAgent, SeenCaller, SeenQueue
from router.edge.store.database import prepare
from router.edge.store.outbox import Noticed, Outbox, Outgoing
from router.edge.store.writer import Writer
from router.settings import Mqtt as Settings
from tests.edge.stories import PLAN, TEN, TRACE, a_call, talked
from tests.harness.broker import ACL, Broker, Reader
from tests.harness.ports import free_port
from tests.sim.router import until as until_within

ROUTER = "ast1"
"""The Asterisk of the stories."""
MAIN = SeenQueue(
    "fjord",
    "main",
    (
        SeenCaller("c1", TEN, False, ("kari",), None),
        SeenCaller("c2", TEN + timedelta(seconds=5), False, (), 30.0),
    ),
    (SeenAgent("kari", "talking", TEN, "", 3, "c0"), SeenAgent("ola", "paused", TEN, "lunch", 0, "")),
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STANDINGS_EVERY", 0.05)
    monkeypatch.setattr(module, "SHARE", 0)
    monkeypatch.setattr(module, "GOODBYE", 1.0)
    monkeypatch.setattr(module, "REFUSED_FOR", 0.1)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.1)


async def until(true: Callable[[], object], within: float = 30.0) -> None:
    """The broker and its readers are processes and threads of their own, and a busy machine has them wait."""
    await until_within(true, within)


class Reachable(Protocol):
    """A broker, as far as a router needs to know of it."""

    def settings(self, **more: object) -> dict[str, object]: ...


class Office:
    """A router's outbox, and all that is told and obeyed besides."""

    def __init__(self, folder: Path, broker: Reachable) -> None:
        self.broker = broker
        self.url = f"sqlite:///{folder}/callrouter.db"
        prepare(self.url)
        self.bell = Bell()
        self.metrics = OutboxMetrics(lambda: datetime.now(UTC))
        self.queues = [MAIN]
        self.status = RouterStatus("online", True, "1.0")
        self.ordered: list[Order] = []
        self.writer = Writer(self.url, queue_limit=10_000)
        loop = asyncio.get_running_loop()
        self.writer.start(lambda: (loop.call_soon_threadsafe(self.bell.ring), None)[1])

    def calls(self, ids: Iterable[str], between: int = 0) -> None:
        """Calls come and go, with so many notices between the first two and the last of each."""
        for id in ids:
            call = a_call(id)
            self.writer.arrived(call, PLAN, TRACE)
            for seq in range(1, between + 1):
                queued = CallQueued(id=f"{id}.{seq}", at=TEN, call=About.of(call), queue="main")
                self.writer.happened(id, seq, TEN, LegAnswered(1), Noticed(ROUTER, queued))
            self.writer.ended(talked(call))

    async def obey(self, order: Order) -> str:
        if isinstance(order, OrderAgent) and order.person == "nobody":
            raise NoOrderError("`fjord` has no agent `nobody`")
        self.ordered.append(order)
        return ""

    def unsent(self) -> list[str]:
        with closing(Outbox(self.url)) as outbox:
            return [one.notice for one in outbox.unsent(ROUTER, 10_000)]

    def figure(self, name: str) -> float:
        samples = [one for family in self.metrics.collect() for one in family.samples]
        return next(one.value for one in samples if one.name == f"callrouter_{name}")

    @asynccontextmanager
    async def publishing(self, **settings: object) -> AsyncIterator[None]:
        connection = Settings(**self.broker.settings(**settings)).connection
        assert connection is not None
        mqtt = Mqtt(
            connection,
            self.url,
            self.bell,
            Backoff(random.Random(1), first=0.02, most=0.1),
            self.metrics,
            router=lambda: ROUTER,
            status=lambda: self.status,
            queues=lambda: self.queues,
            obey=self.obey,
        )
        running = asyncio.create_task(mqtt.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


class StrictBroker:
    """One that says how many messages it takes at once (ReceiveMaximum), lets them wait for a moment, and
    counts. Bytes as in MQTT 5: Mosquitto acknowledges each before anybody could send too many."""

    def __init__(self, takes: int) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.most = 0
        """So many waited at once."""
        self._takes = takes

    def settings(self, **more: object) -> dict[str, object]:
        return {"host": "localhost", "port": self.port, "name": "one"} | more

    async def __aenter__(self) -> None:
        self._server = await asyncio.start_server(self._serve, "localhost", self.port)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: list[bytes] = []
        with closing(writer):
            while True:
                try:
                    async with asyncio.timeout(0.02):
                        kind, *_ = await reader.readexactly(1)
                except TimeoutError:
                    self.most = max(self.most, len(waiting))
                    writer.write(b"".join(b"\x40\x02" + id for id in waiting))
                    waiting.clear()
                    continue
                except asyncio.IncompleteReadError:
                    return
                body = await reader.readexactly(await self._length(reader))
                match kind >> 4:
                    case 1:  # CONNECT
                        writer.write(bytes([0x20, 6, 0, 0, 3, 0x21, *self._takes.to_bytes(2)]))
                    case 3:  # PUBLISH
                        at = 2 + int.from_bytes(body[:2])
                        waiting.append(body[at : at + 2])
                    case 8:  # SUBSCRIBE
                        writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")

    async def _length(self, reader: asyncio.StreamReader) -> int:
        length = shift = 0
        while True:
            [byte] = await reader.readexactly(1)
            length += (byte & 127) << shift
            if byte < 128:
                return length
            shift += 7


@pytest.fixture
async def office(tmp_path: Path, broker: Broker) -> AsyncIterator[Office]:
    made = Office(tmp_path, broker)
    yield made
    assert await asyncio.to_thread(made.writer.close, 10) == 0


@pytest.fixture
async def reader(broker: Broker) -> AsyncIterator[Reader]:
    with Reader(broker) as made:
        yield made


def ids(notices: Iterable[Any]) -> list[str]:
    return [notice["id"] for notice in notices]


async def test_a_call_is_published_in_order_once(office: Office, reader: Reader) -> None:
    async with office.publishing():
        office.calls(["c1"])
        await until(lambda: len(reader.events()) == 3)
        await until(lambda: office.figure("mqtt_published_total") == 3)
    assert ids(reader.events()) == ["c1.arrived", "c1.routed", "c1.ended"]
    topics = [one.topic for one in reader.heard if one.topic.startswith("events/")]
    assert topics == ["events/fjord/call/arrived", "events/fjord/call/routed", "events/fjord/call/ended"]
    assert reader.events()[-1]["disposition"] == "answered"
    assert not any(one.retained for one in reader.heard if one.topic.startswith("events/"))
    assert (office.unsent(), office.figure("outbox_waiting")) == ([], 0)


async def test_what_is_told_of_a_number_of_nobody_has_a_topic_too(office: Office, reader: Reader) -> None:
    async with office.publishing():
        office.writer.arrived(a_call("c1", client=None), PLAN, TRACE)
        await until(lambda: len(reader.events()) == 2)
    assert {one.topic for one in reader.heard if one.topic.startswith("events/")} == {
        "events/-/call/arrived",
        "events/-/call/routed",
    }


async def test_a_broker_that_is_away_loses_nothing(office: Office, reader: Reader, broker: Broker) -> None:
    numbers = [f"c{number}" for number in range(40)]
    async with office.publishing():
        office.calls(numbers[:20])
        await until(lambda: len(reader.events()) == 60)
        await until(lambda: office.figure("mqtt_published_total") == 60)
        broker.stop()
        with capture_logs() as logs:
            office.calls(numbers[20:])
            await until(lambda: office.figure("outbox_waiting") == 60)
        assert office.figure("outbox_oldest_seconds") > 0
        assert office.figure("mqtt_connected") == 0
        assert {one["event"] for one in logs} == {"broker takes no notices, will try again"}
        assert len(logs) <= 3  # One for each reason, however often it is tried.
        await asyncio.to_thread(broker.start)
        await until(lambda: not office.unsent())
        await until(lambda: len(set(ids(reader.events()))) == 120)
    assert in_order(reader.events(), numbers, ["arrived", "routed", "ended"])


async def test_a_broker_that_dies_in_the_middle_loses_nothing(
    office: Office, reader: Reader, broker: Broker
) -> None:
    numbers = [f"c{number}" for number in range(100)]
    kinds = ["arrived", "routed", *map(str, range(1, 6)), "ended"]
    async with office.publishing():
        office.calls(numbers, between=5)
        for _ in range(3):
            before = len(reader.events())
            await until(lambda before=before: len(reader.events()) > before + 20)  # type: ignore[misc]
            broker.stop()
            await asyncio.to_thread(broker.start)
        await until(lambda: not office.unsent())
        await until(lambda: len(set(ids(reader.events()))) == 800)
    assert in_order(reader.events(), numbers, kinds)


async def test_a_broker_that_takes_few_at_once_gets_no_more(office: Office) -> None:
    office.broker = strict = StrictBroker(takes=3)
    async with strict, office.publishing(tls=False, ca_file=None, username="", password_file=None):
        office.calls([f"c{number}" for number in range(30)])
        await until(lambda: office.figure("mqtt_published_total") == 90)
    assert (strict.most, office.unsent()) == (3, [])


def in_order(notices: list[Any], calls: list[str], kinds: list[str]) -> bool:
    """Whether each of these was heard of each call, and for the first time in that order."""
    first: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids(notices)):
        call, _, kind = id.partition(".")
        first.setdefault(call, []).append(kind)
    return first == dict.fromkeys(calls, kinds)


WAITED = [
    ("few, which are of this moment", 5, 10.0, 0.0),
    (
        "as many as go at once, of a tenth of a second",
        module.AT_ONCE,
        0.1,
        0.1 / module.SPEED / module.AT_ONCE,
    ),
    ("of a night", module.AT_ONCE, 3600.0, module.GAP),
    ("of one moment", module.AT_ONCE, 0.0, 0.0),
    ("of a night, whose clock was set back", module.AT_ONCE, -3600.0, module.GAP),
]


@pytest.mark.parametrize(
    ("count", "within", "gap"), [row[1:] for row in WAITED], ids=[row[0] for row in WAITED]
)
def test_at_which_pace_what_waited_goes(count: int, within: float, gap: float) -> None:
    waiting = [
        Outgoing(number, f"c1.{number}", "c1", "fjord", "call.queued", at, "{}")
        for number, at in (
            (0, TEN),
            *((number, TEN + timedelta(seconds=within)) for number in range(1, count)),
        )
    ]
    assert module._gap(waiting) == gap


async def test_how_things_stand_is_retained(office: Office, reader: Reader, broker: Broker) -> None:
    async with office.publishing():
        await until(lambda: reader.at("agents/fjord/ola"))
        with Reader(broker) as late:
            await until(lambda: len(late.heard) == 4)
            assert all(one.retained for one in late.heard)
            assert late.at("routers/one/status") == {"state": "online", "asterisk": True, "version": "1.0"}
            assert late.at("queues/fjord/main") == {
                "client": "fjord",
                "queue": "main",
                "waiting": 2,
                "longest_since": "2026-11-22T10:00:00.123456Z",
                "callers": ["c1", "c2"],
                "agents": {"talking": 1, "paused": 1},
            }
            assert late.at("agents/fjord/ola") == {
                "client": "fjord",
                "person": "ola",
                "state": "paused",
                "since": "2026-11-22T10:00:00.123456Z",
                "reason": "lunch",
                "calls": 0,
                "call_id": "",
                "queues": ["main"],
            }
            office.queues = []
            gone = ("queues/fjord/main", "agents/fjord/ola", "agents/fjord/kari")
            await until(lambda: not any(late.at(topic) for topic in gone))
        with Reader(broker) as later:
            await until(lambda: later.at("routers/one/status"))
            assert len(later.heard) == 1


async def test_what_goes_while_the_broker_is_away_is_not_retained(
    office: Office, reader: Reader, broker: Broker
) -> None:
    gone = ("queues/fjord/main", "agents/fjord/ola", "agents/fjord/kari")
    async with office.publishing():
        await until(lambda: all(map(reader.at, gone)))
        broker.stop()
        office.queues = []
        await until(lambda: office.figure("mqtt_connected") == 0)
        await asyncio.to_thread(broker.start)
        await until(lambda: not any(map(reader.at, gone)))


async def test_a_router_that_stops_says_so(office: Office, reader: Reader) -> None:
    async with office.publishing():
        await until(
            lambda: reader.at("routers/one/status") == {"state": "online", "asterisk": True, "version": "1.0"}
        )
        office.status = RouterStatus("draining", True, "1.0")
        await until(lambda: reader.at("routers/one/status")["state"] == "draining")
    await until(lambda: reader.at("routers/one/status")["state"] == "offline")


async def test_what_the_broker_refuses_waits_until_it_may_be_said(
    office: Office, reader: Reader, broker: Broker
) -> None:
    broker.allow(ACL.replace("topic write callrouter/events/#\n", ""))
    with capture_logs() as logs:
        async with office.publishing():
            office.calls(["c1"])
            await until(lambda: office.figure("mqtt_failures_total") >= 2)
            assert len(office.unsent()) == 3
            (refusal, *_) = [one["error"] for one in logs if "error" in one]
            assert refusal == "Not authorized: callrouter/events/fjord/call/arrived"
            broker.allow(ACL)
            await until(lambda: not office.unsent())
            await until(lambda: ids(reader.events()) == ["c1.arrived", "c1.routed", "c1.ended"])


async def test_what_is_refused_of_one_client_keeps_no_other_waiting(
    office: Office, reader: Reader, broker: Broker
) -> None:
    broker.allow(ACL.replace("callrouter/events/#", "callrouter/events/fjord/#"))
    async with office.publishing():
        for number in range(30):
            office.writer.arrived(
                a_call(f"c{number}", client="sund" if number % 3 == 0 else "fjord"), PLAN, TRACE
            )
        await until(lambda: len(office.unsent()) == 20)
        heard = ids(reader.events())
        assert len(heard) == len(set(heard)) == 40, "nothing is told twice for it"
        await until(lambda: office.figure("outbox_waiting") == 20)
        broker.allow(ACL)
        await until(lambda: not office.unsent())
    assert in_order(reader.events(), [f"c{n}" for n in range(30)], ["arrived", "routed"])


async def test_what_nobody_has_thought_of_harms_no_call(office: Office) -> None:
    with capture_logs() as logs:
        async with office.publishing(host="mqtt..fjord.example"):
            await until(lambda: office.figure("mqtt_failures_total") >= 2)
    assert "label" in logs[0]["error"]


async def test_a_wrong_password_is_told(office: Office, broker: Broker) -> None:
    broker.password_file.write_text("another")
    with capture_logs() as logs:
        async with office.publishing():
            await until(lambda: office.figure("mqtt_failures_total") >= 1)
    assert "Not authorized" in logs[0]["error"]


# paho leaves a socket to the garbage collector whose TLS handshake fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_stranger_is_not_trusted(office: Office) -> None:
    with capture_logs() as logs:
        async with office.publishing(ca_file=None):
            await until(lambda: office.figure("mqtt_failures_total") >= 1)
    assert "certificate verify failed" in logs[0]["error"]


COMMANDS: dict[str, tuple[str, object, Order]] = {
    "an agent pauses": (
        "agents/fjord/kari",
        {"do": "pause", "reason": "lunch\n", "who": "crm"},
        OrderAgent("fjord", "kari", Change.PAUSED, "lunch", "crm"),
    ),
    "an agent comes": (
        "agents/fjord/kari",
        {"do": "login", "reason": "why not"},
        OrderAgent("fjord", "kari", Change.LOGGED_IN, "", "mqtt"),
    ),
    "a call is tagged": ("tags/c1", {"tag": "booking"}, OrderTag("c1", "booking", False, "mqtt")),
    "a tag is taken off": (
        "tags/c1",
        {"tag": "booking", "remove": True},
        OrderTag("c1", "booking", True, "mqtt"),
    ),
    "the rules are read again": ("reload", b"", OrderReload("mqtt")),
}
EVERYTHING = ("agents", "tags", "reload")


@pytest.mark.parametrize("name", COMMANDS)
async def test_commands_are_obeyed(name: str, office: Office, reader: Reader) -> None:
    topic, body, order = COMMANDS[name]
    async with office.publishing(commands=EVERYTHING):
        await until(lambda: office.figure("mqtt_connected") == 1)
        reader.command(topic, body)
        await until(lambda: reader.at("answers/crm") == {"done": True})
    assert office.ordered == [order]


REFUSED: dict[str, tuple[str, object, str]] = {
    "no such agent": ("agents/fjord/nobody", {"do": "pause"}, "`fjord` has no agent `nobody`"),
    "no such deed": ("agents/fjord/kari", {"do": "dance"}, "Invalid enum value 'dance' - at `$.do`"),
    "an unknown key": ("reload", {"now": True}, "Object contains unknown field `now`"),
    "no JSON": ("tags/c1", b"booking", "JSON is malformed: invalid character (byte 0)"),
    "no UTF-8": ("tags/c1", b'{"tag": "\xff"}', "codec can't decode byte 0xff"),
    "no such topic": ("agents/fjord", {"do": "pause"}, "no command has that topic"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_obeyed_is_answered(name: str, office: Office, reader: Reader) -> None:
    topic, body, why = REFUSED[name]
    async with office.publishing(commands=EVERYTHING):
        await until(lambda: office.figure("mqtt_connected") == 1)
        reader.command(topic, body)
        await until(lambda: reader.at("answers/crm"))
        assert why in reader.at("answers/crm")["error"]
        reader.command("reload", {})
        await until(lambda: office.ordered == [OrderReload("mqtt")])


async def test_a_retained_command_is_not_obeyed(office: Office, reader: Reader) -> None:
    reader.command("reload", {}, retain=True)
    async with office.publishing(commands=EVERYTHING):
        await until(lambda: reader.at("answers/crm"))
    assert "retained" in reader.at("answers/crm")["error"]
    assert office.ordered == []


async def test_a_command_that_is_retained_while_the_router_listens_is_not_obeyed(
    office: Office, reader: Reader
) -> None:
    async with office.publishing(commands=EVERYTHING):
        await until(lambda: office.figure("mqtt_connected") == 1)
        reader.command("reload", {}, retain=True)
        await until(lambda: reader.at("answers/crm"))
        assert "retained" in reader.at("answers/crm")["error"]
        assert office.ordered == []


async def test_a_retained_command_can_be_cleared(office: Office, reader: Reader) -> None:
    with capture_logs() as logs:
        async with office.publishing(commands=EVERYTHING):
            await until(lambda: office.figure("mqtt_connected") == 1)
            reader.command("reload", b"", retain=True)
            reader.command("agents/fjord/kari", b"", retain=True)
            reader.command("tags/c1", {"tag": "booking"})
            await until(lambda: office.ordered)
    assert office.ordered == [OrderTag("c1", "booking", False, "mqtt")]
    assert [one for one in logs if "command" in one["event"]] == []


async def test_only_what_the_settings_name_is_obeyed(office: Office, reader: Reader) -> None:
    async with office.publishing(commands=("tags",)):
        await until(lambda: office.figure("mqtt_connected") == 1)
        reader.command("reload", {})
        reader.command("tags/c1", {"tag": "booking"})
        await until(lambda: office.ordered)
    assert office.ordered == [OrderTag("c1", "booking", False, "mqtt")]


async def test_a_database_that_is_away_is_waited_for(office: Office, reader: Reader, tmp_path: Path) -> None:
    await asyncio.to_thread(office.writer.close, 10)
    away = tmp_path / "away.db"
    (tmp_path / "callrouter.db").rename(away)
    with capture_logs() as logs:
        async with office.publishing():
            await until(lambda: office.figure("mqtt_failures_total") >= 1)
            (tmp_path / "callrouter.db").unlink(missing_ok=True)
            away.rename(tmp_path / "callrouter.db")
            await until(lambda: office.figure("mqtt_connected") == 1)
    assert any("broker" in one["event"] for one in logs)
