"""Somebody speaks a prompt at a phone: what `callrouter prompts record` does.

One phone, no caller, and one thing after the other: a conversation, written as one. It has a connection and
an application of its own, so it does not disturb a router that runs. Requests go over HTTP; the websocket
brings events only.

Should we be killed, the channel ends by its own time limit, or as the phone is put down. Its bridge and its
recordings stay in Asterisk until the next dictation removes them.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import msgspec
from aiohttp import WSMsgType

from router.edge.ari import models
from router.edge.ari.lane import HttpLane
from router.edge.ari.link import AriSettings
from router.edge.ari.opening import look, open_socket, set_filter
from router.edge.ari.outgoing import Socket
from router.edge.ari.rest import Reply
from router.edge.wav import seconds_of, seconds_spoken

KEEP, HEAR, AGAIN, DONE = "1", "2", "3", "#"
"""Keys."""
TONE = "sound:beep"

RING_FOR = 30
"""Seconds in which the phone must be answered."""
LONGEST = 300
"""Seconds of one recording."""
SILENCE = 5
"""Seconds without a word that end a recording as DONE does; they are no part of it."""
SHORTEST = 0.3
"""Seconds of speech; less is nothing heard. Asterisk tells whole ones, and one of mere silence (22.10.1)."""
ALL = 900
"""Seconds that all of it may take, until a recording is kept."""
KEY_WITHIN = 10.0
"""Seconds after a question in which it is answered."""
ASKED = 3
"""How often a question is asked, and how often in a row nothing may be heard."""
SOON = 10.0
"""Seconds in which Asterisk does what takes no time."""
LATE = 5.0
"""Seconds in which a recording ends that was told to, or is as long as may be."""
PING_EVERY = 2.0
"""Seconds without a word from Asterisk after which it is asked for a sign of life,"""
PINGS = 5
"""and how often in a row it may give none."""
PUT_DOWN_TOLD = 1.0
"""Seconds in which a phone that is put down is seen to be."""
HEARD_WITHIN = 0.1
"""Seconds in which it is heard, before all is put away, which channels there are."""
PUT_DOWN_WITHIN = 2.0
"""Seconds in which Asterisk puts all away."""

_decode = msgspec.json.Decoder(models.Frame).decode
_decode_names = msgspec.json.Decoder(list[dict[str, object]]).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_OURS = re.compile(r"(prompt-[0-9a-f]{16})(?:-r[0-9]+)?")
"""The name of a channel, a bridge or a recording; the channel's is the group."""

Wanted = type[models.Event]


class DictationError(Exception):
    """Nothing was recorded and kept. Its text says why, and what to do."""


@dataclass(frozen=True)
class Script:
    """What who speaks hears; media URIs."""

    begin: str
    unheard: str
    decide: str
    kept: str


async def dictate(
    ari: AriSettings,
    endpoint: str,
    script: Script,
    keep: Callable[[bytes], None],
    tell: Callable[[str], None],
) -> None:
    """Ring `endpoint` (`PJSIP/100`), record what is spoken there until it is wanted, and have it kept.

    `keep` takes a WAV file of 8 kHz; it may block, and raise DictationError. `tell` hears how it goes. Raises
    DictationError, and SetupError where there is no Asterisk to do it; nothing once it is kept.
    """
    name = f"prompt-{secrets.token_hex(8)}"
    ari = msgspec.structs.replace(ari, app=f"{ari.app}-{name}")
    lane = HttpLane(ari.url, ari.username, ari.password, ari.http_limit)
    try:
        await look(lane, ari)
        await _remove_earlier(lane)
        async with await open_socket(lane, ari) as socket:
            await set_filter(lane, ari)
            phone = _Phone(lane, socket, name)
            try:
                recorded = await _in_time(phone, ari.app, endpoint, script, tell)
                await asyncio.to_thread(keep, recorded)
                with suppress(DictationError, TimeoutError):
                    async with asyncio.timeout(SOON):
                        await phone.play(script.kept)
            finally:
                await phone.put_down(ari)
    finally:
        await lane.close()


async def _remove_earlier(lane: HttpLane) -> None:
    """Remove what killed dictations have left. What has a channel yet goes on; where Asterisk cannot list its
    channels, nothing is touched."""
    channels = await _names(lane, "channels", "id")
    if channels is None:
        return
    for path, key in (("bridges", "id"), ("recordings/stored", "name")):
        for name in await _names(lane, path, key) or ():
            ours = _OURS.fullmatch(name)
            if ours and ours[1] not in channels:
                await lane.request("DELETE", f"{path}/{name}")


async def _names(lane: HttpLane, path: str, key: str) -> set[str] | None:
    """Of all that Asterisk lists there."""
    reply = await lane.request("GET", path)
    try:
        return {str(one.get(key)) for one in _decode_names(reply.body)} if reply.ok else None
    except _UNDECODABLE:
        return None


