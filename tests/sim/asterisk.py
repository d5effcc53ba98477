"""FakeAsterisk: ARI over real HTTP and a real WebSocket, with callers, phones and faults that a test places.

It does what Asterisk 22.10.1 was measured to do. Where that is odd, the line says so. A caller is placed by
`call`; a phone is what `phones` says of its dial string; a sound is as long as `sounds` says, and one that
is not there fails. Time is real and short.

What it saw is in `requests`, in order; what is there now, in `channels` and `bridges`.
"""

import asyncio
import io
import itertools
import json
import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.edge.ari_server import ALL, AriDoors, Json, response
from tests.sim.channels import Bridge, Channel, stamp
from tests.sim.phones import ANSWERS, NO_REPLY, Fault, Phone

SOFT_ARI = 32
"""The soft-hangup flag of ARI's DELETE (AST_SOFTHANGUP_EXPLICIT)."""

Answer = tuple[int, object]
DONE: Answer = (204, None)
FAR_OFF = 24 * 3600.0
"""Seconds beyond any call's length."""
BREAK_GLASS = "callrouter-breakglass"
QUEUE_CONTEXT = "callrouter-queue"


def wav(seconds: float) -> bytes:
    """A recording of so much silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writing:
        writing.setparams((1, 2, 8000, 0, "NONE", ""))
        writing.writeframes(bytes(2 * round(seconds * 8000)))
    return file.getvalue()


def not_found(what: str) -> Answer:
    return 404, {"message": f"{what} not found"}


@dataclass
class FakeAsterisk(AriDoors):
    """One Asterisk with one application."""

    phones: dict[str, Phone] = field(default_factory=dict)
    """Dial string -> what it does; a phone that is not here is not registered."""
    sounds: dict[str, float] = field(default_factory=dict)
    """Media URI -> seconds; what is not here cannot be played."""
    speech: float = 3.0
    """Seconds that callers speak who are recorded."""
    recorded: dict[str, bytes] = field(default_factory=dict)
    """Name -> what was recorded, of recordings that are over and kept."""
    faults: list[Fault] = field(default_factory=list)
    start_late: bool = False
    """The reply to a create comes before its StasisStart; it may be either way round."""
    away: bool = False
    """Nobody gets in."""
    started: str = "2026-11-22T10:00:00.000+0000"
    entity_id: str = "sim"
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and query of every request that changes something, in the order they were served."""
    reads: list[str] = field(default_factory=list)
    """`GET PATH` of every other request, once it is served."""
    unheard_of: list[str] = field(default_factory=list)
    """Requests that Asterisk has not, or that the router should not need."""
    opened: int = 0

    async def __aenter__(self) -> "FakeAsterisk":
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.recording: dict[str, str] = {}
        """Name of a recording that is being made -> bridge."""
        self._ids = itertools.count(1)
        self._app: str | None = None
        self._allowed: set[str] | None = None
        self._outbox: asyncio.Queue[Json] = asyncio.Queue()
        self._pumps: list[asyncio.Task[None]] = []
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._vanish()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self.close()

    # What a test does and reads

    def call(
        self,
        dialled: str,
        caller: str = "+4790000009",
        invite: bool = True,
        entrance: tuple[str, ...] = ("in",),
        phone: str = "PJSIP/trunk",
        state: str = "Ring",
    ) -> Channel:
        """A caller dials; without `invite` it has reached Stasis before, and nobody was told.

        It is `Up` where the dialplan has answered before; `entrance` is with what that hands it over, before
        the number.
        """
        number = next(self._ids)
        channel = Channel(self.hang_up, f"1795341600.{number}", f"{phone}-{number:08x}", state)
        channel.caller, channel.exten = caller, dialled
        self._put(channel)
        self._set_dead_man(channel, 12.0)
        if self._app is None and invite:
            self._to_dialplan(channel, BREAK_GLASS, "s")  # STASISSTATUS=FAILED
        else:
            app = self._app or "callrouter"
            args = (*entrance, dialled)
            self._enter(channel, app, ",".join((app, *args)), args, told=invite)
        return channel

    def legs(self, dial: str) -> list[Channel]:
        """The live channels to a phone."""
        return [channel for channel in self.channels.values() if channel.dial == dial]

    def commands(self, *, about: str = "") -> list[str]:
        """What was asked, as `POST channels/ID/dial` with our ids cut down to `l1`, `b`, `p1`."""
        asked = (f"{method} {path}" for method, path, _ in self.requests if about in path)
        return [re.sub(r"(?:[a-z2-7]{13}-)([lbp]\d*)|\d+\.\d+", r"\1", words) for words in asked]

    def asked_of(self, channel: Channel, since: int = 0) -> list[str]:
        """The paths of the requests that had to do with a channel, without the first so many of all."""
        return [
            path
            for _, path, query in self.requests[since:]
            if any(word in " ".join((path, *query.values())) for word in (channel.id, channel.name))
        ]

    @property
    def connected(self) -> bool:
        """Somebody listens to our events."""
        return self._app is not None

    async def heard(self) -> None:
        """Until all that was told is on its way."""
        while not self._outbox.empty():
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)

    async def replace(self) -> None:
        """Another router takes the application's name, and does nothing with it."""
        self._tell("ApplicationReplaced")
        await self.heard()

    def drop(self) -> None:
        """The WebSocket ends without a word; what happens now is told to nobody."""
        if self.connected:
            self._app = None
            self.reset()

    def restart(self) -> None:
        """Asterisk dies with all its channels, and is another process now."""
        self.drop()
        self._vanish()
        self.started = "2026-11-22T11:11:11.000+0000"

    def _vanish(self) -> None:
        for channel in self.channels.values():
            channel.forget()
            channel.ended = (0, 0)
        for bridge in self.bridges.values():
            if bridge.timer:
                bridge.timer.cancel()
        self.channels.clear()
        self.bridges.clear()

    def press(self, channel: Channel, keys: str) -> None:
        """Somebody presses keys."""
        for key in keys:
            self._tell("ChannelDtmfReceived", channel, digit=key, duration_ms=100)

    def end_recording(self, name: str) -> None:
        """The caller is silent, or the router has it stopped."""
        bridge = self.recording.pop(name)
        self.recorded[name] = wav(self.speech)
        ended = {"name": name, "format": "wav", "target_uri": f"bridge:{bridge}", "state": "done"}
        for _ in range(2):  # as with prompts
            self._tell("RecordingFinished", recording=ended | {"talking_duration": int(self.speech)})

    def hold(self, channel: Channel, held: bool = True) -> None:
        """A party puts the other on hold, or takes it back."""
        self._tell("ChannelHold" if held else "ChannelUnhold", channel)

    def transfer(self, leg: Channel, to: str) -> Channel:
        """A phone asks that the caller be put through to `to`, and hangs up; what is in its place now."""
        context = leg.variables["TRANSFER_CONTEXT"]
        other = self._in_place(leg, f"Local/{to}@{context}", context, to, "Down")
        leg.later("hangs up", 0.02, leg.hang_up)
        return other

    def hand_over(self, leg: Channel, to: Channel, exten: str, answered: bool = True) -> Channel:
        """A phone joins its talk with the call that it has placed to `exten`, where `to` is rung or talks."""
        other = self._in_place(leg, "Local/_attended@transfer", "transfer", "_attended", "Up")
        second = Channel(self.hang_up, f"{leg.id}.2", f"{leg.dial}-{next(self._ids):08x}", "Up")
        second.context, second.exten = "from-phones", exten
        joined: Json = {"transferer_first_leg": leg.as_json(), "transferer_second_leg": second.as_json()}
        if answered:
            joined |= {"transfer_target": to.as_json(), "destination_link_first_leg": other.as_json()}
        else:
            joined |= {"replace_channel": other.as_json()}
        kind = "link" if answered else "application"
        self._tell("BridgeAttendedTransfer", None, result="Success", destination_type=kind, **joined)
        leg.later("hangs up", 0.02, leg.hang_up)
        return other

    def join(self, first: Channel, second: Channel) -> tuple[Channel, Channel]:
        """A phone joins two calls that it has, both in bridges of ours; the channels in their places.

        The second ends before it is told what that was for.
        """
        [target] = [
            self.channels[one].as_json()
            for bridge in self.bridges.values()
            if second.id in bridge.members
            for one in bridge.members - {second.id}
        ]
        legs: Json = {
            "transferer_first_leg": first.as_json(),
            "transferer_second_leg": second.as_json(),
            "transfer_target": target,
        }
        there, here = (
            self._in_place(leg, "Local/_attended@transfer", "transfer", "_attended", "Up")
            for leg in (second, first)
        )
        legs |= {"destination_link_first_leg": here.as_json(), "destination_link_second_leg": there.as_json()}
        self.hang_up(second, 16, 200, soft=1)
        self._tell("BridgeAttendedTransfer", None, result="Success", destination_type="link", **legs)
        first.later("hangs up", 0.02, first.hang_up)
        return here, there

    def pick_up(self, leg: Channel, dial: str) -> Channel:
        """Another phone takes the call over from a leg (INVITE with Replaces); its channel."""
        other = self._in_place(leg, dial, "from-phones", "s", "Up")
        leg.later("hangs up", 0.02, leg.hang_up)
        return other

    def _in_place(self, leg: Channel, name: str, context: str, exten: str, state: str) -> Channel:
        """In the leg's bridge, and in our application; the leg stays in that, alone."""
        number = next(self._ids)
        name = f"{name}-{number:08x}" + ";1" * name.startswith("Local")
        other = Channel(self.hang_up, f"1795341600.{number}", name, "Down")
        other.context, other.exten, other.originator = context, exten, leg.id
        self._put(other)
        other.app, other.ready, other.app_name, other.app_data = leg.app, True, "Stasis", str(leg.app)
        self._tell("StasisStart", other, args=(), replace_channel=leg.as_json())
        for bridge in self.bridges.values():
            if leg.id in bridge.members:
                bridge.members = (bridge.members - {leg.id}) | {other.id}
        self._set_state(other, state)
        return other

    def hang_up(self, channel: Channel, cause: int, sip: int, soft: int | None = None) -> None:
        """End a channel, as its far end does, or as ARI does (`soft`)."""
        if channel.id not in self.channels:
            return
        # The request carries the soft flag, or the cause; 127 is what a CANCEL gives.
        request: Json = {"cause": soft, "soft": True} if soft else {"cause": cause}
        self._tell("ChannelHangupRequest", channel, **request)
        self._leave(channel)
        self._destroy(channel, cause, sip)

    # Who comes in

    async def admit(self, request: web.Request) -> int:
        return 503 if self.away else await super().admit(request)

    async def entered(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        assert request.query["subscribeAll"] == "true"  # else nobody is told of ChannelDestroyed
        self._app, self._allowed = request.query["app"], None  # the filter goes with the application object
        self.opened += 1
        self._outbox = asyncio.Queue()
        self._pumps.append(asyncio.create_task(self._pump(socket, self._outbox)))

    def left(self, socket: web.WebSocketResponse) -> None:
        if socket is self._sockets[-1]:
            self._app = None

    @staticmethod
    async def _pump(socket: web.WebSocketResponse, outbox: asyncio.Queue[Json]) -> None:
        while not socket.closed:
            message = await outbox.get()
            try:
                await socket.send_str(json.dumps(message))
            except ConnectionError:
                return

    async def rest(self, socket: web.WebSocketResponse, request: Json) -> None:
        outbox = self._outbox
        query = {row["name"]: row["value"] for row in request.get("query_strings", ())}
        body = json.loads(request["message_body"]) if "message_body" in request else None
        status, answer = await self.serve(request["method"], request["uri"], query, body)
        if status != NO_REPLY and (self._allowed is None or "RESTResponse" in self._allowed):
            outbox.put_nowait(response(request, status, answer))

    def _tell(self, event_type: str, channel: Channel | None = None, **more: object) -> None:
        """An event, if somebody listens and the filter lets it through."""
        if self._app is None or (self._allowed is not None and event_type not in self._allowed):
            return
        event: Json = {"type": event_type, "timestamp": stamp()}
        event |= {"asterisk_id": "sim", "application": self._app, **more}
        if channel is not None:
            event["channel"] = channel.as_json()
        self._outbox.put_nowait(event)

    # What channels do

    def _put(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        self._tell("ChannelCreated", channel)

    def _enter(
        self, channel: Channel, app: str, app_data: str, args: tuple[str, ...], told: bool = True
    ) -> None:
        channel.app, channel.ready = app, True
        channel.app_name, channel.app_data = "Stasis", app_data
        if told:
            self._tell("StasisStart", channel, args=args)

    def _leave(self, channel: Channel) -> None:
        """Out of Stasis, and so out of its bridge, where a prompt plays on."""
        if channel.app is None:
            return
        for bridge in self.bridges.values():
            bridge.members.discard(channel.id)
        channel.app = None
        self._tell("StasisEnd", channel)

    def _destroy(self, channel: Channel, cause: int, sip: int) -> None:
        channel.forget()
        channel.ended = (cause, sip)
        self.channels.pop(channel.id, None)
        self._tell("ChannelDestroyed", channel, cause=cause, cause_txt="", tech_cause=sip)
        for snoop in [one for one in self.channels.values() if one.spied == channel.id]:
            self._leave(snoop)
            self._destroy(snoop, 0, 0)

    def _to_dialplan(self, channel: Channel, context: str, exten: str) -> None:
        channel.context, channel.exten, channel.app_name, channel.app_data = context, exten, "Playback", ""
        self._leave(channel)

    def _to_queue(self, channel: Channel) -> None:
        """What [callrouter-queue] does, with a queue that nobody is ever put through from by itself."""
        queue, wait_for, answer, _ = self.queue_variables(channel)
        channel.context, channel.exten = QUEUE_CONTEXT, "s"
        channel.app_name, channel.app_data = "Queue", f"{queue},,,,{wait_for}"
        self._leave(channel)
        channel.forget("dead man")
        if answer == "yes":
            self._set_state(channel, "Up")

    def queue_variables(self, channel: Channel) -> list[str]:
        """The queue, the seconds, whether to answer, and the position of the plan, as the router set them."""
        names = "CALLROUTER_QUEUE,CALLROUTER_QUEUE_FOR,CALLROUTER_QUEUE_ANSWER,CALLROUTER_QUEUE_STEP"
        return channel.variables[f"ARRAY({names})"].split(",")

    def back_from_queue(self, channel: Channel, status: str) -> None:
        """A queue has not put a caller through."""
        self._set_dead_man(channel, 12.0)
        if self._app is None:
            self._to_dialplan(channel, BREAK_GLASS, "s")
            return
        args = ("queued", self.queue_variables(channel)[3], status)
        self._enter(channel, self._app, ",".join((self._app, *args)), args)

    def led_from_queue(self, channel: Channel, dialled: str, *, told: bool = True) -> None:
        """An agent gives a caller to a number, or a key leads to one; unless `told`, nobody hears of it."""
        self._set_dead_man(channel, 12.0)
        app, args = self._app or "callrouter", ("in", dialled, "")
        self._enter(channel, app, ",".join((app, *args)), args, told)

    def _set_state(self, channel: Channel, state: str) -> None:
        if channel.id in self.channels and channel.state != state:
            channel.state = state
            self._tell("ChannelStateChange", channel)

    def _set_dead_man(self, channel: Channel, seconds: float) -> None:
        """As Asterisk 22.10.1 at its worst: a 0 may strike at once, so only a time far off is none."""
        channel.dead_man_set += 1
        if seconds < FAR_OFF:
            channel.later("dead man", seconds, lambda: self.dead_man_strikes(channel))
        else:
            channel.forget("dead man")

    def dead_man_strikes(self, channel: Channel) -> None:
        """A caller falls to the dialplan, a leg ends; no hangup request is told of either."""
        if channel.originator:
            self._leave(channel)
            self._destroy(channel, 16, 0)
        else:
            self._to_dialplan(channel, BREAK_GLASS, "s")

    def _play_next(self, bridge: Bridge) -> None:
        if bridge.playing:
            playback, media = next(iter(bridge.playing.items()))
            seconds, state = self.sounds.get(media, 0.0), "done" if media in self.sounds else "failed"
            bridge.timer = asyncio.get_running_loop().call_later(
                seconds, self._played, bridge, playback, state
            )

    def _played(self, bridge: Bridge, playback: str, state: str) -> None:
        finished = bridge.playback(playback, state)
        media = bridge.playing.pop(playback)
        if state == "done":
            for member in bridge.members & self.channels.keys():
                self.channels[member].heard.append(media)
        for _ in range(2):  # with subscribeAll: as the bridge's event, and as one of all
            self._tell("PlaybackFinished", playback=finished)
        self._play_next(bridge)

    def _ring(self, leg: Channel, phone: Phone, limit: float) -> None:
        if limit:  # without one, Asterisk rings for ever
            leg.later("dial", limit, lambda: self.hang_up(leg, 19, 480, soft=SOFT_ARI))
        if phone.rings is not None:
            leg.later("rings", phone.rings, lambda: self._set_state(leg, "Ringing"))
        if phone.answers is not None:
            leg.later("answers", phone.answers, lambda: self.answer(leg, phone))
        if phone.refuses is not None:
            leg.later("refuses", phone.refuses, lambda: self.hang_up(leg, phone.cause, phone.sip))

    def answer(self, leg: Channel, phone: Phone = ANSWERS) -> None:
        """Somebody picks up."""
        leg.forget("dial")
        leg.forget("rings")
        self._set_state(leg, "Up")
        if phone.hangs_up is not None:
            leg.later("hangs up", phone.hangs_up, leg.hang_up)

    # Requests

    async def serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        if method in ("POST", "DELETE"):
            self.requests.append((method, path, dict(query)))
        status = await self._fault(method, path)
        if status > 0:
            return status, {"message": "refused by the test"}
        answer = self._serve(method, path, query, body)
        if method == "GET":
            self.reads.append(f"GET {path}")
        return (NO_REPLY, None) if status == NO_REPLY else answer

    async def _fault(self, method: str, path: str) -> int:
        for fault in self.faults:
            if fault.times and fault.method == method and re.fullmatch(fault.path, path):
                fault.times -= 1
                await asyncio.sleep(fault.late)
                return 0 if fault.late else fault.status
        return 0

    def _serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        kind, _, rest = path.partition("/")
        name, _, what = rest.partition("/")
        if (method, kind) == ("GET", "endpoints"):
            return 200, {"channel_ids": [one.id for one in self.channels.values() if one.dial == rest]}
        if method == "GET":
            return self._read_recording(name, what) if kind == "recordings" else self._read(kind, name)
        if (path, method) == ("asterisk/variable", "POST"):
            return self._set_everywhere(query["variable"], query["value"])
        if kind == "applications":
            self._allowed = {row["type"] for row in body["allowed"]}
            return self._application(name)
        if (kind, name, method) == ("channels", "create", "POST"):
            return self._create(query, body or {})
        if kind == "channels" and name in self.channels:
            return self._with_channel(self.channels[name], f"{method} {what}".strip(), query)
        if kind == "recordings":
            return self._with_recording(f"{method} {name}", what)
        if (kind, method) == ("playbacks", "DELETE"):
            return self._stop(name)
        if kind == "bridges":
            return self._with_bridge(f"{method} {what}".strip(), name, query)
        if kind != "channels":
            self.unheard_of.append(f"{method} {path}")
        return not_found("Channel")

    def _read(self, kind: str, name: str) -> Answer:
        playing = {playback: bridge for bridge in self.bridges.values() for playback in bridge.playing}
        match kind:
            case "asterisk":
                system = {"version": "22.10.1", "entity_id": self.entity_id}
                return 200, {
                    "system": system,
                    "status": {"startup_time": self.started, "last_reload_time": ""},
                }
            case "applications":
                return self._application(name)
            case "channels" if not name:
                return 200, [channel.as_json() for channel in self.channels.values()]
            case "channels" if name in self.channels:
                return 200, self.channels[name].as_json()
            case "bridges" if not name:
                return 200, [bridge.as_json() for bridge in self.bridges.values()]
            case "bridges" if name in self.bridges:
                return 200, self.bridges[name].as_json()
            case "playbacks" if name in playing:
                return 200, playing[name].playback(name, "playing")
        return not_found(kind)

    def _read_recording(self, kind: str, name: str) -> Answer:
        if kind == "live":
            return (200, {"name": name}) if name in self.recording else not_found("Recording")
        name = name.removesuffix("/file")
        return (200, self.recorded[name]) if name in self.recorded else not_found("Recording")

    def _with_recording(self, what: str, name: str) -> Answer:
        match what:
            case "POST live" if (name := name.removesuffix("/stop")) in self.recording:
                self.end_recording(name)
            case "DELETE stored" if name in self.recorded:
                del self.recorded[name]
            case _:
                return not_found("Recording")
        return DONE

    def _application(self, name: str) -> Answer:
        lists: Json = {key: [] for key in ("bridge_ids", "endpoint_ids", "device_names")}
        events: Json = {key: [] for key in ("events_allowed", "events_disallowed")}
        return 200, {"name": name, "channel_ids": [ALL], **lists, **events}

    def _create(self, query: Mapping[str, str], body: Json) -> Answer:
        if query["channelId"] in self.channels:
            return 409, {"message": "Channel with given unique ID already exists"}
        if query["endpoint"] not in self.phones:
            return 500, {"message": "Allocation failed"}  # unknown or not registered
        name = f"{query['endpoint']}-{next(self._ids):08x}"
        leg = Channel(self.hang_up, query["channelId"], name, "Down")
        leg.originator = query.get("originator", "")
        leg.variables = dict(body.get("variables", {}))
        self._put(leg)
        self._set_dead_man(leg, float(leg.variables["TIMEOUT(absolute)"]))
        app, args = query["app"], query["appArgs"]
        if self.start_late:
            leg.later("enters", 0.005, lambda: self._enter(leg, app, f"{app},{args}", (args,)))
        else:
            self._enter(leg, app, f"{app},{args}", (args,))
        return 200, leg.as_json()

    def _with_channel(self, channel: Channel, what: str, query: Mapping[str, str]) -> Answer:
        if what == "DELETE":
            cause = int(query.get("reason_code", "16"))
            self.hang_up(channel, cause, 0, soft=SOFT_ARI)
            return DONE
        if channel.app is None:
            return 409, {"message": "Channel not in Stasis application"}
        match what:
            case "POST ring" | "DELETE ring":
                pass
            case "POST answer":
                self._set_state(channel, "Up")
            case "POST dial" if channel.dialled:
                return 409, {"message": "Channel is already dialled"}
            case "POST dial":
                channel.dialled = True
                self._ring(channel, self.phones[channel.dial], float(query["timeout"]))
            case "POST variable":
                channel.variables[query["variable"]] = query["value"]
            case _ if what.startswith("POST snoop/"):
                return self._snoop(channel, what.removeprefix("POST snoop/"), query)
            case "POST continue":
                if query["context"] == QUEUE_CONTEXT:
                    self._to_queue(channel)
                else:
                    self._to_dialplan(channel, query["context"], query["extension"])
            case _:
                self.unheard_of.append(what)
                return not_found("Resource")
        return DONE

    def _snoop(self, spied: Channel, id: str, query: Mapping[str, str]) -> Answer:
        snoop = Channel(self.hang_up, id, f"Snoop/{spied.id}-{next(self._ids):08x}", "Up")
        snoop.spied, snoop.whispers = spied.id, query["whisper"]
        snoop.originator = spied.id  # A dead man ends it: it came from no dialplan.
        self._put(snoop)
        app, args = query["app"], query["appArgs"]
        self._enter(snoop, app, f"{app},{args}", (args,))
        return 200, snoop.as_json()

    def _set_everywhere(self, variable: str, value: str) -> Answer:
        """`ARRAY(EXPORT(one,a),EXPORT(two,a))` with `1,2` sets a variable of each of two channels, by name or
        id. One that is not there is only logged, and it is no failure."""
        several = re.fullmatch(r"ARRAY\((.*)\)", variable)
        assert several, "else a global variable is set, which nobody reads"
        exports = re.findall(r"EXPORT\(([^,()]+),TIMEOUT\(absolute\)\)", several[1])
        for name, seconds in zip(exports, value.split(","), strict=True):
            for channel in list(self.channels.values()):
                if name in (channel.name, channel.id):
                    self._set_dead_man(channel, float(seconds))
        return DONE

    def _with_bridge(self, what: str, name: str, query: Mapping[str, str]) -> Answer:
        if what == "POST" and not name:
            if query["bridgeId"] in self.bridges:
                return 409, {"message": "Bridge with given unique ID already exists"}
            bridge = self.bridges[query["bridgeId"]] = Bridge(query["bridgeId"])
            return 200, bridge.as_json()
        if name not in self.bridges:
            return not_found("Bridge")
        bridge = self.bridges[name]
        match what:
            case "DELETE":
                del self.bridges[name]
                if bridge.timer:
                    bridge.timer.cancel()
                while bridge.playing:
                    self._played(bridge, next(iter(bridge.playing)), "failed")
                for recording in [one for one, where in self.recording.items() if where == name]:
                    self.end_recording(recording)
            case "POST addChannel":
                return self._join(bridge, set(query["channel"].split(",")))
            case "POST removeChannel" if query["channel"] not in bridge.members:
                return 422, {"message": "Channel not in this bridge"}
            case "POST removeChannel":
                bridge.members.discard(query["channel"])
            case "POST record":
                self.recording[query["name"]] = name
            case "POST moh":
                bridge.music = query.get("mohClass", "default")
            case "DELETE moh" if not bridge.music:
                return 409, {"message": "Bridge isn't playing music"}
            case "DELETE moh":
                bridge.music = ""
            case "POST play":
                return self._play(bridge, query["playbackId"], query["media"])
            case _:
                self.unheard_of.append(what)
        return DONE

    def _join(self, bridge: Bridge, members: set[str]) -> Answer:
        if not self.channels.keys() >= members:
            return 400, {"message": "Channel not found"}
        if any(self.channels[member].app is None for member in members):
            return 409, {"message": "Channel not in Stasis application"}
        bridge.members |= members
        return DONE

    def _stop(self, playback: str) -> Answer:
        for bridge in self.bridges.values():
            if next(iter(bridge.playing), None) == playback:
                assert bridge.timer
                bridge.timer.cancel()
                self._played(bridge, playback, "done")
                return DONE
        return not_found("Playback")

    def _play(self, bridge: Bridge, playback: str, media: str) -> Answer:
        if any(playback in other.playing for other in self.bridges.values()):
            return 409, {"message": "Playback with given unique ID already exists"}
        bridge.playing[playback] = media
        if len(bridge.playing) == 1:
            self._play_next(bridge)
        return 201, bridge.playback(playback, "queued")
