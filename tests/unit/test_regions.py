"""Countries that share a calling code: all that phonenumbers knows of them is understood."""

import pytest

from router.core import regions
from router.core.numbers import PhoneNumber, calling_codes, shared_codes

LENGTHS = dict(calling_codes())
NEVER = {"EH"}
"""Western Sahara's numbers are taken for Morocco's."""


def states(code: str) -> dict[regions.State, str]:
    """All that digits after a calling code can come to, and the first that do."""
    found = {regions.start(code): ""}
    waiting = list(found)
    while waiting:
        state = waiting.pop()
        for digit in "0123456789" if state.digits < max(LENGTHS[code]) else "":
            there = regions.after(code, state, digit)
            if there not in found:
                found[there] = found[state] + digit
                waiting.append(there)
    return found


@pytest.mark.parametrize(
    ("code", "countries"), list(shared_codes()), ids=[code for code, _ in shared_codes()]
)
def test_each_country_has_numbers(code: str, countries: tuple[str, ...]) -> None:
    found = states(code)
    assert len(found) < 2000
    numbers = [
        PhoneNumber(f"+{code}{digits}") for state, digits in found.items() if state.digits in LENGTHS[code]
    ]
    assert {number.country for number in numbers} == set(countries) - NEVER


SETTLED = [
    ("before the first digit", "47", "", False),
    ("Norway's", "47", "2", True),
    ("not yet told from Svalbard's", "47", "7", False),
    ("Svalbard's", "47", "79", True),
    ("nobody's in particular", "44", "6", True),
    ("as dialled at home", "44", "02", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "digits", "settled"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED]
)
def test_when_the_country_is_settled(code: str, digits: str, settled: bool) -> None:
    state = regions.start(code)
    for digit in digits:
        state = regions.after(code, state, digit)
    assert state.settled is settled
