"""Steps that others carry out, and those that are done at once: what the call machine makes of them."""

from router.core.call import CALLER, NOT_BUILT, Performing, Settled
from router.core.commands import Perform, ReturnToDialplan, SetChannelVariables, SetDeadMan
from router.core.events import LegAnswered, PlaybackEnded, RouterReturned, StepEnded, TimerFired
from router.core.plan import (
    Dialplan,
    Queue,
    SetTags,
    SetVariables,
)
from router.core.record import Disposition, Evidence, Phase
from tests.unit.story import CALLER_CANCELS, GOODBYE, RING_ANNA, gone, let_go, plan, story

QUEUE = Queue("desk", ("anna",), 60.0)


def test_a_caller_who_leaves_meanwhile_has_abandoned_the_call_there() -> None:
    call = story(plan(QUEUE, RING_ANNA))
    assert call.last[0] == Perform(0, QUEUE)
    assert call.call.state == Performing()
    assert call.then(TimerFired("dead_man")).last[0] == SetDeadMan(()), "who waits is looked after"
    record = call.then(CALLER_CANCELS, gone()).record
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.QUEUE)


def test_only_the_end_of_that_step_counts() -> None:
    call = story(plan(QUEUE, QUEUE, RING_ANNA), StepEnded(0, "timeout"))
    assert call.last == (Perform(1, QUEUE),)
    for other in (StepEnded(0, "timeout"), PlaybackEnded(1), LegAnswered(CALLER)):
        assert call.then(other).last == ()
    assert call.then(StepEnded(1, "timeout")).rung == ["anna"]


def test_after_a_gap_it_is_to_be_done_again() -> None:
    assert Perform(0, QUEUE) in story(plan(QUEUE), RouterReturned()).last


def test_a_step_that_nobody_can_do_is_noted_and_passed_over() -> None:
    call = story(plan(QUEUE, RING_ANNA), StepEnded(0, NOT_BUILT))
    assert call.rung == ["anna"]
    assert call.call.flags == (NOT_BUILT,)
    assert call.call.evidence == (Evidence(call.now, NOT_BUILT, detail="queue"),)


def test_what_becomes_of_a_call_for_which_nothing_could_be_done() -> None:
    record = story(plan(QUEUE), StepEnded(0, NOT_BUILT), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.FAILED, "not_built")


def test_a_queue_that_settled_nothing_says_why() -> None:
    record = story(plan(QUEUE), StepEnded(0, "timeout"), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.NO_ANSWER, "queue_timeout")


def test_a_queue_that_put_the_caller_through_settles_the_call() -> None:
    call = story(plan(QUEUE, GOODBYE), StepEnded(0, "answered", "anna"))
    assert call.call.settled == Settled(Disposition.ANSWERED, "anna")
    assert call.then(let_go()).record.answered_by == "anna"


def test_tags_and_variables_are_set_at_once() -> None:
    call = story(plan(SetTags(("vip", "late")), SetVariables((("A", "1"),)), RING_ANNA))
    assert call.last[0] == SetChannelVariables((("A", "1"),))
    assert call.rung == ["anna"]
    assert [(seen.what, seen.detail) for seen in call.call.evidence] == [
        ("tagged", "vip"),
        ("tagged", "late"),
    ]


def test_variables_are_set_again_after_a_gap_before_the_call_is_handed_on() -> None:
    call = story(plan(SetVariables((("A", "1"),)), Dialplan("fax", "100")), RouterReturned())
    assert call.doing[:2] == [SetChannelVariables((("A", "1"),)), ReturnToDialplan("fax", "100")]
