"""Telephone numbers cut into cells by patterns: all numbers of one cell match the same patterns.

The patterns are read side by side, digit by digit, as one automaton that is worked out only where it is met.
At each place only the digits that some pattern names lead to cells of their own; all others lead to the same
one, so that a hundred thousand patterns make about as many cells, and `x` and `*` are intersected properly.
Only numbers that can be are looked at: a calling code, and as many digits as its numbers have.

Countries cut as well. Where one calling code is one country's that is exact. Where several share one (+1,
+44, +47 ...), phonenumbers knows a number's country by its first digits and kind: there the cells are those
of the numbers that it gives as examples for each country and kind, also with a pattern's own digits at their
beginning.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from router.core.numbers import (
    NumberPattern,
    PhoneNumber,
    calling_codes,
    example_numbers,
    shared_codes,
)

_HERE = "."
"""In a node: the pattern that ends there."""
_REST = "*"
"""In a node: the pattern that any rest matches."""
_Node = dict[str, Any]
"""Digit or `x` -> node; or one of the two above -> pattern."""


class Cell(msgspec.Struct, frozen=True):
    """Numbers that all match the same patterns, and no others."""

    within: frozenset[NumberPattern]
    country: str
    """One of those that cut, whose the numbers are; empty for numbers of all others."""
    number: PhoneNumber
    """One of them."""


def cut(patterns: Iterable[NumberPattern], countries: Iterable[str] = ()) -> tuple[Cell, ...]:
    """All numbers there are, cut by `patterns` and by which of `countries` (ISO 3166 codes) they are of.

    The numbers that stand for cells look like those of the first country, where they can.
    """
    distinct, named = tuple(dict.fromkeys(patterns)), tuple(dict.fromkeys(countries))
    root = _grown(distinct)
    wild = [pattern for pattern in distinct if not pattern.is_one_number]
    found: dict[tuple[frozenset[NumberPattern], str], Cell] = {}
    numbers = (*_examples(named, wild), *_each_way(root))
    for number in numbers:
        within = _matched(root, number)
        country = number.country if named else ""
        country = country if country in named else ""
        found.setdefault((within, country), Cell(within, country, number))
    return tuple(found.values())


def _grown(patterns: Sequence[NumberPattern]) -> _Node:
    root: _Node = {}
    for pattern in patterns:
        node = root
        for digit in pattern.text[1:].rstrip("*"):
            node = node.setdefault(digit, {})
        node[_REST if pattern.text.endswith("*") else _HERE] = pattern
    return root


def _matched(root: _Node, number: PhoneNumber) -> frozenset[NumberPattern]:
    """The patterns that `number` matches."""
    state = _State.of([root], ())
    for digit in number.e164[1:]:
        state = state.after(digit)
    return frozenset(state.matched)


class _State(NamedTuple):
    """Where all patterns stand after some digits."""

    nodes: tuple[_Node, ...]
    rest: tuple[NumberPattern, ...]
    """Those that are matched whatever follows."""

    @classmethod
    def of(cls, nodes: Iterable[_Node], rest: tuple[NumberPattern, ...]) -> "_State":
        kept = tuple(nodes)
        return cls(kept, (*rest, *(node[_REST] for node in kept if _REST in node)))

    def after(self, digit: str) -> "_State":
        return _State.of((node[key] for node in self.nodes for key in (digit, "x") if key in node), self.rest)

    @property
    def named(self) -> frozenset[str]:
        """The digits, and `x`, that make a difference; empty where nothing does any more."""
        return frozenset(key for node in self.nodes for key in node) - {_HERE, _REST}

    @property
    def matched(self) -> tuple[NumberPattern, ...]:
        return (*self.rest, *(node[_HERE] for node in self.nodes if _HERE in node))


def _each_way(root: _Node) -> Iterator[PhoneNumber]:
    """A number, or more, of every cell that patterns cut."""
    for code, lengths in calling_codes():
        state = _State.of([root], ())
        for digit in code:
            state = state.after(digit)
        for digits in _onward(state, "", tuple(sorted(lengths))):
            yield PhoneNumber(f"+{code}{digits}")


def _onward(state: _State, digits: str, lengths: tuple[int, ...]) -> Iterator[str]:
    named = state.named
    if not named:
        yield digits.ljust(next(length for length in lengths if length >= len(digits)), "0")
        return
    if len(digits) in lengths:
        yield digits
    if len(digits) == lengths[-1]:
        return
    other = next((digit for digit in "0123456789" if digit not in named), None)
    for digit in sorted({*named, other or "x"} - {"x"}):
        yield from _onward(state.after(digit), digits + digit, lengths)


def _examples(countries: Sequence[str], wild: Sequence[NumberPattern]) -> Iterator[PhoneNumber]:
    """Numbers as they look in `countries`, and in those that share their calling codes."""
    for country in countries:
        yield from example_numbers(country)
    for code, sharing in shared_codes():
        if set(sharing).isdisjoint(countries):
            continue
        examples = [number for country in sharing for number in example_numbers(country)]
        yield from examples
        for pattern in wild:
            if pattern.literal.startswith(f"+{code}"):
                yield from _beginning_as(pattern, examples)


def _beginning_as(pattern: NumberPattern, examples: Iterable[PhoneNumber]) -> Iterator[PhoneNumber]:
    for example in examples:
        e164 = pattern.literal + example.e164[len(pattern.literal) :]
        if len(e164) == len(example.e164) and pattern.matches(PhoneNumber(e164)):
            yield PhoneNumber(e164)


class Numbers(msgspec.Struct, frozen=True):
    """A range of numbers: what matches all of `within` and none of `but_not`, of those countries."""

    within: tuple[str, ...] = ()
    """Patterns, the most specific first; without any, every number."""
    but_not: tuple[str, ...] = ()
    country: str = ""
    not_countries: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f" in {self.country}" if self.country else ""
        if self.not_countries:
            place = f" not in {' or '.join(self.not_countries)}"
        what = " which is also ".join(self.within) or "every number"
        return what + place + (f", but not {' or '.join(self.but_not)}" if self.but_not else "")


_Besides = dict[tuple[frozenset[NumberPattern], str], set[NumberPattern]]
"""Patterns, and a country where not all of theirs are chosen -> further patterns that lead to other cells."""


def ranges(chosen: Sequence[Cell], of: Sequence[Cell]) -> tuple[Numbers, ...]:
    """The `chosen` among the cells that are all there are, as ranges that have no other number."""
    taken = {(cell.within, cell.country) for cell in chosen}
    others = [cell for cell in of if (cell.within, cell.country) not in taken]
    named = tuple(sorted({cell.country for cell in of} - {""}))
    split = {cell.within for cell in chosen} & {cell.within for cell in others}
    """Patterns of which only some countries are chosen."""
    wider = {cell.within for cell in chosen}
    besides: _Besides = {}
    for other in others:
        for within in _narrower(other.within, wider):
            key = (within, other.country if within in split else "")
            besides.setdefault(key, set()).update(other.within - within)
    found: dict[Numbers, None] = {}
    told: set[frozenset[NumberPattern]] = set()
    """Patterns that have a range of their own; only such a range can have the numbers of more cells."""
    for cell in sorted(chosen, key=lambda cell: len(cell.within)):
        if any(_covers(within, cell, besides, split) for within in _narrower(cell.within, told)):
            continue
        told.add(cell.within)
        partly = cell.within in split
        row = Numbers(
            _narrowest(cell.within),
            _widest(besides.get((cell.within, cell.country if partly else ""), set())),
            cell.country if partly else "",
            named if partly and not cell.country else (),
        )
        found[row] = None
    return tuple(found)


def _narrower(
    within: frozenset[NumberPattern], among: set[frozenset[NumberPattern]]
) -> Iterator[frozenset[NumberPattern]]:
    """The sets `among` those given that have fewer of the patterns `within`, and no others."""
    for size in range(len(within)):
        for fewer in combinations(within, size):
            if frozenset(fewer) in among:
                yield frozenset(fewer)


def _covers(
    within: frozenset[NumberPattern],
    cell: Cell,
    besides: _Besides,
    split: set[frozenset[NumberPattern]],
) -> bool:
    """True if the range of `within` has this cell's numbers as well."""
    return within not in split and not besides.get((within, ""), set()) & cell.within


def _narrowest(patterns: frozenset[NumberPattern]) -> tuple[str, ...]:
    left = [one for one in patterns if not any(one.contains(other) and one != other for other in patterns)]
    return tuple(pattern.text for pattern in sorted(left, key=lambda pattern: (pattern.rank, pattern.text)))


def _widest(patterns: set[NumberPattern]) -> tuple[str, ...]:
    left = [one for one in patterns if not any(other.contains(one) and one != other for other in patterns)]
    return tuple(sorted(pattern.text for pattern in left))
