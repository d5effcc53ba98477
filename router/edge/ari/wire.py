"""Between the call machine's words and Asterisk's: events read, commands written. Pure.

Ids are ours: `CALLID-l1` is the channel of leg 1, `CALLID-b` the call's bridge, `CALLID-p1` its first
playback. So a repeated command is safe (409 = already done, 404 on a removal = already gone), and any orphan
names its call. Two are never repeated: `play`, since one id plays twice, and `create`, since after a 409 on a
taken id Asterisk no longer stops on SIGTERM (both 22.10.1). Only the caller's own channel keeps the id that
Asterisk gave it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, assert_never, get_args

import msgspec

from router.core.agents import Change
from router.core.call import CALLER, Call
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CreateLeg,
    DestroyBridge,
    DestroyLegBridge,
    DialLeg,
    DiscardRecording,
    HangUpLeg,
    HangupReason,
    Heard,
    IndicateRinging,
    OpenBridge,
    Play,
    PlayToLeg,
    Record,
    Recorded,
    RemoveChannel,
    ReturnToDialplan,
    SetChannelVariables,
    StartMusic,
    StopMusic,
    StopPlayback,
    StopRecording,
    StopRinging,
)
from router.core.events import (
    CallEvent,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegLeft,
    LegReady,
    LegRinging,
    LegUnheld,
    RecordingEnded,
)
from router.core.featurecodes import Keyed, MoreTime, WrapUpCode
from router.core.plan import Say, SayHours, Speak, SpeakName
from router.edge.ari import models

WireCommand = (
    IndicateRinging
    | StopRinging
    | StartMusic
    | StopMusic
    | AnswerCaller
    | CreateLeg
    | DialLeg
    | OpenBridge
    | Play
    | StopPlayback
    | PlayToLeg
    | DestroyLegBridge
    | Record
    | StopRecording
    | DiscardRecording
    | Bridge
    | DestroyBridge
    | HangUpLeg
    | ReturnToDialplan
    | RemoveChannel
    | SetChannelVariables
)
"""The commands that become ARI requests of their own; of dead-man timers, one does for many (deadmen.py)."""

WIRE_COMMANDS = get_args(WireCommand)


class Request(NamedTuple):
    """One ARI request; `done` are the statuses beside 2xx that mean it was done before, or is no longer
    needed."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    query: Mapping[str, str] = {}
    body: Mapping[str, object] | None = None
    done: tuple[int, ...] = ()


def _nameless(name: Speak) -> None:
    """Where no names are spoken."""


def _voiceless(prompt: Say | Speak) -> str:
    """Where no prompts are made: files go by their names among Asterisk's sounds; in place of a text stands
    a sound that Asterisk does not know, and the call goes on."""
    return prompt.media if isinstance(prompt, Say) else "sound:callrouter-has-no-voice"


class Outbound(NamedTuple):
    """What the daemon's settings say of every leg."""

    app: str = "callrouter"
    dead_man: int = 12
    """Seconds after which a channel whose router died is returned or ended."""
    present: Literal["caller", "called"] = "caller"
    """Which number an outside phone sees: the caller's, or the one the caller dialled."""
    media: Callable[[Say | Speak], str] = _voiceless
    """The media URI of a recorded file, or of a text whose prompt was made when the rules were loaded."""
    named: Callable[[Speak], str | None] = _nameless
    """The media URI of a name, if its prompt is made."""


_CAUSE = {
    HangupReason.NORMAL: "16",
    HangupReason.CALL_OVER: "16",
    HangupReason.CALLER_LEFT: "16",
    HangupReason.NO_ANSWER: "16",
    HangupReason.COMMAND_FAILED: "34",
    HangupReason.ANSWERED_ELSEWHERE: "26",
    HangupReason.BUSY: "17",
    HangupReason.DECLINE: "21",
    HangupReason.UNKNOWN_NUMBER: "1",
    HangupReason.DECLINED_BY_KEY: "16",
    HangupReason.NOT_TAKEN: "16",
    HangupReason.WITHDRAWN: "16",
    HangupReason.TRANSFERRED: "16",
}
"""The Q.850 cause that Asterisk makes a SIP status or Reason header of. 26 tells a phone that the call was
taken by another one, so that it shows no missed call (RFC 3326)."""

ARRIVAL = "in"
"""The first argument with which the dialplan hands a caller to the application; the dialled number
follows."""

