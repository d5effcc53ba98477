"""Which numbers are which country's, where several countries share a calling code (+1, +44, +47 ...).

phonenumbers tells a number's country by regular expressions: the digits that some countries' numbers begin
with, and how numbers of each kind look in the others, with and without the prefix that is dialled at home.
Here all those of one calling code are read side by side, digit by digit. Two beginnings that are equally long
and have the same left to be matched are one `State`: whatever follows, the numbers are of the same country.
Which it is, phonenumbers itself says of one of them, so nothing of how it decides is repeated here.

An expression is a row of items, of which the first is taken away when its digit comes: what is left to be
matched are rows again (partial derivatives: Antimirov, 1996).
"""

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import phonenumbers

_Row = tuple[Any, ...]
"""Items: a set of digits; alternatives, which are rows; REST; or the name of what is matched then."""

_REST = "*"
"""Whatever follows."""
_HOME = "home"
"""The name of the prefix that is dialled at home."""
_ANY = frozenset("0123456789")
_KINDS = (
    "general_desc",
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


class State(msgspec.Struct, frozen=True):
    """What some digits after a calling code may still become."""

    digits: int
    """How many they are."""
    rows: frozenset[_Row]
    home: tuple[int, ...] = ()
    """After how many of them the prefix that is dialled at home was complete."""

    @property
    def settled(self) -> bool:
        """True if no further digit changes the country."""
        return not self.home and all(row[1:] == (_REST,) for row in self.rows)


@cache
def start(code: str) -> State:
    """Before the first digit after a calling code."""
    main = _metadata(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)][0])
    prefix = main.national_prefix_for_parsing
    return State(0, frozenset([*_rows(code, ""), *([(*_read(prefix), _HOME)] if prefix else [])]))


@cache
def after(code: str, state: State, digit: str) -> State:
    """One digit later."""
    rows = frozenset(chain.from_iterable(_left(row, digit) for row in state.rows))
    digits = state.digits + 1
    if (_HOME,) in rows:
        return State(digits, rows.union(_rows(code, _HOME)), (*state.home, digits))
    return State(digits, rows, state.home)


@cache
def _rows(code: str, before: str) -> tuple[_Row, ...]:
    """All that numbers are held against; `before` tells those behind a prefix from the others."""
    found: list[_Row] = []
    for country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]:
        metadata = _metadata(country)
        if metadata.leading_digits is not None:
            found.append((*_read(metadata.leading_digits), f"{before} {country}", _REST))
            continue
        for kind in _KINDS:
            looks = getattr(metadata, kind)
            if looks is not None and looks.national_number_pattern:
                found.append((*_read(looks.national_number_pattern), f"{before} {country} {kind}"))
    return tuple(found)


def _metadata(country: str) -> phonenumbers.PhoneMetadata:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    assert metadata is not None
    return metadata


def _left(row: _Row, digit: str) -> Iterator[_Row]:
    """What is left of a row when that digit has come."""
    first, rest = row[0], row[1:]
    if isinstance(first, tuple):
        for alternative in first:
            yield from _left((*alternative, *rest), digit)
    elif isinstance(first, frozenset):
        if digit in first:
            yield rest
    elif rest:
        yield row  # The digits that a country's numbers begin with were there.


@cache
def _read(text: str) -> _Row:
    row, end = _alternatives(text, 0)
    assert end == len(text), f"phonenumbers' metadata has `{text}`, which is not understood"
    return (row,)


def _alternatives(text: str, at: int) -> tuple[tuple[_Row, ...], int]:
    """From `at` on, as far as they go, and where that is."""
    rows: list[_Row] = [()]
    while at < len(text) and text[at] != ")":
        if text[at] == "|":
            rows.append(())
            at += 1
            continue
        item, at = _item(text, at)
        least, most, at = _times(text, at)
        optional: _Row = ()
        for _ in range(most - least):
            optional = (((), (item, *optional)),)
        rows[-1] = (*rows[-1], *[item] * least, *optional)
    return tuple(rows), at


def _item(text: str, at: int) -> tuple[Any, int]:
    if text[at] == "(":
        inside, end = _alternatives(text, at + (3 if text.startswith("(?:", at) else 1))
        return inside, end + 1
    if text[at] == "[":
        end = text.index("]", at)
        return frozenset(_digits(text[at + 1 : end])), end + 1
    if text.startswith("\\d", at):
        return _ANY, at + 2
    return frozenset(text[at]), at + 1


def _digits(text: str) -> Iterator[str]:
    """Of what stands in brackets, as in `[02-689]`."""
    at = 0
    while at < len(text):
        last = at + 2 if text[at + 1 : at + 2] == "-" else at
        yield from map(str, range(int(text[at]), int(text[last]) + 1))
        at = last + 1


def _times(text: str, at: int) -> tuple[int, int, int]:
    """How often the item before comes, at least and at most, and where that ends."""
    if text.startswith("?", at):
        return 0, 1, at + 1
    if text.startswith("{", at):
        end = text.index("}", at)
        least, _, most = text[at + 1 : end].partition(",")
        return int(least), int(most or least), end + 1
    return 1, 1, at
