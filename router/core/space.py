"""The space of all calls to a client, cut into parts within which every call gets the same plan.

A call is a number dialled, a caller and a moment, and what else is known of it: what the dialplan hands over,
and how often the caller has called. Each of the first three is cut by what the rules ask of it, and
by nothing else: numbers by patterns and countries (cells.py), time by every instant at which hours,
exceptions or a `between` begin or end. Whatever the rules cannot tell apart is then one *class*: numbers that
give every condition the same answer, and all moments, however far apart, at which the same hours are open and
the same exceptions hold. So a year of calls is some dozens of decisions.

Regular expressions do not cut: which numbers match one is not worked out. That a caller matches is something
that is known of a call besides, and each class of expressions (those in the same lists) is looked at alone.
That leaves no plan out, since of several that match, one settles what screening finds. But there may be calls
among those looked at that nobody can place, since no number of a class matches. Where a caller of whom it is
true is easily found, that one stands for the class.

To add a condition: its row in `_CUT_BY` and, where it asks something new of a call, a field of `Questions`
and its part of a key.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from itertools import combinations, pairwise, product
from math import prod
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from router.core.cells import Cell, cut
from router.core.conditions import (
    ATTESTATION,
    Between,
    CallerIs,
    Condition,
    DialledIs,
    LoadIs,
    Moment,
    MoreThan,
    Not,
    OpenIs,
    Until,
    VariableIs,
    When,
)
from router.core.contacts import in_groups
from router.core.facts import Facts, QueueLoad
from router.core.hours import Hours
from router.core.numbers import CallerId, NumberPattern, PhoneNumber
from router.core.regexes import Regex
from router.core.ruleset import ClientRules, Owner, RuleSet
from router.core.screening import Listed, find, matching
from router.core.times import Period, Rate

ANONYMOUS = CallerId(None, "")
INTERNAL = CallerId(None, "1")
"""Somebody whose number is none of the public network, though it is shown."""

_CUT_BY = (OpenIs, Between, Until, CallerIs, DialledIs, VariableIs, MoreThan, LoadIs)
"""The conditions, besides `not`, that the space is cut by."""

MOST_NAMED = 3
"""Of regular expressions that are all the same to the rules, so many are named, and tried for an example."""

ALWAYS = datetime.min.replace(tzinfo=UTC)

Key = tuple[Hashable, ...]
"""The answers that the rules get from one class; equal for all of it."""


class Dialled(msgspec.Struct, frozen=True):
    """Numbers that are all the same to the rules when they are dialled."""

    number: PhoneNumber
    """One of them."""
    cells: tuple[Cell, ...]
    owners: tuple[Owner | None, ...]
    """Whose they are, by each of the rule sets."""


class Callers(msgspec.Struct, frozen=True):
    """Callers who are all the same to the rules."""

    caller: CallerId
    """One of them."""
    matches: tuple[Regex, ...]
    """Regular expressions that match that one, or are supposed to."""
    cells: tuple[Cell, ...]
    numberless: tuple[CallerId, ...]
    """Of ANONYMOUS and INTERNAL, those among them."""


class Times(msgspec.Struct, frozen=True):
    """Moments that are all the same to the rules."""

    now: datetime
    """One of them: the first beginning, of those that clocks do not show a second time."""
    periods: tuple[Period, ...]
    """All, in order, none touching the next."""


class Known(msgspec.Struct, frozen=True):
    """What else is known of a call, and nothing that a number or a moment shows."""

    variables: Mapping[str, str] = {}
    """What the dialplan hands over."""
    called: Rate | None = None
    """How often the caller has called lately."""
    matches: tuple[Regex, ...] = ()
    """Regular expressions, all in the same lists, of which the caller matches one or more, and no others."""

    contact: frozenset[str] | None = None
    """The groups of a contact that the caller is; None for a stranger."""
    queues: Mapping[str, QueueLoad] = {}
    """How the queues stand."""

    def __str__(self) -> str:
        words = [f"{name} is {value}" for name, value in self.variables.items()]
        words += ["the caller is a contact"] if self.contact is not None and not self.contact else []
        words += [f"the caller is a contact in {group}" for group in sorted(self.contact or ())]
        words += [
            f"queue {name} has {load.waiting} waiting and {load.agents} agents"
            for name, load in self.queues.items()
        ]
        words += [f"{self.called} before"] if self.called else []
        more = len(self.matches) - MOST_NAMED
        named = [*map(str, self.matches[:MOST_NAMED]), *([f"{more} more"] if more > 0 else [])]
        words += [f"the caller matches {' or '.join(named)}"] if named else []
        return ", ".join(words) or "nothing else"

    def matched_by(self, caller: CallerId) -> tuple[Regex, ...]:
        """Of `matches`, those that can match a caller who shows a number, or none."""
        return tuple(one for one in self.matches if caller.number is not None or one.of == "display")


NOTHING = Known()


MOST_TOGETHER = 4
MOST_KNOWN = 1000
"""Combinations of what else can be known that are looked at; of more, only each thing by itself is."""


def knowns(clients: Iterable[ClientRules]) -> tuple[Known, ...]:
    """All that the rules can tell apart of it: each variable has one of the values that they name, or none;
    the caller has called as often as one of their rates says, or as all do, or not at all; matches one class
    of their regular expressions, or none; is a stranger, or a contact in some of the groups; and each
    queue that they ask about stands in each way that they tell apart. The first is nothing of all that.
    """
    clients = tuple(clients)
    leaves = [leaf for client in clients for when in _whens(client) for leaf in _leaves(when)]
    values: dict[str, dict[str, None]] = {}
    for leaf in leaves:
        named = leaf.wanted if isinstance(leaf, VariableIs) else ()
        if isinstance(leaf, CallerIs) and leaf.attestations:
            named = ((ATTESTATION, tuple(sorted(leaf.attestations))),)
        for name, some in named:
            values.setdefault(name, {}).update(dict.fromkeys(some))
    rates = list(dict.fromkeys(leaf.rate for leaf in leaves if isinstance(leaf, MoreThan)))
    if len(rates) > 1:
        rates.append(Rate(max(rate.calls for rate in rates), min(rate.within for rate in rates)))
    things = [
        *_loads(leaves),
        [Known(contact=contact) for contact in _contacts(clients, leaves)],
        [NOTHING, *(Known(matches=alike) for alike in _classes(clients))],
        [NOTHING, *(Known(called=rate) for rate in dict.fromkeys(rates))],
        *([NOTHING, *(Known({name: value}) for value in some)] for name, some in values.items()),
    ]
    return tuple(map(_together, _chosen(things)))


def _chosen(things: Sequence[Sequence[Known]]) -> Iterator[tuple[Known, ...]]:
    """One way that each thing can be, in all combinations or, where these are too many, one by one."""
    if prod(map(len, things)) <= MOST_KNOWN:
        yield from product(*things)
        return
    usual = tuple(thing[0] for thing in things)
    yield usual
    for at, thing in enumerate(things):
        yield from ((*usual[:at], one, *usual[at + 1 :]) for one in thing[1:])


def _together(parts: Iterable[Known]) -> Known:
    """All that is known in one; each part is of one thing only."""
    variables: dict[str, str] = {}
    queues: dict[str, QueueLoad] = {}
    whole = NOTHING
    for part in parts:
        variables |= part.variables
        for name, load in part.queues.items():
            known = queues.get(name, load)
            queues[name] = QueueLoad(max(known.waiting, load.waiting), max(known.agents, load.agents))
        if part.contact is not None:
            whole = replace(whole, contact=part.contact)
        whole = replace(whole, called=part.called or whole.called, matches=part.matches or whole.matches)
    return replace(whole, variables=variables, queues=queues)


def _contacts(
    clients: Sequence[ClientRules], leaves: Iterable[Condition]
) -> tuple[frozenset[str] | None, ...]:
    """Whom the caller may be: a stranger, or a contact in none, some or all of the groups asked for; of many
    groups, in two at most."""
    groups = sorted({group for leaf in leaves if isinstance(leaf, CallerIs) for group in leaf.groups})
    listed = any(one.contacts for client in clients for one in _lists(client))
    most = len(groups) if len(groups) <= MOST_TOGETHER else 2
    known = [frozenset(some) for count in range(most + 1) for some in combinations(groups, count)]
    return (None, *(known if groups or listed else ()))


def _loads(leaves: Iterable[Condition]) -> Iterator[list[Known]]:
    """How the queues that are asked about may stand: of each range of numbers that makes a difference, the
    least."""
    asked: dict[tuple[str, str], set[int]] = {}
    for leaf in leaves:
        if isinstance(leaf, LoadIs):
            for queue, count in leaf.wanted:
                edges = asked.setdefault((queue, leaf.of), {0})
                edges |= {count.least} | ({count.most + 1} if count.most is not None else set())
    for (queue, of), edges in asked.items():
        yield [Known(queues={queue: replace(QueueLoad(), **{of: number})}) for number in sorted(edges)]


def _classes(clients: Sequence[ClientRules]) -> Iterable[tuple[Regex, ...]]:
    """The regular expressions of screening; those in the same lists are one class."""
    lists = [listed.regexes for client in clients for listed in _lists(client)]
    classes: dict[tuple[bool, ...], tuple[Regex, ...]] = {}
    for regex in sorted({regex for some in lists for one in some for regex in one}):
        key = tuple(any(regex in one for one in some) for some in lists)
        classes[key] = (*classes.get(key, ()), regex)
    return classes.values()


def _lists(client: ClientRules) -> Iterator[Listed]:
    """In which screening looks callers up."""
    yield client.screening.allow
    yield from (rule.numbers for rule in client.screening.block if rule.numbers is not None)


class Questions(msgspec.Struct, frozen=True):
    """What the rules of one client ask of a call."""

    hours: Mapping[str, Hours]
    """Of those that somebody's presence or a condition depends on."""
    periods: tuple[Period, ...]
    callers: tuple[CallerIs, ...]
    dialled: tuple[DialledIs, ...]
    country: str

    @classmethod
    def of(cls, client: ClientRules) -> "Questions":
        leaves = [leaf for when in _whens(client) for leaf in _leaves(when)]
        # What is asked and not cut by would be told of wrongly, so it may not be passed over in silence.
        assert all(isinstance(leaf, _CUT_BY) for leaf in leaves), f"the space is not cut by all of {leaves}"
        names = {name for leaf in leaves if isinstance(leaf, OpenIs) for name in leaf.names}
        names |= {person.hours for person in client.people.values() if person.hours is not None}
        between = [leaf for leaf in leaves if isinstance(leaf, Between)]
        until = [Period(ALWAYS, leaf.end) for leaf in leaves if isinstance(leaf, Until)]
        return cls(
            {name: client.hours[name] for name in sorted(names)},
            (*until, *(one.period for one in (*between, *(rule.when for rule in client.exceptions)))),
            tuple(leaf for leaf in leaves if isinstance(leaf, CallerIs)),
            tuple(leaf for leaf in leaves if isinstance(leaf, DialledIs)),
            client.country,
        )


