"""The call machine's words against Asterisk's."""

from collections.abc import Mapping
from typing import get_args

import msgspec
import pytest

from router.core.agents import Change
from router.core.call import CALLER, THE_CALLER, Call, Leg
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CreateLeg,
    DestroyBridge,
    DestroyLegBridge,
    DialLeg,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    OpenBridge,
    Play,
    PlayToLeg,
    RemoveChannel,
    ReturnToDialplan,
    SetChannelVariables,
    StartMusic,
    StopMusic,
    StopPlayback,
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
)
from router.core.featurecodes import Keyed, MoreTime, WrapUpCode
from router.core.plan import CallPlan, Say, SayHours, Speak, SpeakName, Target
from router.edge.ari import models, wire
from router.edge.ari.wire import OurId, Outbound
from tests.edge.ari_server import event
from tests.edge.stories import TEN, a_call

ID = "abcdefgh23456"
CALL = Call(info=a_call(ID, channel="1795341600.7"), plan=CallPlan(()), legs=(Leg(CALLER, TEN, THE_CALLER),))
OLA = Target("ola", "PJSIP/ola")
MOBILE = Target("+4790000002", "PJSIP/+4790000002@trunk", outside=True)

COMMANDS: list[tuple[str, wire.WireCommand, list[str]]] = [
    ("ringing", IndicateRinging(), ["POST channels/1795341600.7/ring"]),
    ("no ringing", StopRinging(), ["DELETE channels/1795341600.7/ring done=404 done=409"]),
    ("answer", AnswerCaller(), ["POST channels/1795341600.7/answer"]),
    ("dial", DialLeg(1, 24.6), [f"POST channels/{ID}-l1/dial timeout=25"]),
    ("play", Play(2, (Say("sound:hello"),)),
     [f"POST bridges/{ID}-b/play media=sound:hello playbackId={ID}-p2"]),
    ("play several", Play(3, (Say("sound:hello"), Speak("Hi.", "en"))),
     [f"POST bridges/{ID}-b/play media=sound:hello,sound:x/Hi. playbackId={ID}-p3"]),
    ("music", StartMusic("jazz"), [f"POST bridges/{ID}-b/moh mohClass=jazz"]),
    ("no music", StopMusic(), [f"DELETE bridges/{ID}-b/moh done=404 done=409"]),
    ("stop playing", StopPlayback(3), [f"DELETE playbacks/{ID}-p3 done=404"]),
    ("play to a phone", PlayToLeg(4, 2, (Say("sound:hello"),)),
     [f"POST bridges type=mixing bridgeId={ID}-b2 done=409",
      f"POST bridges/{ID}-b2/addChannel channel={ID}-l2 inhibitConnectedLineUpdates=true",
      f"POST bridges/{ID}-b2/play media=sound:hello playbackId={ID}-p4"]),
    ("no bridge of a phone's own", DestroyLegBridge(2), [f"DELETE bridges/{ID}-b2 done=404"]),
    ("a bridge for prompts", OpenBridge(),
     [f"POST bridges type=mixing bridgeId={ID}-b done=409",
      f"POST bridges/{ID}-b/addChannel channel=1795341600.7 inhibitConnectedLineUpdates=true"]),
    ("a bridge for two", Bridge(3),
     [f"POST bridges type=mixing bridgeId={ID}-b done=409",
      f"POST bridges/{ID}-b/addChannel channel=1795341600.7,{ID}-l3 inhibitConnectedLineUpdates=true"]),
    ("no bridge", DestroyBridge(), [f"DELETE bridges/{ID}-b done=404"]),
    ("variables", SetChannelVariables((("A", "1"), ("B", "x y"))),
     ["POST channels/1795341600.7/variable variable=A value=1",
      "POST channels/1795341600.7/variable variable=B value=x y"]),
    ("what is in the place of a leg", RemoveChannel("1795341600.9"),
     ["DELETE channels/1795341600.9 reason_code=16 done=404"]),
    ("to the dialplan", ReturnToDialplan("closed", "s"),
     ["POST channels/1795341600.7/continue context=closed extension=s priority=1"]),
]  # fmt: skip


def shown(request: wire.Request) -> str:
    query = [f"{name}={value}" for name, value in request.query.items()]
    done = [f"done={status}" for status in request.done]
    return " ".join([f"{request.method} {request.path}", *query, *done])


@pytest.mark.parametrize(
    ("command", "requests"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS]
)
def test_commands_as_requests(command: wire.WireCommand, requests: list[str]) -> None:
    outbound = Outbound(media=lambda one: one.media if isinstance(one, Say) else f"sound:x/{one.text}")
    assert [shown(request) for request in wire.write(CALL, command, outbound)] == requests