async def _in_time(
    phone: "_Phone", app: str, endpoint: str, script: Script, tell: Callable[[str], None]
) -> bytes:
    """What was spoken, if it is wanted before ALL is over."""
    try:
        async with asyncio.timeout(ALL):
            await phone.ring(app, endpoint, tell)
            return await _record(phone, script, tell)
    except TimeoutError:
        what = f"the {ALL / 60:g} minutes that it may take are over, so nothing was kept"
        raise DictationError(f"{what}; try again") from None


async def _record(phone: "_Phone", script: Script, tell: Callable[[str], None]) -> bytes:
    """Record, play back, ask; again and again, until it is wanted."""
    while True:
        recorded = await _speech(phone, script, tell)
        length = f"{seconds_of(recorded):.1f} s recorded"
        tell(f"{length}; {KEEP} keeps it, {HEAR} plays it, {AGAIN} records it again")
        key = HEAR
        while key == HEAR:
            key = await phone.ask(f"recording:{phone.recording},{script.decide}", KEEP + HEAR + AGAIN)
        if key == KEEP:
            return recorded


async def _speech(phone: "_Phone", script: Script, tell: Callable[[str], None]) -> bytes:
    """Record until something is heard."""
    for _ in range(ASKED):
        tell(f"speak after the tone; {DONE} ends it")
        await phone.play(script.begin)
        await phone.play(TONE)
        recorded = await phone.record()
        if seconds_spoken(recorded) >= SHORTEST:
            return recorded
        tell("nothing was heard")
        await phone.play(script.unheard)
    raise DictationError(f"nothing was heard {ASKED} times, so nothing was kept; is the phone muted?")


