"""Conditions of `when`, as compiled: each holds or not at a `Moment`, and carries the words for not holding.

To add a condition: a class with `failure` and `holds`, a row in `COMPILE`, and its words in explain.py.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, assert_never
from zoneinfo import ZoneInfo

import msgspec

from router.core.conditiondocs import AttestationDoc, ConditionDoc, ContactDoc, CountriesDoc, WaitingDoc
from router.core.counts import Count
from router.core.facts import Facts, QueueLoad
from router.core.hours import Hours
from router.core.numbers import NumberIndex, NumberPattern
from router.core.times import Period, Rate, instant

ATTESTATION = "attestation"
"""The variable by which the dialplan says how far the caller's number was vouched for (STIR/SHAKEN)."""


_JOINTS = {"between": " until ", "variable": " and ", "queue": " and ", "agents": " and "}
IDLE = QueueLoad()
_NONE: frozenset[str] = frozenset()
"""The same object wherever a condition names nothing of a kind: most name only one."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """A condition in parts; explain.py adds what was found where it did not hold."""

    condition: str
    """The key: open, closed, caller, dialled, between, variable, queue, agents, not; of a block rule also
    numbers, until and more_than."""
    wanted: tuple[str, ...]
    """The values that would have done, as written in E.164."""

    def __str__(self) -> str:
        """`open: office or late`."""
        return f"{self.condition}: {_JOINTS.get(self.condition, ' or ').join(self.wanted)}"


class Moment:
    """One call as conditions see it. What several conditions ask is worked out once."""

    __slots__ = ("_hours", "_local", "_open", "facts")

    def __init__(self, facts: Facts, hours: Mapping[str, Hours]) -> None:
        self.facts = facts
        self._hours = hours
        self._local = facts.now
        """The same instant by the clocks of the hours asked for last; those of a client are one zone's."""
        self._open: dict[str, bool] = {}

    def is_open(self, name: str) -> bool:
        known = self._open.get(name)
        if known is None:
            hours = self._hours[name]
            self._local = self._local.astimezone(hours.zone)
            known = self._open[name] = hours.is_open(self._local)
        return known


class Condition(Protocol):
    @property
    def failure(self) -> Failure: ...

    def holds(self, moment: Moment) -> bool: ...


When = tuple[tuple[Condition, ...], ...]
"""Alternatives; all conditions of one must hold."""


class OpenIs(msgspec.Struct, frozen=True, gc=False):
    names: tuple[str, ...]
    wanted: bool
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        return self.wanted in map(moment.is_open, self.names)


class CallerIs(msgspec.Struct, frozen=True, gc=False):
    patterns: NumberIndex[bool]
    anonymous: bool
    countries: frozenset[str]
    attestations: frozenset[str]
    groups: frozenset[str]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        caller = moment.facts.caller
        if self.attestations and moment.facts.variables.get(ATTESTATION) in self.attestations:
            return True
        contact = moment.facts.contact
        if self.groups and contact is not None and not self.groups.isdisjoint(contact.groups):
            return True
        if caller.number is None:
            return self.anonymous and caller.anonymous
        if self.patterns.find(caller.number):
            return True
        return bool(self.countries) and caller.number.country in self.countries


class DialledIs(msgspec.Struct, frozen=True, gc=False):
    patterns: NumberIndex[bool]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        did = moment.facts.did
        return did is not None and self.patterns.find(did) is True


class Between(msgspec.Struct, frozen=True):
    period: Period
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        return self.period.holds(moment.facts.now)


class VariableIs(msgspec.Struct, frozen=True):
    """Each of these variables of the dialplan has one of its values."""

    wanted: tuple[tuple[str, tuple[str, ...]], ...]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        variables = moment.facts.variables
        return all(variables.get(name, "") in values for name, values in self.wanted)


class LoadIs(msgspec.Struct, frozen=True):
    """Each of these queues has so many who wait, or so many agents."""

    of: Literal["waiting", "agents"]
    wanted: tuple[tuple[str, Count], ...]
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        loads = moment.facts.queues
        return all(count.holds(getattr(loads.get(queue, IDLE), self.of)) for queue, count in self.wanted)


class Until(msgspec.Struct, frozen=True):
    end: datetime
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        return moment.facts.now < self.end


class MoreThan(msgspec.Struct, frozen=True):
    """The caller has called more often, this call included. Who withholds the number is not counted, nor is a
    call of a time to come: the clock was set back since."""

    rate: Rate
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        now = moment.facts.now
        since = now - timedelta(seconds=self.rate.within.seconds)
        return sum(since < before <= now for before in moment.facts.calls_before) >= self.rate.calls


class Not(msgspec.Struct, frozen=True):
    when: When
    failure: Failure

    def holds(self, moment: Moment) -> bool:
        return bool(failures(self.when, moment))


