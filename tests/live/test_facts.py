"""Facts about Asterisk that the code relies on, and that the rows of test_evidence.py do not show.

A bare ARI client takes the place of the router: what comes is what Asterisk itself says.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

import pytest

from router.edge.ari import models, wire
from router.edge.ari.connection import AriConnection
from router.edge.ari.link import AriSettings
from router.edge.ari.rest import Reply
from router.edge.deadmen import AT_ONCE
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCEL,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    RINGING,
    RINGS,
    Callee,
    Caller,
    Move,
    Sipp,
    bye,
    refused,
    register,
)
from tests.live.conftest import BringUp

pytestmark = pytest.mark.live

WITHIN = 10.0
"""Seconds in which what is waited for has to come."""

ABSOLUTE = "TIMEOUT(absolute)"
DID = "+4722000001"

StateChange, HangupRequest = models.ChannelStateChange, models.ChannelHangupRequest
OfChannel: TypeAlias = (
    models.StasisStart
    | models.StasisEnd
    | models.ChannelStateChange
    | models.ChannelHangupRequest
    | models.ChannelDestroyed
)


class Client:
    """An application that only notes what it is told."""

    def __init__(self, sandbox: Sandbox) -> None:
        ari = sandbox.facts["ari"]
        settings = AriSettings(
            url=ari["url"], username=ari["username"], password=ari["password"], app=ari["app"]
        )
        self.connection = AriConnection(settings, self, rng=random.Random(1))
        self.app = settings.app
        self.up = asyncio.Event()
        self._events: list[OfChannel] = []
        self._awaited: list[tuple[Callable[[OfChannel], bool], asyncio.Future[OfChannel]]] = []

    def on_up(self, info: models.AsteriskInfo) -> None:
        self.up.set()

    def on_event(self, event: models.Event) -> None:
        if isinstance(event, OfChannel):
            self._events.append(event)
            for wanted, found in self._awaited:
                if wanted(event) and not found.done():
                    found.set_result(event)

    def on_down(self, reason: str) -> None:
        self.up.clear()  # whoever waits for an event then will not get it

    def on_replaced(self) -> None:
        self.up.clear()

    async def until(self, kind: type[OfChannel], channel: str | None = None) -> OfChannel:
        """The first event of this kind, of this channel or of any; it may have come already."""

        def wanted(event: OfChannel) -> bool:
            return isinstance(event, kind) and channel in (None, event.channel.id)

        for event in self._events:
            if wanted(event):
                return event
        found: asyncio.Future[OfChannel] = asyncio.get_running_loop().create_future()
        self._awaited.append((wanted, found))
        return await asyncio.wait_for(found, WITHIN)

    async def arrival(self) -> str:
        """The id of the caller's channel, once it is in the application."""
        return (await self.until(models.StasisStart)).channel.id

    def story(self, channel: str) -> list[type[OfChannel]]:
        """What was told of a channel, in order."""
        return [type(event) for event in self._events if event.channel.id == channel]

    async def create(self, channel: str, endpoint: str, dead_man: int) -> Reply:
        """Make a leg as the router does."""
        query = {"endpoint": endpoint, "app": self.app, "appArgs": "leg", "channelId": channel}
        body = {"variables": {ABSOLUTE: str(dead_man)}}
        return await self.connection.ask("POST", "channels/create", query, body)

    async def status(self, method: str, path: str, **query: str) -> int:
        """The HTTP status of a request."""
        return (await self.connection.ask(method, path, query)).status


@pytest.fixture(scope="module")
def sandbox(bring_up: BringUp) -> Sandbox:
    return bring_up()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    client = Client(sandbox)
    running = asyncio.create_task(client.connection.run())
    await asyncio.wait_for(client.up.wait(), WITHIN)
    yield client
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    left = await asyncio.to_thread(sandbox.left_behind)
    assert left == []


Start = Callable[..., Sipp]


@pytest.fixture
def place_call(sandbox: Sandbox) -> Iterator[Start]:
    placed: list[Caller] = []

    def place(*moves: Move) -> Caller:
        placed.append(Caller(sandbox, DID, *moves))
        return placed[-1]

    yield place
    for caller in placed:
        caller.stop()


@pytest.fixture
def ringing_phone(sandbox: Sandbox) -> Iterator[Callee]:
    """Is PJSIP/100; rings until it is cancelled."""
    phone = Callee(CALLED, RINGING, CANCELLED, calls=1)
    register(sandbox, [(sandbox.phones[0], phone.listening().port)])
    yield phone
    phone.stop()


async def went_as_written(sipp: Sipp) -> bool:
    return (await asyncio.to_thread(sipp.wait, WITHIN)).as_written


async def test_a_hangup_by_ari_is_soft_32(client: Client, place_call: Start) -> None:
    caller = place_call(INVITE, refused(603))
    channel = await client.arrival()
    assert await client.status("DELETE", f"channels/{channel}") == 204
    request = await client.until(HangupRequest, channel)
    assert isinstance(request, HangupRequest)
    assert (request.soft, request.cause) == (True, 32)
    assert await went_as_written(caller)