class _Phone:
    """The phone that was rung: its channel, and the bridge of the same name that it is in.

    A channel that was dialled is in a bridge of Asterisk's own, in which it cannot be recorded (22.10.1).
    """

    def __init__(self, lane: HttpLane, socket: Socket, name: str) -> None:
        self.name = name
        self._lane = lane
        self._socket = socket
        self._playbacks = 0
        self._recordings = 0
        self._entered = {name}
        """The channels that entered our application."""

    @property
    def recording(self) -> str:
        """The latest."""
        return f"{self.name}-r{self._recordings}"

    async def ring(self, app: str, endpoint: str, tell: Callable[[str], None]) -> None:
        """Until it is answered."""
        query = {"endpoint": endpoint, "app": app, "channelId": self.name}
        limit = str(ALL + round(SOON))  # later than we would
        made = await self._lane.request(
            "POST", "channels/create", query, {"variables": {"TIMEOUT(absolute)": limit}}
        )
        if not made.ok:
            what = f"{endpoint} cannot be rung ({made.status or made.reason})"
            raise DictationError(f"{what}; is it the name of a phone in Asterisk, and registered?")
        await self._next_within(SOON, models.StasisStart)
        tell(f"ringing {endpoint}")
        await self._ask("POST", f"channels/{self.name}/dial", {"timeout": str(RING_FOR)})
        state = ""
        while state != "Up":
            changed = await self._next(models.ChannelStateChange)
            state = changed.channel.state if isinstance(changed, models.ChannelStateChange) else state
        await self._ask("POST", "bridges", {"type": "mixing", "bridgeId": self.name})
        await self._ask("POST", f"bridges/{self.name}/addChannel", {"channel": self.name})

    async def play(self, media: str) -> None:
        """To its end; keys do nothing."""
        await self._begin(media)
        await self._check(await self._next(models.PlaybackFinished))

    async def ask(self, media: str, keys: str) -> str:
        """Which of `keys` is pressed; the question ends at once."""
        for _ in range(ASKED):
            await self._begin(media)
            try:
                async with asyncio.timeout(KEY_WITHIN + LONGEST) as limit:
                    while True:
                        event = await self._next(models.ChannelDtmfReceived, models.PlaybackFinished)
                        await self._check(event)
                        if isinstance(event, models.ChannelDtmfReceived) and event.digit in keys:
                            await self._lane.request("DELETE", f"playbacks/{self._playback}")
                            return event.digit
                        if isinstance(event, models.PlaybackFinished):
                            limit.reschedule(asyncio.get_running_loop().time() + KEY_WITHIN)
            except TimeoutError:
                continue
        raise DictationError(f"nobody pressed {', '.join(keys)}, so nothing was kept; try again")

    async def record(self) -> bytes:
        """Until DONE, silence, or LONGEST; a WAV file."""
        self._recordings += 1
        query = {
            "name": self.recording,
            "format": "wav",  # Of wav16 Asterisk counts twice the length (22.10.1).
            "maxDurationSeconds": str(LONGEST),
            "maxSilenceSeconds": str(SILENCE),
        }
        await self._ask("POST", f"bridges/{self.name}/record", query)
        within = LONGEST + LATE
        while True:
            match await self._next_within(
                within, models.ChannelDtmfReceived, models.RecordingFinished, models.RecordingFailed
            ):
                case models.ChannelDtmfReceived(digit=digit) if digit == DONE:
                    await self._lane.request("POST", f"recordings/live/{self.recording}/stop")
                    within = LATE
                case models.RecordingFinished():
                    return (await self._ask("GET", f"recordings/stored/{self.recording}/file")).body
                case models.RecordingFailed(recording=recording):
                    why = f"Asterisk could not record ({recording.cause})"
                    raise DictationError(f"{why}; is there room on its disk?")

    async def put_down(self, ari: AriSettings) -> None:
        """Leave nothing in Asterisk; all of it may be gone already.

        All at once: a frozen Asterisk does, when it goes on, what it was sent, though nobody waits for it.
        """
        with suppress(TimeoutError, DictationError):
            async with asyncio.timeout(HEARD_WITHIN):
                while True:
                    self._read(await self._frame())
        left = [f"channels/{channel}" for channel in self._entered] + [f"bridges/{self.name}"]
        if self._recordings:
            left.append(f"recordings/live/{self.recording}")
        left += [f"recordings/stored/{self.name}-r{number + 1}" for number in range(self._recordings)]
        lane = HttpLane(ari.url, ari.username, ari.password, PUT_DOWN_WITHIN)
        try:
            await asyncio.gather(*(lane.request("DELETE", path) for path in left))
        finally:
            await lane.close()

    @property
    def _playback(self) -> str:
        return f"{self.name}-{self._playbacks}"

    async def _begin(self, media: str) -> None:
        self._playbacks += 1
        query = {"media": media, "playbackId": self._playback}
        await self._ask("POST", f"bridges/{self.name}/play", query)

    async def _check(self, event: models.Event) -> None:
        """Raises DictationError if it is the end of what could not be played.

        Of several files Asterisk tells that of the last. Those of a phone that is put down cannot be played
        either, of which is told a moment later.
        """
        if isinstance(event, models.PlaybackFinished) and event.playback.state == "failed":
            with suppress(TimeoutError):
                async with asyncio.timeout(PUT_DOWN_TOLD):
                    await self._next()
            what = f"Asterisk cannot play {event.playback.media_uri}"
            raise DictationError(f"{what}; is the router running, and `speech.seen_as` right?")

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> Reply:
        reply = await self._lane.request(method, path, query)
        if reply.status == 404:
            raise DictationError("the phone was put down, so nothing was kept; try again")
        if not reply.ok:
            raise DictationError(f"Asterisk refused {method} {path} ({reply.status or reply.reason})")
        return reply

    async def _next_within(self, seconds: float, *wanted: Wanted) -> models.Event:
        """As `_next`, of what Asterisk does by itself."""
        try:
            async with asyncio.timeout(seconds):
                return await self._next(*wanted)
        except TimeoutError:
            raise DictationError("Asterisk did not go on; look at its console, and try again") from None

    async def _next(self, *wanted: Wanted) -> models.Event:
        """The next event of these kinds that is of this phone. Raises DictationError once nothing can come of
        it any more."""
        while True:
            event = self._read(await self._frame())
            if event is not None and (why := _why(event)):
                raise DictationError(why)
            if isinstance(event, wanted):
                return event

    async def _frame(self) -> bytes:
        """What comes next. Raises DictationError where the connection is lost, or Asterisk silent."""
        silent = 0
        while silent < PINGS:
            try:
                message = await self._socket.receive(PING_EVERY)
            except TimeoutError:
                silent += 1
                with suppress(aiohttp.ClientError, OSError):  # then so does `receive`
                    await self._socket.ping()
                continue
            silent = 0
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                return bytes(message.data)
            elif message.type is not WSMsgType.PONG:
                raise DictationError("the connection to Asterisk was lost; try again")
        raise DictationError(f"Asterisk was silent for {PING_EVERY * PINGS:g} s; look at its console")

    def _read(self, frame: bytes) -> models.Event | None:
        """The event, if it is this phone's."""
        try:
            event = _decode(frame)
        except _UNDECODABLE:
            return None  # of a kind that nobody here waits for
        match event:
            case models.StasisStart():
                self._entered.add(event.channel.id)
                return event
            case models.RecordingFinished(recording=recording) | models.RecordingFailed(recording=recording):
                return event if recording.name == self.recording else None
            case models.PlaybackFinished(playback=playback):
                return event if playback.id == self._playback else None
            case models.RESTResponse() | models.ApplicationReplaced():
                return None
            case _:
                return event if event.channel.id == self.name else None


def _why(event: models.Event) -> str:
    """Why nothing can come of it any more; empty while something can."""
    match event:
        case models.ChannelDestroyed(cause_txt=cause):
            return f"the phone was not answered, or put down ({cause}); nothing was kept"
        case models.StasisStart(replace_channel=models.Channel()):
            # Asterisk put another channel in the place of the phone's, which asked for it (REFER).
            return "the phone wished to be transferred, so nothing was kept; try again"
        case _:
            return ""