def failures(when: When, moment: Moment) -> tuple[Failure, ...]:
    """Empty where `when` holds; else the first condition that failed, of each alternative."""
    failed: list[Failure] = []
    for alternative in when:
        for condition in alternative:
            if not condition.holds(moment):
                failed.append(condition.failure)
                break
        else:
            return ()
    return tuple(failed)


def _open(names: tuple[str, ...], zone: ZoneInfo) -> Condition:
    return OpenIs(names, True, Failure("open", names))


def _closed(names: tuple[str, ...], zone: ZoneInfo) -> Condition:
    return OpenIs(names, False, Failure("closed", names))


def _caller(
    callers: tuple[NumberPattern | str | CountriesDoc | AttestationDoc | ContactDoc, ...], zone: ZoneInfo
) -> Condition:
    patterns: list[NumberPattern] = []
    countries: list[str] = []
    anonymous: list[str] = []
    levels: list[str] = []
    groups: list[str] = []
    for caller in callers:
        match caller:
            case NumberPattern():
                patterns.append(caller)
            case str():
                anonymous.append(caller)
            case CountriesDoc():
                countries += caller.country
            case AttestationDoc():
                levels += caller.attestation
            case ContactDoc():
                groups += caller.contact
            case _:
                assert_never(caller)
    wanted = [*(pattern.text for pattern in patterns), *countries, *anonymous[:1]]
    wanted += [f"attestation {level}" for level in levels]
    wanted += [f"contact {group}" for group in groups]
    index = NumberIndex((pattern, True) for pattern in patterns)
    return CallerIs(
        index,
        bool(anonymous),
        frozenset(countries) or _NONE,
        frozenset(levels) or _NONE,
        frozenset(groups) or _NONE,
        Failure("caller", tuple(wanted)),
    )


def _dialled(patterns: tuple[NumberPattern, ...], zone: ZoneInfo) -> Condition:
    index = NumberIndex((pattern, True) for pattern in patterns)
    return DialledIs(index, Failure("dialled", tuple(pattern.text for pattern in patterns)))


def between(ends: tuple[datetime, datetime], zone: ZoneInfo) -> Between:
    """From the first of `ends` until the other, as the clocks of `zone` show them."""
    written = tuple(f"{end:%Y-%m-%d %H:%M}" for end in ends)
    return Between(Period.local(*ends, zone), Failure("between", written))


def _variable(wanted: dict[str, tuple[str, ...]], zone: ZoneInfo) -> Condition:
    words = tuple(f"{name} {' or '.join(values)}" for name, values in wanted.items())
    return VariableIs(tuple(wanted.items()), Failure("variable", words))


def _queue(wanted: dict[str, WaitingDoc], zone: ZoneInfo) -> Condition:
    counts = tuple((name, doc.waiting) for name, doc in wanted.items())
    return LoadIs("waiting", counts, Failure("queue", tuple(f"{name} waiting {of}" for name, of in counts)))


def _agents(wanted: dict[str, Count], zone: ZoneInfo) -> Condition:
    words = tuple(f"{name} {count}" for name, count in wanted.items())
    return LoadIs("agents", tuple(wanted.items()), Failure("agents", words))


def until(end: datetime, zone: ZoneInfo) -> Condition:
    """Before `end`, as the clocks of `zone` show it."""
    return Until(instant(end, zone), Failure("until", (f"{end:%Y-%m-%d %H:%M}",)))


def more_than(rate: Rate) -> Condition:
    """The caller has called more often than that."""
    return MoreThan(rate, Failure("more_than", (str(rate),)))


def _not(docs: tuple[ConditionDoc, ...], zone: ZoneInfo) -> Condition:
    when = compile_when(docs, zone)
    return Not(when, Failure("not", tuple(map(_words, when))))


def _words(conditions: tuple[Condition, ...]) -> str:
    return ", ".join(str(one.failure) for one in conditions)


def when_in_words(when: When) -> str:
    """`open: office, caller: +47*; or dialled: +4722334455`; empty where nothing is asked."""
    return "" if () in when else "; or ".join(map(_words, when))


COMPILE: dict[str, Callable[[Any, ZoneInfo], Condition]] = {
    "open": _open,
    "closed": _closed,
    "caller": _caller,
    "dialled": _dialled,
    "between": between,
    "variable": _variable,
    "queue": _queue,
    "agents": _agents,
    "not_": _not,
}
"""Field of `ConditionDoc` -> the condition; tried in this order."""


def compile_when(docs: tuple[ConditionDoc, ...], zone: ZoneInfo) -> When:
    """`zone` is the client's: moments are written as its clocks show them."""
    return tuple([_compile(vars(doc), zone) for doc in docs])


def _compile(written: Mapping[str, Any], zone: ZoneInfo) -> tuple[Condition, ...]:
    """All conditions of one document, whose fields these are."""
    return tuple([make(written[key], zone) for key, make in COMPILE.items() if written[key] is not None])