def _whens(client: ClientRules) -> Iterator[When]:
    yield from (rule.when for rule in client.screening.block)
    yield from (route.when for route in client.routes)


def dialled_in(when: When) -> tuple[DialledIs, ...]:
    """What `when` asks of the number dialled."""
    return tuple(leaf for leaf in _leaves(when) if isinstance(leaf, DialledIs))


def _leaves(when: When) -> Iterator[Condition]:
    """The conditions themselves, out of each `not`."""
    for condition in (one for alternative in when for one in alternative):
        if isinstance(condition, Not):
            yield from _leaves(condition.when)
        else:
            yield condition


def listed(client: ClientRules) -> Iterator[NumberPattern]:
    """The patterns that screening looks callers up in."""
    for listed in _lists(client):
        yield from (pattern for index in listed.numbers for pattern, _ in index.rows())


def _screened(client: ClientRules, facts: Facts) -> Hashable:
    """What screening finds of a caller."""
    number, matches, contact = facts.caller.number, facts.matches, facts.contact is not None
    return tuple(find(listed, number, matches, contact=contact) is not None for listed in _lists(client))


class Space:
    """All calls, within some time, to numbers that are the same clients' by each of some rule sets."""

    def __init__(
        self,
        clients: Iterable[ClientRules],
        dialled: Mapping[Key, Dialled],
        period: Period,
    ) -> None:
        self.known = NOTHING
        """Of every one of these calls; `called`, and regular expressions of numbers, of those whose caller
        has a number."""
        self._clients = tuple(clients)
        self._asked = tuple(Questions.of(client) for client in self._clients)
        self.period = period
        self.dialled = dialled
        asked = [leaf for one in self._asked for leaf in one.callers]
        patterns = [
            *(pattern for client in self._clients for pattern in listed(client)),
            *(pattern for leaf in asked for pattern, _ in leaf.patterns.rows()),
        ]
        countries = [one.country for one in self._asked]
        countries += sorted(code for leaf in asked for code in leaf.countries)
        self.caller_cells = cut(patterns, countries)
        """All callers who have a number."""
        self.callers = self._callers()
        self.times = self._times()

    def knowing(self, known: Known) -> "Space":
        """The same calls with something else known of them: numbers and times are not cut anew."""
        other = copy(self)
        other.known = known
        other.callers = other._callers()
        return other

    def __len__(self) -> int:
        """How many kinds of calls there are: as many decisions tell all."""
        return len(self.dialled) * len(self.callers) * len(self.times)

    def calls(self) -> Iterator[tuple[Key, Key, Key, Facts]]:
        """One call of each kind, with the keys of its classes: number dialled, caller, time."""
        for to, dialled in self.dialled.items():
            for who, callers in self.callers.items():
                for when, times in self.times.items():
                    yield to, who, when, self._call(dialled.number, callers, times.now)

    def _call(self, dialled: PhoneNumber, callers: Callers, now: datetime) -> Facts:
        called = self.known.called if callers.caller.number else None
        before = called.spread(now) if called else ()
        return Facts(
            now,
            dialled.e164,
            dialled,
            callers.caller,
            calls_before=before,
            variables=self.known.variables,
            matches=callers.matches,
            contact=in_groups(self.known.contact) if callers.caller.number else None,
            queues=self.known.queues,
        )

    def _really(self, caller: CallerId) -> tuple[Regex, ...] | None:
        """The regular expressions that match a caller, if they are as is known; else None."""
        found = dict.fromkeys(one for client in self._clients for one in matching(client.screening, caller))
        fits = found.keys() <= set(self.known.matches) and bool(found) is bool(self.known.matched_by(caller))
        return tuple(found) if fits else None

    def caller_key(self, caller: CallerId) -> Key:
        """The class that a caller belongs to."""
        facts = Facts(
            self.period.start,
            "",
            None,
            caller,
            variables=self.known.variables,
            matches=self.known.matched_by(caller),
            contact=in_groups(self.known.contact) if caller.number else None,
        )
        moment = Moment(facts, {})
        return (
            self.known.called is not None and caller.number is not None,
            *(_screened(client, facts) for client in self._clients),
            *(leaf.holds(moment) for asked in self._asked for leaf in asked.callers),
        )

    def time_key(self, now: datetime) -> Key:
        """The class that a moment belongs to."""
        return tuple(
            holds
            for asked in self._asked
            for holds in (
                *(hours.is_open(now) for hours in asked.hours.values()),
                *(period.holds(now) for period in asked.periods),
            )
        )

    def _callers(self) -> dict[Key, Callers]:
        found: dict[Key, list[Cell]] = {}
        for cell in self.caller_cells:
            found.setdefault(self.caller_key(CallerId(cell.number, cell.number.e164)), []).append(cell)
        without: dict[Key, list[CallerId]] = {}
        for caller in (ANONYMOUS, INTERNAL):
            without.setdefault(self.caller_key(caller), []).append(caller)
        classes: dict[Key, Callers] = {}
        for key in {**found, **without}:
            cells, numberless = tuple(found.get(key, ())), tuple(without.get(key, ()))
            caller = self._example(key, (*cells, *numberless))
            matches = self._really(caller) or self.known.matched_by(caller)
            classes[key] = Callers(caller, matches, cells, numberless)
        return classes

    def _matched(self, of: str) -> Iterator[str]:
        """Numbers or names that are matched, as is known."""
        examples = (one.example() for one in self.known.matches[:MOST_NAMED] if one.of == of)
        return (one for one in examples if one is not None)

    def _example(self, key: Key, among: Sequence[Cell | CallerId]) -> CallerId:
        """A caller of a class: where there is one, who really matches what is known to be matched."""
        first, *others = (
            CallerId(one.number, one.number.e164) if isinstance(one, Cell) else one for one in among
        )
        matched = [CallerId(PhoneNumber(text), text) for text in self._matched("regex")]
        callers = (first, *(one for one in matched if self.caller_key(one) == key), *others)
        names = ("", *self._matched("display"))
        named = (replace(caller, name=name) for caller in callers for name in names)
        return next((one for one in named if self._really(one) is not None), first)

    def _times(self) -> dict[Key, Times]:
        start, end = self.period.start, self.period.end
        instants = {start, end}
        for asked in self._asked:
            for hours in asked.hours.values():
                instants.update(hours.changes(start, end))
            for period in asked.periods:
                instants.update(period.changes(start, end))
        found: dict[Key, list[Period]] = {}
        for first, after in pairwise(sorted(instants)):
            found.setdefault(self.time_key(first), []).append(Period(first, after))
        zone = ZoneInfo(self._clients[0].timezone if self._clients else "UTC")
        times: dict[Key, Times] = {}
        for key, periods in found.items():
            starts = [period.start for period in periods]
            shown_once = (start for start in starts if not start.astimezone(zone).fold)
            times[key] = Times(next(shown_once, starts[0]), joined(periods))
        return times