MOST_VARIABLES = 20
"""The dialplan may hand over with a caller; more are not looked at."""

LEG = "leg"
"""The argument with which a leg of ours enters the application."""

AGENT = "agent"
"""The first argument with which the dialplan hands over an agent's phone that dialled a feature code; what it
means follows."""

NEVER = 365 * 24 * 3600
"""Seconds to which a dead-man timer is lifted.

A 0 would take it off, too. But some one leg in 15,000 to which it was written left the application a few
milliseconds later, as if its time were up (22.10.1). Asterisk seems to look twice at when to hang up, first
whether there is a time and then which (main/channel.c, ast_check_hangup): a 0 in between has long passed.
"""

TRANSFERS = "callrouter-transfer"
"""The dialplan's context into which the phones that we ring transfer callers: nothing is dialled there."""

NO_TRANSFERS = "callrouter-no-transfer"
"""One that the dialplan has not: Asterisk refuses such a transfer (404), and the talk goes on."""

_PRESENTABLE = re.compile(r"\+?[0-9]{2,15}")
_ABSOLUTE = "TIMEOUT(absolute)"
_PLAIN = re.compile(r"[\w/@+.:;-]+", re.ASCII)
_OUR_ID = re.compile(r"([a-z2-7]{13})-(l([0-9]+)|b[0-9]*|p([0-9]+)|r([0-9]+))")


class Entrance(NamedTuple):
    """What the dialplan hands over with a caller."""

    dialled: str
    variables: Mapping[str, str] = {}
    """What else it knows of the call, as its CALLROUTER_VARIABLES said it: `attestation=A,branch=oslo`."""


def read_entrance(args: Sequence[str]) -> Entrance | None:
    """What came with a channel that entered the application by `args`; None if it is no caller.

    Of a variable that comes twice the first counts: a value that is the caller's own may hold a comma, and
    what it seems to say after that must not outdo what the dialplan said before.
    """
    if tuple(args[:1]) != (ARRIVAL,):
        return None
    variables: dict[str, str] = {}
    for name, is_, value in (arg.partition("=") for arg in args[2 : MOST_VARIABLES + 2]):
        if is_:
            variables.setdefault(name.strip(), value.strip())
    return Entrance("".join(args[1:2]), variables)


def read_agent_code(args: Sequence[str]) -> Keyed | None:
    """What was keyed in at an agent's phone that entered the application by `args`; None if it is none."""
    match args:
        case [agent, change] if agent == AGENT and change in set(Change):
            return Change(change)
        case [agent, "more_time"] if agent == AGENT:
            return MoreTime()
        case [agent, "code", digits] if agent == AGENT and digits.isdecimal():
            return WrapUpCode(digits)
        case _:
            return None


def endpoint_of(channel: str) -> str:
    """Whose channel of that name it is: `PJSIP/100` of `PJSIP/100-0000002a`."""
    return channel.rpartition("-")[0]


class _Endpoint(msgspec.Struct):
    channel_ids: tuple[str, ...] = ()


def read_channel_ids(endpoint: bytes) -> tuple[str, ...]:
    """The channels of an endpoint, as Asterisk shows it; none of what is no such."""
    try:
        return msgspec.json.decode(endpoint, type=_Endpoint).channel_ids
    except msgspec.DecodeError:
        return ()


class OurId(NamedTuple):
    """What an id of ours names."""

    call_id: str
    leg: int | None
    """The leg's number where it is a channel's id."""


def read_id(text: str) -> OurId | None:
    """The call that an id of a channel, bridge or playback names; None for one that is not ours."""
    match = _OUR_ID.fullmatch(text)
    return OurId(match[1], int(match[3]) if match[3] else None) if match else None


def channel_id(call: Call, leg: int) -> str:
    """Asterisk's id of a leg's channel."""
    if leg < len(call.legs) and call.legs[leg].channel:
        return call.legs[leg].channel
    return call.info.channel if leg == CALLER else f"{call.info.id}-l{leg}"


def bridge_id(call: Call, leg: int | None = None) -> str:
    """Asterisk's id of the call's bridge, or of a leg's own."""
    return f"{call.info.id}-b" if leg is None else f"{call.info.id}-b{leg}"


def playback_id(call: Call, playback: int) -> str:
    """Asterisk's id of one of the call's playbacks."""
    return f"{call.info.id}-p{playback}"


