"""`ring` where who answers hears something first, or has to press a key to have the call."""

import msgspec
import pytest

from router.core.call import CALLER, Ringing, Talking
from router.core.commands import (
    Bridge,
    CallCommand,
    CancelTimer,
    DestroyLegBridge,
    HangUpLeg,
    HangupReason,
    PlayToLeg,
    SetTimer,
    StopPlayback,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegReady,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.phrases import named, whispers
from router.core.plan import CallPlan, Ring, Speak, SpeakName, Target, Whisper
from router.core.record import AttemptOutcome, Disposition
from router.core.steps import offering
from tests.unit.story import ANNA, BO, CALLER_BYE, CALLER_UP, HELLO, INFO, Story, gone, let_go, plan, story

TAKE = Speak("A call for Fjord. Press 1 to take it, or 2 to decline.", "en")
MOBILE = Target("mob", "PJSIP/+4790000001@trunk", outside=True, number="+4790000001")
RING_MOBILE = Ring(((MOBILE,),), 20.0, confirm=TAKE)
RING_BOTH = Ring(((MOBILE, ANNA),), 20.0, confirm=TAKE)
WAIT = SetTimer("key_1", offering.WAIT)
NO_KEY = TimerFired("key_1")
ONE, TWO, NINE = KeyPressed(1, "1"), KeyPressed(1, "2"), KeyPressed(1, "9")


def answered(the_plan: CallPlan, *events: CallEvent) -> Story:
    return story(the_plan, LegReady(1), LegAnswered(1), *events)


def test_whoever_answers_outside_is_asked_while_the_caller_hears_ringing() -> None:
    call = answered(plan(RING_MOBILE))
    assert call.last == (PlayToLeg(1, 1, (TAKE,)),)
    assert isinstance(call.call.state, Ringing)
    assert call.then(PlaybackEnded(1)).last == (WAIT,)


def test_a_key_takes_the_call() -> None:
    early = answered(plan(RING_MOBILE), ONE)
    assert early.last[0] == StopPlayback(1)
    assert early.call.state == Talking(1)
    late = answered(plan(RING_MOBILE), PlaybackEnded(1), ONE)
    assert late.last[0] == CancelTimer("key_1")
    assert [c for c in late.last if isinstance(c, Bridge | DestroyLegBridge)] == [
        Bridge(1),
        DestroyLegBridge(1),
    ]


GIVEN_UP = HangUpLeg(1, HangupReason.NOT_TAKEN)
DECLINED = HangUpLeg(1, HangupReason.DECLINED_BY_KEY)
NOT_TAKEN: list[tuple[str, list[CallEvent], list[CallCommand], str, str]] = [
    ("key 2", [TWO, LegEnded(1, 16)], [DECLINED, DestroyLegBridge(1)], "declined", "key"),
    ("silence", [PlaybackEnded(1), NO_KEY, PlaybackEnded(2), NO_KEY, LegEnded(1, 16)],
     [GIVEN_UP, DestroyLegBridge(1)], "no_answer", "not_confirmed"),
    ("wrong keys", [NINE, NINE, LegEnded(1, 16)],
     [GIVEN_UP, DestroyLegBridge(1)], "no_answer", "not_confirmed"),
    ("hanging up", [HangupRequested(1, 16), LegEnded(1, 16)],
     [DestroyLegBridge(1)], "no_answer", "not_confirmed"),
    ("a prompt that is refused", [CommandFailed("PlayToLeg", 1, 500), NO_KEY, PlaybackEnded(2), NO_KEY,
     LegEnded(1, 16)], [GIVEN_UP, DestroyLegBridge(1)], "no_answer", "not_confirmed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "commands", "outcome", "reason"),
    [row[1:] for row in NOT_TAKEN],
    ids=[row[0] for row in NOT_TAKEN],
)
def test_whoever_does_not_take_the_call_has_not_answered_it(
    events: list[CallEvent], commands: list[CallCommand], outcome: str, reason: str
) -> None:
    call = answered(plan(RING_MOBILE), *events)
    about_the_leg = [c for c in call.commanded if isinstance(c, HangUpLeg | DestroyLegBridge) and c.leg == 1]
    assert list(dict.fromkeys(about_the_leg)) == commands
    record = call.then(let_go()).record
    assert record.disposition is Disposition.NO_ANSWER
    assert [(one.outcome.value, one.reason) for one in record.attempts] == [(outcome, reason)]


def test_a_round_goes_on_until_it_is_known_whether_the_call_is_taken() -> None:
    call = answered(plan(Ring(((MOBILE,), (BO,)), 20.0, confirm=TAKE)), TimerFired("ring"))
    assert call.rung == ["mob"]
    assert call.then(TWO).rung == ["mob", "bo"]


def test_the_others_ring_on_and_the_first_to_take_the_call_has_it() -> None:
    call = answered(plan(RING_BOTH), LegReady(2), LegAnswered(2))
    assert call.call.state == Talking(2)
    assert call.hung_up == [(1, HangupReason.ANSWERED_ELSEWHERE)]
    assert DestroyLegBridge(1) in call.last


def test_a_phone_inside_rings_on_while_somebody_is_asked() -> None:
    call = answered(plan(RING_BOTH), LegReady(2), TimerFired("ring"))
    assert call.hung_up == [(2, HangupReason.NO_ANSWER)]
    assert call.then(ONE).call.state == Talking(1)


def test_a_caller_who_leaves_meanwhile_leaves_nothing() -> None:
    call = answered(plan(RING_MOBILE), CALLER_BYE)
    assert {HangUpLeg(1, HangupReason.CALLER_LEFT), DestroyLegBridge(1)} <= set(call.last)
    record = call.then(gone(), LegEnded(1, 16)).record
    assert record.disposition is Disposition.ABANDONED
    assert record.attempts[0].outcome is AttemptOutcome.CANCELLED


def test_what_is_announced_is_heard_before_the_caller() -> None:
    whisper = plan(Ring(((ANNA,),), 20.0, announce=HELLO))
    call = answered(whisper)
    assert call.last == (PlayToLeg(1, 1, (HELLO,)),)
    assert call.then(ONE).last == (), "nobody asked for a key"
    assert call.then(PlaybackEnded(1)).call.state == Talking(1)
    failed = answered(whisper, CommandFailed("PlayToLeg", 1, 0))
    assert failed.last == (SetTimer(offering.key_timer(1), offering.MOMENT),)
    assert failed.then(TimerFired(offering.key_timer(1))).call.state == Talking(1)
    assert failed.call.flags == ("prompt_failed",)


def test_both_are_heard_and_a_phone_may_have_a_text_of_its_own() -> None:
    own = Speak("For you.", "en")
    step = Ring(((Target("mob", "PJSIP/1", confirm=own),),), 20.0, confirm=TAKE, announce=HELLO)
    assert answered(plan(step)).last == (PlayToLeg(1, 1, (HELLO, own)),)


WHISPERED: list[tuple[str, str, str, list[str]]] = [
    ("a number of the country", "Fra {caller}.", "+4722334455", ["Fra", *"22334455"]),
    ("one from abroad", "Fra {caller}.", "+4612345678", ["Fra", "pluss", *"4612345678"]),
    ("an internal one", "Fra {caller}.", "101", ["Fra", *"101"]),
    ("none", "Fra {caller}.", "", ["Fra", "skjult nummer"]),
    ("junk", "Fra {caller}.", "Unavailable", ["Fra", "skjult nummer"]),
    ("first", "{caller} ringer, si hei", "101", [*"101", "ringer, si hei"]),
    ("twice", "{caller} - {caller}", "1", ["1", "1"]),
]


@pytest.mark.parametrize(
    ("text", "caller", "heard"), [row[1:] for row in WHISPERED], ids=[row[0] for row in WHISPERED]
)
def test_who_calls_is_spelled_in_a_whisper(text: str, caller: str, heard: list[str]) -> None:
    whisper = Whisper(text, "nb", "NO")
    info = msgspec.structs.replace(INFO, caller=caller)
    call = Story(plan(Ring(((ANNA,),), 20.0, announce=whisper)), info).then(LegReady(1), LegAnswered(1))
    assert call.last == (PlayToLeg(1, 1, tuple(Speak(one, "nb") for one in heard)),)


NUMBER = tuple(Speak(digit, "nb") for digit in "90000001")
KARI = Speak("Kari", "nb")
NAMED: list[tuple[str, str, str, tuple[Speak | SpeakName, ...]]] = [
    ("a contact", "Fra {name}.", "Kari", (Speak("Fra", "nb"), SpeakName(KARI, NUMBER))),
    ("a contact, with the number", "{name} {caller}", "Kari", (SpeakName(KARI, ()), *NUMBER)),
    ("a stranger", "{name} ringer", "", (*NUMBER, Speak("ringer", "nb"))),
    ("a stranger, with the number", "{name} {caller}", "", NUMBER),
]


@pytest.mark.parametrize(("text", "name", "heard"), [row[1:] for row in NAMED], ids=[row[0] for row in NAMED])
def test_a_contact_is_named_in_a_whisper(text: str, name: str, heard: tuple[Speak | SpeakName, ...]) -> None:
    whisper = Whisper(text, "nb", "NO")
    info = msgspec.structs.replace(INFO, name=name)
    call = Story(plan(Ring(((ANNA,),), 20.0, announce=whisper)), info).then(LegReady(1), LegAnswered(1))
    assert call.last == (PlayToLeg(1, 1, heard),)


def test_names_that_a_plan_may_speak_are_each_told_once() -> None:
    name, number = (Whisper(text, "nb", "NO") for text in ("Fra {name}", "Fra {caller}"))
    asked = Target("mob", "PJSIP/1", confirm=Whisper("{name}?", "en", "NO"))
    steps = plan(
        Ring(((ANNA,), (asked,)), 20.0, announce=name), Ring(((BO,),), 20.0, announce=name), HELLO,
        Ring(((ANNA,),), 20.0, announce=number),
    )  # fmt: skip
    assert named(steps, "Kari") == (KARI, Speak("Kari", "en"))
    assert whispers(name) == (
        Speak("Fra", "nb"), Speak("skjult nummer", "nb"), Speak("pluss", "nb"),
        *(Speak(digit, "nb") for digit in "0123456789"),
    )  # fmt: skip


def test_who_calls_is_spelled_in_a_question() -> None:
    own = Target("mob", "PJSIP/1", confirm=Whisper("{caller} for you.", "en", "NO"))
    call = answered(plan(Ring(((own,),), 20.0, confirm=TAKE)))
    assert call.last == (PlayToLeg(1, 1, tuple(Speak(one, "en") for one in [*"90000001", "for you."])),)
    asked = answered(plan(Ring(((MOBILE,),), 20.0, confirm=Whisper("{caller}", "en", "NO"))))
    assert asked.last == (PlayToLeg(1, 1, tuple(Speak(one, "en") for one in "90000001")),)


def test_after_a_gap_whoever_is_asked_is_waited_for() -> None:
    call = answered(plan(RING_MOBILE), PlaybackEnded(1))
    assert WAIT in call.then(RouterReturned()).last
    assert WAIT not in answered(plan(RING_MOBILE), RouterReturned()).last
    assert answered(plan(RING_MOBILE)).call.playing == (1,)


LATE: list[tuple[str, CallEvent]] = [
    ("a key of the caller's", KeyPressed(CALLER, "1")),
    ("the end of another prompt", PlaybackEnded(7)),
    ("an answer told twice", LegAnswered(1)),
    ("a failure told twice", CommandFailed("PlayToLeg", 1, 500)),
]


@pytest.mark.parametrize("event", [row[1] for row in LATE], ids=[row[0] for row in LATE])
def test_what_means_nothing_once_the_question_is_over(event: CallEvent) -> None:
    call = answered(plan(RING_MOBILE), CALLER_UP, PlaybackEnded(1))
    assert call.then(event).last == ()


PROMPTS: list[tuple[str, Target, bool]] = [
    ("outside", MOBILE, True),
    ("inside", ANNA, False),
    ("outside, told not to", Target("m", "PJSIP/1@trunk", outside=True, confirm=False), False),
    ("inside, told to", Target("m", "PJSIP/1", confirm=True), True),
]


@pytest.mark.parametrize(("target", "asks"), [row[1:] for row in PROMPTS], ids=[row[0] for row in PROMPTS])
def test_who_presses_a_key(target: Target, asks: bool) -> None:
    assert target.asks == asks
    assert RING_MOBILE.heard_by(target) == ((TAKE,) if asks else ())
