"""What Asterisk shows after a gap: the reads behind `core/reconcile.py`.

All reads of all calls go out at once, pipelined on the websocket; 500 calls are some thousand reads of 50 us
each. The channels of known calls are read one by one by their ids: `GET /channels` answers 500 for everybody
while one channel somewhere has a byte in it that is not UTF-8. Only strangers (orphaned legs, callers who
came in the last moment of a process that died) are looked for in the whole list, over HTTP, since it may be
longer than a frame; the application itself cannot name them (with subscribeAll its `channel_ids` holds no
channel's id, 22.10.1).

A read that is not replied to is made again, since without it a call that ended meanwhile would live for ever;
a connection that answers nothing at all is given up by itself. A list that does not come is done without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from router.core.arrival import call_id
from router.core.call import CALLER, Call, Talking
from router.core.events import RecordingEnded, TalkFound
from router.core.reconcile import InPlace, Sighting
from router.edge import queuewire
from router.edge.ari import models, wire
from router.edge.ari.rest import Reply
from router.edge.wav import seconds_of

Ask = Callable[[str, str], Awaitable[Reply]]
"""Sends one read, `(method, path)`, and waits for its reply."""

STASIS = "Stasis"
"""The dialplan application in which a caller is while we have the call."""

QUEUE = "Queue"
"""The one in which a caller is who waits in a queue of Asterisk's own, or talks there."""

_channel = msgspec.json.Decoder(models.Channel)
_channels = msgspec.json.Decoder(tuple[models.Channel, ...])
_bridge = msgspec.json.Decoder(models.Bridge)
_bridges = msgspec.json.Decoder(tuple[models.Bridge, ...])


_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError)

AT_ONCE = 500
"""Reads that may wait for their reply; the connection refuses more than some thousand."""

FILE_TRIES = 3
"""Times that a recording is asked for, which Asterisk may refuse for a moment."""

LIST_LIMIT = 3.0
"""Seconds that the lists may take: callers wait meanwhile."""

Read = TypeVar("Read")


class Everything(NamedTuple):
    """All channels and bridges of this Asterisk, ours and others'."""

    channels: tuple[models.Channel, ...]
    bridges: tuple[models.Bridge, ...]


class Stranger(NamedTuple):
    """A caller in our application whom nobody knows: it came in the last moment of a process that died, or
    while that had no database."""

    channel: models.Channel
    entrance: wire.Entrance


class Strangers(NamedTuple):
    """What is in Asterisk and belongs to no live call."""

    legs: list[str]
    """Channels of ours whose call is over."""
    bridges: list[str]
    callers: list[Stranger]
    """Callers who wait in our application."""
    talks: list[tuple[Stranger, TalkFound]]
    """Callers who talk with a leg of ours."""
    spared: list[str]
    """Calls in whose bridge people talk of whom we cannot tell who they are: left alone."""


async def see_everything(ask_http: Ask) -> Everything | None:
    """All there is; None if Asterisk cannot tell now."""
    try:
        async with asyncio.timeout(LIST_LIMIT):
            channels, bridges = await asyncio.gather(ask_http("GET", "channels"), ask_http("GET", "bridges"))
    except TimeoutError:
        return None
    found, joined = _decoded(_channels, channels), _decoded(_bridges, bridges)
    return None if found is None or joined is None else Everything(found, joined)


