"""A caller is asked for a key: by a menu, and by a challenge."""

import pytest
from msgspec.structs import replace

from router.core.call import CALLER, Asking, Ringing
from router.core.commands import (
    AnswerCaller,
    CancelTimer,
    OpenBridge,
    Play,
    SetDeadMan,
    SetTimer,
    StopPlayback,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import CallPlan, Challenge, Menu, PlanNode, Refuse, Speak
from router.core.record import Disposition, Evidence, Phase
from router.core.steps import ask, question
from tests.unit.story import (
    CALLER_BYE,
    CALLER_UP,
    GOODBYE,
    HELLO,
    INFO,
    RING_ANNA,
    Story,
    gone,
    let_go,
    plan,
    story,
)

WRONG = Speak("I am sorry, that is not one of the choices.", "en")
WAIT = SetTimer("key", question.WAIT)
SILENCE = TimerFired("key")
MENU = CallPlan(
    (
        PlanNode(Menu(HELLO, ("1", "#")), 3, {"1": 1, "#": 2}),
        PlanNode(RING_ANNA, 3),
        PlanNode(GOODBYE, 3),
        PlanNode(Menu(None, ("0",)), None),
    )
)


def key(pressed: str) -> KeyPressed:
    return KeyPressed(CALLER, pressed)


def at_menu(*events: CallEvent) -> Story:
    return story(MENU, CALLER_UP, *events)


def test_the_caller_is_answered_and_asked() -> None:
    call = story(MENU)
    assert call.last[:3] == (AnswerCaller(), OpenBridge(), Play(1, (HELLO,)))
    assert (call.call.phase, call.call.playing) == (Phase.MENU, (1,))
    assert call.then(CALLER_UP, PlaybackEnded(1)).last == (WAIT,)
    assert call.call.playing == ()


def test_a_key_stops_the_question_and_leads_on() -> None:
    call = at_menu(key("1"))
    assert call.last[0] == StopPlayback(1)
    assert isinstance(call.call.state, Ringing)
    assert Evidence(call.now, "key_pressed", detail="1") in call.call.evidence


def test_a_key_after_the_question_leads_on() -> None:
    call = at_menu(PlaybackEnded(1), key("#"))
    assert call.last == (CancelTimer("key"), Play(2, (GOODBYE,)))


ON_ALL: list[tuple[str, list[CallEvent]]] = [
    ("silence twice", [PlaybackEnded(1), SILENCE, PlaybackEnded(2), SILENCE]),
    ("a wrong key twice", [key("9"), key("8")]),
    ("a wrong key, then silence", [PlaybackEnded(1), key("9"), PlaybackEnded(2), SILENCE]),
    ("a question that cannot be played", [PlaybackEnded(1, True), SILENCE, PlaybackEnded(2, True), SILENCE]),
    ("a question that is refused", [CommandFailed("Play", CALLER, 500), SILENCE, PlaybackEnded(2), SILENCE]),
]


@pytest.mark.parametrize("events", [row[1] for row in ON_ALL], ids=[row[0] for row in ON_ALL])
def test_after_two_tries_the_call_goes_on(events: list[CallEvent]) -> None:
    call = at_menu(*events)
    assert call.call.position == 3
    assert call.then(SILENCE, SILENCE).call.position is None


def test_a_wrong_key_is_told_before_the_question_comes_again() -> None:
    call = at_menu(key("9"))
    assert call.last == (StopPlayback(1), Play(2, (WRONG, HELLO)))
    assert at_menu(PlaybackEnded(1), SILENCE).last == (Play(2, (HELLO,)),)


def test_without_a_question_the_caller_has_longer() -> None:
    call = story(plan(Menu(None, ("0",)), RING_ANNA))
    assert call.last[:2] == (AnswerCaller(), SetTimer("key", question.WAIT_UNASKED))
    assert call.then(CALLER_UP, key("0")).rung == ["anna"]


NOTHING: list[tuple[str, CallEvent]] = [
    ("a key of a phone", KeyPressed(1, "1")),
    ("the end of another prompt", PlaybackEnded(7)),
    ("a timer of before", TimerFired("ring")),
    ("the answer", LegAnswered(CALLER)),
]


@pytest.mark.parametrize("event", [row[1] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_what_is_no_answer_to_the_question(event: CallEvent) -> None:
    call = at_menu()
    assert call.then(event).last == ()
    assert call.call.state == Asking(1, 1)


def test_who_waits_for_a_key_is_looked_after() -> None:
    assert at_menu(TimerFired("dead_man")).last[0] == SetDeadMan(())
    assert WAIT in at_menu(PlaybackEnded(1), RouterReturned()).last
    assert WAIT not in at_menu(RouterReturned()).last, "the question goes on"


def test_leaving_a_menu() -> None:
    record = at_menu().then(CALLER_BYE, gone()).record
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.MENU)


CHALLENGE = Challenge(HELLO)
SUSPECT = CallPlan(
    (PlanNode(CHALLENGE, 2, {"failed": 1}), PlanNode(Refuse("decline", "ads")), PlanNode(RING_ANNA))
)
RIGHT = "1"
"""The key of INFO's call."""


def test_a_challenge_asks_for_a_key_of_the_call_s_own() -> None:
    assert story(SUSPECT).last[2] == Play(1, (HELLO, Speak(f"Please press {RIGHT} to go on.", "en")))


def test_calls_are_asked_for_different_keys() -> None:
    call = story(SUSPECT).call
    ids = ("aaaaaaaaaaaaa", "aaaaaaaaaaaab", "aaaaaaaaaaabb", "zzzzzzzzzzzz7")
    keys = {ask.key_of(replace(call, info=replace(INFO, id=one))) for one in ids}
    assert len(keys) == len(ids)


def test_whoever_presses_it_goes_on() -> None:
    assert story(SUSPECT, CALLER_UP, key(RIGHT)).rung == ["anna"]
    assert story(SUSPECT, CALLER_UP, key("5"), key(RIGHT)).rung == ["anna"]


def test_whoever_does_not_is_blocked() -> None:
    record = story(SUSPECT, CALLER_UP, key("5"), key("6"), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.BLOCKED, "ads")


def test_a_menu_in_which_nothing_was_chosen_refused_nobody() -> None:
    call = story(plan(Menu(HELLO, ("1",))), CALLER_UP, PlaybackEnded(1), SILENCE, PlaybackEnded(2), SILENCE)
    assert call.then(let_go()).record.disposition is Disposition.INFORMED