def test_dead_men_of_several_channels_are_one_request() -> None:
    request = wire.absolute_timeouts([("PJSIP/trunk-00000001", 9), (f"{ID}-l2", wire.NEVER)])
    assert shown(request) == (
        "POST asterisk/variable variable=ARRAY(EXPORT(PJSIP/trunk-00000001,TIMEOUT(absolute)),"
        f"EXPORT({ID}-l2,TIMEOUT(absolute))) value=9,31536000"
    )


NAMES = {
    "PJSIP/trunk-00000001": True,
    "PJSIP/trunk.fjord_no-000a3f01": True,
    "Local/100@inside-00000001;1": True,
    "": False,
    "PJSIP/a,b-00000001": False,
    "PJSIP/a)-00000001": False,
    "PJSIP/${X}-00000001": False,
    "PJSIP/a b-00000001": False,
    "PJSIP/kåre-00000001": False,
}


@pytest.mark.parametrize("name", NAMES, ids=[repr(name) for name in NAMES])
def test_a_channel_is_found_by_a_name_that_is_one_word(name: str) -> None:
    assert wire.findable(name, "its-id") == (name if NAMES[name] else "its-id")


def test_without_a_voice_asterisk_is_told_of_a_sound_that_is_not_there() -> None:
    [request] = wire.write(CALL, Play(1, (Speak("Hi.", "en"),)), Outbound())
    assert request.query["media"] == "sound:callrouter-has-no-voice"


def test_hours_are_words_before_they_come_here() -> None:
    with pytest.raises(AssertionError, match=r"openings\.told"):
        wire.write(CALL, Play(1, (SayHours("office", "en"),)), Outbound())


CAUSES = [
    (HangupReason.NORMAL, "16"),
    (HangupReason.CALL_OVER, "16"),
    (HangupReason.CALLER_LEFT, "16"),
    (HangupReason.NO_ANSWER, "16"),
    (HangupReason.COMMAND_FAILED, "34"),
    (HangupReason.ANSWERED_ELSEWHERE, "26"),
    (HangupReason.BUSY, "17"),
    (HangupReason.DECLINE, "21"),
    (HangupReason.UNKNOWN_NUMBER, "1"),
    (HangupReason.DECLINED_BY_KEY, "16"),
    (HangupReason.NOT_TAKEN, "16"),
    (HangupReason.WITHDRAWN, "16"),
    (HangupReason.TRANSFERRED, "16"),
]


@pytest.mark.parametrize(("reason", "cause"), CAUSES, ids=[row[0].value for row in CAUSES])
def test_a_hangup_says_why(reason: HangupReason, cause: str) -> None:
    [request] = wire.write(CALL, HangUpLeg(1, reason), Outbound())
    assert shown(request) == f"DELETE channels/{ID}-l1 reason_code={cause} done=404"


AGENT_CODES = {
    "a code": (("agent", "paused"), Change.PAUSED),
    "none of ours": (("agent", "lunch"), None),
    "too much": (("agent", "paused", "x"), None),
    "a caller": (("in", "paused"), None),
    "more time": (("agent", "more_time"), MoreTime()),
    "what came of the call": (("agent", "code", "12"), WrapUpCode("12")),
    "no digits": (("agent", "code", ""), None),
}


@pytest.mark.parametrize(("args", "keyed"), AGENT_CODES.values(), ids=AGENT_CODES)
def test_what_is_keyed_in_at_an_agents_phone(args: tuple[str, ...], keyed: Keyed | None) -> None:
    assert wire.read_agent_code(args) == keyed


def test_the_channels_of_a_phone() -> None:
    assert wire.read_channel_ids(b'{"state": "online", "channel_ids": ["a", "b"]}') == ("a", "b")
    assert wire.read_channel_ids(b"") == ()


def test_whose_channel_it_is() -> None:
    assert wire.endpoint_of("PJSIP/desk-1-0000002a") == "PJSIP/desk-1"


def test_a_leg_on_a_channel_that_we_have_not_made_goes_by_its_id() -> None:
    leg = Leg(1, TEN, OLA, channel="1795341600.9")
    call = msgspec.structs.replace(CALL, legs=(*CALL.legs, leg))
    [request] = wire.write(call, HangUpLeg(1, HangupReason.CALL_OVER), Outbound())
    assert request.path == "channels/1795341600.9"


def test_every_reason_has_a_cause() -> None:
    assert {reason for reason, _ in CAUSES} == {*HangupReason}


