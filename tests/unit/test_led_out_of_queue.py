"""A caller whom an agent of Asterisk's own queue gives to a number of ours, or a key there leads to one."""

import pytest

from router.core import deadman
from router.core.call import CALLER, InAsteriskQueue, Transferring
from router.core.commands import (
    AskIfFollowed,
    CreateLeg,
    EnterAsteriskQueue,
    FindTransfer,
    SetDeadMan,
    SetTimer,
)
from router.core.events import (
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentLeft,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    CallEvent,
    HangupRequested,
    LegAnswered,
    LegEnded,
    LegLeft,
    RouterReturned,
    TransferLed,
)
from router.core.plan import AsteriskQueue, CallPlan, HangUp, PlanNode, Ring
from router.core.reconcile import Sighting, missed
from router.core.record import AttemptOutcome, Disposition, Party, TalkEnd
from router.core.steps.asteriskqueue import NOT_FOLLOWED
from tests.unit.story import BO, CALLER_BYE, CALLER_UP, GOODBYE, Later, Story, after, gone, plan, rings, story

DESK = AsteriskQueue("desk", 60.0)
KARI, OLA = ("Kari", "PJSIP/160"), ("Ola", "PJSIP/161")
AWAY, GONE = LegLeft(CALLER), LegEnded(CALLER, 16)
PBX_ENDS = HangupRequested(CALLER, 16, soft=True)
NUMBER = "+4721000007"
LED = AsteriskQueueLed(NUMBER)
RING_BO = Ring(((BO,),), 20.0)
TO_BO = TransferLed(NUMBER, CallPlan((PlanNode(RING_BO),)))
NO_MORE = TransferLed(NUMBER, CallPlan((PlanNode(HangUp()),)))
GIVEN = AsteriskAgentLeft("transfer", "Kari", 20.0)
BLIND, HUNG_UP = TalkEnd.BLIND_TRANSFER, TalkEnd.HUNG_UP


def waiting(*more: CallEvent | Later) -> Story:
    """A caller who waits in the queue, answered."""
    return story(plan(DESK), AWAY, CALLER_UP, AsteriskQueueJoined(), *more)


def talking(*more: CallEvent | Later) -> Story:
    """... and talks, with one of two who were rung."""
    rung = (AsteriskAgentCalled(*OLA), AsteriskAgentCalled(*KARI))
    return waiting(*rung, AsteriskQueueLeft(), AsteriskAgentConnected(*KARI), *more)


def talks(call: Story) -> list[tuple[str, float, TalkEnd]]:
    return [(one.who, one.seconds, one.end) for one in call.record.talks]


def test_the_rules_are_asked_and_the_caller_waits_under_a_dead_man_again() -> None:
    call = talking(GIVEN, LED)
    assert call.call.state == Transferring(NUMBER, CALLER)
    assert call.doing == [
        FindTransfer(NUMBER, CALLER),
        SetDeadMan(),
        SetTimer(deadman.TIMER, deadman.REFRESH),
    ]
    call.then(TO_BO)
    assert CreateLeg(1, BO) in call.doing
    assert FindTransfer(NUMBER, CALLER) in talking(LED, RouterReturned()).doing, "an answer may be lost"


GIVEN_AWAY: list[tuple[str, list[CallEvent | Later]]] = [
    ("as AMI tells before", [after(20, GIVEN), after(0, LED), TO_BO]),
    ("as AMI tells behind", [after(20, LED), after(0, GIVEN), TO_BO]),
    ("as AMI does not tell", [after(20, LED), TO_BO]),
]


@pytest.mark.parametrize("events", [row[1] for row in GIVEN_AWAY], ids=[row[0] for row in GIVEN_AWAY])
def test_the_talk_with_the_agent_is_one_of_its_own(events: list[CallEvent | Later]) -> None:
    call = talking(*events).then(
        rings(), LegAnswered(1), after(5, HangupRequested(1, 16)), gone(1), AWAY, GONE
    )
    record = call.record
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLEE)
    assert talks(call) == [("Kari", 20.0, BLIND), ("bo", 5.0, HUNG_UP)]
    assert (record.answered_by, record.wait_seconds, record.talk_seconds) == ("Kari", 7.0, 25.0)
    assert record.flags == ("transferred",)
    outcomes = {one.target: (one.number, one.outcome) for one in record.attempts}
    assert outcomes == {
        "bo": (1, AttemptOutcome.ANSWERED),
        "Ola": (2, AttemptOutcome.ANSWERED_ELSEWHERE),
        "Kari": (3, AttemptOutcome.ANSWERED),
    }
    assert [talk.leg for talk in record.talks] == [3, 1], "by the numbers of the attempts"


