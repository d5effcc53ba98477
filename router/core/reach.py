"""Who can ring a person, an endpoint, a number or a queue: every way from a number dialled to it.

It is looked up in the compiled plans, as they are walked by calls: a step that no call comes to rings nobody.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Literal

import msgspec

from router.core.conditions import Condition, Not, OpenIs, When, when_in_words
from router.core.layout import Layout
from router.core.numbers import PhoneNumber
from router.core.plan import (
    OTHERWISE,
    AsteriskQueue,
    CallPlan,
    Directory,
    Queue,
    QueueOutcome,
    Ring,
    RingOutcome,
    Step,
)
from router.core.remarks import did_you_mean
from router.core.ruleset import ClientRules, PersonRules, RuleSet
from router.core.show import branches_of, during_of, layouts_of, names_in_words, targets_of, treatments

_ENDED = {
    RingOutcome.BUSY: ("is busy", "are busy"),
    RingOutcome.NO_ANSWER: ("does not answer", "do not answer"),
    RingOutcome.DECLINED: ("declines", "decline"),
    RingOutcome.UNREACHABLE: ("is unreachable", "are unreachable"),
    RingOutcome.FAILED: ("cannot be rung", "cannot be rung"),
}
"""What became of a ring, of one and of several."""
_QUEUE_ENDED = {
    QueueOutcome.FULL: "is full",
    QueueOutcome.EMPTY: "has no agents",
    QueueOutcome.TIMEOUT: "takes too long",
}


class Rung(msgspec.Struct, frozen=True):
    """One phone in one round of a ring."""

    through: tuple[str, ...]
    """What must come of the rings before: `after kari`, `if ola is busy`."""
    place: str
    """`file:line`."""
    name: str
    """Whose phone it is, or the endpoint or number as written."""
    phone: str
    """Asterisk's dial string; `queue ID` for its agents."""
    round: int
    """From 1."""
    rounds: int
    rotating: bool
    """True where the rounds begin one further on with each call."""
    ring_for: float
    """Seconds; 0 where that is not said there."""


class Way(msgspec.Struct, frozen=True):
    """One place in the rules that rings them."""

    client: str
    kind: Literal["own number", "exception", "route", "last resort"]
    name: str
    """Of the person, exception or route; empty for the last resort."""
    place: str
    """`file:line`, of that and not of the step."""
    numbers: tuple[str, ...]
    """The numbers dialled that can lead there."""
    when: str
    """In words; empty: always."""
    before: tuple[str, ...]
    """Names of the routes that are looked at first, and may take the call."""
    during: str | None
    """The hours outside which they are not rung; None where that is always."""
    rings: Rung


class Nobody(msgspec.Struct, frozen=True):
    """No rule knows them. `hint` says what to write instead."""

    hint: str


def reach(rules: RuleSet, wanted: str, now: datetime, client: str | None = None) -> tuple[Way, ...] | Nobody:
    """Every way to a person (by id), an endpoint (`PJSIP/100`), a number outside or a queue (by id), in the
    order calls meet them; of `client` only, if one is named. Left out are exceptions that are over at `now`
    (aware), and people who would be rung only when they are outside their hours.

    Empty where the rules know them, but no call can ring them.
    """
    clients = [one for one in rules.clients.values() if client in (None, one.id)]
    found = tuple(way for one in clients for way in _ways(rules, one, wanted, now))
    known = {name for one in clients for name in (*one.people, *one.queues)}
    known |= {
        name
        for one in clients
        for target in targets_of(layouts_of(one, treatments(rules, one)))
        for name in (target.name, target.dial)
    }
    if found or wanted in known:
        return found
    return Nobody(
        did_you_mean(wanted, sorted(known), "write the id of a person or queue, PJSIP/ENDPOINT or a number")
    )


def _ways(rules: RuleSet, client: ClientRules, wanted: str, now: datetime) -> Iterator[Way]:
    over = {one.place for one in client.exceptions if one.when.period.end <= now}
    names = {wanted, _number(wanted, client.country)} - {""}
    whose = {
        name
        for name, person in client.people.items()
        if name in names or any(names & {phone.dial, phone.number} for phone in person.phones)
    }
    during = during_of(client)
    for one in treatments(rules, client):
        if not one.met or (one.kind == "exception" and one.place in over):
            continue
        numbers = tuple(number.pattern.text for number in one.numbers)
        for rung in _rounds(one.layout, names, whose, client.people):
            hours = during.get(rung.name)
            if hours is None or _can_be_open(one.when, hours):
                asked = when_in_words(one.when)
                yield Way(client.id, one.kind, one.name, one.place, numbers, asked, one.before, hours, rung)


