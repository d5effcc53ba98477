"""Proof: what holds of every call there can be, whoever calls, whenever, and whatever the phones do.

Each kind of call (space.py) is decided, and each plan is walked along every way that the outcomes of its
rings can lead. That a call never goes round in a circle needs no walk: rules in which it could are refused
(leads.py). What is looked for here is what only times and callers show; what the written text shows by itself
is said by cautions.py, and not again. Where a caller can come to harm there is a counterexample: one call,
and what each phone does.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from router.core.cautions import LONGEST_WAIT, longest_ring
from router.core.decide import Decision, decide
from router.core.facts import Facts
from router.core.idle import idle
from router.core.layout import Layout
from router.core.plan import (
    ENDS,
    SETTLES,
    TELLS,
    CallPlan,
    Directory,
    Queue,
    Ring,
    RingOutcome,
    Step,
    ungreeted,
    ways_on,
)
from router.core.remarks import RuleWarning
from router.core.ruleset import ClientRules, Route, RuleSet
from router.core.scenarios import Part, branch
from router.core.space import Dialled, Key, Numbering, Space, dialled_in, knowns, listed
from router.core.times import Duration, Period
from router.core.ways import Given, Way, given_on

DAYS = 400
"""So many days are looked ahead: over a year, so that every day of one is met."""

QUICK = 20_000
"""So much work, in decisions, is done within about half a second."""
_WORK_OF_CLIENT = 500
"""Of it, what cutting a client's numbers costs,"""
_WORK_OF_PERSON = 5
"""and walking through the treatment of somebody in a directory."""


class Counterexample(msgspec.Struct, frozen=True):
    """A call in which it happens."""

    call: Facts
    timezone: str
    given: Given
    """What the phones do."""


class Finding(msgspec.Struct, frozen=True):
    """Something that does not hold."""

    warning: RuleWarning
    counterexample: Counterexample | None = None
    """None where it is that something never happens."""


class Proof(msgspec.Struct, frozen=True):
    """What was found."""

    kinds: int
    """Kinds of calls that were decided."""
    until: datetime
    findings: tuple[Finding, ...]
    """Sorted by place; empty where all holds."""


def prove(rules: RuleSet, start: datetime, most: int | None = None) -> Proof | None:
    """What holds of all calls in the DAYS from `start` (aware) on; None if it takes more work than `most`."""
    end = start + timedelta(days=DAYS)
    work = sum(map(_work_before, rules.clients.values()))
    if most is not None and work > most:
        return None
    kinds = 0
    numbering = Numbering(rules)
    found: list[Finding] = []
    for (id,), dialled in numbering.classes.items():
        client = rules.clients[str(id)]
        space = Space((client,), dialled, Period(start, end))
        spaces: list[Space] = []
        for known in knowns((client,)):
            spaces.append(space.knowing(known))
            kinds += len(spaces[-1])
            if most is not None and work + kinds > most:
                return None
        found += _Client(rules, client, spaces, dialled).findings()
    return Proof(kinds, end, tuple(sorted(found, key=lambda one: one.warning)))


def _work_before(client: ClientRules) -> int:
    """What cutting the space of a client's calls costs, in decisions."""
    people = _WORK_OF_PERSON * sum(bool(person.said) for person in client.people.values())
    return _WORK_OF_CLIENT + people + len(client.hours) * DAYS + 2 * sum(1 for _ in listed(client))


class _Walked(NamedTuple):
    """What a plan can lead through."""

    parts: frozenset[Part]
    """Branches."""
    steps: frozenset[str]
    """Places of the steps that can be met."""
    rung: frozenset[str]
    """Names of phones that can ring."""
    dead: dict[str, Way]
    """Places of rings after which nothing comes at all, with the way there."""
    directory: Way | None
    """The way to a directory, if it leads to one."""


