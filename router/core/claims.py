"""Numbers that two owners claim."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from router.core.alike import Alike, first_of
from router.core.numbers import FEW, NumberPattern

T = TypeVar("T")

Whose = tuple[Hashable, Hashable | None]
"""A group, and who of it; None for the group itself."""


class _Rivals(Generic[T]):
    """Patterns with one literal part, in order, and whose those are that were taken in."""

    __slots__ = ("alike", "bits", "patterns", "taken")

    def __init__(self) -> None:
        self.patterns: list[tuple[NumberPattern, T]] = []
        self.alike: Alike | None = None
        self.taken: list[tuple[NumberPattern, T, Whose]] = []
        """Where they are few."""
        self.bits: dict[Hashable, int] = {}
        """Where they are many: all, those of a group, and those of somebody of it."""

    def close(self) -> None:
        """There are no more patterns."""
        if len(self.patterns) > FEW:
            self.alike = Alike([pattern.text for pattern, _ in self.patterns])

    def take(self, number: int, whose: Whose) -> None:
        """Let the pattern of this number be one that others are compared with."""
        if self.alike is None:
            self.taken.append((*self.patterns[number], whose))
            return
        for key in (None, whose[0], whose):
            self.bits[key] = self.bits.get(key, 0) | 1 << number

    def clash(self, pattern: NumberPattern, whose: Whose) -> tuple[T] | None:
        """The value of the first pattern that has a number in common with `pattern` though it may not."""
        if self.alike is None:
            for known, value, owner in self.taken:
                if not _may_share(owner, whose) and known.overlaps(pattern):
                    return (value,)
            return None
        group, who = whose
        shared = self.bits.get(group, 0)
        if who is not None:
            shared = self.bits.get(whose, 0) | self.bits.get((group, None), 0)
        rivals = self.alike.overlapping(pattern.text, self.bits.get(None, 0) & ~shared)
        return (self.patterns[first_of(rivals)][1],) if rivals else None


def _may_share(one: Whose, other: Whose) -> bool:
    return one == other or (one[0] == other[0] and None in (one[1], other[1]))


def conflicts(
    patterns: Iterable[tuple[NumberPattern, T]], whose: Callable[[T], Whose]
) -> Iterator[tuple[T, T]]:
    """Pairs of values whose patterns have a number in common though they may not; at most one pair a pattern.
    Only the same owners may share numbers, and a group with those who are of it.

    Two overlapping patterns always have one literal part that begins the other's, so each pattern, short
    literal parts first, is compared only with what lies under the beginnings of its own. Cost grows with the
    number of patterns, not with its square.
    """
    beginnings: dict[str, _Rivals[T]] = {}
    for pattern, value in patterns:
        rivals = beginnings.get(pattern.literal)
        if rivals is None:
            rivals = beginnings[pattern.literal] = _Rivals()
        rivals.patterns.append((pattern, value))
    lengths: list[int] = []
    for literal, own in sorted(beginnings.items(), key=lambda row: len(row[0])):
        if not lengths or lengths[-1] < len(literal):
            lengths.append(len(literal))
        near = [rivals for length in lengths if (rivals := beginnings.get(literal[:length])) is not None]
        own.close()
        known: set[tuple[str, Whose]] = set()
        for number, (pattern, value) in enumerate(own.patterns):
            owner = whose(value)
            if (pattern.text, owner) in known:
                continue
            clash = next((found for rivals in near if (found := rivals.clash(pattern, owner))), None)
            if clash is not None:
                yield clash[0], value
            else:
                known.add((pattern.text, owner))
                own.take(number, owner)
