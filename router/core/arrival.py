"""From what the caller's side sent to facts: it is read once, here, and trusted nowhere before."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from router.core.contacts import Contact
from router.core.decide import Decision
from router.core.facts import Facts, QueueLoad
from router.core.numbers import MAX_CALLER_TEXT, CallerId, PhoneNumber
from router.core.record import CallInfo
from router.core.ruleset import ClientRules, RuleSet
from router.core.screening import matching
from router.core.verdict import Verdict

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""Of base32 (RFC 4648)."""
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
_MADE_AT = re.compile(r"(?:^|-)([0-9]{9,11})\.[0-9]+$")


def call_id(asterisk_id: str, asterisk_started: str, channel: str) -> str:
    """Our id of a call, 13 letters and digits (a-z, 2-7), always the same for one call key.

    The key is Asterisk's id, its startup time and the channel's id, since channel ids repeat after a restart.
    An id that Asterisk made itself tells the second in which it did (`1795828606.7`). Then the first four
    letters count these seconds, over twelve days: what is written of calls of one time lies close together in
    the database's indexes, so a commit has fewer pages to write.
    """
    key = "\n".join((asterisk_id, asterisk_started, channel)).encode()
    id = base64.b32encode(hashlib.blake2b(key, digest_size=8).digest()).decode().rstrip("=").lower()
    made = _MADE_AT.search(channel)
    if made is None:
        return id
    seconds = int(made[1])
    return _PAIRS[seconds >> 10 & 1023] + _PAIRS[seconds & 1023] + id[4:]


class Arriving(NamedTuple):
    """A call as it comes in, in the caller's side's own words."""

    dialled: str
    number: str
    """The caller's."""
    name: str = ""
    variables: Mapping[str, str] = {}
    """What else the dialplan knows of the call."""


class Known(NamedTuple):
    """What is remembered of a caller."""

    calls_before: tuple[datetime, ...] = ()
    verdict: Verdict | None = None
    contact: Contact | None = None


Remember = Callable[[ClientRules, PhoneNumber, datetime], Known]
"""What is known of who calls a client now; this call counts from then on."""


def nothing(client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
    """Of a caller who calls for the first time."""
    return Known()


ContactOf = Callable[[str, str], Contact | None]
"""Whom a client (its id) knows by a number (E.164)."""


def nobody_knows(client: str, number: str) -> None:
    """Where everybody is a stranger."""


Loads = Callable[[ClientRules], Mapping[str, QueueLoad]]
"""How a client's queues stand, by name."""


def no_loads(client: ClientRules) -> Mapping[str, QueueLoad]:
    """Where nobody waits."""
    return {}


def read_facts(
    call: Arriving,
    rules: RuleSet,
    now: datetime,
    turn: int = 0,
    remember: Remember = nothing,
    loads: Loads = no_loads,
) -> Facts:
    """What is known of an arriving call. The caller's number is read in the country of the client dialled;
    `loads` tells how its queues stand.

    The dialplan lets only numbers in as `dialled`; one that is not ours may hand over anything.
    """
    dialled = _printable(call.dialled)
    did = read_did(dialled, rules)
    owner = rules.numbers.find(did) if did else None
    client = rules.clients[owner.client] if owner else None
    caller = CallerId.read(call.number, call.name, client.country if client else None)
    variables = {name: _printable(value) for name, value in call.variables.items()}
    known = remember(client, caller.number, now) if client and caller.number else Known()
    matches = matching(client.screening, caller) if client else ()
    queues = loads(client) if client and client.queues else {}
    before, verdict, contact = known
    return Facts(now, dialled, did, caller, turn, before, verdict, variables, matches, contact, queues)


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:MAX_CALLER_TEXT]


def read_did(dialled: str, rules: RuleSet) -> PhoneNumber | None:
    """The number dialled, in whichever form the trunk sends it; None where it is no number of any client.

    Trunks send `+4722334455`, `004722334455`, `4722334455` or `22334455`: each form is tried as E.164 first,
    and then as a national number in each country that a client has.
    """
    written = "+" + dialled.removeprefix("+").removeprefix("00")
    national = ((dialled, country) for country in rules.countries)
    for text, country in chain([(written, None)], national):
        with suppress(ValueError):
            number = PhoneNumber.parse(text, country)
            if rules.numbers.find(number) is not None:
                return number
    return None


def make_info(key: tuple[str, str, str], facts: Facts, decision: Decision) -> CallInfo:
    """What records and logs know of a call from its first moment on; `key` is the call key."""
    asterisk_id, asterisk_started, channel = key
    number: PhoneNumber | None = facts.caller.number
    return CallInfo(
        id=call_id(*key),
        asterisk_id=asterisk_id,
        asterisk_started=asterisk_started,
        channel=channel,
        dialled=facts.did.e164 if facts.did else facts.dialled,
        caller=number.e164 if number else facts.caller.raw,
        client=decision.client,
        route=decision.route,
        rules_version=decision.version,
        arrived_at=facts.now,
        name=facts.contact.name if facts.contact else "",
        display=facts.caller.name,
    )
