"""`ring`: phones ring, round after round, until one is answered."""

import pytest

from router.core.call import CALLER, Ringing, Talking
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CancelTimer,
    CreateLeg,
    DialLeg,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    LiftDeadMan,
    SetTimer,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegLost,
    LegReady,
    LegRinging,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import CallPlan, Ring, RingOutcome
from router.core.record import AttemptOutcome, Disposition
from tests.unit.story import (
    ANNA,
    BO,
    CALLER_CANCELS,
    GOODBYE,
    HELLO,
    IN_TURN,
    RING_ANNA,
    RING_BOTH,
    after,
    gone,
    let_go,
    plan,
    rings,
    story,
)

Events = tuple[CallEvent, ...]
TIME_IS_UP = after(18, TimerFired("ring"))


def test_a_leg_is_dialled_once_it_is_ready() -> None:
    call = story(plan(RING_ANNA))
    assert call.last[:3] == (SetTimer("ringback", 1.0), CreateLeg(1, ANNA), SetTimer("ring", 20.0))
    assert call.then(LegReady(1)).last == (DialLeg(1, 25.0),)
    assert call.then(LegReady(1)).last == (), "told twice, dialled once"


RINGBACK = TimerFired("ringback")
WHEN_TOLD: list[tuple[str, CallPlan, Events, CallEvent]] = [
    ("a phone rings", plan(RING_ANNA), (LegReady(1),), LegRinging(1)),
    ("no phone rings yet", plan(RING_ANNA), (LegReady(1),), RINGBACK),
    ("a phone rings after one was busy", plan(IN_TURN), (LegEnded(1, 17, 486), LegReady(2)), LegRinging(2)),
    ("one who hears a prompt before", plan(HELLO, RING_ANNA), (), PlaybackEnded(1)),
]


@pytest.mark.parametrize(
    ("the_plan", "before", "event"), [case[1:] for case in WHEN_TOLD], ids=[case[0] for case in WHEN_TOLD]
)
def test_when_the_caller_hears_ringing(the_plan: CallPlan, before: Events, event: CallEvent) -> None:
    call = story(the_plan, before)
    assert IndicateRinging() not in call.last
    assert IndicateRinging() in call.then(event).last
    for again in (LegRinging(1), RINGBACK):
        assert IndicateRinging() not in call.then(again).last, "told once"


def test_a_caller_of_a_phone_that_answers_at_once_is_not_told_of_ringing() -> None:
    call = story(plan(RING_ANNA), LegReady(1), LegAnswered(1))
    assert CancelTimer("ringback") in call.last
    assert IndicateRinging() not in call.commanded


def test_the_first_to_answer_gets_the_call_and_the_others_are_told_who_has_it() -> None:
    call = story(plan(RING_BOTH), rings(1), rings(2), LegAnswered(2))
    assert call.doing == [
        AnswerCaller(),
        Bridge(2),
        LiftDeadMan(2),
        HangUpLeg(1, HangupReason.ANSWERED_ELSEWHERE),
    ]
    assert call.call.state == Talking(2)
    assert call.then(LegAnswered(1)).last == (), "an answer that crossed the cancel"


def test_a_caller_who_was_answered_before_is_not_answered_again() -> None:
    call = story(plan(HELLO, RING_ANNA), LegAnswered(CALLER), PlaybackEnded(1), rings(), LegAnswered(1))
    assert call.doing[0] == Bridge(1)
    assert call.call.talk_began == call.now


NEXT: list[CallCommand] = [CreateLeg(2, BO), SetTimer("ring", 20.0)]
GIVE_UP = HangUpLeg(1, HangupReason.NO_ANSWER)
FAILED = HangUpLeg(1, HangupReason.COMMAND_FAILED)
CASES: list[tuple[str, Events, CallEvent, list[CallCommand]]] = [
    ("it rang as long as it may", rings(), TimerFired("ring"), [GIVE_UP, *NEXT]),
    ("it is busy", rings(), LegEnded(1, 17, 486), NEXT),
    ("it is gone after a gap", rings(), LegLost(1), NEXT),
    ("there is no such phone", (), CommandFailed("CreateLeg", 1, 500), NEXT),
    ("no reply: there may be a channel", (), CommandFailed("CreateLeg", 1, 0), [FAILED, *NEXT]),
    ("dialling it was refused", (LegReady(1),), CommandFailed("DialLeg", 1, 409), [FAILED, *NEXT]),
    ("it was made, only the reply was lost", rings(), CommandFailed("CreateLeg", 1, 0), []),
    ("it rings, only the reply was lost", rings(), CommandFailed("DialLeg", 1, 0), []),
    ("it asks to end: the end will come", rings(), HangupRequested(1, 17), []),
    ("it leaves: the end will come", rings(), LegLeft(1), []),
    ("a late 180", rings(), LegRinging(1), []),
    ("a prompt of before is over", rings(), PlaybackEnded(1), []),
    ("another timer", rings(), TimerFired("clean_up"), []),
]


