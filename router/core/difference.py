"""What differs between two rule sets: for which calls, not in which lines.

Every kind of call that either of the two can tell apart (space.py) is decided by both, and the two plans are
held against each other by what a caller meets and what is written down of it: steps, phones, lengths of time,
branches, whether the call counts as blocked. Names of routes, rules and people, and places in files, are no
part of that. Calls that differ in the same way are then put together as ranges, each an exact box: every
number dialled of it, by every caller of it, at every moment of it, and nothing else.
"""

from collections.abc import Hashable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from router.core.cells import Numbers, ranges
from router.core.decide import Decision, decide
from router.core.facts import Facts
from router.core.followupchanges import OtherFollowUp, other_follow_ups, without_places
from router.core.plan import (
    CallPlan,
    Challenge,
    Directory,
    Menu,
    Prompt,
    Queue,
    Refuse,
    Ring,
    SayHours,
    Step,
    Target,
    Whisper,
    prompts_of,
    ungreeted,
)
from router.core.ruleset import ClientRules, PersonRules, RuleSet
from router.core.space import (
    ANONYMOUS,
    INTERNAL,
    Clients,
    Dialled,
    Key,
    Known,
    Numbering,
    Space,
    joined,
    knowns,
)
from router.core.times import Period


class Who(msgspec.Struct, frozen=True):
    """Who calls."""

    numbers: tuple[Numbers, ...]
    anonymous: bool
    internal: bool
    """Also those with a number that is none of the public network."""

    def __str__(self) -> str:
        if self == EVERYBODY:
            return "everybody"
        without = ["anonymous"] * self.anonymous + ["internal numbers"] * self.internal
        return "; ".join([*map(str, self.numbers), *without])


EVERYBODY = Who((Numbers(),), True, True)


class Difference(msgspec.Struct, frozen=True):
    """Calls that differ in the same way, and one of them."""

    clients: Clients
    """Whose the numbers dialled are, before and after; None where nobody's."""
    dialled: tuple[Numbers, ...]
    callers: Who
    periods: tuple[Period, ...]
    """In order, none touching the next."""
    example: Facts
    before: Decision
    """Of the example, as is `after`."""
    after: Decision
    only_names: bool
    """True where callers meet the same, by a route or rule of another name."""
    known: Known | None = None
    """What else is known of these calls; None where they differ whatever that is."""


class Comparison(msgspec.Struct, frozen=True):
    """All that differs."""

    period: Period
    new: tuple[str, ...]
    """Clients, by their ids."""
    gone: tuple[str, ...]
    differences: tuple[Difference, ...]
    follow_ups: tuple[OtherFollowUp, ...] = ()
    """Of clients that both know."""

    @property
    def same(self) -> bool:
        """True if both mean the same; only names may differ."""
        return not (self.new or self.gone or self.follow_ups) and all(
            one.only_names for one in self.differences
        )


def compare(before: RuleSet, after: RuleSet, start: datetime, end: datetime) -> Comparison:
    """What differs between two rule sets for calls from `start` until `end` (aware)."""
    found: list[Difference] = []
    if before.version != after.version:
        numbering = Numbering(before, after)
        for clients, dialled in sorted(numbering.classes.items(), key=lambda row: str(row[0])):
            if not _untouched(clients, dialled, before, after):
                found += _of_pair(numbering, clients, dialled, (before, after), Period(start, end))
    return Comparison(
        Period(start, end),
        tuple(sorted(after.clients.keys() - before.clients.keys())),
        tuple(sorted(before.clients.keys() - after.clients.keys())),
        tuple(found),
        tuple(other_follow_ups(before, after)),
    )


def _of_pair(
    numbering: Numbering,
    clients: Clients,
    dialled: dict[Key, Dialled],
    rules: tuple[RuleSet, RuleSet],
    period: Period,
) -> Iterator[Difference]:
    """What differs for the numbers of one client; said once where it does so whatever else is known."""
    both = [one.clients[id] for one, id in zip(rules, clients, strict=True) if id is not None]
    whatever = knowns(both)
    found: dict[Hashable, list[Difference]] = {}
    meanings = Meanings()
    # A number that moved is another's altogether: nothing needs to be cut.
    space = Space(() if clients[0] != clients[1] else both, dialled, period)
    for known in whatever:
        pair = _Pair(numbering, clients, rules, space.knowing(known), meanings)
        for what, difference in pair.differences():
            found.setdefault(what, []).append(difference)
    for alike in found.values():
        always = len(alike) == len(whatever)
        yield from (msgspec.structs.replace(alike[0], known=None),) if always else alike