def test_who_talked_and_reaches_nobody_has_talked() -> None:
    call = talking(GIVEN, LED, TO_BO, *rings()).then(CALLER_BYE, gone(), gone(1))
    assert (call.record.disposition, call.record.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert [talk[2] for talk in talks(call)] == [BLIND]


def test_an_agent_who_hung_up_has_given_nothing_away() -> None:
    call = talking(AsteriskAgentLeft("agent"), LED, NO_MORE, *(AWAY, GONE))
    assert ([talk[2] for talk in talks(call)], call.record.flags) == ([HUNG_UP], ())


def test_a_talk_that_ended_by_a_transfer_elsewhere_says_so() -> None:
    call = talking(after(20, GIVEN), after(60, CALLER_BYE), GONE)
    assert talks(call) == [("Kari", 20.0, BLIND)]


BY_KEY: list[tuple[str, list[CallEvent], list[CallEvent], tuple[str, ...]]] = [
    ("and all was seen", [AsteriskQueueLeft()], [AsteriskQueueFollowed(True)], ()),
    ("and not all was seen", [AsteriskQueueLeft()], [AsteriskQueueFollowed(False)], (NOT_FOLLOWED,)),
    ("and nobody tells whether it was", [], [], (NOT_FOLLOWED,)),
    ("and was told to have had no agent", [AsteriskQueueAbandoned()], [], ()),
]


@pytest.mark.parametrize(
    ("before", "behind", "flags"), [row[1:] for row in BY_KEY], ids=[row[0] for row in BY_KEY]
)
def test_who_is_led_by_a_key(
    before: list[CallEvent], behind: list[CallEvent], flags: tuple[str, ...]
) -> None:
    call = waiting(AsteriskAgentCalled(*KARI), *before, LED, NO_MORE, *behind, AWAY, GONE)
    record = call.record
    assert (record.disposition, record.reason, record.hung_up_by) == (
        Disposition.NO_ANSWER, "queue_left", Party.ROUTER,
    )  # fmt: skip
    assert [(one.target, one.outcome) for one in record.attempts] == [("Kari", AttemptOutcome.NO_ANSWER)]
    assert (record.talks, record.flags) == ((), flags)


def test_whether_all_was_seen_is_asked_where_no_talk_is_known() -> None:
    call = waiting(LED)
    assert [one for one in call.doing if isinstance(one, AskIfFollowed)] == [
        AskIfFollowed(call.now.replace(second=3))
    ]


def led_to_another_queue(*more: CallEvent) -> Story:
    """A caller who is given to a number with a queue of Asterisk's own."""
    call = talking(GIVEN, LED, TransferLed(NUMBER, CallPlan((PlanNode(DESK),))))
    assert EnterAsteriskQueue(1, DESK) in call.doing
    return call.then(*more)


LATE = [GIVEN, AsteriskQueueLeft(), AsteriskQueueAbandoned()]


@pytest.mark.parametrize("late", LATE, ids=lambda one: type(one).__name__)
def test_what_is_told_late_of_one_queue_says_nothing_of_the_next(late: CallEvent) -> None:
    call = led_to_another_queue()
    before = call.call
    assert call.then(late).call == before


def test_a_talk_in_each_of_two_queues() -> None:
    rung = (AsteriskAgentCalled(*OLA), AsteriskQueueLeft(), AsteriskAgentConnected(*OLA))
    call = led_to_another_queue(AWAY, AsteriskQueueJoined(), *rung)
    call.then(after(9, AsteriskAgentLeft("agent")), PBX_ENDS, GONE)
    record = call.record
    assert (record.disposition, record.reason, record.hung_up_by) == (
        Disposition.ANSWERED, "", Party.CALLEE,
    )  # fmt: skip
    assert [(who, end) for who, _, end in talks(call)] == [("Kari", BLIND), ("Ola", HUNG_UP)]
    assert [record.attempts[talk.leg - 1].target for talk in record.talks] == ["Kari", "Ola"]


def test_who_talked_before_may_hang_up_in_the_next_queue_unfollowed() -> None:
    call = led_to_another_queue(AWAY, CALLER_BYE, GONE, AsteriskQueueFollowed(False))
    assert (call.record.disposition, call.record.reason) == (Disposition.ANSWERED, "")


ELSEWHERE: list[tuple[str, Story]] = [
    ("who has yet to go there", story(plan(DESK))),
    ("who is gone", waiting(CALLER_BYE, GONE)),
]


@pytest.mark.parametrize("call", [row[1] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE])
def test_nobody_is_led(call: Story) -> None:
    assert isinstance(call.then(LED).call.state, InAsteriskQueue)


def test_nobody_is_led_out_of_another_step() -> None:
    call = story(plan(GOODBYE))
    before = call.call
    assert call.then(LED).call == before


GAPS: list[tuple[str, Story, list[CallEvent]]] = [
    ("has been led on", waiting(), [LED]),
    ("has been answered and led on", story(plan(DESK), AWAY), [LegAnswered(CALLER), LED]),
    ("has yet to go there", story(plan(DESK), CALLER_UP), []),
]


@pytest.mark.parametrize(("call", "told"), [row[1:] for row in GAPS], ids=[row[0] for row in GAPS])
def test_after_a_gap_the_caller(call: Story, told: list[CallEvent]) -> None:
    seen = Sighting(legs={CALLER: "Up"}, entered_for=NUMBER)
    assert list(missed(call.call, seen, None)) == [*told, RouterReturned()]