@pytest.mark.parametrize(
    ("before", "event", "then"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_when_the_next_round_rings(before: Events, event: CallEvent, then: list[CallCommand]) -> None:
    assert story(plan(IN_TURN), before, event).doing == then


def test_a_round_is_over_when_all_its_phones_have_failed() -> None:
    call = story(plan(Ring(((ANNA, BO), (ANNA,)), 20.0)), LegEnded(1, 17, 486))
    assert call.rung == ["anna", "bo"]
    assert call.then(LegEnded(2, 21, 603)).rung == ["anna", "bo", "anna"]


def test_a_leg_given_up_is_neither_dialled_nor_connected() -> None:
    call = story(plan(IN_TURN), TimerFired("ring"))
    assert call.then(LegReady(1)).last == ()
    assert call.then(LegAnswered(1)).last == ()
    assert isinstance(call.call.state, Ringing)
    call.then(gone(1), rings(2), TimerFired("ring"), gone(2), let_go())
    assert call.outcomes == [AttemptOutcome.NO_ANSWER, AttemptOutcome.NO_ANSWER]


def test_a_leg_made_though_its_create_got_no_reply_is_neither_dialled_nor_connected() -> None:
    call = story(plan(RING_BOTH), CommandFailed("CreateLeg", 1, 0))
    assert call.doing == [FAILED]
    assert call.then(LegReady(1)).last == ()
    assert call.then(LegAnswered(1)).last == ()


def test_a_create_that_fails_after_its_leg_was_given_up_changes_nothing() -> None:
    call = story(plan(IN_TURN), TimerFired("ring"), CommandFailed("CreateLeg", 1, 0))
    assert (call.doing, call.rung) == ([], ["anna", "bo"])


NOBODY = [((), "no rounds"), (((), ()), "empty rounds")]


@pytest.mark.parametrize("rounds", [row[0] for row in NOBODY], ids=[row[1] for row in NOBODY])
def test_nobody_to_ring_is_unreachable_at_once(rounds: tuple[tuple[()], ...]) -> None:
    call = story(plan(Ring(rounds, 20.0), HELLO, GOODBYE, on={RingOutcome.UNREACHABLE: 2}))
    assert (call.rung, call.call.position) == ([], 2)
    record = call.then(PlaybackEnded(1), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.FAILED, "nobody_available")


def test_an_empty_round_among_others_is_passed_over() -> None:
    call = story(plan(Ring(((), (ANNA,), (), (BO,)), 20.0)))
    assert call.rung == ["anna"]
    assert call.then(LegEnded(1, 17, 486)).rung == ["anna", "bo"]


@pytest.mark.parametrize(
    ("end", "position"),
    [(LegEnded(1, 17, 486), 2), (LegEnded(1, 21, 603), 1), (TIME_IS_UP, 1)],
    ids=["busy branches", "declined goes on", "no answer goes on"],
)
def test_a_ring_goes_on_by_its_outcome(end: CallEvent, position: int) -> None:
    call = story(plan(RING_ANNA, HELLO, GOODBYE, on={RingOutcome.BUSY: 2}), rings(), end)
    assert call.call.position == position


RETURNS = [
    ("at once", 0.0, 20.0),
    ("half way", 10.0, 10.0),
    ("too late", 99.0, 0.0),
    ("the clock was set back", -60.0, 20.0),
]


@pytest.mark.parametrize(("away", "left"), [row[1:] for row in RETURNS], ids=[row[0] for row in RETURNS])
def test_after_a_gap_a_round_rings_for_what_is_left(away: float, left: float) -> None:
    call = story(plan(RING_ANNA), after(away, RouterReturned()))
    assert call.doing[:2] == [IndicateRinging(), SetTimer("ring", left)]


def test_legs_of_a_caller_who_leaves_are_cancelled() -> None:
    call = story(plan(RING_BOTH), rings(1), rings(2), CALLER_CANCELS)
    assert call.hung_up == [(1, HangupReason.CALLER_LEFT), (2, HangupReason.CALLER_LEFT)]
    assert call.then(gone(), gone(1), gone(2)).outcomes == [AttemptOutcome.CANCELLED] * 2
