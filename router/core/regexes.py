"""Regular expressions of callers: RE2's, whose time grows with the text that is matched, never faster.

A caller is matched once, when the call arrives (arrival.py): which expressions match is a fact from then on,
and all else is to look for them in lists. However many there are, RE2 looks for all of one list at once.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Literal

import msgspec
import re2

from router.core.numbers import MAX_DIGITS, CallerId, PhoneNumber

MOST_CHARACTERS = 200
"""A regular expression may not be longer."""
MOST_MEMORY = 256 * 1024
"""Bytes that RE2 may need for one."""
MOST_TOGETHER = 400_000
"""Instructions of RE2 for all that are written in one file's lists; `^\\+4781[0-9]{6}$` has 10."""

_LEAST_MEMORY = 256 * 1024
_MEMORY_OF_ONE = 512
"""Bytes for a set of them: at least, and for each instruction. RE2 keeps what it has found out of the texts
that it met, and begins anew when that is full; less than 20 states of all instructions would not do."""

_INSTEAD = (
    ("invalid perl operator: (?", "RE2 cannot look ahead or behind; write it without `(?=`, `(?!` or `(?<`"),
    ("invalid escape sequence: \\", "RE2 knows no back-references, nor this escape; write it out"),
    ("no argument for repetition operator: +", "for a plus sign write \\+, in single quotes"),
    ("pattern too large", "write a shorter one, or fewer repetitions"),
    ("", "see https://github.com/google/re2/wiki/Syntax"),
)
"""The beginning of what RE2 says, and what helps."""

_WITHOUT_PLUS = re.compile(r"\^[+0-9]")
"""How an expression begins that matches no number in E.164."""
_NO_LETTERS = re.compile(r"\(\?\w+\)|\\.|\W")
"""In an expression, what is no part of a word that it looks for: flags, escapes and operators."""


class Regex(msgspec.Struct, frozen=True, order=True):
    """One regular expression. Build it with `parse`."""

    of: Literal["regex", "display"]
    """What it is matched against: the caller's number in E.164, or the name shown with it."""
    text: str
    size: int
    """In instructions of RE2."""

    @classmethod
    def parse(cls, of: Literal["regex", "display"], text: str) -> "Regex":
        """ValueError says what is wrong."""
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"this is longer than {MOST_CHARACTERS} characters; write several entries")
        try:
            compiled = re2.compile(text, _options(MOST_MEMORY))
        except re2.error as error:
            said = error.args[0].decode("utf-8", "replace")
            instead = next(instead for beginning, instead in _INSTEAD if said.startswith(beginning))
            raise ValueError(f"`{text}` is not a regular expression of RE2 ({said}); {instead}") from None
        if compiled.search("") is not None:
            raise ValueError(f"`{text}` matches a text of no length; write what must be there")
        if of == "regex" and _WITHOUT_PLUS.match(text):
            raise ValueError(f"`{text}` matches no number, since all begin with `+`; write ^\\+47 and so on")
        return cls(of, text, compiled.programsize)

    def __str__(self) -> str:
        """As in traces: `regex ^\\+4781[0-9]{6}$`."""
        return f"{self.of} {self.text}"

    def example(self) -> str | None:
        """A number (E.164) or a name that it matches, where one is easily found."""
        compiled = re2.compile(self.text, _options(MOST_MEMORY))
        least = ""
        with suppress(re2.error):
            least = compiled.possiblematchrange(MAX_DIGITS + 1)[0].decode("utf-8", "ignore")
        maybe = _names(least, self.text) if self.of == "display" else _numbers(least)
        return next((one for one in maybe if compiled.search(one) is not None), None)


def _names(*texts: str) -> Iterator[str]:
    """Names as they could be shown: texts as they are, and the words in them."""
    for text in texts:
        for name in (text, " ".join(_NO_LETTERS.sub(" ", text).split())):
            if CallerId.read("", name, None).name == name:
                yield name


def _numbers(beginning: str) -> Iterator[str]:
    for length in range(len(beginning), MAX_DIGITS + 2):
        with suppress(ValueError):
            yield PhoneNumber.parse(beginning.ljust(length, "0")).e164


def _options(memory: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    return options


def too_many(regexes: Iterable[Regex]) -> bool:
    """True if they are more than may be written in one file."""
    return sum(regex.size for regex in regexes) > MOST_TOGETHER


class RegexIndex:
    """Regular expressions, ready to match callers."""

    __slots__ = ("_sets", "regexes")

    def __init__(self, regexes: Iterable[Regex]) -> None:
        distinct = tuple(dict.fromkeys(regexes))
        self.regexes = frozenset(distinct)
        by_kind = [tuple(one for one in distinct if one.of == kind) for kind in ("regex", "display")]
        self._sets = tuple((rows[0].of, rows, _set(rows)) for rows in by_kind if rows)

    def matching(self, caller: CallerId) -> tuple[Regex, ...]:
        """Those that match; who shows no number or no name is matched by none of that kind."""
        found: tuple[Regex, ...] = ()
        for of, rows, compiled in self._sets:
            text = caller.name if of == "display" else caller.number and caller.number.e164
            hits = compiled.Match(text) if text else None
            if hits:
                found += tuple(rows[at] for at in sorted(hits))
        return found


def _set(regexes: tuple[Regex, ...]) -> Any:
    size = sum(regex.size for regex in regexes)
    compiled = re2.Set.SearchSet(_options(_LEAST_MEMORY + _MEMORY_OF_ONE * size))
    for regex in regexes:
        compiled.Add(regex.text)
    compiled.Compile()
    return compiled
