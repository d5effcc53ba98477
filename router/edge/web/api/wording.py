"""What is wrong with a request, in words: what msgspec says, and what to write instead."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from router.edge.web.api.routes import WRITE

A_MOMENT = "2026-11-28T09:00:00Z"
"""As moments are written."""
MOST_VALUES = 20
"""So many of a closed list are told."""

_FIELD = re.compile(r"[^.\[]*")
_NO_MOMENTS = {"Invalid RFC3339": "this is no moment", "Expected `datetime`": "this moment has no zone"}
_NO_VALUE = "Invalid enum value"
_NO_PATTERN = "matching regex"


def words(why: str, place: str, read: type[msgspec.Struct]) -> str:
    """`what is wrong; what to write`, by msgspec's own text and the place (`type[0]`) in what was `read`."""
    for beginning, what in _NO_MOMENTS.items():
        if why.startswith(beginning):
            return f"{what}; write it as in {A_MOMENT}"
    field = _FIELD.match(place)
    name = field[0] if field else ""
    kinds = [one.type for one in msgspec.structs.fields(read) if one.encode_name == name]
    if why.startswith(_NO_VALUE):
        known = [value for kind in kinds for value in values(kind)]
        more = ", ..." if len(known) > MOST_VALUES else ""
        return f"there is no such value; write one of {', '.join(known[:MOST_VALUES])}{more}"
    if _NO_PATTERN in why:
        return f"this cannot stand here; write {next(to_write(kinds[0]))}"
    return why


def values(kind: Any) -> Iterator[str]:
    """Those of a closed list, wherever in a type it is."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(one.value) for one in kind)
    elif get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    else:
        for one in get_args(kind):
            yield from values(one)


def to_write(kind: Any) -> Iterator[str]:
    """What is to be written where a type has patterns. KeyError where a pattern does not say it."""
    for one in get_args(kind):
        if isinstance(one, Meta):
            if one.pattern is not None:
                yield (one.extra or {})[WRITE]
        else:
            yield from to_write(one)
