"""Facts: all that is known of one arriving call when it is decided, frozen, with `now`."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from router.core.contacts import Contact
from router.core.numbers import CallerId, PhoneNumber
from router.core.regexes import Regex
from router.core.verdict import Verdict


class QueueLoad(msgspec.Struct, frozen=True):
    """How a queue stands."""

    waiting: int = 0
    agents: int = 0
    """Who are there, talking or not."""


class Facts(msgspec.Struct, frozen=True):
    """One arriving call. The edge builds it once; nothing the decision needs is asked for later."""

    now: datetime
    """When the call arrived; always aware."""
    dialled: str
    """The number the caller dialled, as the dialplan passed it on."""
    did: PhoneNumber | None
    """The same as E.164, None where it cannot be read as a number."""
    caller: CallerId
    turn: int = 0
    """How many calls this router took before: where rounds that rotate begin."""
    calls_before: tuple[datetime, ...] = ()
    """When the same caller has called the same client lately, as far back as its rules ask; always aware."""
    verdict: Verdict | None = None
    """What holds of the caller's number by command."""
    variables: Mapping[str, str] = {}
    """What the dialplan knows of the call, such as `attestation`: A, B or C (STIR/SHAKEN, RFC 8588)."""
    matches: tuple[Regex, ...] = ()
    """The regular expressions of the client's screening that match the caller."""
    contact: Contact | None = None
    """Whom the client knows the caller as; None: a stranger."""
    queues: Mapping[str, QueueLoad] = {}
    """By name; one that is not here has nobody in it."""
