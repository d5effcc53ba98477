"""Ways through a plan: what phones do on them, by the names that tests have."""

from collections.abc import Sequence
from typing import Any

import pytest

from router.core.plan import Ring, RingOutcome, Target
from router.core.ways import given_on

BUSY, NO_ANSWER, FAILED = RingOutcome.BUSY, RingOutcome.NO_ANSWER, RingOutcome.FAILED
KARI = (Target("kari", "PJSIP/1"), Target("kari", "PJSIP/+4790000001@trunk", True, "+4790000001"))
OLA = Target("ola", "PJSIP/2")
DESK = Target("PJSIP/1", "PJSIP/1")
"""One of kari's phones, by itself."""


def rings(*rounds: tuple[Target, ...]) -> Ring:
    return Ring(rounds, 20.0)


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


ALL, FIRST = rings(KARI), rings((DESK,))
WAYS = [
    ("no ring", [], {}),
    ("nobody is rung", [(rings(), RingOutcome.UNREACHABLE)], {}),
    ("one outcome", [(ALL, BUSY)], {"kari": (BUSY,)}),
    ("the same again", [(ALL, BUSY), (ALL, BUSY)], {"kari": (BUSY,)}),
    ("first this, then that", [(ALL, NO_ANSWER), (ALL, BUSY)], {"kari": (NO_ANSWER, BUSY)}),
    ("and so on", [(ALL, NO_ANSWER), *[(ALL, BUSY)] * 2], {"kari": (NO_ANSWER, BUSY)}),
    ("and back", [(ALL, BUSY), (ALL, FAILED), (ALL, BUSY)], {"kari": (BUSY, FAILED, BUSY)}),
    ("two who ring together", [(rings((*KARI, OLA)), BUSY)], {"kari": (BUSY,), "ola": (BUSY,)}),
    (
        "another in between",
        [(ALL, BUSY), (rings((OLA,)), FAILED), (ALL, NO_ANSWER)],
        {"kari": (BUSY, NO_ANSWER), "ola": (FAILED,)},
    ),
    (
        "each round counts",
        [(rings((OLA,), (OLA,)), NO_ANSWER), (rings((OLA,)), BUSY)],
        {"ola": (NO_ANSWER, NO_ANSWER, BUSY)},
    ),
    (
        "a phone of a person by itself as well",
        [(ALL, NO_ANSWER), (FIRST, BUSY)],
        {"PJSIP/1": (NO_ANSWER, BUSY), "kari": (NO_ANSWER,)},
    ),
    (
        "phones of a person that do different things",
        [(rings(KARI[:1]), NO_ANSWER), (ALL, BUSY)],
        {"PJSIP/1": (NO_ANSWER, BUSY), "+4790000001": (BUSY,)},
    ),
]


@by_name(WAYS, "way", "wanted")
def test_what_phones_do(
    way: list[tuple[Ring, RingOutcome]], wanted: dict[str, tuple[RingOutcome, ...]]
) -> None:
    assert dict(given_on(tuple(way))) == wanted
