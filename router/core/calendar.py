"""What applies when: each day's open hours, exceptions in force, and the route an ordinary caller meets.

Between two moments at which hours or exceptions change, every decision is the same; so the calendar asks
`decide` itself, once after each such moment. Days are those of the client's own clocks: one on which they are
set has 23 hours, or 25.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers

from router.core.conditions import Between, CallerIs, Condition, Not, Until, When
from router.core.decide import Decision, decide
from router.core.facts import Facts
from router.core.hours import beginning
from router.core.numbers import CallerId, PhoneNumber
from router.core.ruleset import ClientRules, Owner, RuleSet
from router.core.show import numbers_of
from router.core.times import Period

LONGEST = 400
"""Days that a calendar may have."""


class Interval(msgspec.Struct, frozen=True):
    """What holds from an instant (included) until another (excluded), both by the client's clock."""

    start: datetime
    end: datetime
    what: str
    place: str
    """`file:line`."""


class Day(msgspec.Struct, frozen=True):
    """One day of the client's calendar."""

    date: date
    start: datetime
    end: datetime
    open: dict[str, tuple[Interval, ...]]
    """Name of hours -> when they are open."""
    exceptions: tuple[Interval, ...]
    """Those in force; they may overlap."""
    routes: tuple[Interval, ...]
    """What takes the ordinary caller: the whole day without a gap; empty where the client has no number."""

    @property
    def hours(self) -> float:
        """How long the day is, by a clock that is never set."""
        # The difference of two moments of one zone is what clocks show, so they are taken as instants.
        return (self.end.timestamp() - self.start.timestamp()) / 3600


class Calendar(msgspec.Struct, frozen=True):
    """One client's."""

    client: str
    name: str
    timezone: str
    number: str | None
    """The client's main number, which the ordinary caller dials: the first one written."""
    caller: str
    """Whom the routes are for: a caller from the client's own country whom no rule names, if there is
    one."""
    days: tuple[Day, ...]


LONG_AGO = datetime.min.replace(tzinfo=UTC)
_Stretch = tuple[datetime, datetime, str, str]
"""An interval in UTC: start, end, what, place."""


def calendar(rules: RuleSet, client: ClientRules, first: date, days: int) -> Calendar:
    """The calendar of `days` days (from 1 to LONGEST) from `first` on."""
    zone = ZoneInfo(client.timezone)
    starts = [beginning(first + timedelta(days=count), zone) for count in range(days + 1)]
    start, end = starts[0], starts[-1]
    turns = {turn for hours in client.hours.values() for turn in hours.changes(start, end)}
    turns |= {turn for period in _periods(client) for turn in period.changes(start, end)}
    cuts = [start, *sorted(turns), end]
    number = main_number(rules, client)
    caller = ordinary_caller(rules, client, number, start)
    opened = {name: list(_open(client, name, start, end)) for name in client.hours}
    exceptions = [
        (one.when.period.start, one.when.period.end, one.title, one.place) for one in client.exceptions
    ]
    routes = list(_routes(rules, number, caller, cuts)) if number is not None else []

    def day(count: int) -> Day:
        begins, ends = starts[count], starts[count + 1]
        return Day(
            first + timedelta(days=count),
            begins.astimezone(zone),
            ends.astimezone(zone),
            {name: _within(begins, ends, stretches, zone) for name, stretches in opened.items()},
            _within(begins, ends, exceptions, zone),
            _within(begins, ends, routes, zone),
        )

    return Calendar(
        client.id,
        client.name,
        client.timezone,
        None if number is None else number.e164,
        caller.e164,
        tuple(map(day, range(days))),
    )


def _within(
    start: datetime, end: datetime, stretches: Sequence[_Stretch], zone: ZoneInfo
) -> tuple[Interval, ...]:
    return tuple(
        Interval(max(start, begins).astimezone(zone), min(end, ends).astimezone(zone), what, place)
        for begins, ends, what, place in stretches
        if begins < end and start < ends and begins < ends
    )


def _stretches(cuts: Sequence[datetime], at: Callable[[datetime], tuple[str, str]]) -> Iterator[_Stretch]:
    """What is so from each cut to the next; where that stays the same, as one."""
    since, found = cuts[0], at(cuts[0])
    for cut in cuts[1:-1]:
        now = at(cut)
        if now != found:
            yield since, cut, *found
            since, found = cut, now
    if since < cuts[-1]:
        yield since, cuts[-1], *found


def _open(client: ClientRules, name: str, start: datetime, end: datetime) -> Iterator[_Stretch]:
    hours = client.hours[name]
    cuts = [start, *hours.changes(start, end), end]
    for stretch in _stretches(cuts, lambda now: ("open" if hours.is_open(now) else "", hours.place)):
        if stretch[2]:
            yield stretch


def _routes(
    rules: RuleSet, number: PhoneNumber, caller: PhoneNumber, cuts: Sequence[datetime]
) -> Iterator[_Stretch]:
    def taken(now: datetime) -> tuple[str, str]:
        decision = _decided(rules, number, caller, now)
        row = [row for row in decision.trace if row.matched][-1]
        return _TAKEN[row.kind].format(name=row.name), row.place

    return _stretches(cuts, taken)


_TAKEN = {
    "block": "blocked: {name}",
    "exception": "exception {name}",
    "route": "{name}",
    "no route": "last resort",
}
"""What took a call, by the last row of its trace that matched."""


def _periods(client: ClientRules) -> Iterator[Period]:
    """All that routes and exceptions ask for."""
    yield from (exception.when.period for exception in client.exceptions)
    for condition in _conditions(client):
        if isinstance(condition, Between):
            yield condition.period
        elif isinstance(condition, Until):
            yield Period(LONG_AGO, condition.end)


def _conditions(client: ClientRules) -> Iterator[Condition]:
    """Those of all routes and block rules, also the ones within `not`."""
    waiting: list[When] = [rule.when for rule in client.screening.block]
    waiting += [route.when for route in client.routes]
    while waiting:
        for alternative in waiting.pop():
            for condition in alternative:
                yield condition
                if isinstance(condition, Not):
                    waiting.append(condition.when)


# Who calls


def main_number(rules: RuleSet, client: ClientRules) -> PhoneNumber | None:
    """The first number written that is the client's own, and not a person's; None where it has none."""
    examples = (one for number in numbers_of(rules, client)[None] for one in number.pattern.examples())
    return next((one for one in examples if rules.numbers.find(one) == Owner(client.id)), None)


def ordinary_caller(
    rules: RuleSet, client: ClientRules, number: PhoneNumber | None, now: datetime
) -> PhoneNumber:
    """Somebody from the client's own country, not blocked at `now` if that can be, and whom as few
    conditions as possible ask for."""
    asked = [one.patterns for one in _conditions(client) if isinstance(one, CallerIs)]

    def named(caller: PhoneNumber) -> tuple[bool, int]:
        blocked = number is not None and _decided(rules, number, caller, now).plan.blocked_by is not None
        return blocked, sum(patterns.find(caller) is not None for patterns in asked)

    return min(_numbers_in(client.country), key=named)


def _decided(rules: RuleSet, number: PhoneNumber, caller: PhoneNumber, now: datetime) -> Decision:
    return decide(rules, Facts(now, number.e164, number, CallerId(caller, caller.e164)))


def _numbers_in(country: str) -> Iterator[PhoneNumber]:
    """Some numbers there: examples of landlines and mobiles, and others like them."""
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    for example in (phonenumbers.example_number_for_type(country, kind) for kind in kinds):
        if example is not None:
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            yield from (PhoneNumber(f"{text[:-2]}{last:02}") for last in range(67, 77))