def _walk(plan: CallPlan) -> _Walked:
    """Every way through a plan: each step can come to anything that it can come to (plan.ways_on)."""
    parts: set[Part] = set()
    rung: set[str] = set()
    dead: dict[str, Way] = {}
    directory: Way | None = None
    ways: dict[_At, Way] = {_At(0): ()} if plan.nodes else {}
    waiting = list(ways)
    while waiting:
        at = waiting.pop()
        node = plan.nodes[at.position]
        step = node.step
        rung |= _asked(step)
        if isinstance(step, Directory):
            directory = ways[at]
        told = isinstance(step, TELLS) or (at.told and not isinstance(step, SETTLES))
        for way in () if isinstance(step, ENDS) else ways_on(step):
            there, onward = node.on.get(way, node.then), (*ways[at], (step, way))
            if there is None:
                if not told:
                    dead.setdefault(node.place, onward)
                continue
            if there != node.then:
                parts.add(branch(node, way))
            after = _At(there, told)
            if after not in ways:
                ways[after] = onward
                waiting.append(after)
    steps = frozenset(plan.nodes[at.position].place for at in ways)
    return _Walked(frozenset(parts), steps, frozenset(rung), dead, directory)


class _At(NamedTuple):
    """Where a call is on its way."""

    position: int
    told: bool = False
    """It has heard something since it could last have been settled."""


def _asked(step: Step) -> set[str]:
    """The names of those who can be rung by a step."""
    match step:
        case Ring(rounds):
            return {target.name for targets in rounds for target in targets}
        case Queue(_, agents):
            return {*agents}
        case _:
            return set()


