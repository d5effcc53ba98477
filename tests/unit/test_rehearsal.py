"""Plans lived through without a phone: what a rehearsal says is what the call machine says."""

from collections import Counter

import pytest

from router.core.plan import CallPlan, Dialplan, HangUp, Refuse, Ring, RingOutcome, Target
from router.core.rehearsal import ANSWERED, rehearse
from tests.unit.story import ANNA, BO, GOODBYE, HELLO, IN_TURN, INFO, RING_ANNA, RING_BOTH, plan

BUSY, DECLINED, UNREACHABLE, FAILED, NO_ANSWER = (
    RingOutcome.BUSY,
    RingOutcome.DECLINED,
    RingOutcome.UNREACHABLE,
    RingOutcome.FAILED,
    RingOutcome.NO_ANSWER,
)
BRANCHES = plan(RING_ANNA, GOODBYE, HELLO, on={BUSY: 2})

ROWS: list[tuple[str, CallPlan, dict[str, str], tuple[int, ...], tuple[str, str | None]]] = [
    ("answered", plan(RING_ANNA), {}, (0,), ("answered", "anna")),
    ("a prompt before", plan(HELLO, RING_ANNA), {}, (0, 1), ("answered", "anna")),
    ("the one who is free", plan(RING_BOTH), {"anna": BUSY}, (0,), ("answered", "bo")),
    ("the second in turn", plan(IN_TURN), {"anna": NO_ANSWER}, (0,), ("answered", "bo")),
    ("busy", plan(RING_ANNA, GOODBYE), {"anna": BUSY}, (0, 1), ("busy", None)),
    ("declined", plan(RING_ANNA, GOODBYE), {"anna": DECLINED}, (0, 1), ("no_answer", None)),
    ("nobody answers", plan(RING_ANNA, GOODBYE), {"anna": NO_ANSWER}, (0, 1), ("no_answer", None)),
    ("unreachable", plan(RING_ANNA), {"anna": UNREACHABLE}, (0,), ("failed", None)),
    ("failed", plan(RING_BOTH), {"anna": FAILED, "bo": FAILED}, (0,), ("failed", None)),
    ("a branch", BRANCHES, {"anna": BUSY}, (0, 2), ("busy", None)),
    ("past a branch", BRANCHES, {"anna": DECLINED}, (0, 1, 2), ("no_answer", None)),
    ("nobody is there", plan(Ring((), 20.0), GOODBYE), {}, (0, 1), ("failed", None)),
    ("told something", plan(HELLO), {}, (0,), ("informed", None)),
    ("refused", plan(Refuse("busy")), {}, (0,), ("blocked", None)),
    ("told and hung up", plan(HELLO, HangUp()), {}, (0, 1), ("informed", None)),
    ("handed over", plan(HELLO, Dialplan("fax", "100")), {}, (0, 1), ("transferred", None)),
    ("nothing to do", plan(), {}, (), ("blocked", None)),
]


@pytest.mark.parametrize(
    ("the_plan", "does", "met", "becomes"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_becomes_of_a_plan(
    the_plan: CallPlan, does: dict[str, str], met: tuple[int, ...], becomes: tuple[str, str | None]
) -> None:
    def told(target: Target, rounds_before: Counter[str]) -> str:
        return does.get(target.name, ANSWERED)

    rehearsed = rehearse(INFO, the_plan, told)
    record = rehearsed.record
    assert (rehearsed.met, (record.disposition.value, record.answered_by)) == (met, becomes)
    assert record.talk_seconds == (60.0 if record.answered_by else 0.0)


def test_time_passes_as_it_would() -> None:
    record = rehearse(INFO, plan(IN_TURN, GOODBYE), lambda target, before: NO_ANSWER).record
    assert [attempt.target for attempt in record.attempts] == [ANNA.name, BO.name]
    assert 40.0 <= record.wait_seconds < 41.0


def test_a_round_is_an_attempt_of_each_who_is_rung_in_it() -> None:
    kari = tuple(Target("kari", f"PJSIP/{number}") for number in (1, 2))
    ring = Ring((kari, (BO, *kari[:1])), 20.0)
    asked: list[tuple[str, int, int]] = []

    def told(target: Target, rounds_before: Counter[str]) -> str:
        asked.append((target.dial, rounds_before[target.dial], rounds_before[target.name]))
        return BUSY

    rehearse(INFO, plan(ring, ring), told)
    assert asked == [
        *(("PJSIP/1", 0, 0), ("PJSIP/2", 0, 0), (BO.dial, 0, 0), ("PJSIP/1", 1, 1)),
        *(("PJSIP/1", 2, 2), ("PJSIP/2", 1, 2), (BO.dial, 1, 1), ("PJSIP/1", 3, 3)),
    ]