def joined(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The same moments, in order, with periods that touch made one."""
    found: list[Period] = []
    for period in sorted(periods, key=lambda period: period.start):
        if found and found[-1].end == period.start:
            found[-1] = Period(found[-1].start, period.end)
        else:
            found.append(period)
    return tuple(found)


Clients = tuple[str | None, ...]
"""Whose a number is, by each of some rule sets: the client's id."""


class Numbering:
    """All numbers that somebody has, by one rule set or by several."""

    def __init__(self, *rules: RuleSet) -> None:
        self._rules = rules
        self._asked: dict[tuple[int, str], tuple[DialledIs, ...]] = {
            (at, id): Questions.of(client).dialled
            for at, one in enumerate(rules)
            for id, client in one.clients.items()
        }
        patterns = [
            *(pattern for one in rules for pattern, _ in one.numbers.rows()),
            *(one for asked in self._asked.values() for leaf in asked for one, _ in leaf.patterns.rows()),
        ]
        self.cells = cut(patterns)
        self.classes: dict[Clients, dict[Key, Dialled]] = {}
        """The numbers that are all of the same clients, by those clients."""
        found: dict[Key, list[Cell]] = {}
        for cell in self.cells:
            found.setdefault(self.key(cell.number), []).append(cell)
        for key, cells in found.items():
            owners = self.owners(cells[0].number)
            if any(owners):
                clients = tuple(owner.client if owner else None for owner in owners)
                dialled = Dialled(cells[0].number, tuple(cells), owners)
                self.classes.setdefault(clients, {})[key] = dialled

    def owners(self, number: PhoneNumber) -> tuple[Owner | None, ...]:
        """Whose it is, by each of the rule sets."""
        return tuple(one.numbers.find(number) for one in self._rules)

    def key(self, number: PhoneNumber) -> Key:
        """The class that a number belongs to."""
        owners = self.owners(number)
        asked = [
            leaf
            for at, owner in enumerate(owners)
            if owner is not None
            for leaf in self._asked[at, owner.client]
        ]
        return (*owners, *(leaf.patterns.find(number) is True for leaf in asked))
