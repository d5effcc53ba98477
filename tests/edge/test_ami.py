"""AMI over a real socket: what the connection does, and where panoramisk alone would do otherwise."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from router.edge import ami as module
from router.edge.ami import Ami, AmiLostError
from router.edge.amilink import AmiSettings
from router.edge.ari.backoff import Backoff
from tests.edge.ami_server import AmiServer, block
from tests.sim.router import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPLY_LIMIT", 0.2)
    monkeypatch.setattr(module, "PING_EVERY", 0.1)


class Heard:
    """What a connection told."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, str]] = []
        self.ups: list[bool] = []


@asynccontextmanager
async def connected(server: AmiServer, secret: str = "hush-hush") -> AsyncIterator[tuple[Ami, Heard]]:
    heard = Heard()
    ami = Ami(
        AmiSettings("127.0.0.1", server.port, "callrouter", secret, "agent"),
        Backoff(random.Random(1), first=0.01, most=0.05),
        heard.events.append,
        lambda: heard.ups.append(True),
        lambda: heard.ups.append(False),
    )
    running = asyncio.create_task(ami.run())
    try:
        yield ami, heard
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_it_logs_in_for_the_events_wanted_and_hears_them_in_order() -> None:
    async with AmiServer() as server, connected(server) as (ami, heard):
        await until(lambda: heard.ups == [True])
        assert server.asked[0] | {"ActionID": ""} == {
            "Action": "Login",
            "Username": "callrouter",
            "Secret": "hush-hush",
            "Events": "agent",
            "ActionID": "",
        }
        assert ami.is_up
        for number in range(200):
            server.tell("AgentCalled", Uniqueid=str(number))
        await until(lambda: len(heard.events) == 200)
        assert [event["Uniqueid"] for event in heard.events] == [str(number) for number in range(200)]


async def test_a_character_that_comes_in_two_packets_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_EVERY", 60)  # The answer to a ping would come amid the event.
    async with AmiServer() as server, connected(server) as (_, heard):
        await until(lambda: heard.ups == [True])
        for byte in block({"Event": "AgentCalled", "MemberName": "Bjørg Åse"}):
            server.send(bytes([byte]))
            await asyncio.sleep(0.001)
        await until(lambda: heard.events)
        assert heard.events[0]["MemberName"] == "Bjørg Åse"


async def test_bytes_that_are_no_characters_end_nothing() -> None:
    async with AmiServer() as server, connected(server) as (_, heard):
        await until(lambda: heard.ups == [True])
        server.send(b"Event: AgentCalled\r\nMemberName: \xff\xfe\r\nnonsense\r\n\r\n")
        server.tell("AgentConnect")
        await until(lambda: len(heard.events) == 2)


async def test_it_is_back_after_a_loss_and_says_both() -> None:
    async with AmiServer() as server, connected(server) as (ami, heard):
        await until(lambda: heard.ups == [True])
        server.drop()
        await until(lambda: heard.ups == [True, False, True])
        await server.close()
        await until(lambda: len(heard.ups) == 4)
        assert not ami.is_up
        await server.open()
        await until(lambda: heard.ups[4:] == [True])


async def test_a_line_that_is_silent_is_given_up() -> None:
    async with AmiServer() as server, connected(server) as (_, heard):
        await until(lambda: heard.ups == [True])
        server.mute = {"Ping"}
        await until(lambda: heard.ups[:3] == [True, False, True])


async def test_what_was_not_answered_is_not_asked_again_by_itself() -> None:
    async with AmiServer() as server, connected(server) as (ami, heard):
        await until(lambda: heard.ups == [True])
        server.mute = {"QueueStatus"}
        asked = asyncio.create_task(ami.ask({"Action": "QueueStatus"}, listed=True))
        await until(lambda: server.times("QueueStatus") == 1)
        server.drop()
        with pytest.raises(AmiLostError, match="the connection ended"):
            await asked
        await until(lambda: heard.ups == [True, False, True])
        await asyncio.sleep(0.1)
        assert server.times("QueueStatus") == 1
        with pytest.raises(AmiLostError, match="no reply to QueueStatus"):
            await ami.ask({"Action": "QueueStatus"}, listed=True)


async def test_a_list_comes_whole() -> None:
    async with AmiServer() as server, connected(server) as (ami, heard):
        await until(lambda: heard.ups == [True])
        server.queues = [{"Event": "QueueEntry", "Uniqueid": str(number)} for number in range(3)]
        rows = await ami.ask({"Action": "QueueStatus"}, listed=True)
        assert [row["Uniqueid"] for row in rows if row.event == "QueueEntry"] == ["0", "1", "2"]
        assert heard.events == [], "a list is no news"


async def test_a_login_that_is_refused_is_told_once_with_what_to_do() -> None:
    with capture_logs() as logged:
        async with AmiServer() as server, connected(server, "wrong") as (ami, heard):
            await until(lambda: server.connections >= 3)
            assert not ami.is_up
            with pytest.raises(AmiLostError):
                await ami.ask({"Action": "Ping"})
    assert heard.ups == []
    told = [entry for entry in logged if entry["event"] == "AMI out of sight"]
    assert [entry["reason"] for entry in told] == ["AMI refuses the login: Authentication failed"]
    assert "manager.conf" in told[0]["remedy"]


async def test_the_secret_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(asyncio.Transport):
        def write(self, data: object) -> None:
            raise OSError("broken")

    settings = AmiSettings("127.0.0.1", 1, "callrouter", "hush-hush", "agent")
    nothing = lambda *_: None  # noqa: E731
    ami = Ami(settings, Backoff(random.Random(1)), nothing, nothing, nothing)
    protocol = module._Protocol(ami)
    protocol.connection_made(Broken())
    protocol.send({"Action": "Login", "Secret": "hush-hush"})
    assert "hush-hush" not in caplog.text


async def test_nobody_listens_there() -> None:
    server = AmiServer()
    await server.open()
    await server.close()
    async with connected(server) as (_, heard):
        await asyncio.sleep(0.1)
        await server.open()
        await until(lambda: heard.ups == [True])
    await server.close()


async def test_it_ends_when_it_is_told_to_and_does_not_come_back() -> None:
    async with AmiServer() as server:
        async with connected(server) as (_, heard):
            await until(lambda: heard.ups == [True])
        before = server.connections
        await asyncio.sleep(0.2)
        assert server.connections == before
        assert heard.ups == [True, False]


BREAKS = ["x\r\nAction: Originate", "x\nAction: Originate", "x\r"]


@pytest.mark.parametrize("value", BREAKS)
async def test_a_line_break_in_an_action_is_refused(value: str) -> None:
    async with AmiServer() as server, connected(server) as (ami, heard):
        await until(lambda: heard.ups == [True])
        with pytest.raises(ValueError, match="another header"):
            await ami.ask({"Action": "QueueStatus", "Queue": value})
        assert server.times("QueueStatus") == 0


async def test_asterisk_goes_down() -> None:
    async with AmiServer() as server, connected(server) as (_, heard):
        await until(lambda: heard.ups == [True])
        server.tell("Shutdown")
        await until(lambda: heard.ups == [True, False, True])
