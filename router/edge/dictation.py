"""Somebody speaks a prompt at a phone: what `callrouter prompts record` does.

One phone, no caller, and one thing after the other: a conversation, written as one. It has a connection and
an application of its own and so needs no router, nor does it disturb one that runs. Requests go over HTTP;
the websocket brings events only. The channel has a time limit of its own, should we die.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import WSMsgType

from router.edge.ari import models
from router.edge.ari.lane import HttpLane
from router.edge.ari.link import AriSettings
from router.edge.ari.opening import Socket, look, open_socket, set_filter
from router.edge.ari.rest import Reply

KEEP, HEAR, AGAIN, DONE = "1", "2", "3", "#"
"""Keys."""
TONE = "sound:beep"

RING_FOR = 30
"""Seconds in which the phone must be answered."""
LONGEST = 300
"""Seconds of one recording."""
SILENCE = 5
"""Seconds without a word that end a recording as DONE does; they are no part of it."""
SHORTEST = 1
"""Seconds; less is nothing heard."""
ALL = 900
"""Seconds that all of it may take; Asterisk ends it then, should we have died."""
KEY_WITHIN = 10.0
"""Seconds after a question in which it is answered,"""
ASKED = 3
"""and how often it is asked."""
SOON = 10.0
"""Seconds in which Asterisk does what takes no time."""

_decode = msgspec.json.Decoder(models.Frame).decode

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


async def dictate(ari: AriSettings, endpoint: str, script: Script, tell: Callable[[str], None]) -> bytes:
    """Ring `endpoint` (`PJSIP/100`), and record what is spoken there until it is kept: a WAV file, 16 kHz.

    `tell` hears how it goes. Raises DictationError, and SetupError where there is no Asterisk to do it.
    """
    name = f"prompt-{secrets.token_hex(8)}"
    ari = msgspec.structs.replace(ari, app=f"{ari.app}-{name}")
    lane = HttpLane(ari.url, ari.username, ari.password, ari.http_limit)
    try:
        await look(lane, ari)
        async with await open_socket(lane, ari) as socket:
            await set_filter(lane, ari)
            phone = _Phone(lane, socket, name)
            try:
                async with asyncio.timeout(ALL):
                    await phone.ring(ari.app, endpoint, tell)
                    return await _record(phone, script, tell)
            finally:
                await phone.put_down()
    except TimeoutError:
        raise DictationError("Asterisk did not go on; look at its console, and try again") from None
    finally:
        await lane.close()


async def _record(phone: "_Phone", script: Script, tell: Callable[[str], None]) -> bytes:
    """Record, play back, ask; again and again, until it is kept."""
    while True:
        tell(f"speak after the tone; {DONE} ends it")
        await phone.play(f"{script.begin},{TONE}")
        seconds = await phone.record()
        if seconds < SHORTEST:
            tell("nothing was heard")
            await phone.play(script.unheard)
            continue
        tell(f"{seconds} s recorded; {KEEP} keeps it, {HEAR} plays it, {AGAIN} records it again")
        key = HEAR
        while key == HEAR:
            key = await phone.ask(f"recording:{phone.recording},{script.decide}", KEEP + HEAR + AGAIN)
        if key == KEEP:
            recorded = await phone.fetch()
            await phone.play(script.kept)
            return recorded


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

    @property
    def recording(self) -> str:
        """The latest."""
        return f"{self.name}-r{self._recordings}"

    async def ring(self, app: str, endpoint: str, tell: Callable[[str], None]) -> None:
        """Until it is answered."""
        query = {"endpoint": endpoint, "app": app, "channelId": self.name}
        made = await self._lane.request(
            "POST", "channels/create", query, {"variables": {"TIMEOUT(absolute)": str(ALL)}}
        )
        if not made.ok:
            what = f"{endpoint} cannot be rung ({made.status or made.reason})"
            raise DictationError(f"{what}; is it the name of a phone in Asterisk, and registered?")
        async with asyncio.timeout(SOON):
            await self._next(models.StasisStart)
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
        await self._next(models.PlaybackFinished)

    async def ask(self, media: str, keys: str) -> str:
        """Which of `keys` is pressed; the question ends at once."""
        for _ in range(ASKED):
            await self._begin(media)
            try:
                async with asyncio.timeout(KEY_WITHIN + LONGEST) as limit:
                    while True:
                        event = await self._next(models.ChannelDtmfReceived, models.PlaybackFinished)
                        if isinstance(event, models.ChannelDtmfReceived) and event.digit in keys:
                            await self._lane.request("DELETE", f"playbacks/{self._playback}")
                            return event.digit
                        if isinstance(event, models.PlaybackFinished):
                            limit.reschedule(asyncio.get_running_loop().time() + KEY_WITHIN)
            except TimeoutError:
                continue
        raise DictationError(f"nobody pressed {', '.join(keys)}, so nothing was kept; try again")

    async def record(self) -> int:
        """Until DONE, silence, or LONGEST; for how many seconds somebody spoke."""
        self._recordings += 1
        query = {
            "name": self.recording,
            "format": "wav16",
            "maxDurationSeconds": str(LONGEST),
            "maxSilenceSeconds": str(SILENCE),
        }
        await self._ask("POST", f"bridges/{self.name}/record", query)
        while True:
            match await self._next(
                models.ChannelDtmfReceived, models.RecordingFinished, models.RecordingFailed
            ):
                case models.ChannelDtmfReceived(digit=digit) if digit == DONE:
                    await self._lane.request("POST", f"recordings/live/{self.recording}/stop")
                case models.RecordingFinished(recording=recording):
                    return recording.talking_duration or 0
                case models.RecordingFailed(recording=recording):
                    why = f"Asterisk could not record ({recording.cause})"
                    raise DictationError(f"{why}; is there room on its disk?")

    async def fetch(self) -> bytes:
        """The latest recording."""
        return (await self._ask("GET", f"recordings/stored/{self.recording}/file")).body

    async def put_down(self) -> None:
        """Leave nothing in Asterisk; all of it may be gone already."""
        await self._lane.request("DELETE", f"channels/{self.name}")
        await self._lane.request("DELETE", f"bridges/{self.name}")
        while self._recordings:
            await self._lane.request("DELETE", f"recordings/stored/{self.recording}")
            self._recordings -= 1

    @property
    def _playback(self) -> str:
        return f"{self.name}-{self._playbacks}"

    async def _begin(self, media: str) -> None:
        self._playbacks += 1
        query = {"media": media, "playbackId": self._playback}
        await self._ask("POST", f"bridges/{self.name}/play", query)

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> Reply:
        reply = await self._lane.request(method, path, query)
        if reply.status == 404:
            raise DictationError("the phone was put down, so nothing was kept; try again")
        if not reply.ok:
            raise DictationError(f"Asterisk refused {method} {path} ({reply.status or reply.reason})")
        return reply

    async def _next(self, *wanted: Wanted) -> models.Event:
        """The next event of these kinds that is of this phone. Raises DictationError once it is put down."""
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is not WSMsgType.TEXT:
                raise DictationError("the connection to Asterisk was lost; try again")
            else:
                event = self._read(message.data)
                if isinstance(event, models.ChannelDestroyed):
                    raise DictationError(_why(event))
                if isinstance(event, wanted):
                    return event

    def _read(self, frame: bytes) -> models.Event | None:
        """The event, if it is this phone's."""
        try:
            event = _decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # of a kind that nobody here waits for
        match event:
            case models.RecordingFinished(recording=recording) | models.RecordingFailed(recording=recording):
                return event if recording.name == self.recording else None
            case models.PlaybackFinished(playback=playback):
                return event if playback.id == self._playback else None
            case models.RESTResponse() | models.ApplicationReplaced():
                return None
            case _:
                return event if event.channel.id == self.name else None


def _why(ended: models.ChannelDestroyed) -> str:
    """What the end of the channel means for who waits for a recording."""
    return f"the phone was not answered, or put down ({ended.cause_txt}); nothing was kept"
