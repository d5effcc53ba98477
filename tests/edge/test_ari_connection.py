"""The connection against a small real Asterisk: see ari_server.py."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import msgspec
import pytest
from structlog.testing import capture_logs

from router.edge.ari import models, opening, outgoing
from router.edge.ari.backoff import Backoff
from router.edge.ari.connection import AriConnection
from router.edge.ari.errors import BY_STATUS, SetupError, VersionError
from router.edge.ari.generate import USED_EVENTS
from router.edge.ari.lane import HttpLane
from router.edge.ari.link import AriSettings
from router.edge.ari.outgoing import MOST_HELD, Outgoing, Together
from router.edge.ari.rest import Reply
from tests.edge.ari_server import AriServer, event

IN_TIME = 5.0
DTMF: dict[str, Any] = {"digit": "1", "duration_ms": 90}


class Story:
    """An engine that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.info: models.AsteriskInfo | None = None
        self.replies: list[Reply] = []
        self.broken = False
        self._changed = asyncio.Event()

    def _tell(self, words: str) -> None:
        self.told.append(words)
        self._changed.set()
        if self.broken:
            raise ValueError("the engine's own fault")

    def on_up(self, info: models.AsteriskInfo) -> None:
        self.info = info
        self._tell("up")

    def on_event(self, event: models.Event) -> None:
        channel = getattr(event, "channel", None)
        self._tell(f"{type(event).__name__} {channel.id if channel else ''}".strip())

    def on_down(self, reason: str) -> None:
        self._tell(f"down: {reason}")

    def on_replaced(self) -> None:
        self._tell("replaced")

    def on_reply(self, reply: Reply) -> None:
        self.replies.append(reply)
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(IN_TIME):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def hears(self, words: str, times: int = 1) -> None:
        await self.until(lambda: sum(said.startswith(words) for said in self.told) >= times)


def settings(server: AriServer, **changed: object) -> AriSettings:
    base = AriSettings(
        url=server.url,
        username="router",
        password="secret",
        app="callrouter",
        reply_limit=0.3,
        ping_every=0.1,
        silence_limit=0.4,
        connect_limit=2.0,
    )
    return msgspec.structs.replace(base, **changed)


