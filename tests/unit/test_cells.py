"""Numbers cut by patterns: every cell there is, each once, and ranges that say which."""

from collections.abc import Sequence
from typing import Any

import pytest

from router.core.cells import Cell, Numbers, cut, ranges
from router.core.numbers import NumberPattern, PhoneNumber, example_numbers


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


def patterns(*texts: str) -> list[NumberPattern]:
    return [NumberPattern.parse(text) for text in texts]


def names(cell: Cell) -> str:
    return " ".join(sorted(pattern.text for pattern in cell.within))


CUTS = [
    ("nothing", [], {""}),
    ("one number", ["+4722334455"], {"", "+4722334455"}),
    ("one within another", ["+4722*", "+472233446x"], {"", "+4722*", "+4722* +472233446x"}),
    ("apart", ["+4722*", "+4723*"], {"", "+4722*", "+4723*"}),
    ("the same twice", ["+4722*", "+4722*"], {"", "+4722*"}),
    (
        "across each other",
        ["+47x2334455", "+472x334455"],
        {"", "+47x2334455", "+472x334455", "+472x334455 +47x2334455"},
    ),
    ("one that ten others are", [*(f"+472233445{digit}" for digit in range(10)), "+472233445x"], None),
    ("everybody", ["+*"], {"+*"}),
    ("everybody and some", ["+*", "+46*"], {"+*", "+* +46*"}),
    ("a wildcard in the calling code", ["+4x*", "+47*"], {"", "+4x*", "+47* +4x*"}),
    ("longer numbers are others", ["+498912", "+498912x"], {"", "+498912", "+498912x"}),
    ("as long as some numbers are", ["+290xxxx"], {"", "+290xxxx"}),
    ("all that are shorter", ["+290xxxx", "+290*"], {"", "+290*", "+290* +290xxxx"}),
    ("no number is so long", ["+4722334455*", "+47223344551*"], {"", "+4722334455*"}),
]


@by_name(CUTS, "texts", "wanted")
def test_every_cell_is_found_once(texts: list[str], wanted: set[str] | None) -> None:
    cells = cut(patterns(*texts))
    found = [names(cell) for cell in cells]
    assert len(found) == len(set(found))
    if wanted is None:
        assert f"{texts[-1]}" not in found
        assert len(found) == len(texts)
    else:
        assert set(found) == wanted


@by_name(CUTS, "texts", "wanted")
def test_a_cell_has_its_number(texts: list[str], wanted: set[str] | None) -> None:
    for cell in cut(patterns(*texts)):
        assert PhoneNumber.parse(cell.number.e164) == cell.number
        assert {one for one in patterns(*texts) if one.matches(cell.number)} == cell.within


COUNTRIES = [
    ("one", ["NO"], {"NO", ""}),
    ("of one calling code", ["NO", "SJ"], {"NO", "SJ", ""}),
    ("of +1", ["US", "CA", "BS"], {"US", "CA", "BS", ""}),
]


@by_name(COUNTRIES, "countries", "wanted")
def test_countries_cut(countries: list[str], wanted: set[str]) -> None:
    cells = cut([], countries)
    assert {cell.country for cell in cells} == wanted
    for cell in cells:
        assert (cell.number.country if cell.number.country in countries else "") == cell.country


def test_patterns_and_countries_are_intersected() -> None:
    cells = cut(patterns("+1242*", "+12*", "+12425550123"), ["BS"])
    assert {(names(cell), cell.country) for cell in cells} == {
        ("", ""),
        ("+12*", ""),
        ("+12* +1242*", "BS"),
        ("+12* +1242* +12425550123", "BS"),
    }


def test_a_pattern_of_another_calling_code_meets_no_country_of_this_one() -> None:
    found = {(names(cell), cell.country) for cell in cut(patterns("+46*", "+124255501x5"), ["BS"])}
    assert found == {("", ""), ("", "BS"), ("+46*", ""), ("+124255501x5", "BS")}


def test_what_is_only_dialled_within_a_country_is_no_number() -> None:
    assert all(
        len(cell.number.e164) == len("+12015550123")
        for cell in cut(patterns("+1310*"), ["CA"])
        if cell.country
    )


def test_numbers_look_as_in_the_first_country() -> None:
    assert cut([], ["SE"])[0].number == example_numbers("SE")[0]


RANGES = [
    ("all", ["+4722*"], ["", "+4722*"], ["every number"]),
    ("none", ["+4722*"], [], []),
    ("all others", ["+4722*"], [""], ["every number, but not +4722*"]),
    ("one without another", ["+4722*", "+472233*"], ["+4722*"], ["+4722*, but not +472233*"]),
    ("one with what is in it", ["+4722*", "+472233*"], ["+4722*", "+4722* +472233*"], ["+4722*"]),
    ("only the inner", ["+4722*", "+472233*"], ["+4722* +472233*"], ["+472233*"]),
    (
        "the middle of three",
        ["+4722*", "+472233*", "+47223344*"],
        ["", "+4722* +472233*"],
        ["every number, but not +4722*", "+472233*, but not +47223344*"],
    ),
    (
        "across, without the rest of one",
        ["+4722*", "+47x2334455"],
        ["", "+47x2334455", "+4722* +47x2334455"],
        ["every number, but not +4722*", "+4722* which is also +47x2334455"],
    ),
    (
        "both",
        ["+47x2334455", "+472x334455"],
        ["+472x334455 +47x2334455"],
        ["+472x334455 which is also +47x2334455"],
    ),
]


@by_name(RANGES, "texts", "chosen", "wanted")
def test_ranges_say_which(texts: list[str], chosen: list[str], wanted: list[str]) -> None:
    cells = cut(patterns(*texts))
    assert [str(one) for one in ranges([cell for cell in cells if names(cell) in chosen], cells)] == wanted


def test_ranges_of_countries() -> None:
    cells = cut(patterns("+4722*"), ["NO", "SE"])
    by_country = {code: [cell for cell in cells if cell.country == code] for code in ("NO", "SE", "")}
    assert ranges(by_country["NO"], cells) == (Numbers(country="NO"), Numbers(("+4722*",)))
    assert ranges(by_country["SE"], cells) == (Numbers(country="SE"),)
    [others] = ranges(by_country[""], cells)
    assert str(others) == "every number not in NO or SE"


CONTAINED = [
    ("itself", "+4722*", "+4722*", True),
    ("a longer beginning", "+4722*", "+47223*", True),
    ("a shorter one", "+47223*", "+4722*", False),
    ("any digit", "+472233445x", "+4722334455", True),
    ("another digit", "+4722334456", "+4722334455", False),
    ("a digit for any", "+4722334455", "+472233445x", False),
    ("any rest for none", "+4722334455", "+4722334455*", False),
    ("longer than it may be", "+498912", "+4989123", False),
]


@by_name(CONTAINED, "one", "other", "wanted")
def test_contains(one: str, other: str, wanted: bool) -> None:
    outer, inner = (NumberPattern.parse(text) for text in (one, other))
    assert outer.contains(inner) is wanted