def _untouched(clients: Clients, dialled: dict[Key, Dialled], before: RuleSet, after: RuleSet) -> bool:
    """True if nothing of a client is written otherwise: of a thousand, most are not worth deciding for."""
    known = [one.clients.get(id or "") for one, id in zip((before, after), clients, strict=True)]
    owners_stay = all(len(set(one.owners)) == 1 for one in dialled.values())
    return owners_stay and without_places(known[0]) == without_places(known[1])


class Meanings:
    """Numbers for what plans mean: the same number for plans in which a caller meets the same."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}
        self._directories: dict[int, Hashable] = {}
        """What a client's directory leads to, by the identity of its rules."""

    def of(self, plan: CallPlan, client: ClientRules | None) -> int:
        """The number of a plan of a client. Plans go forward only, so that each step's is made of those after
        it."""
        meaning: dict[int | None, int] = {None: self._number(())}
        waiting: list[int] = [0] if plan.nodes else []
        while waiting:
            here = waiting[-1]
            node = plan.nodes[here]
            unknown = [at for at in (node.then, *node.on.values()) if at is not None and at not in meaning]
            if unknown:
                waiting += unknown
                continue
            waiting.pop()
            then = meaning[node.then]
            on = {outcome: meaning[at] for outcome, at in node.on.items() if meaning[at] != then}
            meaning[here] = self._number((self._step(node.step, client), then, frozenset(on.items())))
        start = meaning[0 if plan.nodes else None]
        return self._number((start, plan.blocked_by is not None, plan.no_route))

    def _step(self, step: Step, client: ClientRules | None) -> Hashable:
        """What a caller meets of a step: who rings together does so in no order, and names are not heard."""
        match step:
            case Refuse(treatment):
                return ("refuse", treatment)
            case _:
                assert client is not None, "a call to nobody's number is only refused"
                if isinstance(step, Directory):
                    return (step, self._directory(client))
                return _of_client(step, client)

    def _directory(self, client: ClientRules) -> Hashable:
        """Whom a caller can find, how they are called, and what each leads to."""
        if id(client) not in self._directories:
            self._directories[id(client)] = ()  # Of a directory within one, there is nothing more to say.
            self._directories[id(client)] = self._number(
                frozenset(self._person(client, one) for one in client.people.values() if one.said)
            )
        return self._directories[id(client)]

    def _person(self, client: ClientRules, person: PersonRules) -> Hashable:
        assert person.treatment is not None
        timed = [client.people[name] for name in person.treatment.people]
        hours = frozenset(
            (client.hours[one.hours or ""].meaning, tuple(phone.dial for phone in one.phones))
            for one in timed
        )
        meets = self.of(ungreeted(person.treatment.plan), client)
        return (person.name, person.extension, person.said, hours, meets)

    def _number(self, what: Hashable) -> int:
        return self._known.setdefault(what, len(self._known))


def _of_client(step: Step, client: ClientRules) -> Hashable:
    """What a caller meets of a step, whatever the client's rules call it."""
    heard = tuple(_heard(prompt, client) for prompt in prompts_of(step))
    match step:
        case Ring(rounds, ring_for):
            announce = None if step.announce is None else _heard(step.announce, client)
            rung = tuple(frozenset(_phone(target, step) for target in targets) for targets in rounds)
            return ("ring", rung, ring_for, announce, step.music)
        case Menu(_, keys, language, tone):
            return ("menu", heard, frozenset(keys), language, tone)
        case Challenge(_, language, tone):
            return ("challenge", heard, language, tone)
        case Queue(queue, agents, wait_for, front):
            rules = msgspec.structs.replace(client.queues[queue], place="")
            phones = tuple((one.dial, one.confirm) for agent in agents for one in client.people[agent].phones)
            return ("queue", rules, phones, wait_for, front)
        case _:
            return heard or step


