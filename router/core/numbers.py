"""Telephone numbers: one number, who calls, patterns of numbers, and an index of patterns.

A number is E.164 text (ITU-T E.164: `+`, at most 15 digits) once read, and trusted afterwards. Text with `+`
is taken digit by digit as written, so a number and a pattern that look alike always match; text without is
read by phonenumbers as it would be dialled in `country` (trunk prefixes, `00`). How long numbers may be comes
from phonenumbers' metadata of the calling code, kept per code, which makes 100,000 numbers cheap to load.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from typing import Generic, TypeVar

import msgspec
import phonenumbers

T = TypeVar("T")

MAX_DIGITS = 15
"""The most digits of a number, calling code included (E.164, 6.1)."""
MAX_CALLER_TEXT = 80
"""What is kept of a number or name as the network sent it, in characters."""

LONGEST_INTERNAL = 6
"""Characters of an internal number, which names nobody outside; what is longer is masked."""
_SHOWN = ((11, 6, 2), (8, 3, 2), (0, 1, 0))
"""Characters a text has at least, and how many of its first and last are shown when it is masked."""

_IGNORED = str.maketrans("", "", " \t\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013().")
_NATIONAL_ZERO = re.compile(r"^(\s*\+[0-9]{1,3}\s*)\(0\)")
_INTERNATIONAL = re.compile(r"\+[0-9]+")
_NATIONAL = re.compile(r"[0-9]+")
_PATTERN = re.compile(r"\+?[0-9]*[0-9x]*\*?")
PATTERN_AS_WRITTEN = re.compile("[+0-9xX*{}]+".format("".join(map(chr, _IGNORED)).replace("-", r"\-")))
"""What a number or a pattern consists of before it is read; more may look like it."""
_SHOWN_DIGITS = re.compile(r"\+?[0-9*#]+")
_CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]")
_CALLING_CODES = {str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}
_PREMIUM = (
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    # Forwarded or paged at the caller's cost, mostly more than a mobile's: +4470 and +4476 in Great Britain.
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
    phonenumbers.PhoneNumberType.PAGER,
)

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries whose numbers can be read."""


def _plain(text: str) -> str:
    """`text` without what only makes it easier to read; `+44 (0)20` means `+4420`."""
    if "(0)" in text:
        text = _NATIONAL_ZERO.sub(r"\1", text)
    return text.translate(_IGNORED)


def _calling_code(e164: str) -> str:
    """The calling code that `e164` begins with; codes are prefix-free, so at most one fits."""
    for length in (2, 3, 4):
        if e164[1:length] in _CALLING_CODES:
            return e164[1:length]
    raise ValueError(f"`{e164}` does not begin with a calling code; write it as in +4722334455")


@cache
def _national_lengths(code: str) -> frozenset[int]:
    region = _CALLING_CODES[code]
    if region == "001":
        metadata = phonenumbers.PhoneMetadata.metadata_for_nongeo_region(int(code), None)
    else:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    assert metadata is not None
    assert metadata.general_desc is not None
    return frozenset(metadata.general_desc.possible_length)


def calling_codes() -> Iterator[tuple[str, frozenset[int]]]:
    """Every calling code there is, with how many digits numbers can have after it."""
    for code in _CALLING_CODES:
        yield code, _national_lengths(code)