def _can_be_open(when: When, hours: str) -> bool:
    """False where `when` asks for these hours to be closed: nobody who is rung only in them is rung then."""
    return not all(any(_asks_closed(condition, hours) for condition in each) for each in when)


def _asks_closed(condition: Condition, hours: str) -> bool:
    match condition:
        case OpenIs(names, False):
            return set(names) == {hours}
        case Not(when):
            return any(all(_asks_open(one, hours) for one in alternative) for alternative in when)
        case _:
            return False


def _asks_open(condition: Condition, hours: str) -> bool:
    return isinstance(condition, OpenIs) and condition.wanted and hours in condition.names


def _number(text: str, country: str) -> str:
    try:
        return PhoneNumber.parse(text, country).e164
    except ValueError:
        return text


def _rounds(
    layout: Layout, names: set[str], whose: set[str], people: Mapping[str, PersonRules]
) -> Iterator[Rung]:
    """Where a plan rings a phone, or comes to a queue, that goes by one of `names`, and where one of those
    `whose` they are is an agent. `people` are those of a directory; those of one within are no others."""
    for position, through in _passed(layout.plan):
        node = layout.plan.nodes[position]
        match node.step:
            case Ring() as step:
                yield from _rung(step, through, node.place, position in layout.rotating, names)
            case Queue(queue, agents, wait_for):
                for name in (*(agent for agent in agents if agent in whose), *({queue} & names)):
                    yield Rung(through, node.place, name, f"queue {queue}", 1, 1, False, wait_for)
            case AsteriskQueue(queue, wait_for):
                if queue in names:
                    of_asterisk = f"queue {queue} of Asterisk"
                    yield Rung(through, node.place, queue, of_asterisk, 1, 1, False, wait_for)
            case Directory():
                for name, person in people.items():
                    for rung in _rounds(person.treatment, names, whose, {}) if person.treatment else ():
                        by = (*through, f"as {name} in the directory", *rung.through)
                        yield msgspec.structs.replace(rung, through=by)
            case _:
                pass


def _rung(
    step: Ring, through: tuple[str, ...], place: str, rotating: bool, names: set[str]
) -> Iterator[Rung]:
    for number, targets in enumerate(step.rounds, start=1):
        earlier = names_in_words(chain.from_iterable(step.rounds[: number - 1]))
        after = (f"after {earlier}",) if earlier and not rotating else ()
        for one in targets:
            if names & {one.name, one.dial, one.number}:
                rounds = len(step.rounds)
                yield Rung(
                    (*through, *after), place, one.name, one.dial, number, rounds, rotating, step.ring_for
                )


def _passed(plan: CallPlan) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every position that a call can come to, those with the fewest branches before them first, with what
    must come of the steps before it on such a way."""
    found: dict[int, tuple[str, ...]] = {}
    waiting: deque[tuple[int | None, tuple[str, ...]]] = deque([(0 if plan.nodes else None, ())])
    while waiting:
        here, through = waiting.popleft()
        if here is None or here in found:
            continue
        found[here] = through
        node = plan.nodes[here]
        for way, at in branches_of(node.on, node.then):
            waiting.append((at, (*through, _if(node.step, way))))
        waiting.appendleft((node.then, (*through, *_after(node.step))))
    yield from found.items()


def _if(step: Step, way: str) -> str:
    """What must come of a step for the call to go that way."""
    match step:
        case Ring(rounds):
            names = {target.name for target in chain.from_iterable(rounds)}
            whom = names_in_words(chain.from_iterable(rounds)) or "nobody"
            return f"if {whom} {_ENDED[RingOutcome(way)][len(names) > 1]}"
        case Queue(queue):
            return f"if queue {queue} {_QUEUE_ENDED[QueueOutcome(way)]}"
        case AsteriskQueue(queue):
            return f"if queue {queue} of Asterisk ends in {way}"
        case _:
            return "without a choice" if way == OTHERWISE else f"by key {way}"


def _after(step: Step) -> tuple[str, ...]:
    match step:
        case Ring(rounds):
            return (f"after {names_in_words(chain.from_iterable(rounds)) or 'nobody'}",)
        case Queue(queue):
            return (f"after queue {queue}",)
        case AsteriskQueue(queue):
            return (f"after queue {queue} of Asterisk",)
        case _:
            return ()
