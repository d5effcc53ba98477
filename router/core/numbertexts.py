"""Numbers, and lists of them, in the rules: who calls, and what may be rung (reading.py)."""

import re
from typing import Literal

from pydantic import ValidationInfo

from router.core.numbers import PATTERN_AS_WRITTEN, NumberPattern, PhoneNumber
from router.core.plan import Target
from router.core.reading import ID, SELF, PersonRef, known, reading_of, text_of
from router.core.regexes import Regex
from router.core.remarks import UnknownNameError

_ENDPOINT = re.compile(r"PJSIP/[A-Za-z0-9_.-]{1,64}")
_LOOKS_LIKE_NUMBER = re.compile(r"[+0-9(][0-9 ()./-]*")

Contacts = Literal["contacts"]
CONTACTS: Contacts = "contacts"
"""In a client's list of callers: everybody whom it knows."""


def read_pattern(value: object, info: ValidationInfo) -> NumberPattern:
    """Number pattern: a number as people write it, national or with `+`;
    `x` is any digit, a trailing `*` any rest."""
    return NumberPattern.parse(text_of(value), reading_of(info).country)


def read_listed(value: object, info: ValidationInfo) -> NumberPattern | Contacts:
    """Listed caller: a number pattern, or `contacts` for everybody whom the client knows."""
    return CONTACTS if value == CONTACTS else read_pattern(value, info)


def read_regex(value: object) -> Regex:
    r"""Regular expression of numbers: RE2, found anywhere in the caller's number as E.164 unless `^` and `$`
    say otherwise, as in '^\+4781[0-9]{6}$'; in single quotes."""
    return Regex.parse("regex", text_of(value))


def read_display(value: object) -> Regex:
    """Regular expression of names: RE2, found anywhere in the name that the caller's side shows; `(?i)` at
    its beginning takes capitals and small letters for the same."""
    return Regex.parse("display", text_of(value))


def read_list_file(value: object, info: ValidationInfo) -> str:
    """List file: a table with numbers beside the rules, named from their folder, as in `lists/ads.csv`."""
    return reading_of(info).files.find(text_of(value))


def admit_list(name: str, min_votes: int, info: ValidationInfo) -> None:
    """ValueError where a list is read in too many ways."""
    reading_of(info).files.admit(name, min_votes)


def read_list_name(value: object, info: ValidationInfo) -> str:
    """Name of a list: one of the `lists` in shared.yaml."""
    text, lists = text_of(value), reading_of(info).lists
    if text not in lists:
        otherwise = "add it to shared.yaml under `lists:`"
        raise UnknownNameError.among(f"no list is called `{text}`", text, lists, otherwise)
    return text


def read_outside_number(value: object, info: ValidationInfo) -> Target:
    """Outside number: national or with `+`, and among the destinations that the settings allow."""
    text, reading = text_of(value), reading_of(info)
    number = PhoneNumber.parse(text, reading.country)
    refusal = reading.dialling.refusal(number, reading.country)
    # A client without its country is refused for that.
    if refusal is not None and (reading.country or reading.shared or not reading.dialling.trunk):
        raise ValueError(refusal)
    return reading.dialling.outside(number, number.e164)


def read_phone(value: object, info: ValidationInfo) -> Target:
    """Phone: `PJSIP/ENDPOINT` or an outside number."""
    text = text_of(value)
    if _ENDPOINT.fullmatch(text):
        return Target(text, text)
    if _LOOKS_LIKE_NUMBER.fullmatch(text):
        return read_outside_number(text, info)
    raise ValueError(f"`{text[:80]}` cannot be rung; write PJSIP/ENDPOINT or a number such as +4722334455")


def read_ring_target(value: object, info: ValidationInfo) -> Target | PersonRef:
    """Who to ring: a person's id, `PJSIP/ENDPOINT` or an outside number; `self` in a person's own `do`."""
    text = text_of(value)
    if text == SELF:
        return PersonRef(SELF)
    if ID.fullmatch(text):
        shared = "name here only what is no client's own, such as PJSIP/100"
        return PersonRef(known(text, reading_of(info).people, "people", "nobody here is", info, shared))
    return read_phone(text, info)


LOOKS = {
    read_pattern: PATTERN_AS_WRITTEN,
    read_listed: re.compile(f"{PATTERN_AS_WRITTEN.pattern}|{CONTACTS}"),
    read_outside_number: PATTERN_AS_WRITTEN,
    read_phone: re.compile(f"{_ENDPOINT.pattern}|{_LOOKS_LIKE_NUMBER.pattern}"),
    read_ring_target: re.compile(f"{ID.pattern}|{_ENDPOINT.pattern}|{_LOOKS_LIKE_NUMBER.pattern}"),
}
"""As in reading.py, for the readers here."""
