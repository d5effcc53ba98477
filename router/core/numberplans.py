"""Numbering plans: how a number is dialled within a country, whose it is, and whether it costs extra.

The plans are phonenumbers' metadata, and what is done with them is what its `parse`, `region_code_for_number`
and `number_type` do, for digits alone: they take any text, and so ten times as long, which lists of 100,000
national numbers and clients of 5,000 people would wait for. A property holds both to the same answers.
"""

import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

import phonenumbers

COUNTRIES_OF: dict[str, tuple[str, ...]] = {
    str(code): regions for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
}
"""Calling code -> the countries that have it (ISO 3166 codes), the main one first; `001` is none."""

_NOWHERE = "001"
_LEAST, _MOST = 2, 17
"""Digits of a national number, of any country."""
_EXTRA = {
    "premium_rate": True,
    "toll_free": False,
    "shared_cost": True,
    "voip": False,
    # Forwarded or paged at the caller's cost, mostly more than a mobile's: +4470 and +4476 in Great Britain.
    "personal_number": True,
    "pager": True,
}
"""phonenumbers' kinds of numbers, in its order: the first that fits says whether a number costs extra."""
_OTHERS = ("uan", "voicemail", "fixed_line", "mobile")


class _Kind(NamedTuple):
    """Numbers of a kind."""

    pattern: re.Pattern[str]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, description: Any) -> "_Kind | None":
        """None where a country has no such numbers."""
        if description is None or not description.national_number_pattern:
            return None
        return cls(re.compile(description.national_number_pattern), tuple(description.possible_length))

    def has(self, digits: str) -> bool:
        fits = not self.lengths or len(digits) in self.lengths
        return fits and self.pattern.fullmatch(digits) is not None


class Plan(NamedTuple):
    """How numbers are in one country."""

    code: str
    """Its calling code."""
    abroad: re.Pattern[str] | None
    """What is dialled before a calling code, such as 00."""
    trunk: re.Pattern[str] | None
    """What may be dialled before a national number, such as 0."""
    instead: str
    """What it stands for, where that is not nothing; in terms of the groups of `trunk`."""
    leading: re.Pattern[str] | None
    """How numbers begin, where that tells them from those of other countries of the calling code."""
    any: _Kind
    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]
    """Of numbers that can only be dialled nearby."""
    extra: tuple[tuple[_Kind, bool], ...]
    """_EXTRA, without what the country has not."""
    others: tuple[_Kind, ...]

    def significant(self, digits: str) -> str:
        """A national number without what is dialled before it; ValueError where it is none."""
        without = self.without_trunk(digits)
        if len(without) >= self.lengths[0] and len(without) not in self.local_lengths:
            too_long = len(without) > self.lengths[-1]
            digits = without if too_long or len(without) in self.lengths else digits
        if not _LEAST <= len(digits) <= _MOST:
            raise ValueError(f"{digits} is not a national number")
        return digits

    def without_trunk(self, digits: str) -> str:
        found = self.trunk.match(digits) if self.trunk is not None and digits else None
        if found is None:
            return digits
        assert self.trunk is not None
        if self.instead and found.groups()[-1] is not None:
            without = self.trunk.sub(self.instead, digits, count=1)
        else:
            without = digits[found.end() :]
        spoilt = self.any.pattern.fullmatch(digits) and not self.any.pattern.fullmatch(without)
        return digits if spoilt else without

    def is_known(self, digits: str) -> bool:
        """True for the numbers that the country gives out."""
        kinds = (*(kind for kind, _ in self.extra), *self.others)
        return self.any.has(digits) and any(kind.has(digits) for kind in kinds)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


@cache
def plan_of(code: str, country: str) -> Plan:
    """The plan of a country that has this calling code."""
    if country == _NOWHERE:
        metadata: Any = phonenumbers.PhoneMetadata.metadata_for_nongeo_region(int(code), None)
    else:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    numbers = _Kind.of(metadata.general_desc)
    assert numbers is not None
    extra = ((_Kind.of(getattr(metadata, kind)), costs) for kind, costs in _EXTRA.items())
    others = (_Kind.of(getattr(metadata, kind)) for kind in _OTHERS)
    return Plan(
        code,
        _compiled(metadata.international_prefix),
        _compiled(metadata.national_prefix_for_parsing),
        metadata.national_prefix_transform_rule or "",
        _compiled(metadata.leading_digits),
        numbers,
        tuple(metadata.general_desc.possible_length),
        tuple(metadata.general_desc.possible_length_local_only),
        tuple((kind, costs) for kind, costs in extra if kind is not None),
        tuple(kind for kind in others if kind is not None),
    )


@cache
def _plan_in(country: str) -> Plan:
    return plan_of(str(phonenumbers.country_code_for_region(country)), country)


def code_of(digits: str) -> str:
    """The calling code that digits begin with, at most one since none begins another; ValueError without."""
    for length in (1, 2, 3):
        if digits[:length] in COUNTRIES_OF:
            return digits[:length]
    raise ValueError(f"{digits} does not begin with a calling code")


def read_dialled(digits: str, country: str) -> str:
    """E.164 text of what is dialled in `country`; ValueError where that is no number."""
    plan = _plan_in(country)
    abroad = plan.abroad.match(digits) if plan.abroad is not None else None
    if abroad is not None and digits[abroad.end() : abroad.end() + 1] != "0":
        digits = digits[abroad.end() :]
        if len(digits) <= _LEAST:
            raise ValueError(f"{digits} is too short")
        return read_international(digits)
    if digits.startswith(plan.code):
        without = plan.without_trunk(digits[len(plan.code) :])
        fits = not plan.any.pattern.fullmatch(digits) and plan.any.pattern.fullmatch(without)
        if fits or (len(digits) > plan.lengths[-1] and len(digits) not in plan.local_lengths):
            return f"+{plan.code}{plan_of(plan.code, COUNTRIES_OF[plan.code][0]).significant(without)}"
    return f"+{plan.code}{plan.significant(digits)}"


def read_international(digits: str) -> str:
    """E.164 text of a calling code and a national number, which may have its trunk prefix; ValueError where
    that is no number."""
    code = code_of(digits)
    return f"+{code}{plan_of(code, COUNTRIES_OF[code][0]).significant(digits[len(code) :])}"


@lru_cache(maxsize=8192)
def _plan_for(e164: str) -> tuple[str, Plan, str] | None:
    """Whose number it is: the country, its plan, and the number's national digits."""
    number = read_international(e164[1:])
    code = code_of(number[1:])
    digits = number[1 + len(code) :]
    plans = ((country, plan_of(code, country)) for country in COUNTRIES_OF[code])
    if len(COUNTRIES_OF[code]) == 1:
        return next((country, plan, digits) for country, plan in plans)
    for country, plan in plans:
        if plan.leading.match(digits) if plan.leading is not None else plan.is_known(digits):
            return country, plan, digits
    return None


def country_of(e164: str) -> str:
    """ISO 3166 code; where that is not known, the main country of the calling code."""
    found = _plan_for(e164)
    return found[0] if found is not None else COUNTRIES_OF[code_of(e164[1:])][0]


@lru_cache(maxsize=8192)
def costs_extra(e164: str) -> bool:
    """True for premium-rate, shared-cost, personal and pagers' numbers."""
    found = _plan_for(e164)
    if found is None:
        return False
    _, plan, digits = found
    return plan.any.has(digits) and next((costs for kind, costs in plan.extra if kind.has(digits)), False)
