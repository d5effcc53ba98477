"""What is said about rules: errors, which refuse them, and warnings, which do not. Each has its place in the
text.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

import msgspec

MOST_COMPARED = 500
"""Names: comparing takes time, and a document may have thousands of people and as many mistakes."""


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


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean X?` where something known is close to `name`; else `otherwise`.

    Of more than MOST_COMPARED names only those that begin as `name` does are looked at, and not more.
    """
    names = list(known)
    if len(names) > MOST_COMPARED:
        names = [one for one in names if one[:1] == name[:1]][:MOST_COMPARED]
    close = get_close_matches(name[:60], names, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else otherwise