PRESENTED: list[tuple[str, Target, Outbound, dict[str, str], str | None]] = [
    ("the caller's number", OLA, Outbound(), {}, "+4790000001"),
    ("the caller's number outside", MOBILE, Outbound(), {}, "+4790000001"),
    ("the called one outside", MOBILE, Outbound(present="called"), {}, "+4722334455"),
    ("the caller's number inside, always", OLA, Outbound(present="called"), {}, "+4790000001"),
    ("an anonymous caller", OLA, Outbound(), {"caller": ""}, None),
    ("what is no number", OLA, Outbound(), {"caller": "90,000&x"}, None),
    ("a number in other digits", OLA, Outbound(), {"caller": "٤٧٩٠"}, None),
    ("a number and a line", OLA, Outbound(), {"caller": "4790000001\n"}, None),
]


@pytest.mark.parametrize(
    ("target", "outbound", "info", "number"),
    [row[1:] for row in PRESENTED],
    ids=[row[0] for row in PRESENTED],
)
def test_a_leg_is_created_with_its_dead_man_and_a_number(
    target: Target, outbound: Outbound, info: dict[str, str], number: str | None
) -> None:
    call = msgspec.structs.replace(CALL, info=msgspec.structs.replace(CALL.info, **info))
    [request] = wire.write(call, CreateLeg(4, target), outbound)
    assert (request.method, request.path, request.done) == ("POST", "channels/create", ())
    assert request.query == {
        "endpoint": target.dial,
        "app": "callrouter",
        "appArgs": "leg",
        "channelId": f"{ID}-l4",
        "originator": "1795341600.7",
    }
    presented = {} if number is None else {"CONNECTEDLINE(num,i)": number}
    transfers = "callrouter-no-transfer" if target.outside else "callrouter-transfer"
    variables = {"TIMEOUT(absolute)": "12", "TRANSFER_CONTEXT": transfers, **presented}
    assert request.body == {"variables": variables}


DISPLAYS = [
    ("a contact", OLA, {"name": "Kari"}, "Kari"),
    ("the name that came with the call", OLA, {"name": "Kari", "display": "K. N."}, "K. N."),
    ("a stranger without a name", OLA, {}, None),
    ("one who withholds the number", OLA, {"caller": "", "display": "Kari"}, None),
    ("outside, where no name is to be known", MOBILE, {"name": "Kari", "display": "Kari"}, None),
]


@pytest.mark.parametrize(
    ("target", "info", "name"), [row[1:] for row in DISPLAYS], ids=[row[0] for row in DISPLAYS]
)
def test_the_name_on_a_phones_display(target: Target, info: dict[str, str], name: str | None) -> None:
    call = msgspec.structs.replace(CALL, info=msgspec.structs.replace(CALL.info, **info))
    [request] = wire.write(call, CreateLeg(4, target), Outbound())
    assert request.body is not None
    variables = request.body["variables"]
    assert isinstance(variables, dict)
    assert variables.get("CONNECTEDLINE(name,i)") == name


@pytest.mark.parametrize(
    ("made", "media"), [(True, "sound:n/Kari,sound:x/."), (False, "sound:x/9,sound:x/0,sound:x/.")]
)
def test_a_name_is_played_once_it_is_made(made: bool, media: str) -> None:
    name = SpeakName(Speak("Kari", "nb"), (Speak("9", "nb"), Speak("0", "nb")))
    outbound = Outbound(
        media=lambda one: f"sound:x/{getattr(one, 'text', '')}",
        named=lambda one: f"sound:n/{one.text}" if made else None,
    )
    *_, play = wire.write(CALL, PlayToLeg(1, 2, (name, Speak(".", "nb"))), outbound)
    assert play.query["media"] == media
    *_, play = wire.write(CALL, PlayToLeg(1, 2, (SpeakName(name.said, ()), Speak(".", "nb"))), Outbound())
    assert play.query["media"] == "sound:callrouter-has-no-voice"


ENTRANCES: list[tuple[str, list[str], wire.Entrance | None]] = [
    ("a caller", ["in", "+4722334455"], wire.Entrance("+4722334455")),
    ("the dialplan set nothing", ["in", "+4722334455", ""], wire.Entrance("+4722334455", {})),
    ("it knows more", ["in", "1", "attestation=A", " branch = oslo ", "junk", "x="],
     wire.Entrance("1", {"attestation": "A", "branch": "oslo", "x": ""})),
    ("the first counts", ["in", "1", "attestation=C", "header=x", "attestation=A"],
     wire.Entrance("1", {"attestation": "C", "header": "x"})),
    ("no number", ["in"], wire.Entrance("")),
    ("a leg", ["leg"], None),
    ("nothing", [], None),
    ("too much", ["in", "1", *(f"v{n}=1" for n in range(99))],
     wire.Entrance("1", {f"v{n}": "1" for n in range(wire.MOST_VARIABLES)})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "entrance"), [row[1:] for row in ENTRANCES], ids=[row[0] for row in ENTRANCES]
)
def test_what_the_dialplan_hands_over(args: list[str], entrance: wire.Entrance | None) -> None:
    assert wire.read_entrance(args) == wire.read_entrance(tuple(args)) == entrance


