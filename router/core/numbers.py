"""Telephone numbers: one number, who calls, patterns of numbers, and an index of patterns.

A number is E.164 text (ITU-T E.164: `+`, at most 15 digits) once read, and trusted afterwards. Text with `+`
is taken digit by digit as written, so a number and a pattern that look alike always match; text without is
read as it would be dialled in `country` (trunk prefixes, `00`). Both go by the numbering plans of
numberplans.py, which makes 100,000 numbers cheap to load.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Generic, TypeVar

import msgspec
import phonenumbers

from router.core.alike import Alike, first_of
from router.core.numberplans import COUNTRIES_OF, code_of, costs_extra, country_of, plan_of, read_dialled

T = TypeVar("T")

MAX_DIGITS = 15
"""The most digits of a number, calling code included (E.164, 6.1);"""
MAX_CODE_DIGITS = 3
"""and of the calling code itself (6.2.1)."""
MAX_CALLER_TEXT = 80
"""What is kept of a number or name as the network sent it, in characters."""

FEW = 8
"""Patterns that begin alike are compared one by one if there are no more."""

LONGEST_INTERNAL = 6
"""Characters of an internal number, which names nobody outside; what is longer is masked."""
_SHOWN = ((11, 6, 2), (8, 3, 2), (1, 1, 0))
"""Characters a text has at least, and how many of its first and last are shown when it is masked."""

_IGNORED = str.maketrans("", "", " \t\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013().")
_NATIONAL_ZERO = re.compile(r"^(\s*\+[0-9]{1,3}\s*)\(0\)")
_PLAIN = re.compile(r"\+?[0-9]+")
_PATTERN = re.compile(r"\+?[0-9]*[0-9x]*\*?")
PATTERN_AS_WRITTEN = re.compile("[+0-9xX*{}]+".format("".join(map(chr, _IGNORED)).replace("-", r"\-")))
"""What a number or a pattern consists of before it is read; more may look like it."""
_SHOWN_DIGITS = re.compile(r"\+?[0-9*#]+")
_CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]")

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries whose numbers can be read."""


def _plain(text: str) -> str:
    """`text` without what only makes it easier to read; `+44 (0)20` means `+4420`."""
    if _PLAIN.fullmatch(text):
        return text
    if "(0)" in text:
        text = _NATIONAL_ZERO.sub(r"\1", text)
    return text.translate(_IGNORED)


def calling_codes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every calling code there is, with how many digits numbers can have after it."""
    for code, countries in COUNTRIES_OF.items():
        yield code, plan_of(code, countries[0]).lengths


def shared_codes() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The calling codes that several countries have, with those countries (ISO 3166 codes)."""
    yield from ((code, countries) for code, countries in COUNTRIES_OF.items() if len(countries) > 1)


@cache
def example_numbers(country: str) -> tuple["PhoneNumber", ...]:
    """Numbers as they are in `country` (ISO 3166 code), at most one of each kind. What is only dialled within
    it, such as Canada's 310 1234, is none."""
    kinds = [
        phonenumbers.example_number_for_type(country, kind)
        for kind in sorted(phonenumbers.supported_types_for_region(country))
    ]
    texts = (phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in kinds if one)
    found: list[PhoneNumber] = []
    for text in dict.fromkeys(texts):
        with suppress(ValueError):
            found.append(PhoneNumber.parse(text))
    return tuple(found)


@cache
def _lengths(first: str) -> tuple[str, tuple[int, ...]]:
    """The calling code of numbers that begin so (MAX_CODE_DIGITS digits), and how many more they can have."""
    code = code_of(first)
    return code, plan_of(code, COUNTRIES_OF[code][0]).lengths


def _check_length(e164: str) -> None:
    try:
        code, lengths = _lengths(e164[1 : MAX_CODE_DIGITS + 1])
    except ValueError:
        what = f"`{e164}` does not begin with a calling code; write it as in +4722334455"
        raise ValueError(what) from None
    digits = len(e164) - 1 - len(code)
    if digits not in lengths:
        possible = " or ".join(map(str, lengths))
        raise ValueError(f"`{e164}` has {digits} digits after +{code}; numbers there have {possible}")


def _e164(plain: str, country: str | None, text: str) -> str:
    """The number that `text` stands for, which is `plain` without what only makes it easier to read."""
    e164 = plain if plain.startswith("+") else _read_national(plain, country, text)
    _check_length(e164)
    return e164


def _read_national(digits: str, country: str | None, text: str) -> str:
    if country is None:
        raise NoCallingCodeError(f"`{text}` has no calling code; write it with +")
    try:
        return read_dialled(digits, country)
    except ValueError:
        raise ValueError(f"`{text}` is not a number in {country}; write it as in +4722334455") from None