def find_strangers(
    everything: Everything, live: Container[str], known: Container[str], app: str, asterisk: tuple[str, str]
) -> Strangers:
    """What belongs to no call: `live` are the ids of our calls, `known` those of their channels.

    `asterisk` is the first half of every call key: its id and its startup time.
    """
    found = Strangers([], [], [], [], [])
    channels = {channel.id: channel for channel in everything.channels}
    apps = {
        channel.id: channel.dialplan.app_data.partition(",")[0]
        for channel in everything.channels
        if channel.dialplan.app_name == STASIS
    }
    foreign = {name for name, of in apps.items() if of != app}  # another router's, on the same Asterisk
    settled = set(foreign)
    for bridge in everything.bridges:
        ours = wire.read_id(bridge.id)
        if ours and ours.call_id in live:
            settled.update(bridge.channels)
            continue
        if not ours or foreign.intersection(bridge.channels):
            continue
        members = [channels[member] for member in bridge.channels if member in channels]
        if len(members) < 2 or not any(wire.read_id(member.id) for member in members):
            found.bridges.append(bridge.id)
            continue
        settled.update(bridge.channels)
        talk = _talk(bridge, ours.call_id, members, app, asterisk)
        if talk is None:
            found.spared.append(ours.call_id)
        else:
            found.talks.append(talk)
    for channel in everything.channels:
        if channel.id in known or channel.id in settled:
            continue
        entrance = _arrival(channel, app)
        if wire.read_id(channel.id):
            found.legs.append(channel.id)
        elif entrance is not None:
            found.callers.append(Stranger(channel, entrance))
    return found


def _talk(
    bridge: models.Bridge,
    call: str,
    members: Iterable[models.Channel],
    app: str,
    asterisk: tuple[str, str],
) -> tuple[Stranger, TalkFound] | None:
    """Who talks with whom in a call's bridge; None unless its ids prove it."""
    stranger = leg = None
    for member in members:
        ours, entrance = wire.read_id(member.id), _arrival(member, app)
        if ours and ours.call_id == call and ours.leg:
            leg = (ours.leg, member)
        elif entrance is not None and call_id(*asterisk, member.id) == call:
            stranger = Stranger(member, entrance)
    if stranger is None or leg is None:
        return None
    number, channel = leg
    since = max(map(datetime.fromisoformat, (bridge.creationtime, channel.creationtime)))
    return stranger, TalkFound(number, channel.name.rpartition("-")[0], since)


def _arrival(channel: models.Channel, app: str) -> wire.Entrance | None:
    """How a caller entered our application; None of a channel that is no such caller."""
    entered = channel.dialplan.app_data.partition(",")[0]
    ours = channel.dialplan.app_name == STASIS and entered == app
    return wire.read_entrance(_entered_by(channel)) if ours else None


def _entered_by(channel: models.Channel) -> list[str]:
    """The arguments with which a channel entered the application that it is in."""
    return channel.dialplan.app_data.split(",")[1:]


class TalkInQueue(NamedTuple):
    """A talk that an agent of a queue of Asterisk's own has with a caller."""

    queue: str
    agent: str
    """The id of the agent's channel."""
    dial: str
    """The agent's phone."""
    since: datetime


def talk_in_queue(caller: str, everything: Everything) -> TalkInQueue | None:
    """The talk that a caller has in a queue of Asterisk's own, by the caller's channel; None without one."""
    channels = {channel.id: channel for channel in everything.channels}
    there = channels.get(caller)
    if there is None or there.dialplan.app_name != QUEUE:
        return None
    for bridge in everything.bridges:
        others = [channels[one] for one in bridge.channels if one != caller and one in channels]
        if caller in bridge.channels and others:
            agent, queue = others[0], there.dialplan.app_data.partition(",")[0]
            since = datetime.fromisoformat(bridge.creationtime)
            return TalkInQueue(queue, agent.id, wire.endpoint_of(agent.name), since)
    return None


async def sight(ask: Ask, ask_http: Ask, calls: Iterable[Call]) -> Mapping[str, Sighting]:
    """What Asterisk shows of each of these calls, by call id; recordings are fetched by `ask_http`."""
    calls = list(calls)
    places = asyncio.Semaphore(AT_ONCE)

    async def read(method: str, path: str) -> Reply:
        async with places:
            reply = await ask(method, path)
            while reply.status == 0 and not reply.connection_lost:
                reply = await ask(method, path)
        return reply

    sightings = await asyncio.gather(*(_sight_one(read, ask_http, call) for call in calls))
    return {call.info.id: sighting for call, sighting in zip(calls, sightings, strict=True)}


