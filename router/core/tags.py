"""Tags: what the rules, and people, say came of a call. Rows of the database: what was wrong is not changed
but undone by a further row.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

SHIPPED = (
    "callback", "message_left", "interested", "not_interested", "demo_booked", "appointment_made",
    "deal_closed", "follow_up_needed", "do_not_contact", "wrong_number",
)  # fmt: skip
"""Tags that every client has."""


class Way(StrEnum):
    """How a call came by a tag, or by a correction."""

    RULE = "rule"
    """a `tag` step that the call came to"""
    PHONE = "phone"
    """an agent's code in the wrap-up"""
    COMMAND = "command"
    MQTT = "mqtt"
    API = "api"


class CallTag(msgspec.Struct, frozen=True):
    """One tag of one call, set or taken off."""

    call_id: str
    tag: str
    who: str
    """A person's id, or a user of the machine; of a rule, the route's name, empty where the call has none."""
    way: Way
    at: datetime
    removed: bool = False
    place: str = ""
    """Where: a line of the rules (`fjord.yaml:31`), a phone (`PJSIP/100`), or who typed it at which machine
    (`root@pbx`)."""
    note: str = ""
    """What else there is to say, in somebody's own words."""


def standing(tags: Iterable[CallTag]) -> tuple[CallTag, ...]:
    """Those that a call has, each by the row that put it there; `tags` are all its rows, in order."""
    found: dict[str, CallTag] = {}
    for row in tags:
        if row.removed:
            found.pop(row.tag, None)
        else:
            # Who says again what is so already adds a note, but it is not by them that it is so.
            found.setdefault(row.tag, row)
    return tuple(found.values())


def is_news(tag: CallTag, there: bool) -> bool:
    """Whether what somebody says of a call is to be written: it changes something, or adds a note. `there` is
    whether the call has that tag."""
    return tag.removed is there or (not tag.removed and bool(tag.note))


class Origin(StrEnum):
    """Where a tag of a client's is from, or was changed last."""

    SHIPPED = "shipped"
    SHARED = "shared"
    OWN = "own"


class Tag(msgspec.Struct, frozen=True):
    """One tag that can be put on a client's calls."""

    id: str
    labels: Mapping[str, str] = {}
    """What people see, by language, as far as the rules say so (labels.of_tag has the rest)."""
    code: str = ""
    """What an agent keys in for it; empty where there is none."""
    hidden: bool = False
    """Not offered to people."""
    origin: Origin = Origin.SHIPPED
    place: str = ""
    """Where it is written last: `shared.yaml:26`."""


class Code(msgspec.Struct, frozen=True):
    """What an agent keys in for a tag."""

    tag: str
    label: str
    """The tag in the client's language, as it is said."""