def read_playback(text: str) -> int:
    """The number of a playback of ours."""
    return int(text.rpartition("-p")[2])


def recording_name(call_id: str, recording: int) -> str:
    """Asterisk's name of one of a call's recordings."""
    return f"{call_id}-r{recording}"


def read_recording(event: models.RecordingFinished | models.RecordingFailed) -> RecordingEnded:
    """What the end of a recording of ours means for its call."""
    number = int(event.recording.name.rpartition("-r")[2])
    failed = isinstance(event, models.RecordingFailed)
    return RecordingEnded(number, float(event.recording.talking_duration or 0), failed)


def read_event(event: models.Event, leg: int) -> CallEvent | None:
    """What an event of a leg's channel means for its call; None if nothing."""
    match event:
        case models.ChannelStateChange():
            if event.channel.state == "Up":
                return LegAnswered(leg)
            return LegRinging(leg) if event.channel.state == "Ringing" else None
        case models.ChannelHangupRequest():
            return HangupRequested(leg, event.cause or 0, bool(event.soft))
        case models.StasisEnd():
            return LegLeft(leg)
        case models.ChannelDestroyed():
            return LegEnded(leg, event.cause, event.tech_cause or 0)
        case models.StasisStart():
            return LegReady(leg) if tuple(event.args[:1]) == (LEG,) else None
        case models.ChannelHold():
            return LegHeld(leg)
        case models.ChannelUnhold():
            return LegUnheld(leg)
        case models.ChannelDtmfReceived():
            return KeyPressed(leg, event.digit)
        case _:
            return None


def write(call: Call, command: WireCommand, outbound: Outbound) -> tuple[Request, ...]:
    """The ARI requests that carry out a command, in order."""
    caller = f"channels/{channel_id(call, CALLER)}"
    match command:
        case IndicateRinging():
            return (Request("POST", f"{caller}/ring"),)
        case StopRinging():
            return (Request("DELETE", f"{caller}/ring", done=(404, 409)),)
        case StartMusic(music):
            return (Request("POST", f"bridges/{bridge_id(call)}/moh", {"mohClass": music}),)
        case StopMusic():
            return (Request("DELETE", f"bridges/{bridge_id(call)}/moh", done=(404, 409)),)
        case AnswerCaller():
            return (Request("POST", f"{caller}/answer"),)
        case CreateLeg():
            return (_create(call, command, outbound),)
        case DialLeg(leg, timeout):
            path = f"channels/{channel_id(call, leg)}/dial"
            return (Request("POST", path, {"timeout": str(round(timeout))}),)
        case Play(playback, prompts):
            return (_play(call, bridge_id(call), playback, prompts, outbound),)
        case PlayToLeg(playback, leg, prompts):
            bridge = bridge_id(call, leg)
            play = _play(call, bridge, playback, prompts, outbound)
            return (*_bridge(bridge, channel_id(call, leg)), play)
        case DestroyLegBridge(leg):
            return (Request("DELETE", f"bridges/{bridge_id(call, leg)}", done=(404,)),)
        case StopPlayback(playback):
            return (Request("DELETE", f"playbacks/{playback_id(call, playback)}", done=(404,)),)
        case OpenBridge():
            return _bridge(bridge_id(call), channel_id(call, CALLER))
        case Record():
            return (_record(call, command),)
        case StopRecording(recording):
            return (Request("POST", f"recordings/live/{recording_name(call.info.id, recording)}/stop"),)
        case DiscardRecording(recording):
            name = recording_name(call.info.id, recording)
            return (Request("DELETE", f"recordings/stored/{name}", done=(404,)),)
        case Bridge(leg):
            return _bridge(bridge_id(call), f"{channel_id(call, CALLER)},{channel_id(call, leg)}")
        case DestroyBridge():
            return (Request("DELETE", f"bridges/{bridge_id(call)}", done=(404,)),)
        case HangUpLeg(leg, reason):
            path = f"channels/{channel_id(call, leg)}"
            return (Request("DELETE", path, {"reason_code": _CAUSE[reason]}, done=(404,)),)
        case RemoveChannel(channel):
            return (Request("DELETE", f"channels/{channel}", {"reason_code": "16"}, done=(404,)),)
        case SetChannelVariables(variables):
            path = f"{caller}/variable"
            return tuple(Request("POST", path, {"variable": name, "value": to}) for name, to in variables)
        case ReturnToDialplan(context, extension):
            query = {"context": context, "extension": extension, "priority": "1"}
            return (Request("POST", f"{caller}/continue", query),)
        case _:
            assert_never(command)


