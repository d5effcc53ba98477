"""Where the rules may dial out: the daemon's settings that bound what any rule can cost."""

import re
from functools import lru_cache

import msgspec

from router.core.numbers import NumberIndex, NumberPattern, PhoneNumber
from router.core.plan import Target

_TRUNK = re.compile(r"PJSIP/(?:[A-Za-z0-9_.-]{1,64}/sip:)?\{number\}@[A-Za-z0-9_.:-]{1,128}")


class Dialling(msgspec.Struct, frozen=True):
    """How outside numbers are dialled, and which. A wrong setting is a ValueError that says what to write."""

    trunk: str = ""
    """A template of Asterisk's dial string, `PJSIP/{number}@trunk`; empty: nothing outside can be dialled."""
    allow: tuple[str, ...] = ()
    """Patterns with `+` of the numbers that may be dialled; empty: those of the client's own country.

    A premium number (`PhoneNumber.is_premium`) may be dialled only where it is listed digit by digit.
    """

    def __post_init__(self) -> None:
        if self.trunk and not _TRUNK.fullmatch(self.trunk):
            instead = "write it as in PJSIP/{number}@trunk"
            raise ValueError(f"trunk `{self.trunk}` is not a dial string; {instead}")
        _patterns(self.allow)

    def refusal(self, number: PhoneNumber, country: str | None) -> str | None:
        """Why `number` may not be dialled for a client of `country`: as `what; what to write`."""
        if not self.trunk:
            return f"`{number}` needs a trunk; set one in the daemon's settings, or ring an endpoint"
        pattern = _patterns(self.allow).find(number)
        if number.is_premium and (pattern is None or not pattern.is_one_number):
            return f"`{number}` is a premium-rate number; allow it in full in the daemon's settings"
        if pattern is None and (self.allow or number.country != country):
            allowed = ", ".join(self.allow) or (f"numbers in {country}" if country else "of no country yet")
            what = f"`{number}` is not among the allowed destinations ({allowed})"
            return f"{what}; allow it in the daemon's settings"
        return None

    def outside(self, number: PhoneNumber, name: str) -> Target:
        """The target that dials `number` through the trunk."""
        return Target(name, self.trunk.replace("{number}", number.e164), outside=True, number=number.e164)


@lru_cache(maxsize=8)
def _patterns(allow: tuple[str, ...]) -> NumberIndex[NumberPattern]:
    return NumberIndex((pattern, pattern) for pattern in map(NumberPattern.parse, allow))
