"""Tags that people put on calls, besides those that rules do (plan.SetTags). Rows of the database: what was
wrong is not changed but undone by a further row."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Way(StrEnum):
    """How somebody tagged a call."""

    PHONE = "phone"
    """an agent's code in the wrap-up"""
    COMMAND = "command"
    MQTT = "mqtt"


class CallTag(msgspec.Struct, frozen=True):
    """One tag of one call, set or taken off."""

    call_id: str
    tag: str
    who: str
    """A person's id, or a user of the machine."""
    way: Way
    at: datetime
    removed: bool = False


class Code(msgspec.Struct, frozen=True):
    """What an agent keys in for a tag."""

    tag: str
    label: str
    """The tag in the client's language, as it is said."""
