"""Who talks with the caller gives the call to somebody else, holds it, and what the record tells of that."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from router.core import deadman
from router.core.call import CALLER, Ringing, Talking, Transferring
from router.core.commands import (
    Bridge,
    CreateLeg,
    FindTransfer,
    HangUpLeg,
    HangupReason,
    LeaveQueue,
    LiftDeadMan,
    RemoveChannel,
    SetDeadMan,
    SetTimer,
)
from router.core.events import (
    AgentOffered,
    AsteriskAgentConnected,
    AsteriskAgentLeft,
    AsteriskQueueJoined,
    CallerJoined,
    CallerReplaced,
    CallEvent,
    CommandFailed,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegLeft,
    LegReady,
    LegReplaced,
    LegRinging,
    LegUnheld,
    PlaybackEnded,
    QueueJoined,
    RouterReturned,
    TimerFired,
    TransferAsked,
    TransferLed,
)
from router.core.plan import AsteriskQueue, CallPlan, HangUp, PlanNode, Queue, Ring
from router.core.record import AttemptOutcome, Disposition, Party, TalkEnd
from tests.unit.story import (
    ANNA,
    ARRIVAL,
    BO,
    CALLER_BYE,
    CALLER_UP,
    HELLO,
    RING_ANNA,
    Later,
    Story,
    after,
    gone,
    let_go,
    plan,
    rings,
    story,
    talk,
)

OTHER = "1795791088.4"
ASKED = TransferAsked(1, "101", OTHER)
TO_BO = TransferLed(
    "101",
    CallPlan((PlanNode(Ring(((BO,),), 20.0), 1), PlanNode(Ring(((ANNA,),), 20.0), 2), PlanNode(HELLO))),
)
HANDED_OVER = LegReplaced(1, OTHER, "PJSIP/bo", "bo")
BLIND, ATTENDED, HUNG_UP = TalkEnd.BLIND_TRANSFER, TalkEnd.ATTENDED_TRANSFER, TalkEnd.HUNG_UP
CUT_OFF = TalkEnd.CUT_OFF


def talking(*events: CallEvent | Later | Sequence[CallEvent | Later]) -> Story:
    return story(plan(RING_ANNA), talk(), *events)


def given() -> Story:
    """Anna has given the caller to bo, whose phone is made."""
    return talking(after(10, ASKED), after(0, TO_BO), let_go(1))


def talks(call: Story) -> list[tuple[str, float, TalkEnd]]:
    return [(one.who, one.seconds, one.end) for one in call.record.talks]


def test_a_blind_transfer_lets_who_asked_go_and_asks_the_rules() -> None:
    call = talking(after(10, ASKED))
    assert call.call.state == Transferring("101", 1)
    assert call.doing == [
        RemoveChannel(OTHER),
        HangUpLeg(1, HangupReason.TRANSFERRED),
        FindTransfer("101", 1),
        SetDeadMan(),
        SetTimer(deadman.TIMER, deadman.REFRESH),
    ]
    call.then(TO_BO)
    assert CreateLeg(2, BO) in call.doing
    call.then(LegReady(2), LegRinging(2), LegAnswered(2))
    assert {Bridge(2), LiftDeadMan(2)} <= set(call.doing)
    assert call.call.partner == 2


def test_a_caller_given_to_a_queue_of_asterisks_own_is_hung_up_on_there() -> None:
    support = CallPlan((PlanNode(AsteriskQueue("support", 60.0), 1), PlanNode(HELLO)))
    call = talking(after(10, ASKED), after(0, TransferLed("101", support)), let_go(1))
    call.then(LegLeft(CALLER), AsteriskQueueJoined(), AsteriskAgentConnected("Kari", "PJSIP/160"))
    # Asterisk itself ends the channel of a caller whose agent hung up.
    call.then(AsteriskAgentLeft("agent"), HangupRequested(CALLER, 16, soft=True), LegEnded(CALLER, 16))
    assert (call.record.disposition, call.record.reason) == (Disposition.ANSWERED, "")
    assert call.record.hung_up_by is Party.CALLEE
    assert [who for who, _, _ in talks(call)] == ["anna", "Kari"]


def test_each_talk_is_in_the_record() -> None:
    call = given().then(rings(2), LegAnswered(2), after(5, HangupRequested(2, 16)), gone(2), let_go(CALLER))
    record = call.record
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLEE)
    assert (record.answered_by, record.answered_at) == ("anna", ARRIVAL + timedelta(seconds=4))
    assert talks(call) == [("anna", 10.0, BLIND), ("bo", 5.0, HUNG_UP)]
    assert record.talk_seconds == 15.0
    assert record.wait_seconds == 4.0
    assert call.outcomes == [AttemptOutcome.ANSWERED, AttemptOutcome.ANSWERED]
    assert "transferred" in record.flags


ENDS: list[tuple[str, tuple[CallEvent, ...], tuple[Disposition, Party | None]]] = [
    ("the caller leaves at once", (CALLER_BYE, *gone()), (Disposition.ANSWERED, Party.CALLER)),
    ("the network cuts the caller off", (LegEnded(CALLER, 18, 408),), (Disposition.DROPPED, Party.NETWORK)),
]


@pytest.mark.parametrize(("events", "told"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_who_is_given_away_and_reaches_nobody_has_talked(
    events: tuple[CallEvent, ...], told: tuple[Disposition, Party | None]
) -> None:
    call = given().then(rings(2), *events, let_go(2))
    assert (call.record.disposition, call.record.hung_up_by) == told
    assert talks(call) == [("anna", 10.0, BLIND)]


def test_a_caller_who_cannot_be_connected_again_is_dropped() -> None:
    call = given().then(rings(2), LegAnswered(2), CommandFailed("Bridge", 2, 500), let_go(CALLER), let_go(2))
    assert (call.record.disposition, call.record.reason) == (Disposition.DROPPED, "command_failed")
    assert [(who, end) for who, _, end in talks(call)] == [("anna", BLIND), ("bo", CUT_OFF)]


def test_a_caller_whom_nobody_takes_comes_back_and_ends_as_answered() -> None:
    call = given().then(rings(2), TimerFired("ring"), let_go(2))
    assert call.rung == ["anna", "bo", "anna"]
    call.then(rings(3), TimerFired("ring"), let_go(3))
    call.then(PlaybackEnded(call.call.playbacks), let_go(CALLER))
    assert (call.record.disposition, call.record.hung_up_by) == (Disposition.ANSWERED, Party.ROUTER)
    assert call.outcomes == [AttemptOutcome.ANSWERED, AttemptOutcome.NO_ANSWER, AttemptOutcome.NO_ANSWER]


def test_an_attended_transfer_goes_on_with_the_other() -> None:
    call = talking(after(10, HANDED_OVER))
    assert call.doing == [HangUpLeg(1, HangupReason.TRANSFERRED)]
    assert call.call.state == Talking(2)
    assert call.call.legs[2].channel == OTHER
    call.then(let_go(1), after(6, HangupRequested(2, 16)), gone(2), let_go(CALLER))
    assert (call.record.disposition, call.record.hung_up_by) == (Disposition.ANSWERED, Party.CALLEE)
    assert talks(call) == [("anna", 10.0, ATTENDED), ("bo", 9.0, HUNG_UP)]
    assert [one.target for one in call.record.attempts] == ["anna", "bo"]


def test_a_talk_that_was_handed_over_and_is_cut_off() -> None:
    call = talking(HANDED_OVER, let_go(1)).then(
        HangupRequested(CALLER, 1, soft=True), gone(CALLER, 44), let_go(2)
    )
    assert call.record.disposition is Disposition.DROPPED
    assert [end for _, _, end in talks(call)] == [ATTENDED, CUT_OFF]


NONE_TO_GIVE: list[tuple[str, Story]] = [
    ("while the phone rings", story(plan(RING_ANNA), rings())),
    ("when the call ends", talking(CALLER_BYE)),
    ("of another leg", given().then(rings(2), LegAnswered(2))),
]


@pytest.mark.parametrize("call", [row[1] for row in NONE_TO_GIVE], ids=[row[0] for row in NONE_TO_GIVE])
@pytest.mark.parametrize("event", [TransferAsked(1, "101", "x.1"), LegReplaced(1, "x.1", "PJSIP/bo")])
def test_who_has_no_talk_gives_none_away(call: Story, event: CallEvent) -> None:
    before = call.call.state
    assert call.then(event).doing == [RemoveChannel("x.1")]
    assert call.call.state == before


def test_a_talk_handed_over_is_told_of_twice() -> None:
    call = talking(HANDED_OVER)
    before = call.call
    assert call.then(HANDED_OVER).doing == []
    assert call.call == before


def test_an_agent_is_free_once_the_caller_is_given_away() -> None:
    queue = Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)})
    call = story(plan(queue), QueueJoined(), CALLER_UP, AgentOffered("anna"), rings(), LegAnswered(1))
    call.then(ASKED)
    assert LeaveQueue(agent="anna") in call.doing
    assert call.call.agent == ""
    assert not [one for one in call.then(TO_BO, CALLER_BYE).last if isinstance(one, LeaveQueue)]


def test_after_a_gap_it_is_asked_again_whom_the_caller_is_to_have() -> None:
    call = talking(ASKED, RouterReturned())
    assert FindTransfer("101", 1) in call.doing
    assert isinstance(call.then(TO_BO, TO_BO).call.state, Ringing)


def test_a_refusal_is_kept_as_evidence() -> None:
    back = CallPlan((PlanNode(Ring(((ANNA,),), 20.0), 1), PlanNode(HangUp())))
    call = talking(ASKED, TransferLed("101", back, "nobody"), CALLER_BYE, gone(), let_go(1), gone(2))
    seen = [(one.what, one.detail) for one in call.record.evidence if "transfer" in one.what]
    assert seen == [("transfer_asked", "101"), ("transfer_refused", "101: nobody")]


SOFTLY = HangupRequested(CALLER, 1, soft=True)
JOINS: list[tuple[str, tuple[CallEvent, ...]]] = [
    ("told first", (CallerJoined(), SOFTLY, *gone(), *let_go(1))),
    ("told last", (SOFTLY, LegLeft(CALLER), CallerJoined(), LegEnded(CALLER, 16), *let_go(1))),
]


@pytest.mark.parametrize("events", [row[1] for row in JOINS], ids=[row[0] for row in JOINS])
def test_a_caller_who_joins_two_calls_has_ended_this_one(events: tuple[CallEvent, ...]) -> None:
    call = talking(*events)
    assert (call.record.disposition, call.record.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert [end for _, _, end in talks(call)] == [HUNG_UP]


BACK = TransferLed("", CallPlan((PlanNode(Ring(((ANNA,),), 20.0)),)), "two callers")
ENDS_BY_JOIN = (HangupRequested(1, 1, soft=True), LegLeft(1), LegEnded(1, 16))
"""What Asterisk tells of a leg that a phone has joined with another call."""
AFTER_JOINS: list[tuple[str, tuple[CallEvent, ...], Party]] = [
    ("comes back, and the phone hangs up", (LegAnswered(2), HangupRequested(2, 16), *gone(2)), Party.CALLEE),
    ("leaves while it rings", (CALLER_BYE, *gone()), Party.CALLER),
]


@pytest.mark.parametrize(
    ("events", "by"), [row[1:] for row in AFTER_JOINS], ids=[row[0] for row in AFTER_JOINS]
)
def test_a_caller_who_was_joined_with_another_is_not_cut_off(
    events: tuple[CallEvent, ...], by: Party
) -> None:
    call = talking(after(5, TransferAsked(1, "", OTHER)), ENDS_BY_JOIN, BACK, rings(2), *events)
    call.then(let_go(2 if by is Party.CALLER else CALLER))
    assert (call.record.disposition, call.record.hung_up_by) == (Disposition.ANSWERED, by)
    assert talks(call)[0] == ("anna", 5.0, BLIND)


IN_THE_CALLERS_PLACE = CallerReplaced(OTHER, "PJSIP/trunk")


def test_whom_the_caller_puts_in_their_own_place_is_the_caller() -> None:
    call = talking(after(5, IN_THE_CALLERS_PLACE))
    assert (call.doing, call.call.state) == ([], Talking(1))
    assert call.call.caller.channel == OTHER
    call.then(after(4, HangupRequested(CALLER, 16)), gone(), let_go(1))
    record = call.record
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert talks(call) == [("anna", 9.0, HUNG_UP)]
    assert "transferred" in record.flags


def test_in_the_place_of_a_caller_who_has_left_there_is_nobody() -> None:
    call = talking(CALLER_BYE, IN_THE_CALLERS_PLACE)
    assert call.doing == [RemoveChannel(OTHER)]
    assert call.call.caller.channel == ""


HOLDS: list[tuple[str, tuple[CallEvent, ...], float]] = [
    ("once", (LegHeld(1), LegUnheld(1)), 1.0),
    ("twice", (LegHeld(1), LegUnheld(1), LegHeld(1), LegUnheld(1)), 2.0),
    ("by both, in one another", (LegHeld(1), LegHeld(0), LegUnheld(1), LegUnheld(0)), 3.0),
    ("told twice", (LegHeld(1), LegHeld(1), LegUnheld(1), LegUnheld(1)), 2.0),
    ("until the end", (LegHeld(0),), 1.0),
    ("nobody was held", (LegUnheld(1),), 0.0),
    ("by who has no part in it", (LegHeld(2),), 0.0),
]


@pytest.mark.parametrize(("events", "seconds"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_holds_are_counted(events: tuple[CallEvent, ...], seconds: float) -> None:
    call = talking(*events, CALLER_BYE, *gone(), *let_go(1))
    assert call.record.hold_seconds == seconds


def test_a_hold_belongs_to_its_talk() -> None:
    call = talking(LegHeld(1), after(4, HANDED_OVER), let_go(1), LegHeld(2), CALLER_BYE, gone(), let_go(2))
    assert [one.hold_seconds for one in call.record.talks] == [4.0, 1.0]
    assert call.record.hold_seconds == 5.0