def _heard(prompt: Prompt | Whisper, client: ClientRules) -> Hashable:
    if not isinstance(prompt, SayHours):
        return prompt
    return (client.hours[prompt.hours].meaning, prompt.language, prompt.tone)


def _phone(target: Target, step: Ring) -> Hashable:
    """What rings, and what who answers there hears who is to press a key."""
    return (target.dial, target.outside, target.number, step.taking(target))


def _names(decision: Decision) -> tuple[str | None, str | None]:
    return (decision.route, decision.plan.blocked_by)


class _Way(NamedTuple):
    """In which way calls differ."""

    before: Hashable
    """What is met, or the names it has; so is `after`."""
    after: Hashable
    only_names: bool


_Box = tuple[Key, Key, Key]
_Keys = tuple[Key, ...]


class _Pair:
    """Numbers that were one client's before, and are one client's (mostly the same) after."""

    def __init__(
        self,
        numbering: Numbering,
        clients: Clients,
        rules: tuple[RuleSet, RuleSet],
        space: Space,
        meanings: Meanings,
    ) -> None:
        self._numbering = numbering
        self._clients = clients
        self._rules = rules
        self._meanings = meanings
        self._moved = clients[0] != clients[1]
        self._space = space

    def differences(self) -> Iterator[tuple[Hashable, Difference]]:
        """Each with what it is, apart from what else is known of the calls."""
        ways: dict[_Way, dict[_Box, Facts]] = {}
        for to, who, when, call in self._space.calls():
            way, example = self._way(call)
            if way.before != way.after:
                ways.setdefault(way, {})[to, who, when] = example
        for way, boxes in ways.items():
            for tos, whos, whens in _together(boxes):
                example = boxes[tos[0], whos[0], whens[0]]
                found = self._difference(tos, whos, whens, example, way.only_names)
                yield (way, found.dialled, found.callers, found.periods), found

    def _way(self, call: Facts) -> tuple[_Way, Facts]:
        """What a call meets before and after, and the call with the turn at which that differs."""
        if self._moved:
            return _Way(self._clients[0], self._clients[1], False), call
        for turn in (0, 1):
            facts = msgspec.structs.replace(call, turn=turn)
            before, after = (decide(rules, facts) for rules in self._rules)
            way = _Way(self._met(before, False), self._met(after, True), False)
            if way.before != way.after:
                return way, facts
            if not _in_turn(before):
                break
        return _Way(_names(before), _names(after), True), call

    def _met(self, decision: Decision, after: bool) -> Hashable:
        client = self._rules[after].clients.get(decision.client or "")
        return (decision.client, self._meanings.of(decision.plan, client))

    def _difference(
        self, tos: _Keys, whos: _Keys, whens: _Keys, example: Facts, only_names: bool
    ) -> Difference:
        space = self._space
        callers = [space.callers[key] for key in whos]
        numberless = {one for found in callers for one in found.numberless}
        before, after = (decide(rules, example) for rules in self._rules)
        return Difference(
            self._clients,
            ranges([cell for key in tos for cell in space.dialled[key].cells], self._numbering.cells),
            Who(
                ranges([cell for found in callers for cell in found.cells], space.caller_cells),
                ANONYMOUS in numberless,
                INTERNAL in numberless,
            ),
            joined(period for key in whens for period in space.times[key].periods),
            example,
            before,
            after,
            only_names,
            space.known,
        )


def _in_turn(decision: Decision) -> bool:
    """True if phones ring one after another, and with each call another one first, maybe."""
    return any(isinstance(node.step, Ring) and len(node.step.rounds) > 1 for node in decision.plan.nodes)


def _together(boxes: Iterable[_Box]) -> Iterator[tuple[_Keys, _Keys, _Keys]]:
    """Fewer and larger boxes that together are the same calls."""
    times: dict[tuple[Key, Key], list[Key]] = {}
    for to, who, when in boxes:
        times.setdefault((to, who), []).append(when)
    callers: dict[tuple[Key, _Keys], list[Key]] = {}
    for (to, who), whens in times.items():
        callers.setdefault((to, tuple(whens)), []).append(who)
    dialled: dict[tuple[_Keys, _Keys], list[Key]] = {}
    for (to, at), whos in callers.items():
        dialled.setdefault((tuple(whos), at), []).append(to)
    for (by, at), tos in dialled.items():
        yield tuple(tos), by, at