def masked(number: str) -> str:
    """For logs and traces: `+4790000001` -> `+47900***01`, and less of shorter ones.

    At least three characters are hidden, and of an extension all but the first.
    """
    for least, first, last in _SHOWN:
        if len(number) >= least:
            return f"{number[:first]}***{number[len(number) - last :]}"
    return ""


class NoCallingCodeError(ValueError):
    """A number is written without +, and nobody knows in which country it is to be read."""


class PhoneNumber(msgspec.Struct, frozen=True, order=True):
    """One number of the public telephone network, in E.164. Build it with `parse`."""

    e164: str

    @classmethod
    def parse(cls, text: str, country: str | None = None) -> "PhoneNumber":
        """Read `text`, nationally in `country` (ISO 3166 code) unless it has `+`.

        ValueError says what is wrong: not a number, an unknown calling code, or a length that cannot be.
        """
        plain = _plain(text)
        if not _PLAIN.fullmatch(plain):
            raise ValueError(f"`{text}` is not a phone number; write it as in +4722334455")
        return cls(_e164(plain, country, text))

    @property
    def country(self) -> str:
        """ISO 3166 code of the country; where that is not known, the main country of the calling code."""
        return country_of(self.e164)

    @property
    def is_premium(self) -> bool:
        """True for premium-rate, shared-cost, personal and pagers' numbers, as phonenumbers knows them."""
        return costs_extra(self.e164)

    def said_in(self, country: str | None) -> str:
        """Its digits as people in `country` say them: only those abroad with `+` and the calling code."""
        if self.country != country:
            return self.e164
        written = phonenumbers.format_number(
            phonenumbers.parse(self.e164), phonenumbers.PhoneNumberFormat.NATIONAL
        )
        return "".join(filter(str.isdigit, written))

    def __str__(self) -> str:
        return self.e164


class CallerId(msgspec.Struct, frozen=True):
    """Who calls, as far as the network tells. Build it with `read`."""

    number: PhoneNumber | None
    raw: str
    """The number as sent, without control characters, at most `MAX_CALLER_TEXT` characters."""
    name: str = ""

    @classmethod
    def read(cls, raw: str, name: str, country: str | None) -> "CallerId":
        """Never raises: what cannot be read as a number has `number=None`."""
        raw, name = (_CONTROL.sub("", text).strip()[:MAX_CALLER_TEXT] for text in (raw, name))
        for text in (raw, f"+{raw}"):  # some trunks send E.164 without its plus
            with suppress(ValueError):
                return cls(PhoneNumber.parse(text, country), raw, name)
        return cls(None, raw, name)

    @property
    def anonymous(self) -> bool:
        """True where no digits came: withheld, unavailable, or junk. A short internal number is not
        anonymous.
        """
        return self.number is None and not _SHOWN_DIGITS.fullmatch(self.raw)

    def said_in(self, country: str) -> str:
        """Its digits as people in `country` say them; empty of who withholds it."""
        if self.number is not None:
            return self.number.said_in(country)
        return "" if self.anonymous else "".join(filter(str.isdigit, self.raw))

    @property
    def masked(self) -> str:
        """For traces: the masked number, a short internal number as it is, or `anonymous`."""
        if self.anonymous:
            return "anonymous"
        text = str(self.number or self.raw)
        return text if len(text) <= LONGEST_INTERNAL else masked(text)


