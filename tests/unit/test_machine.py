"""The call machine: what all steps share, the talk, and the end."""

import pytest

from router.core import deadman, ending
from router.core.call import CALLER, Ending, LegState, Over, Saying, Talking
from router.core.commands import (
    AnswerCaller,
    Bridge,
    CallCommand,
    CreateLeg,
    DestroyBridge,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    LiftDeadMan,
    OpenBridge,
    Play,
    ReturnToDialplan,
    SetDeadMan,
    SetTimer,
)
from router.core.events import (
    AsteriskLost,
    BridgeLost,
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
    Supervised,
    TalkFound,
    TimerFired,
)
from router.core.plan import CallPlan, Dialplan, HangUp, PlanNode, Refuse, Ring, Step
from router.core.record import AttemptOutcome, Disposition, Party, Phase
from tests.unit.story import (
    ARRIVAL,
    CALLER_BYE,
    CALLER_CANCELS,
    CALLER_UP,
    GOODBYE,
    HELLO,
    IN_TURN,
    OVERDUE,
    RING_ANNA,
    RING_BOTH,
    after,
    gone,
    let_go,
    plan,
    rings,
    story,
    talk,
)

Events = tuple[CallEvent, ...]
TICK = TimerFired(deadman.TIMER)
WAIT = SetTimer(ending.CLEAN_UP, ending.OVERDUE)
TO_FALLBACK = Dialplan("fallback", "s", "draining")
RETURN = ReturnToDialplan("fallback", "s")


def hang_up(leg: int, reason: HangupReason) -> HangUpLeg:
    return HangUpLeg(leg, reason)


# The walk along the plan

ENDS: list[tuple[str, tuple[Step, ...], HangupReason]] = [
    ("an empty plan", (), HangupReason.NORMAL),
    ("hang up", (HangUp(),), HangupReason.NORMAL),
    ("decline", (Refuse("decline"),), HangupReason.DECLINE),
    ("busy", (Refuse("busy"),), HangupReason.BUSY),
    ("unknown number", (Refuse("unknown_number"),), HangupReason.UNKNOWN_NUMBER),
    ("the plan runs out", (Ring((), 20.0),), HangupReason.NORMAL),
]