def told(event_type: str, state: str = "Up", **more: object) -> models.Event:
    message = event(event_type) | more
    message["channel"]["state"] = state
    decoded: models.Event = msgspec.convert(message, models.Event)
    return decoded


EVENTS: list[tuple[str, models.Event, int, CallEvent | None]] = [
    ("a leg enters", told("StasisStart", args=["leg"]), 1, LegReady(1)),
    ("the caller enters again", told("StasisStart", args=["in", "1"]), 0, None),
    ("ringing", told("ChannelStateChange", "Ringing"), 2, LegRinging(2)),
    ("answered", told("ChannelStateChange", "Up"), 2, LegAnswered(2)),
    ("the caller is answered", told("ChannelStateChange", "Up"), 0, LegAnswered(0)),
    ("another state", told("ChannelStateChange", "Down"), 2, None),
    ("a BYE", told("ChannelHangupRequest", cause=16), 0, HangupRequested(0, 16)),
    ("a soft request", told("ChannelHangupRequest", cause=32, soft=True), 1, HangupRequested(1, 32, True)),
    ("a request without cause", told("ChannelHangupRequest"), 1, HangupRequested(1)),
    ("left", told("StasisEnd"), 1, LegLeft(1)),
    ("ended", told("ChannelDestroyed", cause=17, cause_txt="", tech_cause=486), 1, LegEnded(1, 17, 486)),
    ("ended without a SIP status", told("ChannelDestroyed", cause=16, cause_txt=""), 1, LegEnded(1, 16)),
    ("on hold", told("ChannelHold"), 1, LegHeld(1)),
    ("not any more", told("ChannelUnhold"), 1, LegUnheld(1)),
    ("a digit", told("ChannelDtmfReceived", digit="1", duration_ms=90), 0, KeyPressed(0, "1")),
]


@pytest.mark.parametrize(
    ("said", "leg", "meant"), [row[1:] for row in EVENTS], ids=[row[0] for row in EVENTS]
)
def test_events_are_read(said: models.Event, leg: int, meant: CallEvent | None) -> None:
    assert wire.read_event(said, leg) == meant


IDS: Mapping[str, OurId | None] = {
    f"{ID}-l1": OurId(ID, 1),
    f"{ID}-l12": OurId(ID, 12),
    f"{ID}-b": OurId(ID, None),
    f"{ID}-p3": OurId(ID, None),
    "1795341600.7": None,
    ID: None,
    f"{ID}-l": None,
    f"{ID}-x1": None,
    f"{ID}-b2": OurId(ID, None),
    f"{ID}-b2x": None,
    f"{ID}-l1\n": None,
    f"{ID.upper()}-l1": None,
    f"{ID[1:]}-l1": None,
    f"x{ID}-l1": None,
    "abcdefgh01456-l1": None,
    "": None,
}


@pytest.mark.parametrize("text", IDS, ids=[repr(text) for text in IDS])
def test_ids_name_their_call(text: str) -> None:
    assert wire.read_id(text) == IDS[text]


def test_what_is_written_is_read_again() -> None:
    assert wire.read_id(wire.channel_id(CALL, 7)) == OurId(ID, 7)
    assert wire.read_id(wire.bridge_id(CALL)) == OurId(ID, None)
    assert wire.read_playback(wire.playback_id(CALL, 12)) == 12
    assert wire.channel_id(CALL, CALLER) == "1795341600.7"


def test_every_command_is_a_request_or_carried_out_by_the_engine_itself() -> None:
    others = {one.__name__ for one in set(get_args(CallCommand)) - set(wire.WIRE_COMMANDS)}
    assert others == {
        "AskIfFollowed", "CancelTimer", "CancelTimers", "ChoosePerson", "EnterAsteriskQueue", "FindPeople",
        "FindTransfer", "Finish", "JoinQueue", "LeaveQueue", "LiftDeadMan", "OfferFailed", "OfferTaken",
        "PutTag", "ReadNumber", "SetDeadMan", "SetTimer", "TellPosition",
    }  # fmt: skip
