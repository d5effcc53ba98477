"""Many patterns that begin alike are told apart as few are: one by one."""

import random

import pytest

from router.core.alike import Alike, first_of
from router.core.claims import conflicts
from router.core.numbers import FEW, NumberIndex, NumberPattern, PhoneNumber

CHANCE = random.Random(4)
TAILS = [("any digits", "0123x"), ("mostly x", "0xxx"), ("hardly x", "01234x")]


def pattern(digits: str) -> NumberPattern:
    """`+47` and eight of these, or fewer and a star."""
    length = CHANCE.choice((8, 8, 5, 8, CHANCE.randrange(8)))
    tail = "".join(CHANCE.choice(digits) for _ in range(length))
    return NumberPattern.parse(f"+47{tail}" + "*" * (length not in (5, 8) or CHANCE.random() < 0.1))


@pytest.mark.parametrize("digits", [row[1] for row in TAILS], ids=[row[0] for row in TAILS])
def test_all_at_once_finds_what_one_by_one_finds(digits: str) -> None:
    patterns = [pattern(digits) for _ in range(120)]
    alike = Alike([one.text for one in patterns])
    for one in patterns:
        rivals = [at for at, other in enumerate(patterns) if other.overlaps(one)]
        bits = alike.overlapping(one.text)
        assert [at for at in range(len(patterns)) if bits >> at & 1] == rivals
        assert first_of(bits) == rivals[0]


@pytest.mark.parametrize("digits", [row[1] for row in TAILS], ids=[row[0] for row in TAILS])
def test_the_most_specific_of_many_is_found(digits: str) -> None:
    wild = [one for one in (pattern(digits) for _ in range(300)) if not one.is_one_number]
    wild = [NumberPattern.parse(f"+47x{one.text[4:]}") for one in wild if len(one.text) > 4]
    index = NumberIndex((one, one.text) for one in wild)
    for number in (PhoneNumber("+47" + "".join(CHANCE.choices("0123", k=8))) for _ in range(300)):
        matching = sorted((one for one in wild if one.matches(number)), key=lambda one: one.rank)
        assert index.find(number) == next((one.text for one in matching), None)


def test_of_many_that_begin_like_a_number_none_may_match() -> None:
    index = NumberIndex((NumberPattern.parse(f"+47x000000{digit}"), digit) for digit in range(FEW + 1))
    assert index.find(PhoneNumber("+4720000003")) == 3
    assert index.find(PhoneNumber("+4720100003")) is None


SEVERAL = [f"+47x000000{digit}" for digit in range(FEW + 1)]
OWNERS = [
    ("the same client", ("a", None), ("a", None), 0),
    ("a client and one of its people", ("a", None), ("a", "kari"), 0),
    ("one of its people and the client", ("a", "kari"), ("a", None), 0),
    ("the same person", ("a", "kari"), ("a", "kari"), 0),
    ("two of its people", ("a", "kari"), ("a", "ola"), FEW + 1),
    ("two clients", ("a", None), ("b", None), FEW + 1),
    ("people of two clients, of one name", ("a", "kari"), ("b", "kari"), FEW + 1),
]


@pytest.mark.parametrize(
    ("first", "second", "clashes"), [row[1:] for row in OWNERS], ids=[row[0] for row in OWNERS]
)
def test_who_may_have_numbers_in_common(
    first: tuple[str, str | None], second: tuple[str, str | None], clashes: int
) -> None:
    for rows in (
        [(text, owner) for owner in (first, second) for text in SEVERAL],
        [(SEVERAL[0], first), (SEVERAL[0], second)],
    ):
        found = [*conflicts(((NumberPattern.parse(text), who) for text, who in rows), lambda owner: owner)]
        assert len(found) == min(clashes, len(rows) // 2)
        assert set(found) <= {(first, second)}
