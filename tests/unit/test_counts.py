"""How many, as conditions ask it."""

import pytest

from router.core.counts import Count

HOLDS = [
    ("0", [0], [1, 2]),
    ("3", [3], [2, 4]),
    (">5", [6, 100], [5]),
    (">= 5", [5, 6], [4]),
    ("<2", [0, 1], [2]),
    ("<=2", [2], [3]),
]


@pytest.mark.parametrize(("text", "holds", "fails"), HOLDS, ids=[row[0] for row in HOLDS])
def test_which_numbers_are_meant(text: str, holds: list[int], fails: list[int]) -> None:
    count = Count.parse(text)
    assert all(map(count.holds, holds))
    assert not any(map(count.holds, fails))
    assert str(count) == text


@pytest.mark.parametrize("text", ["", "few", "-1", "=>2", "1.5", "9999999", "<0"])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(ValueError, match="; write "):
        Count.parse(text)