@asynccontextmanager
async def running(connection: AriConnection) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(connection.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; nothing is rendered, since a pretty traceback holds the loop up for seconds."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
async def server() -> AsyncIterator[AriServer]:
    async with AriServer() as started:
        yield started


def connect(server: AriServer, story: Story, **changed: object) -> AriConnection:
    return AriConnection(settings(server, **changed), story, rng=random.Random(1))


async def test_up_means_subscribed_filtered_and_known(server: AriServer) -> None:
    story = Story()
    async with running(connect(server, story)):
        await story.hears("up")
    assert "subscribeAll=true" in server.urls[0]
    assert "secret" not in server.urls[0]
    assert "api_key" not in server.urls[0]
    allowed = {row["type"] for row in server.filters[0]["allowed"]}
    assert allowed == {*USED_EVENTS, "RESTResponse"}
    assert story.info is not None
    assert story.info.system is not None
    assert story.info.system.entity_id == "a"
    assert story.told == ["up", "down: stopped"]


async def test_events_before_up_are_delivered_after_it_in_order(server: AriServer) -> None:
    server.early = [event("StasisStart", "c1", args=[]), event("ChannelVarset"), event("StasisEnd", "c1")]
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("StasisEnd")
    assert story.told[:3] == ["up", "StasisStart c1", "StasisEnd c1"]
    assert connection.counters.unknown_events == 0


async def test_too_many_events_before_up_end_the_attempt(server: AriServer) -> None:
    server.early = [event("StasisEnd", f"c{n}") for n in range(5)]
    server.hold_filter = asyncio.Event()
    story = Story()
    async with running(connect(server, story, held_limit=3)):
        async with asyncio.timeout(IN_TIME):
            while server.opened < 2:
                await asyncio.sleep(0.01)
        server.early = []
        server.hold_filter.set()
        await story.hears("up")


async def test_replies_come_in_order_to_those_who_asked(server: AriServer) -> None:
    story = Story()
    seen: list[float] = []
    connection = AriConnection(
        settings(server),
        story,
        rng=random.Random(1),
        observe_reply=seen.append,
    )
    async with running(connection):
        await story.hears("up")
        for n in range(50):
            connection.send("POST", f"channels/{n}", {"a": "b c"}, {"n": n}, story.on_reply)
        connection.send("POST", "channels/nobody-waits")
        await story.until(lambda: len(story.replies) == 50)
        missing = await connection.ask("DELETE", "channels/none")
        empty = await connection.ask("POST", "channels/quiet")
    paths = [msgspec.json.decode(reply.body)["path"] for reply in story.replies]
    assert paths == [f"channels/{n}" for n in range(50)]
    assert server.requests[1]["query_strings"] == [{"name": "a", "value": "b c"}]
    assert (missing.status, missing.reason, missing.ok) == (404, "Not Found", False)
    assert (empty.status, empty.body, empty.ok) == (200, b"", True)
    assert len(seen) == 54
    assert all(0 <= seconds < 1 for seconds in seen)


async def test_who_wants_to_hear_of_failures_only_hears_of_nothing_else(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        for path in ("none", "1", "quiet", "none"):
            connection.send("DELETE", f"channels/{path}", on_reply=story.on_reply, unless_ok=True)
        await connection.ask("POST", "channels/last")
        server.mute_rest = True
        connection.send("POST", "channels/1", on_reply=story.on_reply, unless_ok=True)
        await story.until(lambda: len(story.replies) == 3)
    assert [reply.status for reply in story.replies] == [404, 404, 0]


JUNK: dict[str, tuple[str | bytes, str]] = {
    "a type we do not use": ('{"type":"ChannelVarset"}', "ChannelVarset"),
    "a used type without its fields": ('{"type":"StasisStart"}', "StasisStart"),
    "broken JSON": ("{", "unreadable"),
    "broken UTF-8": (b'{"type":"\xff"}', "unreadable"),
    "no type": ('{"a":1}', "unreadable"),
    "not an object": ("[]", "unreadable"),
    "very deep": ("[" * 50_000, "unreadable"),
    "nothing": ("", "unreadable"),
}


@pytest.mark.parametrize("row", JUNK)
async def test_a_frame_that_does_not_decode_is_counted_and_ignored(row: str, server: AriServer) -> None:
    frame, counted = JUNK[row]
    story, types = Story(), list[str]()
    connection = AriConnection(settings(server), story, rng=random.Random(1), on_unknown=types.append)
    async with running(connection):
        await story.hears("up")
        await server.say(frame, event("StasisEnd", "after"))
        await story.hears("StasisEnd after")
    assert types == [counted]
    assert connection.counters.unknown_events == 1
    assert server.opened == 1


async def test_a_request_without_reply_fails_and_the_connection_stays(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        server.mute_rest = True
        assert await connection.ask("POST", "channels/x") == Reply(0, "no reply in 0.3 s")
        server.mute_rest = False
        assert (await connection.ask("POST", "channels/y")).ok
    assert (connection.counters.timeouts, server.opened) == (1, 1)


async def test_a_late_reply_is_counted_and_nobody_hears_it(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, silence_limit=5.0)
    async with running(connection):
        await story.hears("up")
        server.delay = 0.6
        connection.send("POST", "channels/x", on_reply=story.on_reply)
        await story.until(lambda: len(story.replies) == 1)
        server.delay = 0.0
        await connection.ask("POST", "channels/y")
        async with asyncio.timeout(IN_TIME):
            while not connection.counters.late_replies:
                await asyncio.sleep(0.01)
    assert [reply.status for reply in story.replies] == [0]


async def test_time_in_which_the_router_did_not_run_is_not_held_against_asterisk(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        connection.send("POST", "channels/x", on_reply=story.on_reply)
        time.sleep(1.5)  # the whole process stands still, as after SIGSTOP
        await story.until(lambda: len(story.replies) == 1)
        assert (await connection.ask("POST", "channels/y")).ok
    assert story.replies[0].ok
    assert story.told == ["up", "down: stopped"]


async def test_a_burst_beyond_what_the_transport_takes_at_once_is_sent_whole(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, reply_limit=5.0, silence_limit=5.0)
    async with running(connection):
        await story.hears("up")
        for n in range(400):
            connection.send("POST", f"channels/{n}", None, {"filler": "x" * 30_000}, story.on_reply)
        await story.until(lambda: len(story.replies) == 400)
    assert all(reply.ok for reply in story.replies)
    assert [request["uri"] for request in server.requests[1:]] == [f"channels/{n}" for n in range(400)]


async def test_a_reset_within_a_burst_fails_every_request_once(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, reply_limit=5.0, silence_limit=5.0)
    async with running(connection):
        await story.hears("up")
        server.reset()

        def once_more(reply: Reply) -> None:
            story.on_reply(reply)
            connection.send("POST", "channels/again", None, None, story.on_reply)

        for n in range(400):
            on_reply = story.on_reply if n else once_more
            connection.send("POST", f"channels/{n}", None, {"filler": "x" * 30_000}, on_reply)
        await story.until(lambda: len(story.replies) == 401)
        await story.hears("up", times=2)
    assert {reply.reason for reply in story.replies} == {"connection lost", "not connected"}


async def test_frames_for_a_closing_websocket_are_not_taken(server: AriServer) -> None:
    s = connect(server, Story()).settings
    lane = HttpLane(s.url, s.username, s.password, s.http_limit)
    try:
        outgoing = Outgoing(opened := await opening.open_socket(lane, s))
        assert outgoing.push(b"", aiohttp.WSMsgType.PING)
        await opened.close()
        assert not outgoing.push(b"", aiohttp.WSMsgType.PING)
        outgoing.stop()
        assert not outgoing.push(b"", aiohttp.WSMsgType.PING)
    finally:
        await lane.close()


class Wire:
    """A transport that remembers what was written at once, and gives it to another one, if there is one."""

    def __init__(self, to: asyncio.WriteTransport | None = None) -> None:
        self.writes: list[bytes] = []
        self._to = to

    def is_closing(self) -> bool:
        return self._to is not None and self._to.is_closing()

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        if self._to is not None:
            self._to.write(data)


def test_what_is_written_in_a_moment_leaves_together() -> None:
    wire = Wire()
    together = Together(cast("asyncio.WriteTransport", wire))
    together.write(b"before")
    together.hold()
    together.write(b"one,")
    together.write(b"two")
    assert wire.writes == [b"before"]
    together.release()
    together.write(b"after")
    assert wire.writes == [b"before", b"one,two", b"after"]


def test_much_is_not_kept() -> None:
    wire = Wire()
    together = Together(cast("asyncio.WriteTransport", wire))
    together.hold()
    together.write(b"x" * MOST_HELD)
    assert wire.writes == []
    together.write(b"y")
    together.write(b"z")
    together.release()
    assert wire.writes == [b"x" * MOST_HELD + b"y", b"z"]


async def test_what_one_event_has_us_send_leaves_together(
    server: AriServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wires: list[Wire] = []

    def tapped(transport: asyncio.WriteTransport) -> Together:
        wires.append(Wire(transport))
        return Together(cast("asyncio.WriteTransport", wires[-1]))

    monkeypatch.setattr(outgoing, "Together", tapped)
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")

        def answer(event: models.Event) -> None:
            for n in range(3):
                connection.send("POST", f"channels/{n}", {"filler": "x" * 1000}, on_reply=story.on_reply)

        story.on_event = answer  # type: ignore[method-assign]  # this once
        await server.say(event("StasisEnd"))
        await story.until(lambda: len(story.replies) == 3)
    assert [r["uri"] for r in server.requests][-3:] == ["channels/0", "channels/1", "channels/2"]
    assert [len(one) > 3000 for one in wires[0].writes if len(one) > 1000] == [True]


async def test_no_reply_at_all_ends_the_connection_although_events_come(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, stuck_limit=0.5)
    async with running(connection):
        await story.hears("up")
        server.silent = True
        async with asyncio.timeout(IN_TIME):
            while not any(said.startswith("down") for said in story.told):
                await server.say(event("ChannelStateChange"))
                await asyncio.sleep(0.05)
        server.silent = False
        await story.hears("up", times=2)
    assert "down: no request was answered for 0.5 s" in story.told


async def test_a_silent_partition_is_found_without_traffic(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, reply_limit=5.0)
    async with running(connection):
        await story.hears("up")
        server.silent = True
        began = asyncio.get_running_loop().time()
        connection.send("POST", "channels/x", on_reply=story.on_reply)
        await story.hears("down: nothing came for 0.4 s")
        assert asyncio.get_running_loop().time() - began < 1.5
        server.silent = False
        await story.hears("up", times=2)
    assert story.replies == [Reply(0, "connection lost")]
    assert connection.counters.reconnects == 1


async def test_pings_keep_a_quiet_connection_and_pings_are_answered(server: AriServer) -> None:
    story = Story()
    async with running(connect(server, story)) as task:
        await story.hears("up")
        await server.ping()
        done, _ = await asyncio.wait([task], timeout=1.0)  # more than twice the silence limit
        assert not done
    assert story.told == ["up", "down: stopped"]


ENDINGS = {"reset": None, "frame too large": 1009, "Asterisk stops": 1001}


@pytest.mark.parametrize("row", ENDINGS)
async def test_after_an_end_everything_pending_fails_and_it_connects_again(
    row: str, server: AriServer
) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        server.mute_rest = True
        connection.send("POST", "channels/x", on_reply=story.on_reply)
        await connection.http("GET", "channels")
        code = ENDINGS[row]
        if code is None:
            server.reset()
        else:
            await server.close_socket(code)
        await story.hears("down: closed by Asterisk")
        assert story.replies == [Reply(0, "connection lost")]
        connection.send("POST", "channels/y", on_reply=story.on_reply)
        assert len(story.replies) == 1  # never before send has returned
        await story.until(lambda: len(story.replies) == 2)
        assert story.replies[1].reason == "not connected"
        await story.hears("up", times=2)


async def test_after_replacement_nothing_is_ever_sent(server: AriServer) -> None:
    story, winner = Story(), Story()
    connection = connect(server, story)
    async with running(connection) as task:
        await story.hears("up")
        server.mute_rest = True
        connection.send("POST", "channels/x", on_reply=story.on_reply)
        async with running(connect(server, winner)):
            await asyncio.wait_for(asyncio.shield(task), IN_TIME)
            before = len(server.requests), len(server.http_requests)
            assert await connection.ask("POST", "channels/y") == Reply(0, "fenced")
            assert await connection.http("GET", "channels") == Reply(0, "fenced")
            await winner.hears("up")
            assert [r["uri"] for r in server.requests].count("channels/y") == 0
            assert before[0] <= len(server.requests)
    assert story.told == ["up", "replaced"]
    assert story.replies == [Reply(0, "fenced")]


async def test_after_replacement_what_was_queued_is_not_sent(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection) as task:
        await story.hears("up")

        def burst() -> None:
            for n in range(400):
                connection.send("POST", f"channels/{n}", None, {"filler": "x" * 30_000}, story.on_reply)

        story.on_event = lambda event: burst()  # type: ignore[method-assign]  # this once
        replaced = {"type": "ApplicationReplaced", "timestamp": "t"}
        await server.say(event("StasisEnd"), replaced)
        await asyncio.wait_for(asyncio.shield(task), IN_TIME)
    assert story.told == ["up", "replaced"]
    assert story.replies == [Reply(0, "fenced")] * 400
    assert len(server.requests) < 400


async def test_replacement_before_up(server: AriServer) -> None:
    server.early = [{"type": "ApplicationReplaced", "timestamp": "t"}]
    story = Story()
    await asyncio.wait_for(connect(server, story).run(), IN_TIME)
    assert story.told == ["replaced"]


async def test_an_application_that_lingers_is_subscribed_by_hand_and_repeats_dropped(
    server: AriServer,
) -> None:
    server.lingers = True
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        digit = event("ChannelDtmfReceived", **DTMF)
        await server.say(digit, digit, event("StasisEnd"))
        await story.hears("StasisEnd")
    assert ("POST", "applications/callrouter/subscription") in server.http_requests
    assert story.told[:3] == ["up", "ChannelDtmfReceived c1", "StasisEnd c1"]
    assert connection.counters.repeated_events == 1


async def test_an_engine_that_raises_does_not_end_the_connection(server: AriServer) -> None:
    story, winner = Story(), Story()
    story.broken = True
    connection = connect(server, story)
    async with running(connection) as task:
        await story.hears("up")
        await server.say(event("StasisEnd", "c1"), event("StasisEnd", "c2"))
        await story.hears("StasisEnd c2")
        async with running(connect(server, winner)):
            await asyncio.wait_for(asyncio.shield(task), IN_TIME)
    assert connection.counters.link_errors == 4


async def test_requests_that_cannot_be_sent_are_refused_with_the_reason(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story, unanswered_limit=2)
    assert await connection.http("GET", "channels") == Reply(0, "not connected")
    async with running(connection):
        await story.hears("up")
        large = await connection.ask("POST", "channels/x", body={"a": "x" * 70_000})
        assert large.status == 0
        assert "60000 is the most" in large.reason
        server.mute_rest = True
        for _ in range(3):
            connection.send("POST", "channels/x", on_reply=story.on_reply)
        connection.send("POST", "channels/x")
        await story.until(lambda: len(story.replies) == 1)
        assert story.replies[0].reason == "too many unanswered requests"


async def test_the_http_lane_reads_files_and_says_what_went_wrong(server: AriServer) -> None:
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        await story.hears("up")
        assert len((await connection.http("GET", "recordings/stored/r1/file")).body) == 4000
        posted = await connection.http("POST", "channels/create", {"a": "b"}, {"endpoint": "e"})
        assert msgspec.json.decode(posted.body)["body"] == {"endpoint": "e"}
        assert (await connection.http("GET", "channels/none")).status == 404
    small = HttpLane(server.url, "router", "secret", 0.2, largest_body=100)
    assert (await small.request("GET", "recordings/stored/r1/file")).reason == "reply larger than 100 bytes"
    server.hold_filter = asyncio.Event()
    slow = await small.request("PUT", "applications/callrouter/eventFilter", body={})
    assert slow == Reply(0, "no reply in time")
    await small.close()


REFUSALS: dict[str, tuple[dict[str, object], str]] = {
    "wrong password": ({"password": "other"}, "name or password is not one of ari.conf"),
    "old Asterisk": ({"version": "20.14.0"}, "22.7 or newer"),
    "a module less": ({"lacks": "func_export.so"}, "func_export.so is not loaded. Load it"),
    "at the session limit": ({"close_at_once": True}, "sessionlimit"),
    "the websocket is not found": ({"refuse": 404}, "There is no ARI"),
    "still starting": ({"refuse": 503}, "still starting"),
    "something else": ({"refuse": 418}, "Asterisk's log says more"),
}


@pytest.mark.parametrize("row", REFUSALS)
async def test_a_refusal_says_what_to_do_and_is_tried_again(
    row: str, server: AriServer, logged: list[MutableMapping[str, Any]]
) -> None:
    wrong, advice = REFUSALS[row]
    right = {name: getattr(server, name) for name in wrong}
    for name, value in wrong.items():
        setattr(server, name, value)
    story = Story()
    connection = connect(server, story)
    async with running(connection):
        async with asyncio.timeout(IN_TIME):
            while not connection.counters.refusals:
                await asyncio.sleep(0.01)
        assert story.told == []
        for name, value in right.items():
            setattr(server, name, value)
        await story.hears("up")
    assert advice in logged[0]["text"]


async def test_an_asterisk_that_never_becomes_ready_is_given_up(server: AriServer) -> None:
    server.hold_filter = asyncio.Event()
    story = Story()
    connection = connect(server, story, connect_limit=0.2)
    async with running(connection):
        async with asyncio.timeout(IN_TIME):
            while not connection.counters.refusals:
                await asyncio.sleep(0.01)
        server.hold_filter.set()
        await story.hears("up")


async def test_nobody_at_the_address(logged: list[MutableMapping[str, Any]]) -> None:
    async with AriServer() as gone:
        pass
    connection = connect(gone, Story())
    async with running(connection), asyncio.timeout(IN_TIME):
        while not connection.counters.refusals:
            await asyncio.sleep(0.01)
    assert "Is Asterisk running" in logged[0]["text"]


VERSIONS = {
    "22.10.1": True,
    "22.10.1+dfsg+~cs6.17": True,
    "22.7.0": True,
    "certified-22.8-cert1": True,
    "23.0.0": True,
    "GIT-22-abcdef": True,
    "22.6.1": False,
    "20.14.0": False,
    "": False,
    "unknown": False,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_versions(version: str) -> None:
    info = models.AsteriskInfo(system=models.SystemInfo(version=version, entity_id="a"))
    if VERSIONS[version]:
        opening.check_version("u", info)
    else:
        with pytest.raises(VersionError):
            opening.check_version("u", info)


def test_a_reply_that_is_not_aris() -> None:
    with pytest.raises(SetupError, match="not Asterisk's ARI"):
        opening.accepted("u", Reply(200, "OK", b"<html>"), models.AsteriskInfo)
    with pytest.raises(BY_STATUS[403], match="read_only=no"):
        opening.accepted("u", Reply(403, "Forbidden"), models.AsteriskInfo)


def test_the_back_off_grows_within_its_bounds_and_starts_anew() -> None:
    backoff = Backoff(random.Random(7))
    delays = [backoff.delay() for _ in range(200)]
    assert all(0.1 <= delay <= 5.0 for delay in delays)
    assert delays[0] <= 0.2
    assert max(delays) > 4.0
    backoff.reset()
    assert backoff.delay() <= 0.2


async def test_a_steady_connection_starts_the_back_off_anew(server: AriServer) -> None:
    story = Story()
    async with running(connect(server, story, steady_after=0.0)):
        for times in range(1, 6):
            await story.hears("up", times=times)
            server.reset()
            await story.hears("down", times=times)
        await story.hears("up", times=6)


def test_the_password_is_not_shown() -> None:
    shown = AriSettings(url="u", username="n", password="s3cret", app="a")
    assert "s3cret" not in f"{shown} {shown!r}"
