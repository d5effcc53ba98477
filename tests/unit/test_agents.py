"""What comes of a change that somebody asks for, as the agent stands."""

from datetime import UTC, datetime

import pytest

from router.core.agents import AgentChange, Change, Standing, Weighed, standing_after, weigh

IN, OUT, PAUSED, RESUMED = Change.LOGGED_IN, Change.LOGGED_OUT, Change.PAUSED, Change.RESUMED
IS_OUT = "kari is logged out; `callrouter agents login kari`"


def change(what: Change) -> AgentChange:
    reason = "lunch" if what is PAUSED else ""
    return AgentChange(0, "fjord", "kari", what, reason, "root", datetime(2026, 11, 27, tzinfo=UTC))


STANDINGS: list[tuple[str, list[Change], Standing]] = [
    ("nothing was said", [], Standing()),
    ("a pause", [PAUSED], Standing(paused="lunch")),
    ("a pause that is over", [PAUSED, RESUMED], Standing()),
    ("a login ends a pause", [PAUSED, IN], Standing()),
    ("so does a logout", [PAUSED, OUT], Standing(logged_in=False)),
    ("nobody comes back by resuming", [OUT, RESUMED], Standing(logged_in=False)),
]


@pytest.mark.parametrize(
    ("changes", "standing"), [row[1:] for row in STANDINGS], ids=[row[0] for row in STANDINGS]
)
def test_how_an_agent_stands(changes: list[Change], standing: Standing) -> None:
    assert standing_after(map(change, changes)) == standing


ASKED: list[tuple[str, Change, list[Change], Weighed]] = [
    ("a pause at work", PAUSED, [], Weighed()),
    ("another reason for it", PAUSED, [PAUSED], Weighed()),
    ("a pause of who is logged out", PAUSED, [OUT], Weighed(made=False, refused=IS_OUT)),
    ("a pause that is over", RESUMED, [PAUSED], Weighed()),
    ("without a pause: a wrap-up may be over", RESUMED, [], Weighed(remark="kari was not paused")),
    ("resuming while logged out", RESUMED, [OUT], Weighed(made=False, remark=IS_OUT)),
    ("a login", IN, [OUT], Weighed()),
    ("a logout in a pause", OUT, [PAUSED], Weighed()),
]


@pytest.mark.parametrize(
    ("asked", "before", "weighed"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED]
)
def test_what_comes_of_a_change(asked: Change, before: list[Change], weighed: Weighed) -> None:
    assert weigh(change(asked), standing_after(map(change, before))) == weighed
