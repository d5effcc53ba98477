"""A call plan as a graph: who can still be rung from a position."""

import pytest

from router.core.dialling import Dialling
from router.core.layout import Layout, Sheet, lay_out
from router.core.plan import CallPlan, HangUp, PlanNode, Ring, RingOutcome, Say, leads_to_somebody, told_first
from router.core.reading import Reading
from router.core.schema import ClientDoc
from router.core.stepdocs import HangupStep, SayFile, SayStep

RING = Ring((), 25.0)
SAY = Say("sound:hello")


@pytest.mark.parametrize(
    ("nodes", "position", "expected"),
    [
        ((PlanNode(RING),), 0, True),
        ((PlanNode(RING),), None, False),
        ((PlanNode(SAY, 1), PlanNode(RING)), 0, True),
        ((PlanNode(RING, 1), PlanNode(SAY)), 1, False),
        ((PlanNode(SAY, 1), PlanNode(SAY, 0)), 0, False),
        ((PlanNode(SAY, None, {RingOutcome.BUSY: 1}), PlanNode(RING)), 0, True),
    ],
    ids=["here", "at the end", "later", "behind", "in a circle", "by a branch"],
)
def test_who_can_still_be_rung(nodes: tuple[PlanNode, ...], position: int | None, expected: bool) -> None:
    assert leads_to_somebody(CallPlan(nodes), position) is expected


def laid(*own: SayStep | HangupStep, last: tuple[SayStep, ...] = ()) -> CallPlan:
    doc = ClientDoc.model_validate(
        {"client": "c", "name": "C", "timezone": "UTC", "country": "NO"}, context=Reading.of({}, Dialling())
    )
    sheet = Sheet(doc.model_copy(update={"last_resort": last}), {}, str)
    return lay_out((own, ("do",)), sheet).plan


def test_what_is_told_first_goes_before_every_step() -> None:
    plan = CallPlan((PlanNode(RING, 1, {RingOutcome.BUSY: 1}), PlanNode(SAY)), "a rule")
    said = (PlanNode(SAY), PlanNode(Say("sound:course")))
    assert told_first(said, plan) == CallPlan(
        (
            PlanNode(SAY, 1),
            PlanNode(Say("sound:course"), 2),
            PlanNode(RING, 3, {RingOutcome.BUSY: 3}),
            PlanNode(SAY),
        ),
        "a rule",
    )


def test_what_is_told_before_no_step_at_all_is_the_end() -> None:
    assert told_first((PlanNode(SAY),), CallPlan(())).nodes == (PlanNode(SAY, None),)


HELLO, SORRY = (SayStep(say=SayFile(file=name)) for name in ("hello", "sorry"))


def test_without_last_resort_a_plan_ends() -> None:
    assert laid().nodes == ()


def test_a_plan_that_says_something_ends_there() -> None:
    assert [node.then for node in laid(HELLO, last=(SORRY,)).nodes] == [None]


def test_a_plan_that_hangs_up_needs_no_last_resort() -> None:
    assert laid(HangupStep(hangup=None), last=(SORRY,)).nodes == (PlanNode(HangUp(), place="('do', 0)"),)


def test_a_layout_in_which_nobody_is_absent_is_as_it_was() -> None:
    layout = Layout(laid(HELLO))
    assert layout.present(set(), 0) is layout.plan
