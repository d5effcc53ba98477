"""What is said about rules: errors, which refuse them, and warnings, which do not. Each has its place in the
text.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import groupby
from typing import Self

import msgspec

MOST_COMPARED = 500
"""Names: comparing takes time, and a document may have thousands of people and as many mistakes."""


MOST_TOLD = 100
"""Errors of one file that are told one by one."""


class Remark(msgspec.Struct, frozen=True, order=True):
    """One remark. Its text is `file:line:col: what is wrong; what to write instead`."""

    file: str
    """As given, such as `rules/fjord.yaml`."""
    line: int
    """From 1; 0 where the remark is on the file as a whole."""
    col: int
    """From 1; 0 where the remark is on the file as a whole."""
    what: str
    instead: str = ""

    @classmethod
    def of(cls, place: tuple[str, int, int], text: str) -> Self:
        """From one text, `what; what to write instead`."""
        what, _, instead = text.partition("; ")
        return cls(*place, what, instead)

    @property
    def mark(self) -> tuple[str, int, int]:
        """File, line and column."""
        return (self.file, self.line, self.col)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.col}" if self.line else self.file
        return f"{place}: {self.what}; {self.instead}" if self.instead else f"{place}: {self.what}"


class RuleError(Remark, frozen=True, order=True):
    """Something that keeps the rules from being used."""


class RuleWarning(Remark, frozen=True, order=True):
    """Something that is probably not meant."""


class RuleErrors(msgspec.Struct, frozen=True):
    """The outcome of rules that cannot be used: every error found, sorted by place. Never empty."""

    errors: tuple[RuleError, ...]


def told(errors: Iterable[RuleError]) -> tuple[RuleError, ...]:
    """Errors as they are told: each once, sorted by place, and of each file the first MOST_TOLD and how many
    more there are."""
    shown: list[RuleError] = []
    for _, of_file in groupby(sorted(set(errors)), key=lambda error: error.file):
        first, *others = of_file
        shown += (first, *others[: MOST_TOLD - 1])
        left_out = others[MOST_TOLD - 1 :]
        if left_out:
            what = f"{len(left_out)} more error{'s' * (len(left_out) > 1)} from here on"
            shown.append(RuleError(*left_out[0].mark, what, "correct those before first"))
    return tuple(shown)


class UnknownNameError(ValueError):
    """A name is not known. Its text is `what is wrong; what to write`, with what can always be written: which
    known name is meant is looked for only where the error is told (`words`)."""

    def __init__(self, what: str, otherwise: str, look: Callable[[], str]) -> None:
        super().__init__(f"{what}; {otherwise}")
        self._what = what
        self._look = look

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], otherwise: str) -> Self:
        """With did_you_mean."""
        return cls(what, otherwise, lambda: did_you_mean(name, known, otherwise))

    @property
    def words(self) -> str:
        """With the known name that is nearest."""
        return f"{self._what}; {self._look()}"


def words_of(error: ValueError) -> str:
    """How an error is told."""
    return error.words if isinstance(error, UnknownNameError) else str(error)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean X?` where something known is close to `name`; else `otherwise`.

    Of more than MOST_COMPARED names only those that begin as `name` does are looked at, and not more.
    """
    names = list(known)
    if len(names) > MOST_COMPARED:
        names = [one for one in names if one[:1] == name[:1]][:MOST_COMPARED]
    close = get_close_matches(name[:60], names, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else otherwise
