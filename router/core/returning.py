"""Callers who are called back: at which number, and, of those who keep a place in a queue, by which call."""

from datetime import datetime

from msgspec.structs import replace

from router.core.arrival import call_id
from router.core.call import CALLER, Call
from router.core.disposition import AGENT_LEFT
from router.core.donotcontact import NOBODY_SPARED, Spared
from router.core.events import NumberRead
from router.core.languages.catalogue import Phrase
from router.core.numbers import PhoneNumber
from router.core.phrases import phrase
from router.core.plan import CallPlan, PlanNode, Queue, Return
from router.core.record import CallInfo, CallRecord, Disposition
from router.core.ruleset import RuleSet

ROUTE = "callback"
"""The route of calls that the router makes to call somebody back."""

MOST_ATTEMPTS = 3
"""Calls to one who is to be called back: each agent who hangs up before they can answer costs one."""


def read_number(text: str, client: str | None, rules: RuleSet) -> NumberRead:
    """`text` as a number at which somebody at the client can call back; national ones are read in the
    client's country.

    None is one that costs extra, nor one of any client's own, from where the call would come back to us.
    """
    known = rules.clients.get(client) if client else None
    country = known.country if known else None
    try:
        number = PhoneNumber.parse(text, country)
    except ValueError:
        return NumberRead(text)
    if rules.numbers.find(number) is not None:
        return NumberRead(text, own=True)
    if number.is_premium:
        return NumberRead(text)
    return NumberRead(text, number.e164, number.said_in(country))


def dialled_by_us(
    read: NumberRead, client: str | None, rules: RuleSet, spared: Spared, now: datetime
) -> NumberRead:
    """The same, where it is the router that calls back: no number that it may not dial, or nobody is to."""
    known = rules.clients.get(client) if client else None
    country = known.country if known else None
    refused = read.number and rules.dialling.refusal(PhoneNumber(read.number), country)
    return NumberRead(read.text) if refused or spared.find(read.number, client, now) else read


def wants_return(call: Call, record: CallRecord) -> bool:
    """True of a call that is over, whose caller has kept a place in a queue and is to be called back; or was,
    but the agent hung up before they had a chance to answer."""
    returns = call.plan.returns
    if returns is not None:
        return record.reason == AGENT_LEFT and returns.attempt < MOST_ATTEMPTS
    wished = call.settled is not None and call.settled.disposition is Disposition.CALLBACK_REQUESTED
    return wished and call.queued_since is not None and call.callback is not None


def return_call(
    call: Call, rules: RuleSet, asterisk: tuple[str, str], now: datetime, spared: Spared = NOBODY_SPARED
) -> tuple[CallInfo, CallPlan] | str:
    """The call that the router makes for who `wants_return`, or why it cannot: as `what; what to write`.

    The channel of its caller, once there is one, has an id that names the call after which it is made, so
    there is one such call at most. The number shown there is the one that the caller had dialled.
    """
    asked, number, since, attempt = _wish(call)
    step = call.step if call.plan.returns is None else call.plan.nodes[0].step
    assert isinstance(step, Queue)
    assert step.rules.keeps is not None
    client = rules.clients.get(call.info.client or "")
    refusal = rules.dialling.refusal(number, client.country if client else None)
    if refusal is not None:
        return refusal
    if spared.find(number.e164, call.info.client, now):
        return "nobody is to call this number; see `callrouter dnc`"
    channel = f"{call.info.id}-l{CALLER}"
    info = replace(
        call.info,
        id=call_id(*asterisk, channel),
        asterisk_id=asterisk[0],
        asterisk_started=asterisk[1],
        channel=channel,
        caller=number.e164,
        route=ROUTE,
        arrived_at=now,
    )
    keeps = step.rules.keeps
    waiting = replace(step, wait_for=float(keeps.within), calls_back=keeps.calls_back)
    not_reached = phrase(step.rules.language, step.rules.tone, Phrase.NOT_REACHED)
    target = rules.dialling.outside(number, number.e164)
    returns = Return(asked, since, target, not_reached, attempt)
    nodes = (PlanNode(waiting, place=step.rules.place),)
    return info, CallPlan(nodes, language=call.plan.language, returns=returns)


def is_return(route: str | None, channel: str) -> bool:
    """True of a call that the router made to call somebody back; none that came has such a channel."""
    return route == ROUTE and channel.endswith(f"-l{CALLER}")


def _wish(call: Call) -> tuple[str, PhoneNumber, datetime, int]:
    """In which call somebody asked for it, where they are called, since when they wait, and which attempt."""
    returns = call.plan.returns
    if returns is not None:
        return returns.call_id, PhoneNumber(returns.target.number), returns.since, returns.attempt + 1
    assert call.callback is not None
    assert call.queued_since is not None
    return call.info.id, PhoneNumber(call.callback.number), call.queued_since, 1