def _media(prompt: Heard, call: Call, outbound: Outbound) -> str:
    """What Asterisk is to play; several, with commas between them, where one prompt stands for another."""
    match prompt:
        case Recorded(recording):
            return f"recording:{recording_name(call.info.id, recording)}"
        case Say() | Speak():
            return outbound.media(prompt)
        case SpeakName(name, otherwise):
            return outbound.named(name) or ",".join(map(outbound.media, otherwise))
        case SayHours():
            raise AssertionError("hours are put into words when a call arrives (openings.told)")
        case _:
            assert_never(prompt)


def _create(call: Call, command: CreateLeg, outbound: Outbound) -> Request:
    """`create` and later `dial`, never `originate`, which follows 302 redirects to wherever they point.

    The other party's channel as originator lends its codecs, so that nothing is transcoded. A caller who is
    called back sees the number that they had called.
    """
    outside = command.target.outside and outbound.present == "called"
    number = call.info.dialled if outside or command.leg == CALLER else call.info.caller
    other = call.partner if command.leg == CALLER else CALLER
    # Read by Asterisk when the phone asks for a transfer; else its endpoint's context would be the way.
    transfers = NO_TRANSFERS if command.target.outside else TRANSFERS
    variables = {_ABSOLUTE: str(outbound.dead_man), "TRANSFER_CONTEXT": transfers}
    if _PRESENTABLE.fullmatch(number):
        variables["CONNECTEDLINE(num,i)"] = number  # i: only set; nobody is to be told of it yet.
        name = call.info.display or call.info.name
        if name and not command.target.outside and command.leg != CALLER:  # No trunk is to learn names.
            variables["CONNECTEDLINE(name,i)"] = name
    query = {
        "endpoint": command.target.dial,
        "app": outbound.app,
        "appArgs": LEG,
        "channelId": channel_id(call, command.leg),
    }
    if other is not None and not call.legs[other].gone:
        query["originator"] = channel_id(call, other)
    return Request("POST", "channels/create", query, {"variables": variables})


def _record(call: Call, command: Record) -> Request:
    """In the bridge: a channel that records by itself can do nothing else meanwhile."""
    query = {
        "name": recording_name(call.info.id, command.recording),
        "format": "wav",
        "maxDurationSeconds": str(round(command.longest)),
        "maxSilenceSeconds": str(command.silence),
        "ifExists": "overwrite",
    }
    return Request("POST", f"bridges/{bridge_id(call)}/record", query, done=(409,))


def _play(call: Call, bridge: str, playback: int, prompts: tuple[Heard, ...], outbound: Outbound) -> Request:
    media = ",".join(filter(None, (_media(prompt, call, outbound) for prompt in prompts)))
    return Request(
        "POST", f"bridges/{bridge}/play", {"media": media, "playbackId": playback_id(call, playback)}
    )


def _bridge(bridge: str, channels: str) -> tuple[Request, ...]:
    """Asterisk takes a channel that is in the bridge already without a word.

    It would tell each channel whom it is connected with: the caller's, and by a trunk that passes it on the
    caller, which phone answered. The phone knows the caller from the start.
    """
    query = {"channel": channels, "inhibitConnectedLineUpdates": "true"}
    return (
        Request("POST", "bridges", {"type": "mixing", "bridgeId": bridge}, done=(409,)),
        Request("POST", f"bridges/{bridge}/addChannel", query),
    )


def findable(name: str, id: str) -> str:
    """What EXPORT() is to find a channel by: its name if that is known, since for an id Asterisk looks at all
    channels one by one (22.10.1). But not by a name that would not stand as one word in a list."""
    return name if _PLAIN.fullmatch(name) else id


def absolute_timeouts(channels: Iterable[tuple[str, int]]) -> Request:
    """Set the dead-man timers of channels that `findable` says, each to so many seconds.

    No channel is asked for it but Asterisk itself: ARRAY() sets several variables, and EXPORT() those of a
    channel. One that is gone meanwhile is only logged.
    """
    names, seconds = zip(*channels, strict=True)
    exports = ",".join(f"EXPORT({name},{_ABSOLUTE})" for name in names)
    query = {"variable": f"ARRAY({exports})", "value": ",".join(map(str, seconds))}
    return Request("POST", "asterisk/variable", query)