async def test_the_cause_comes_last_after_stasis_end(client: Client, place_call: Start) -> None:
    caller = place_call(INVITE, RINGS, CANCEL)
    channel = await client.arrival()
    await client.status("POST", f"channels/{channel}/ring")
    destroyed = await client.until(models.ChannelDestroyed, channel)
    assert isinstance(destroyed, models.ChannelDestroyed)
    assert (destroyed.cause, destroyed.tech_cause) == (127, 487)
    story = client.story(channel)
    assert story.index(HangupRequest) < story.index(models.StasisEnd) < story.index(models.ChannelDestroyed)
    assert await went_as_written(caller)


async def test_answered_is_what_a_state_change_says(client: Client, place_call: Start) -> None:
    caller = place_call(INVITE, ANSWERED, HUNG_UP_ON)
    channel = await client.arrival()
    assert StateChange not in client.story(channel)
    assert await client.status("POST", f"channels/{channel}/answer") == 204
    change = await client.until(StateChange, channel)
    assert change.channel.state == "Up"
    await client.status("DELETE", f"channels/{channel}")
    assert await went_as_written(caller)


async def test_the_dead_man_returns_a_caller_to_the_dialplan(client: Client, place_call: Start) -> None:
    caller = place_call(INVITE, ANSWERED, bye())
    channel = await client.arrival()
    path = f"channels/{channel}/variable"
    assert await client.status("POST", path, variable=ABSOLUTE, value="1") == 204
    await client.until(models.StasisEnd, channel)
    story = client.story(channel)
    assert HangupRequest not in story[: story.index(models.StasisEnd)], "what tells a dead-man from a hangup"
    await client.until(StateChange, channel)  # the dialplan answers, to say a word
    assert await went_as_written(caller)


async def test_one_request_sets_the_dead_men_of_many_channels(
    client: Client, sandbox: Sandbox, place_call: Start, ringing_phone: Callee
) -> None:
    """By name or id; one that is gone keeps no other from being set. Nothing else is set by it."""
    caller = place_call(INVITE, refused(603))
    channel = await client.arrival()
    created = await client.create("deadman-l2", "PJSIP/100", dead_man=30)
    await client.until(models.StasisStart, "deadman-l2")
    assert await client.status("POST", "channels/deadman-l2/dial", timeout="30") == 204
    globals_before = await asyncio.to_thread(sandbox.cli, "dialplan show globals")

    gone = [(f"PJSIP/gone-{number:08x}", 5) for number in range(AT_ONCE - 2)]
    leg = json.loads(created.body)["name"]
    request = wire.absolute_timeouts([(channel, wire.NEVER), *gone, (leg, 1)])
    assert await client.status(request.method, request.path, **request.query) == 204
    await client.until(models.ChannelDestroyed, "deadman-l2")
    left = await client.connection.ask("GET", f"channels/{channel}/variable", {"variable": ABSOLUTE})
    assert float(json.loads(left.body)["value"]) == pytest.approx(wire.NEVER, abs=10)
    assert await asyncio.to_thread(sandbox.cli, "dialplan show globals") == globals_before
    await client.status("DELETE", f"channels/{channel}")
    assert await went_as_written(caller)


async def test_the_dead_man_ends_a_leg_that_rings(client: Client, ringing_phone: Callee) -> None:
    assert (await client.create("deadman-l1", "PJSIP/100", dead_man=2)).ok
    await client.until(models.StasisStart, "deadman-l1")
    assert await client.status("POST", "channels/deadman-l1/dial", timeout="30") == 204
    await client.until(StateChange, "deadman-l1")
    await client.until(models.ChannelDestroyed, "deadman-l1")
    story = client.story("deadman-l1")
    assert HangupRequest not in story[: story.index(models.StasisEnd)]
    assert await went_as_written(ringing_phone), "it was cancelled"


async def test_an_offline_endpoint_makes_no_channel(client: Client) -> None:
    assert (await client.create("offline-l1", "PJSIP/101", dead_man=5)).status == 500
    assert await client.status("GET", "channels/offline-l1") == 404


async def test_a_repeated_play_plays_twice(client: Client, place_call: Start) -> None:
    """Its id does not make it safe to repeat, as it does for channels and bridges: so we never repeat it."""
    caller = place_call(INVITE, ANSWERED, HUNG_UP_ON)
    channel = await client.arrival()
    await client.status("POST", f"channels/{channel}/answer")
    for _ in range(2):
        path = f"channels/{channel}/play"
        assert await client.status("POST", path, media="sound:hello", playbackId="twice-p1") == 201
    await client.status("DELETE", f"channels/{channel}")
    assert await went_as_written(caller)


async def test_a_repeated_command_is_told_apart(client: Client, ringing_phone: Callee) -> None:
    """A repeated `create` gets 409 too, but after it Asterisk 22.10.1 hangs at its end."""
    bridge = {"type": "mixing", "bridgeId": "twice-b"}
    assert await client.status("POST", "bridges", **bridge) == 200
    assert await client.status("POST", "bridges", **bridge) == 409
    assert (await client.create("twice-l1", "PJSIP/100", dead_man=5)).ok
    await client.until(models.StasisStart, "twice-l1")
    for gone in ("channels/twice-l1", "bridges/twice-b"):
        assert await client.status("DELETE", gone) == 204
    await client.until(models.ChannelDestroyed, "twice-l1")
    for gone in ("channels/twice-l1", "bridges/twice-b"):
        assert await client.status("DELETE", gone) == 404