class _Client:
    """All calls to one client."""

    def __init__(
        self, rules: RuleSet, client: ClientRules, spaces: list[Space], dialled: dict[Key, Dialled]
    ) -> None:
        self._rules = rules
        self._client = client
        self._spaces = spaces
        self._dialled = dialled
        self._met: set[Part] = set()
        self._steps: set[str] = set()
        self._rung: set[str] = set()
        self._harm: dict[tuple[str, str], Finding] = {}
        """What can befall a caller, each thing once for each place."""
        self._in_directory = False
        """A call came to the client's directory."""

    def findings(self) -> Iterator[Finding]:
        for call in self._calls():
            self._decided(call, decide(self._rules, call))
        yield from self._harm.values()
        never = dict.fromkeys((part.place, what) for part, what in self._never())
        yield from (Finding(_warning(place, what)) for place, what in never)

    def _calls(self) -> Iterator[Facts]:
        for space in self._spaces:
            yield from (call for _, _, _, call in space.calls())

    def _decided(self, call: Facts, decision: Decision) -> None:
        plan = decision.plan
        walked = _walk(plan)
        matched = [row for row in decision.trace if row.matched]
        self._met |= {Part(row.place, f"{row.kind} {row.name}") for row in matched}
        self._walked(walked, call)
        if not plan.nodes:
            self._cut_off(matched[-1].place, call, ())
        if walked.directory is not None and not self._in_directory:
            self._in_directory = True
            self._by_directory(walked.directory, call)
        wait = Duration(int(longest_ring(plan)))
        taker = matched[-1]
        # Routes are said to ring too long by cautions.py, whoever is present.
        if wait > LONGEST_WAIT and taker.kind != "route":
            who = f"{taker.kind} `{taker.name}`" if taker.name else "the last resort"
            what = f"{who} can ring for {wait}, longer than {LONGEST_WAIT}"
            given = tuple((name, (RingOutcome.NO_ANSWER.value,)) for name in sorted(walked.rung))
            self._harmed(taker.place, f"{what}; shorten `for:`, or ring fewer in turn", call, given)

    def _walked(self, walked: _Walked, call: Facts, before: Way = ()) -> None:
        """Take down what a plan leads through, after the way that leads to it."""
        self._met |= walked.parts
        self._steps |= walked.steps
        self._rung |= walked.rung
        for place, way in walked.dead.items():
            self._cut_off(place, call, (*before, *way))

    def _cut_off(self, place: str, call: Facts, way: Way) -> None:
        what = "a caller can be cut off here, with nobody reached and nothing said"
        self._harmed(place, f"{what}; add a step, or write `last_resort:`", call, given_on(way))

    def _by_directory(self, before: Way, call: Facts) -> None:
        """What can come of choosing each of the people in a directory: once for all times, with everybody
        there, since who is outside their hours takes ways away and adds none."""
        for name, person in self._client.people.items():
            if not person.said or person.treatment is None:
                continue
            way = (*before, (Directory(), name))
            plan = ungreeted(person.treatment.plan)
            walked = _walk(plan)
            self._walked(walked, call, way)
            wait = Duration(int(longest_ring(plan)))
            if wait > LONGEST_WAIT:
                what = f"`{name}`, chosen in a directory, can ring for {wait}, longer than {LONGEST_WAIT}"
                unanswered = ((one, (RingOutcome.NO_ANSWER.value,)) for one in sorted(walked.rung))
                given = (*given_on(way), *unanswered)
                self._harmed(person.place, f"{what}; shorten `for:`, or ring fewer in turn", call, given)

    def _harmed(self, place: str, what: str, call: Facts, given: Given) -> None:
        example = Counterexample(call, self._client.timezone, given)
        self._harm.setdefault((place, what), Finding(_warning(place, what), example))

    def _never(self) -> Iterator[tuple[Part, str]]:
        """What no call comes to, and what to write instead."""
        client = self._client
        soon = f"in the next {DAYS} days"
        for route in self._routes():
            part = Part(route.place, f"route {route.name}")
            if part not in self._met and not self._led_to(route):
                yield part, f"route `{route.name}` takes no call {soon}; change its `when:`, or move it up"
            else:
                yield from self._never_in(route.layout)
            yield from self._unknown_numbers(route)
        yield from self._never_of_exceptions()
        yield from self._never_of_block_rules()
        for person in client.people.values():
            own = person.own
            if own is not None and Part(own.place, f"own number {own.name}") in self._met:
                yield from self._never_in(own.layout)
            elif own is not None:
                what = f"no call comes to `{own.name}` by their own numbers"
                yield Part(own.place, ""), f"{what}; take them out of the client's `numbers:`"

    def _never_of_exceptions(self) -> Iterator[tuple[Part, str]]:
        whole = self._spaces[0].period
        for exception in self._client.exceptions:
            part, period = Part(exception.place, f"exception {exception.title}"), exception.when.period
            if period.end <= whole.start:
                yield part, f"exception `{exception.title}` is past; remove it"
            elif part not in self._met and period.start < whole.end:
                yield part, f"exception `{exception.title}` meets no call while it lasts; move it up"
            elif part in self._met and exception.layout is not None:
                yield from self._never_in(exception.layout)

    def _never_of_block_rules(self) -> Iterator[tuple[Part, str]]:
        unmet = [
            rule
            for rule in self._client.screening.block
            if Part(rule.place, f"{rule.kind} {rule.name}") not in self._met
        ]
        start = self._spaces[0].period.start
        for rule, what in idle(self._client, unmet, self._calls(), start, f"in the next {DAYS} days"):
            yield Part(rule.place, ""), what

    def _led_to(self, route: Route) -> bool:
        """True if a `goto` leads calls there: they meet its first step, which others do not have as well."""
        theirs = (person.treatment for person in self._client.people.values() if person.treatment is not None)
        elsewhere = {node.place for layout in (self._client.no_route, *theirs) for node in layout.plan.nodes}
        first = [node.place for node in route.layout.plan.nodes[:1] if node.place not in elsewhere]
        return not self._steps.isdisjoint(first)

    def _routes(self) -> Iterator[Route]:
        """Those that one before does not take all calls from, which cautions.py tells."""
        for route in self._client.routes:
            yield route
            if () in route.when:
                return

    def _never_in(self, layout: Layout) -> Iterator[tuple[Part, str]]:
        written = _walk(layout.plan)
        for part in sorted(written.parts - self._met):
            if part.place in self._steps:
                what = part.what.removeprefix("on ")
                yield part, f"`{what}:` is never met, since nobody is there to ring; remove it"
        for name in layout.people:
            if name in written.rung and name not in self._rung:
                what = f"`{name}` is outside their hours whenever they would be rung"
                yield Part(self._client.people[name].place, ""), f"{what}; change the hours, or the routes"

    def _unknown_numbers(self, route: Route) -> Iterator[tuple[Part, str]]:
        """Patterns in `dialled` that no number of the client matches."""
        numbers = [cell for dialled in self._dialled.values() for cell in dialled.cells]
        known = {pattern for cell in numbers for pattern in cell.within}
        for leaf in dialled_in(route.when):
            for pattern, _ in leaf.patterns.rows():
                if pattern not in known:
                    what = f"`{self._client.id}` has no number that `dialled: {pattern.text}` names"
                    yield Part(route.place, ""), f"{what}; write one of its `numbers:`"


def _warning(place: str, what: str) -> RuleWarning:
    file, _, line = place.rpartition(":")
    return RuleWarning.of((file, int(line), 1), what)