async def _sight_one(ask: Ask, ask_http: Ask, call: Call) -> Sighting:
    numbers = [leg.number for leg in call.legs if not leg.gone]
    channels = asyncio.gather(*(ask("GET", f"channels/{wire.channel_id(call, leg)}") for leg in numbers))
    replies, ended_playbacks, (bridged, in_place), recorded = await asyncio.gather(
        channels, _ended_playbacks(ask, call), _bridged(ask, call), _recorded(ask, ask_http, call)
    )
    legs: dict[int, str | None] = {}
    departed = in_breakglass = False
    returned = entrance = None
    for number, reply in zip(numbers, replies, strict=True):
        if channel := _decoded(_channel, reply):
            legs[number] = channel.state
            if number == CALLER:
                departed = channel.dialplan.app_name != STASIS
                in_breakglass = departed and channel.dialplan.context == queuewire.BREAK_GLASS
                args = [] if departed else _entered_by(channel)
                returned, entrance = queuewire.read_return(args), wire.read_entrance(args)
        elif reply.status == 404:
            legs[number] = None
    return Sighting(
        legs, departed, in_breakglass, returned, entrance.dialled if entrance else None,
        ended_playbacks, bridged, in_place, recorded,
    )  # fmt: skip


def _decoded(decoder: msgspec.json.Decoder[Read], reply: Reply) -> Read | None:
    """What was read; None if Asterisk cannot tell, or tells it in bytes that are not UTF-8."""
    try:
        return decoder.decode(reply.body) if reply.status == 200 else None
    except _UNDECODABLE:
        return None


async def _ended_playbacks(ask: Ask, call: Call) -> frozenset[int]:
    playing = call.playing
    replies = await asyncio.gather(
        *(ask("GET", f"playbacks/{wire.playback_id(call, number)}") for number in playing)
    )
    return frozenset(number for number, reply in zip(playing, replies, strict=True) if reply.status == 404)


async def _recorded(ask: Ask, ask_http: Ask, call: Call) -> RecordingEnded | None:
    """The end of a recording that nobody saw. How long somebody spoke is not told then: all of it counts."""
    if call.recording is None:
        return None
    name = wire.recording_name(call.info.id, call.recording)
    if (await ask("GET", f"recordings/live/{name}")).status != 404:
        return None
    for _ in range(FILE_TRIES):
        file = await ask_http("GET", f"recordings/stored/{name}/file")
        if file.status == 200:
            return RecordingEnded(call.recording, seconds_of(file.body))
        if file.status == 404:
            return RecordingEnded(call.recording, failed=True)
    return None  # Nobody knows: the step has a timer, and removes nothing that it does not know.


async def _bridged(ask: Ask, call: Call) -> tuple[set[int] | None, InPlace | None]:
    """Which of those who should talk are in the call's bridge, and who else is there with the caller."""
    if not isinstance(call.state, Talking):
        return None, None
    reply = await ask("GET", f"bridges/{wire.bridge_id(call)}")
    if reply.status == 404:
        return set(), None
    bridge = _decoded(_bridge, reply)
    if bridge is None:
        return None, None
    parties = {wire.channel_id(call, number): number for number in (CALLER, call.state.leg)}
    there = {parties[member] for member in bridge.channels if member in parties}
    others = [member for member in bridge.channels if wire.read_id(member) is None and member not in parties]
    if there != {CALLER} or len(others) != 1:
        return there, None
    other = _decoded(_channel, await ask("GET", f"channels/{others[0]}"))
    return there, None if other is None else _in_place(other)


def _in_place(channel: models.Channel) -> InPlace:
    """One that is up although it leads to the context of transfers has been taken by the break-glass branch,
    while there was no router."""
    asks = channel.dialplan.context == wire.TRANSFERS and channel.state != "Up"
    return InPlace(channel.id, wire.endpoint_of(channel.name), channel.dialplan.exten if asks else None)