@pytest.mark.parametrize(("steps", "reason"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_a_plan_that_ends_at_once(steps: tuple[Step, ...], reason: HangupReason) -> None:
    call = story(plan(*steps))
    assert call.doing == [hang_up(CALLER, reason), WAIT]
    assert call.then(let_go()).record.hung_up_by is Party.ROUTER


def test_a_plan_that_only_goes_round_ends_all_the_same() -> None:
    nobody = Ring((), 20.0)
    call = story(CallPlan((PlanNode(nobody, 1), PlanNode(nobody, 0))))
    assert call.hung_up == [(CALLER, HangupReason.NORMAL)]


def test_a_call_goes_step_by_step_to_its_end() -> None:
    call = story(plan(HELLO, IN_TURN, GOODBYE), CALLER_UP, PlaybackEnded(1), rings(), LegEnded(1, 17, 486))
    call.then(rings(2), TimerFired("ring"), gone(2), PlaybackEnded(2))
    assert (call.rung, call.hung_up[-1]) == (["anna", "bo"], (CALLER, HangupReason.NORMAL))
    record = call.then(let_go()).record
    assert (record.disposition, record.phase) == (Disposition.NO_ANSWER, Phase.CLOSING)


# The caller leaves

DEPARTURES: list[tuple[str, CallEvent, float]] = [
    ("asks to end", CALLER_CANCELS, ending.OVERDUE),
    ("goes to the dialplan", LegLeft(CALLER), ending.DEPARTURE),
]
WAITING: list[tuple[str, Step, Events, list[int]]] = [
    ("in a greeting", HELLO, (), []),
    ("while phones ring", RING_BOTH, rings(2), [1, 2]),
    ("in a talk", RING_ANNA, talk(), [1]),
]


@pytest.mark.parametrize(
    ("event", "wait"), [row[1:] for row in DEPARTURES], ids=[row[0] for row in DEPARTURES]
)
@pytest.mark.parametrize(
    ("step", "before", "legs"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING]
)
def test_when_the_caller_leaves_all_else_is_ended(
    event: CallEvent, wait: float, step: Step, before: Events, legs: list[int]
) -> None:
    call = story(plan(step, GOODBYE), before, event)
    assert [command for command in call.doing if command != DestroyBridge()] == [
        *(hang_up(leg, HangupReason.CALLER_LEFT) for leg in legs),
        SetTimer(ending.CLEAN_UP, wait),
    ]
    assert (DestroyBridge() in call.doing) == (step == HELLO or before == talk())


@pytest.mark.parametrize("event", [LegEnded(CALLER, 127, 487), LegLost(CALLER)], ids=["ended", "lost"])
def test_a_caller_who_is_gone_with_nobody_rung_ends_the_call_at_once(event: CallEvent) -> None:
    assert isinstance(story(plan(HELLO), event).call.state, Over)


# Dead men


def test_dead_man_timers_are_set_anew_while_the_caller_waits() -> None:
    call = story(plan(RING_BOTH), LegEnded(1, 17, 486), TICK)
    assert call.last == (SetDeadMan((2,)), SetTimer(deadman.TIMER, deadman.REFRESH))
    assert call.then(talk(2), TICK).last == (), "lifted while two people talk"


def test_a_leg_given_up_is_not_kept_alive() -> None:
    call = story(plan(IN_TURN), TimerFired("ring"), TICK)
    assert SetDeadMan((2,)) in call.last


def test_a_dead_man_timer_that_does_not_come_off_is_lifted_once_more() -> None:
    call = story(plan(RING_ANNA), talk(), CommandFailed("LiftDeadMan", 1, 0))
    assert call.doing == [LiftDeadMan(1)]
    assert call.then(CommandFailed("LiftDeadMan", 1, 0)).last == ()
    assert "lift_failed" in call.then(CALLER_BYE, gone(), gone(1)).record.flags


def test_a_caller_taken_by_the_dead_man_timer_is_not_hung_up() -> None:
    call = story(plan(RING_ANNA), rings(), LegLeft(CALLER), gone(1))
    assert CALLER not in dict(call.hung_up)
    call.then(LegAnswered(CALLER))
    assert call.call.caller.state is LegState.LEFT, "the dialplan answered, not we"
    record = call.then(OVERDUE).record
    assert (record.disposition, record.reason, record.flags) == (Disposition.TRANSFERRED, "dead_man", ())
    assert CALLER not in dict(call.hung_up)


# The talk


def test_the_talk_begins_when_both_are_connected() -> None:
    call = story(plan(RING_ANNA), rings(), LegAnswered(1))
    assert (call.call.talk_began, call.call.phase) == (None, Phase.RINGING)
    call.then(CALLER_UP)
    assert (call.call.talk_began, call.call.phase) == (call.now, Phase.TALKING)
    call.then(after(60, HangupRequested(1, 16)))
    assert call.doing == [hang_up(CALLER, HangupReason.CALL_OVER), DestroyBridge(), WAIT]
    record = call.then(gone(1), let_go()).record
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLEE)
    assert (record.answered_by, record.talk_seconds, record.wait_seconds) == ("anna", 60.0, 4.0)


TALK_EVENTS: list[tuple[str, CallEvent, list[CallCommand]]] = [
    ("the bridge is lost", BridgeLost(), [Bridge(1)]),
    ("the router returns", RouterReturned(), [LiftDeadMan(1)]),
    ("a losing leg ends", LegEnded(2, 26), []),
    ("the caller answers twice", CALLER_UP, []),
    ("an old prompt ends", PlaybackEnded(1), []),
    ("an old timer", TimerFired("ring"), []),
    ("the answer's reply is lost", CommandFailed("AnswerCaller", CALLER, 0), []),
    ("the bridging of a leg just leaving", CommandFailed("Bridge", 1, 404), []),
    ("a late create", CommandFailed("CreateLeg", 2, 0), []),
    ("a play that failed late", CommandFailed("Play", CALLER, 0), []),
]


@pytest.mark.parametrize(
    ("event", "then"), [row[1:] for row in TALK_EVENTS], ids=[row[0] for row in TALK_EVENTS]
)
def test_what_a_talk_goes_on_through(event: CallEvent, then: list[CallCommand]) -> None:
    call = story(plan(RING_BOTH), rings(2), talk(1), LegEnded(2, 26) if then else (), event)
    assert (call.call.state, call.doing) == (Talking(1), then)


def test_a_talk_that_a_new_router_finds_goes_on_to_its_true_end() -> None:
    call = story(plan(RING_ANNA), TalkFound(2, "PJSIP/bo", ARRIVAL))
    assert call.doing == [LiftDeadMan(2)]
    record = call.then(after(60, HangupRequested(CALLER, 16)), gone(), let_go(2)).record
    assert (record.disposition, record.hung_up_by, record.answered_by) == (
        Disposition.ANSWERED,
        Party.CALLER,
        "PJSIP/bo",
    )
    assert (record.answered_at, record.talk_seconds) == (ARRIVAL, 61.0)
    assert [(one.target, one.outcome) for one in record.attempts] == [
        ("unknown", AttemptOutcome.UNOBSERVED),
        ("PJSIP/bo", AttemptOutcome.ANSWERED),
    ]


PARTNER_GOES: list[tuple[str, CallEvent]] = [
    ("asks to end", HangupRequested(1, 16)),
    ("leaves", LegLeft(1)),
    ("is gone", LegEnded(1, 18, 408)),
    ("was lost", LegLost(1)),
]


@pytest.mark.parametrize("event", [row[1] for row in PARTNER_GOES], ids=[row[0] for row in PARTNER_GOES])
def test_when_the_partner_goes_the_caller_is_let_go(event: CallEvent) -> None:
    assert hang_up(CALLER, HangupReason.CALL_OVER) in story(plan(RING_ANNA), talk(), event).doing


@pytest.mark.parametrize("command", ["AnswerCaller", "Bridge"])
def test_a_talk_that_cannot_be_made_ends(command: str) -> None:
    call = story(plan(RING_ANNA), rings(), LegAnswered(1), CommandFailed(command, CALLER, 409, "no"))
    assert call.hung_up == [(CALLER, HangupReason.COMMAND_FAILED), (1, HangupReason.COMMAND_FAILED)]
    record = call.then(let_go(), let_go(1)).record
    assert (record.disposition, record.reason) == (Disposition.FAILED, "command_failed")


HARMLESS = ["IndicateRinging", "SetDeadMan", "LiftDeadMan", "HangUpLeg"]


@pytest.mark.parametrize("command", HARMLESS)
def test_a_failure_that_a_waiting_caller_does_not_notice(command: str) -> None:
    call = story(plan(RING_ANNA), rings(), CommandFailed(command, CALLER, 500))
    assert call.last == ()


# Gaps


def test_after_a_gap_what_it_may_have_swallowed_is_told_again() -> None:
    call = story(plan(HELLO, IN_TURN), PlaybackEnded(1), TimerFired("ring"), after(5, RouterReturned()))
    assert call.doing == [
        IndicateRinging(),
        SetTimer("ring", 15.0),
        AnswerCaller(),
        OpenBridge(),
        hang_up(1, HangupReason.NO_ANSWER),
        SetDeadMan((2,)),
        SetTimer(deadman.TIMER, deadman.REFRESH),
    ]


def test_a_prompt_that_plays_on_after_a_gap_is_left_to_play() -> None:
    call = story(plan(HELLO), CALLER_UP, RouterReturned())
    assert call.call.state == Saying(1)
    assert not [command for command in call.doing if isinstance(command, Play | AnswerCaller)]


# The dialplan


def test_a_caller_handed_to_the_dialplan_is_transferred() -> None:
    call = story(plan(TO_FALLBACK))
    assert call.doing == [RETURN, WAIT]
    record = call.then(LegLeft(CALLER)).record
    assert (record.disposition, record.reason) == (Disposition.TRANSFERRED, "draining")
    assert call.hung_up == []


def test_a_caller_in_the_dialplan_is_left_there_while_phones_still_end() -> None:
    call = story(
        plan(RING_ANNA, TO_FALLBACK), rings(), TimerFired("ring"), LegLeft(CALLER), CALLER_UP, OVERDUE
    )
    assert call.doing == [hang_up(1, HangupReason.NO_ANSWER), WAIT]
    late = CommandFailed("ReturnToDialplan", CALLER, 0)
    assert call.then(late).doing == [], "the reply was lost, not the caller"
    assert call.then(gone(1)).record.disposition is Disposition.TRANSFERRED
    assert CALLER not in dict(call.hung_up)


NOT_HANDED_OVER: list[tuple[str, CallEvent, list[CallCommand]]] = [
    (
        "refused",
        CommandFailed("ReturnToDialplan", CALLER, 409),
        [hang_up(CALLER, HangupReason.COMMAND_FAILED), WAIT],
    ),
    ("never done", OVERDUE, [hang_up(CALLER, HangupReason.COMMAND_FAILED), WAIT]),
    ("just leaving", CommandFailed("ReturnToDialplan", CALLER, 404), []),
    ("lost in a gap", RouterReturned(), [RETURN, WAIT]),
]


@pytest.mark.parametrize(
    ("event", "then"), [row[1:] for row in NOT_HANDED_OVER], ids=[row[0] for row in NOT_HANDED_OVER]
)
def test_a_handing_over_that_does_not_come_off(event: CallEvent, then: list[CallCommand]) -> None:
    assert story(plan(TO_FALLBACK), event).doing == then


# The end


def test_overdue_ends_are_demanded_again_and_at_last_written_off() -> None:
    call = story(plan(RING_ANNA), talk(), CALLER_BYE, LegLeft(CALLER), OVERDUE)
    again = [DestroyBridge(), hang_up(1, HangupReason.CALLER_LEFT)]
    assert call.doing == [*again, WAIT], "the caller's end was seen well enough"
    assert call.then(RouterReturned()).doing == [*again, WAIT]
    assert call.then(OVERDUE).doing == again
    assert call.record.flags == ("unclean",)


def test_a_caller_who_asked_to_end_and_does_not_is_told() -> None:
    call = story(plan(HELLO), CALLER_BYE, OVERDUE)
    assert call.doing == [DestroyBridge(), hang_up(CALLER, HangupReason.NORMAL), WAIT]
    assert call.call.caller.intent is HangupReason.NORMAL, "written down, as every hangup of ours"
    assert call.then(OVERDUE).doing == [DestroyBridge(), hang_up(CALLER, HangupReason.NORMAL), WAIT]
    assert call.then(let_go()).record.hung_up_by is Party.CALLER


AT_THE_END: list[tuple[str, CallEvent]] = [
    ("a leg is ready", LegReady(1)),
    ("a leg rings", LegRinging(1)),
    ("a leg answers", LegAnswered(1)),
    ("a hangup fails", CommandFailed("HangUpLeg", 1, 500)),
    ("a create fails late", CommandFailed("CreateLeg", 1, 0)),
    ("a prompt ends", PlaybackEnded(1)),
    ("the bridge is lost", BridgeLost()),
    ("another timer", TICK),
]


@pytest.mark.parametrize("event", [row[1] for row in AT_THE_END], ids=[row[0] for row in AT_THE_END])
def test_what_changes_nothing_once_all_was_told_to_end(event: CallEvent) -> None:
    call = story(plan(RING_ANNA), CALLER_CANCELS, event)
    assert isinstance(call.call.state, Ending)
    assert call.doing == []
    assert call.then(gone(), gone(1)).outcomes == [AttemptOutcome.CANCELLED]


@pytest.mark.parametrize(
    "before", [(), rings(), talk(), (*talk(), CALLER_BYE)], ids=["arriving", "ringing", "talking", "ending"]
)
def test_when_asterisk_is_lost_the_call_is_over_at_once(before: Events) -> None:
    call = story(plan(RING_ANNA), before, AsteriskLost())
    assert call.doing == []
    assert isinstance(call.call.state, Over)
    assert all(leg.gone for leg in call.call.legs)
    assert len(call.records) == 1


def test_late_events_do_not_touch_a_call_that_is_over() -> None:
    call = story(plan(HELLO), CALLER_BYE, gone())
    over = call.call
    for event in (LegEnded(CALLER, 44), CALLER_UP, OVERDUE, RouterReturned(), AsteriskLost()):
        assert (call.then(event).call, call.last) == (over, ())


def test_a_leg_that_left_late_or_answers_after_its_end_stays_ended() -> None:
    call = story(
        plan(RING_ANNA), rings(), CALLER_CANCELS, LegEnded(CALLER, 127, 487), LegLeft(CALLER), CALLER_UP
    )
    assert call.call.caller.state is LegState.ENDED


def test_a_new_round_makes_new_legs() -> None:
    call = story(plan(IN_TURN), LegEnded(1, 17, 486))
    assert [c.leg for c in call.commanded if isinstance(c, CreateLeg)] == [1, 2]
    assert call.call.info.arrived_at == ARRIVAL


LOST_REPLIES = ["AnswerCaller", "Bridge"]


@pytest.mark.parametrize("command", LOST_REPLIES)
def test_a_lost_reply_has_all_told_once_more_and_ends_nothing(command: str) -> None:
    """While Asterisk stands still for a moment, the answer and both bridge requests have no reply."""
    lost = [CommandFailed(one, CALLER, 0, "no reply in 2 s") for one in (command, "Bridge", "Bridge")]
    call = story(plan(RING_ANNA), LegReady(1), LegAnswered(1), lost[0])
    assert call.doing == [AnswerCaller(), Bridge(1)]
    assert call.then(lost[1:], CALLER_UP).hung_up == []
    assert call.call.state == Talking(1)


def test_a_lost_reply_of_a_connected_caller_has_the_bridge_told_once_more() -> None:
    lost = CommandFailed("Bridge", 1, 0, "no reply in 2 s")
    assert story(plan(RING_ANNA), LegReady(1), LegAnswered(1), CALLER_UP, lost).doing == [Bridge(1)]


def test_a_lost_reply_to_the_bridge_of_a_prompt_has_it_told_once_more() -> None:
    lost = CommandFailed("OpenBridge", CALLER, 0, "no reply in 2 s")
    assert story(plan(HELLO), lost).doing == [AnswerCaller(), OpenBridge()]


def test_who_supervised_a_talk_is_evidence_of_the_call() -> None:
    call = story(plan(RING_ANNA), *talk(), Supervised("mia", "listen")).call
    found = [(seen.leg, seen.detail) for seen in call.evidence if seen.what == "supervised"]
    assert found == [(1, "mia: listen")]