class NumberPattern(msgspec.Struct, frozen=True, gc=False):
    """Numbers as rules name them: `+47 22 33 44 6x` (x is one digit), `+4722*` (* is any rest, also none)."""

    text: str
    """As E.164, `+472233446x`."""
    literal: str
    """What every matching number begins with, `+472233446`."""

    @classmethod
    def parse(cls, text: str, country: str | None = None) -> "NumberPattern":
        """Read `text`; without `+` it is national in `country`. ValueError says what is wrong.

        With wildcards nothing can be looked up, so `country`'s calling code is put in front, and its trunk
        prefix (such as 0 in Great Britain) is taken away.
        """
        plain = _plain(text)
        if _PLAIN.fullmatch(plain):
            e164 = _e164(plain, country, text)
            return cls(e164, e164)
        plain = plain.replace("X", "x")
        if not _PATTERN.fullmatch(plain) or plain in ("", "*"):
            instead = "write +4722334455, +472233446x (x is one digit) or +4722*"
            raise ValueError(f"`{text}` is not a number or a pattern; {instead}")
        if not plain.startswith("+"):
            plain = _with_calling_code(plain, country, text)
        if not plain.endswith("*"):
            _check_length(plain)
        elif len(plain) > MAX_DIGITS + 2:
            raise ValueError(f"`{text}` has more than {MAX_DIGITS} digits; no number is that long")
        return cls(plain, re.split("[x*]", plain, maxsplit=1)[0])

    @property
    def is_one_number(self) -> bool:
        return self.text == self.literal

    @property
    def rank(self) -> tuple[int, int, bool]:
        """Sorts the most specific first: more literal digits, then fewer wildcards, then without `*`."""
        return (-len(self.literal), self.text.count("x"), self.text.endswith("*"))

    def matches(self, number: PhoneNumber) -> bool:
        e164, literal = number.e164, self.literal
        if not e164.startswith(literal):
            return False
        wild = self.text[len(literal) :]
        body = wild.removesuffix("*")
        surplus = len(e164) - len(literal) - len(body)
        if surplus < 0 or (surplus and body == wild):
            return False
        if not body.strip("x"):
            return True
        return all(wanted in ("x", digit) for wanted, digit in zip(body, e164[len(literal) :], strict=False))

    def examples(self) -> Iterator[PhoneNumber]:
        """Numbers that it matches: one, or up to ten where it has wildcards."""
        for digit in "0123456789" if not self.is_one_number else "0":
            body = self.text.rstrip("*").replace("x", digit)
            longest = MAX_DIGITS + 1 if self.text.endswith("*") else len(body)
            for length in range(longest, len(body) - 1, -1):
                with suppress(ValueError):
                    yield PhoneNumber.parse(body.ljust(length, digit))
                    break

    def contains(self, other: "NumberPattern") -> bool:
        """True if every number that `other` matches is matched by this one as well."""
        body, within = self.text.rstrip("*"), other.text.rstrip("*")
        surplus = len(within) - len(body)
        if surplus < 0 or (body == self.text and (surplus or within != other.text)):
            return False
        return all(wanted in ("x", digit) for wanted, digit in zip(body, within, strict=False))

    def overlaps(self, other: "NumberPattern") -> bool:
        """True if some number matches both."""
        short, long = sorted((self.text, other.text), key=lambda text: len(text.rstrip("*")))
        body, rest = short.rstrip("*"), long.rstrip("*")
        if len(body) < len(rest) and not short.endswith("*"):
            return False
        return all(a == b or "x" in (a, b) for a, b in zip(body, rest, strict=False))


def _with_calling_code(plain: str, country: str | None, text: str) -> str:
    if country is None:
        raise NoCallingCodeError(f"`{text}` has no calling code; write it with +")
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    trunk_prefix = (metadata.national_prefix if metadata else None) or ""
    return f"+{phonenumbers.country_code_for_region(country)}{plain.removeprefix(trunk_prefix)}"


class NumberIndex(Generic[T]):
    """Pattern -> value. A look-up costs a probe for each length of literal part in use (at most 16), not each
    pattern.

    Only patterns with the same literal part are compared one by one, and many of them all at once. The most
    specific pattern wins; of equal patterns the first given.
    """

    __slots__ = ("_alike", "_exact", "_lengths", "_size", "_wild")

    def __init__(self, rows: Iterable[tuple[NumberPattern, T]]) -> None:
        self._exact: dict[str, T] = {}
        by_text: dict[str, tuple[NumberPattern, T]] = {}
        for pattern, value in rows:
            if pattern.text == pattern.literal:
                self._exact.setdefault(pattern.text, value)
            else:
                by_text.setdefault(pattern.text, (pattern, value))
        self._wild: dict[str, list[tuple[NumberPattern, T]]] = {}
        self._alike: dict[str, Alike] = {}
        self._lengths: tuple[int, ...] = ()
        self._size = len(self._exact) + len(by_text)
        if by_text:
            self._begin_alike(by_text)

    def _begin_alike(self, by_text: Mapping[str, tuple[NumberPattern, T]]) -> None:
        """Put the patterns that have wildcards in order."""
        for row in sorted(by_text.values(), key=lambda row: row[0].rank):
            self._wild.setdefault(row[0].literal, []).append(row)
        self._alike = {
            literal: Alike([pattern.text for pattern, _ in rows])
            for literal, rows in self._wild.items()
            if len(rows) > FEW
        }
        self._lengths = tuple(sorted({len(literal) for literal in self._wild}, reverse=True))

    def __len__(self) -> int:
        return self._size

    def rows(self) -> Iterator[tuple[NumberPattern, T]]:
        """Every pattern once, with its value: single numbers as they were given, then the others."""
        yield from ((NumberPattern(text, text), value) for text, value in self._exact.items())
        yield from (row for rows in self._wild.values() for row in rows)

    def find(self, number: PhoneNumber) -> T | None:
        """The value of the most specific pattern that `number` matches."""
        e164 = number.e164
        if e164 in self._exact:
            return self._exact[e164]
        for length in self._lengths:
            rows = self._wild.get(e164[:length])
            if rows is None:
                continue
            if len(rows) > FEW:
                matching = self._alike[e164[:length]].overlapping(e164)
                if matching:
                    return rows[first_of(matching)][1]
                continue
            for pattern, value in rows:
                if pattern.matches(number):
                    return value
        return None
