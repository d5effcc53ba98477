"""Whom a caller meets who is given to somebody else by a phone of the client's: decided by the rules of that
moment, whatever was dialled.

What was dialled is, in this order, the extension or own number of one of the client's people, whose own
treatment it is; a number of the client's, and what that gives; a number outside, if the daemon's settings let
it be dialled. Nothing else is rung. Where a treatment has nobody left who could answer, the phone that gave
the caller away is rung once, and then comes the client's last resort: a transfer ends in no mailbox unless
it was made to one.

Who is led out of a queue of Asterisk's own, by an agent or a key, has entered by a number as everybody does,
and meets what that gives to everybody, if it is the client's, and else the last resort. No phone of ours gave
them away, so none is rung for it.
"""

import re
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from router.core import openings
from router.core.arrival import (
    Arriving,
    ContactOf,
    Known,
    Loads,
    no_loads,
    nobody_knows,
    read_did,
    read_facts,
)
from router.core.call import CALLER, Call
from router.core.callerlanguage import spoken_to
from router.core.commands import FindTransfer
from router.core.decide import decide
from router.core.donotcontact import NOBODY_SPARED, Spared
from router.core.events import TransferLed
from router.core.finding import met
from router.core.numbers import PhoneNumber
from router.core.plan import (
    CALLS_SOMEBODY,
    CallPlan,
    HangUp,
    PlanNode,
    Ring,
    Target,
    leads_to_somebody,
    moved,
    ungreeted,
)
from router.core.ruleset import ClientRules, RuleSet
from router.core.steps.asteriskqueue import LED
from router.core.steps.transfer import ASKED

MOST = 3
"""Times that one caller may be given away."""

RING = 25.0
"""Seconds that those are rung who have no treatment of their own, as in one that is not written;"""
RING_BACK = 20.0
"""and who gave the caller away."""

_DIALLED = re.compile(r"\+?[0-9]{1,15}")

NOT_JOINED = "callers are not put through to one another, nor to who supervises"
NO_NUMBER = "this is no number"
TOO_OFTEN = f"the caller was given away {MOST} times before"
NOBODY = "nobody is there by the rules"


class _Met(NamedTuple):
    """What was dialled leads to."""

    plan: CallPlan = CallPlan(())
    refused: str = ""


class Ways(NamedTuple):
    """By what it is decided."""

    rules: RuleSet
    now: datetime
    turn: int = 0
    """Where rotating rounds begin."""
    loads: Loads = no_loads
    """How queues stand."""
    contact_of: ContactOf = nobody_knows
    language: str = ""
    """In which the caller is spoken to (callerlanguage.py)."""
    spared: Spared = NOBODY_SPARED
    """Numbers that nobody is to call."""


def find_transfer(call: Call, asked: FindTransfer, ways: Ways) -> TransferLed:
    """What the caller meets who is to be put through to `asked.to`."""
    client = ways.rules.clients.get(call.info.client or "")
    last = CallPlan(()) if client is None else _last_resort(client, ways)
    meet = _met_by_all if asked.leg == CALLER else _met
    found = _Met(refused=NOBODY) if client is None else meet(call, client, asked.to, ways)
    if asked.leg == CALLER:
        plan = last if found.refused else found.plan
        return TransferLed(asked.to, plan if plan.nodes else CallPlan((PlanNode(HangUp()),)), found.refused)
    back = Ring(((call.legs[asked.leg].target,),), RING_BACK)
    return TransferLed(asked.to, rung_back(found.plan, back, last), found.refused)


def rung_back(plan: CallPlan, back: Ring, last: CallPlan) -> CallPlan:
    """`plan`, but where whoever was rung has not answered and nobody else can be reached in it: then `back`,
    and then `last`."""
    here = len(plan.nodes)

    def goes_on(there: int | None) -> int | None:
        return there if leads_to_somebody(plan, there) else here

    nodes = [
        replace(node, then=goes_on(node.then), on={way: goes_on(there) for way, there in node.on.items()})
        if isinstance(node.step, CALLS_SOMEBODY)
        else node
        for node in plan.nodes
    ]
    back_node = PlanNode(back, here + 1 if last.nodes else None)
    return CallPlan((*nodes, back_node, *moved(last.nodes, here + 1)))


def _barred(call: Call, to: str) -> str:
    """Why nobody is looked for; empty where somebody is."""
    if not to:
        return NOT_JOINED
    if not _DIALLED.fullmatch(to):
        return NO_NUMBER
    return TOO_OFTEN if sum(seen.what in (ASKED, LED) for seen in call.evidence) > MOST else ""


def _met(call: Call, client: ClientRules, to: str, ways: Ways) -> _Met:
    if barred := _barred(call, to):
        return _Met(refused=barred)
    by_extension = (name for name, person in client.people.items() if person.extension == to)
    person = next(by_extension, None)
    if person is not None:
        return _Met(_of_person(client, person, ways))
    number = read_did(to, ways.rules)
    if number is None:
        return _outside(client, to, ways)
    owner = ways.rules.numbers.find(number)
    if owner is None or owner.client != client.id:
        return _Met(refused=NOBODY)  # Another client's: it would be a call of its own to them.
    if owner.person is not None:
        return _Met(_of_person(client, owner.person, ways))
    return _of_number(call, client, to, ways)


def _met_by_all(call: Call, client: ClientRules, to: str, ways: Ways) -> _Met:
    """What everybody meets who dials that number of the client's."""
    number = read_did(to, ways.rules)
    owner = ways.rules.numbers.find(number) if number else None
    if barred := _barred(call, to):
        return _Met(refused=barred)
    if owner is None or owner.client != client.id:
        return _Met(refused=NOBODY)
    return _of_number(call, client, to, ways)


def _of_number(call: Call, client: ClientRules, to: str, ways: Ways) -> _Met:
    def remembered(client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
        return Known(contact=ways.contact_of(client.id, number.e164))

    arriving = Arriving(to, call.info.caller)
    facts = read_facts(arriving, ways.rules, ways.now, ways.turn, remembered, ways.loads)
    plan = decide(ways.rules, facts).plan
    if plan.no_route or plan.blocked_by:
        return _Met(refused=NOBODY)
    plan = spoken_to(plan, ways.language)
    return _Met(ungreeted(openings.told(plan, client.hours, ways.now)))


def _of_person(client: ClientRules, name: str, ways: Ways) -> CallPlan:
    """The person's own treatment; of one who has none laid out, what stands for it."""
    person = client.people[name]
    treatment = person.treatment or person.by_transfer
    if treatment is not None:
        return met(treatment, client, ways.now, ways.turn, ways.language)
    away = person.hours is not None and not client.hours[person.hours].is_open(ways.now)
    return _ringing(client, () if away else person.phones)


def _ringing(client: ClientRules, targets: tuple[Target, ...]) -> CallPlan:
    return CallPlan((PlanNode(Ring((targets,) if targets else (), RING, confirm=client.take)),))


def _outside(client: ClientRules, to: str, ways: Ways) -> _Met:
    with suppress(ValueError):
        number = PhoneNumber.parse(to, client.country)
        refusal = ways.rules.dialling.refusal(number, client.country)
        if refusal is not None:
            return _Met(refused=refusal)
        return _Met(_ringing(client, (ways.rules.dialling.outside(number, number.e164),)))
    return _Met(refused=NOBODY)


def _last_resort(client: ClientRules, ways: Ways) -> CallPlan:
    return met(client.no_route, client, ways.now, ways.turn, ways.language)
