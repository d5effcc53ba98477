"""A call plan as a graph: who can still be rung from a position."""

import pytest

from router.core.layout import Layout, lay_out
from router.core.plan import CallPlan, HangUp, PlanNode, Ring, RingOutcome, Say, rings_from
from router.core.schema import HangupStep, SayFile, SayStep

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
    assert rings_from(CallPlan(nodes), position) is expected


def laid(*own: SayStep | HangupStep, last: tuple[SayStep, ...] = ()) -> CallPlan:
    return lay_out((own, ("do",)), (last, ("last_resort",)), {}, frozenset(), str).plan


HELLO, SORRY = (SayStep(say=SayFile(file=name)) for name in ("hello", "sorry"))


def test_without_last_resort_a_plan_ends() -> None:
    assert laid().nodes == ()


def test_a_plan_that_says_something_ends_there() -> None:
    assert [node.then for node in laid(HELLO, last=(SORRY,)).nodes] == [None]


def test_a_plan_that_hangs_up_needs_no_last_resort() -> None:
    assert laid(HangupStep(hangup=None), last=(SORRY,)).nodes == (PlanNode(HangUp(), place="('do', 0)"),)


def test_a_layout_in_which_nobody_is_absent_is_as_it_was() -> None:
    layout = Layout(laid(HELLO))
    assert layout.without(set()) is layout.plan