def shared_codes() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The calling codes that several countries have, with those countries (ISO 3166 codes)."""
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if len(regions) > 1:
            yield str(code), regions


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


def _check_length(e164: str) -> None:
    code = _calling_code(e164)
    digits = len(e164) - 1 - len(code)
    lengths = _national_lengths(code)
    if digits not in lengths:
        possible = " or ".join(str(length) for length in sorted(lengths))
        raise ValueError(f"`{e164}` has {digits} digits after +{code}; numbers there have {possible}")


def _read_national(digits: str, country: str | None, text: str) -> str:
    if country is None:
        raise ValueError(f"`{text}` has no calling code; write it with +")
    try:
        parsed = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        raise ValueError(f"`{text}` is not a number in {country}; write it as in +4722334455") from None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=8192)
def _country_of(e164: str) -> str:
    main = _CALLING_CODES[_calling_code(e164)]
    return phonenumbers.region_code_for_number(phonenumbers.parse(e164, None)) or main


@lru_cache(maxsize=8192)
def _is_premium(e164: str) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(e164, None)) in _PREMIUM


def masked(number: str) -> str:
    """For logs and traces: `+4790000001` -> `+47900***01`, and less of shorter ones.

    At least three characters are hidden, and of an extension all but the first.
    """
    first, last = next(shown for least, *shown in _SHOWN if len(number) >= least)
    return f"{number[:first]}***{number[len(number) - last :]}" if number else ""


class PhoneNumber(msgspec.Struct, frozen=True, order=True):
    """One number of the public telephone network, in E.164. Build it with `parse`."""

    e164: str

    @classmethod
    def parse(cls, text: str, country: str | None = None) -> "PhoneNumber":
        """Read `text`, nationally in `country` (ISO 3166 code) unless it has `+`.

        ValueError says what is wrong: not a number, an unknown calling code, or a length that cannot be.
        """
        plain = _plain(text)
        if _NATIONAL.fullmatch(plain):
            e164 = _read_national(plain, country, text)
        elif _INTERNATIONAL.fullmatch(plain):
            e164 = plain
        else:
            raise ValueError(f"`{text}` is not a phone number; write it as in +4722334455")
        _check_length(e164)
        return cls(e164)

    @property
    def country(self) -> str:
        """ISO 3166 code of the country; where that is not known, the main country of the calling code."""
        return _country_of(self.e164)

    @property
    def is_premium(self) -> bool:
        """True for premium-rate, shared-cost, personal and pagers' numbers, as phonenumbers knows them."""
        return _is_premium(self.e164)

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

    @property
    def masked(self) -> str:
        """For traces: the masked number, a short internal number as it is, or `anonymous`."""
        if self.anonymous:
            return "anonymous"
        text = str(self.number or self.raw)
        return text if len(text) <= LONGEST_INTERNAL else masked(text)


class NumberPattern(msgspec.Struct, frozen=True):
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
        if _NATIONAL.fullmatch(plain) or _INTERNATIONAL.fullmatch(plain):
            e164 = PhoneNumber.parse(text, country).e164
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
        body = self.text.rstrip("*")
        surplus = len(number.e164) - len(body)
        if surplus < 0 or (surplus and body == self.text) or not number.e164.startswith(self.literal):
            return False
        return all(wanted in ("x", digit) for wanted, digit in zip(body, number.e164, strict=False))

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
        raise ValueError(f"`{text}` has no calling code; write it with +")
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    trunk_prefix = (metadata.national_prefix if metadata else None) or ""
    return f"+{phonenumbers.country_code_for_region(country)}{plain.removeprefix(trunk_prefix)}"


class NumberIndex(Generic[T]):
    """Pattern -> value. A look-up costs a probe for each length of literal part in use (at most 16), not each
    pattern.

    Only patterns with the same literal part are compared one by one. The most specific pattern wins; of equal
    patterns the first given.
    """

    __slots__ = ("_exact", "_lengths", "_size", "_wild")

    def __init__(self, rows: Iterable[tuple[NumberPattern, T]]) -> None:
        self._exact: dict[str, T] = {}
        by_text: dict[str, tuple[NumberPattern, T]] = {}
        for pattern, value in rows:
            if pattern.text == pattern.literal:
                self._exact.setdefault(pattern.text, value)
            else:
                by_text.setdefault(pattern.text, (pattern, value))
        self._wild: dict[str, list[tuple[NumberPattern, T]]] = {}
        for row in sorted(by_text.values(), key=lambda row: row[0].rank):
            self._wild.setdefault(row[0].literal, []).append(row)
        self._size = len(self._exact) + len(by_text)
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
            for pattern, value in self._wild.get(e164[:length], ()):
                if pattern.matches(number):
                    return value
        return None


def conflicts(
    patterns: Iterable[tuple[NumberPattern, T]], may_share: Callable[[T, T], bool]
) -> list[tuple[T, T]]:
    """Pairs of values whose patterns have a number in common though they may not; at most one pair a pattern.

    Two overlapping patterns always have one literal part that begins the other's, so each pattern, short
    literal parts first, is compared only with what lies under the beginnings of its own. Cost grows with the
    number of patterns, not with its square.
    """
    found: list[tuple[T, T]] = []
    seen: dict[str, list[tuple[NumberPattern, T]]] = {}
    lengths: list[int] = []
    for pattern, value in sorted(patterns, key=lambda row: len(row[0].literal)):
        literal = pattern.literal
        if not lengths or lengths[-1] < len(literal):
            lengths.append(len(literal))
        near = [row for length in lengths if (rows := seen.get(literal[:length])) for row in rows]
        rivals = [row for row in near if row[0].overlaps(pattern)] if near else near
        clash = next((other for _, other in rivals if not may_share(other, value)), None)
        if clash is not None:
            found.append((clash, value))
        elif (pattern, value) not in rivals:
            seen.setdefault(literal, []).append((pattern, value))
    return found
