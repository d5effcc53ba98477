"""Which queues a caller came to, how long they waited there, and what came of it."""

from datetime import UTC, datetime, timedelta

import pytest

from router.core.record import Disposition, Evidence, Talk, TalkEnd
from router.core.visits import ENDED, HANDED, JOINED, REFUSED, visits_of

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
END = 300


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def seen(seconds: float, what: str, detail: str = "") -> Evidence:
    return Evidence(at(seconds), what, detail=detail)


def talk(seconds: float) -> Talk:
    return Talk(1, "kari", at(seconds), at(seconds + 60), TalkEnd.HUNG_UP)


Told = tuple[str, float, str, bool]
"""Queue, seconds waited, outcome, whether a talk is known."""

CASES: list[tuple[str, list[Evidence], list[Talk], Disposition, list[Told]]] = [
    ("no queue", [seen(0, "hangup_requested")], [talk(9)], Disposition.ANSWERED, []),
    (
        "an agent answers",
        [seen(5, JOINED, "desk"), seen(80, "ended")],
        [talk(20)],
        Disposition.ANSWERED,
        [("desk", 15, "answered", True)],
    ),
    ("gives up", [seen(5, JOINED, "desk")], [], Disposition.ABANDONED, [("desk", 295, "abandoned", False)]),
    ("is cut off", [seen(5, JOINED, "desk")], [], Disposition.DROPPED, [("desk", 295, "dropped", False)]),
    (
        "time is up, and somebody else answers later",
        [seen(5, JOINED, "desk"), seen(65, ENDED, "timeout")],
        [talk(70)],
        Disposition.ANSWERED,
        [("desk", 60, "timeout", False)],
    ),
    (
        "sent on at once, and then to another queue",
        [seen(5, REFUSED, "desk"), seen(5, ENDED, "full"), seen(6, JOINED, "night")],
        [talk(9)],
        Disposition.ANSWERED,
        [("desk", 0, "full", False), ("night", 3, "answered", True)],
    ),
    (
        "of an older version: nobody knows which queue was full",
        [seen(5, ENDED, "full")],
        [],
        Disposition.NO_ANSWER,
        [],
    ),
    (
        "given back to the same queue after a talk, and gives up",
        [seen(5, JOINED, "desk"), seen(100, JOINED, "desk")],
        [talk(20)],
        Disposition.ANSWERED,
        [("desk", 15, "answered", True), ("desk", 200, "abandoned", False)],
    ),
    (
        "asks to be called back, does not say where, and waits on",
        [seen(5, JOINED, "desk"), seen(30, ENDED, "callback"), seen(40, JOINED, "desk")],
        [talk(65)],
        Disposition.ANSWERED,
        [("desk", 60, "answered", True)],
    ),
    (
        "asks to be called back",
        [seen(5, JOINED, "desk"), seen(30, ENDED, "callback")],
        [],
        Disposition.CALLBACK_REQUESTED,
        [("desk", 25, "callback", False)],
    ),
    (
        "handed to Asterisk's queue, which tells of it later",
        [seen(5, HANDED, "support"), seen(6, JOINED, "support")],
        [talk(25)],
        Disposition.ANSWERED,
        [("support", 20, "answered", True)],
    ),
    (
        "Asterisk's queue never told of it",
        [seen(5, HANDED, "support")],
        [],
        Disposition.UNOBSERVED,
        [("support", 295, "unobserved", False)],
    ),
    (
        "back from Asterisk's queue, where somebody answered, nobody knows when",
        [seen(5, HANDED, "support"), seen(90, ENDED, "answered")],
        [],
        Disposition.ANSWERED,
        [("support", 85, "unobserved", False)],
    ),
    (
        "in another queue, and nobody saw why",
        [seen(5, JOINED, "desk"), seen(25, JOINED, "night"), seen(30, ENDED, "left")],
        [],
        Disposition.INFORMED,
        [("desk", 20, "unobserved", False), ("night", 5, "left", False)],
    ),
    (
        "the clock was set back",
        [seen(5, JOINED, "desk"), seen(1, ENDED, "left")],
        [],
        Disposition.INFORMED,
        [("desk", 0, "left", False)],
    ),
]


@pytest.mark.parametrize(("evidence", "talks", "disposition", "told"), [row[1:] for row in CASES],
                         ids=[row[0] for row in CASES])  # fmt: skip
def test_visits(
    evidence: list[Evidence], talks: list[Talk], disposition: Disposition, told: list[Told]
) -> None:
    found = visits_of(evidence, talks, disposition, at(END))
    assert [(one.queue, one.seconds, one.outcome, one.talk is not None) for one in found] == told
