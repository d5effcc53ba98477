"""Telephone numbers cut into cells by patterns: all numbers of one cell match the same patterns.

The patterns are read side by side, digit by digit, as one automaton that is worked out only where it is met.
At each place only the digits that some pattern names lead to cells of their own; all others lead to the same
one, so that a hundred thousand patterns make about as many cells, and `x` and `*` are intersected properly.
Only numbers that can be are looked at: a calling code, and as many digits as its numbers have.

Countries cut as well. Where a calling code is one country's, it says all; where several share one (+1, +44,
+47 ...), what makes a number one country's (regions.py) is read beside the patterns.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any, NamedTuple

import msgspec

from router.core import regions
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
    found: dict[tuple[frozenset[NumberPattern], str], Cell] = {}
    like_theirs = chain.from_iterable(map(example_numbers, named))
    for number in chain(like_theirs, _each_way(root, named)):
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


def _each_way(root: _Node, countries: Sequence[str]) -> Iterator[PhoneNumber]:
    """A number, or more, of every cell that patterns and countries cut."""
    sharing = dict(shared_codes())
    for code, lengths in calling_codes():
        state = _State.of([root], ())
        for digit in code:
            state = state.after(digit)
        possible = tuple(sorted(lengths))
        shared = not set(countries).isdisjoint(sharing.get(code, ()))
        ways = _by_country(code, state, possible) if shared else _onward(state, "", possible)
        for digits in ways:
            yield PhoneNumber(f"+{code}{digits}")


def _onward(state: _State, digits: str, lengths: tuple[int, ...]) -> Iterator[str]:
    named = state.named
    if not named:
        possible = [length for length in lengths if length >= len(digits)]
        # A pattern that ends here is not that of longer numbers.
        ends = any(_HERE in node for node in state.nodes)
        yield from (digits.ljust(length, "0") for length in possible[: 2 if ends else 1])
        return
    if len(digits) in lengths:
        yield digits
    if len(digits) == lengths[-1]:
        return
    other = next((digit for digit in "0123456789" if digit not in named), None)
    for digit in sorted({*named, other or "x"} - {"x"}):
        yield from _onward(state.after(digit), digits + digit, lengths)


def _by_country(code: str, start: _State, lengths: tuple[int, ...]) -> Iterator[str]:
    """The same where countries share a calling code. Ways that lead to the same are followed once."""
    met: set[tuple[Any, ...]] = set()
    waiting = [(start, regions.start(code), "")]
    while waiting:
        state, region, digits = waiting.pop()
        here = (*map(id, state.nodes), state.rest, region)
        if here in met:
            continue
        met.add(here)
        if region.settled:
            yield from _onward(state, digits, lengths)
            continue
        if len(digits) in lengths:
            yield digits
        if len(digits) < lengths[-1]:
            named = state.named
            ways = {
                (digit in named and digit, regions.after(code, region, digit)): digit
                for digit in "0123456789"
            }
            waiting += ((state.after(one), there, digits + one) for (_, there), one in ways.items())


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
