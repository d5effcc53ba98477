"""Reports: calls in, figures out. `Counting` takes calls one by one, in any order, and keeps numbers only.

What a unit is, and when it is offered, answered and abandoned, is told in counted.py. Of these figures

- *service level* is the share of units answered within so many seconds, of all that were offered, but for
  short abandons. So who waited in vain counts against it, however it ended: of the three ways that Cisco's
  ICM has (its manual, Service Data: abandoned calls are ignored, count against, or count for it), the second;
  formula 3 of callcentrehelper.com's "Service Level Threshold Calculations". It is not what app_queue calls
  ServicelevelPerf (set_queue_variables in app_queue.c), which is of calls that were answered alone;
- *abandonment* is the share of units abandoned, of the same;
- *short abandons* hung up sooner than so many seconds, before anybody had a fair chance to answer, and are
  left out of both;
- *wait* is of those answered (the average speed of answer), *left after* of those abandoned, short ones not
  included;
- *handling* is talk, hold included, and wrap-up; of each unit in which somebody talked;
- *p90* is the least value that nine in ten do not exceed: nearest rank, so one that really was.

Hours, weekdays and days are by the clocks of each call's client: an hour that comes twice, when clocks go
back, is one line.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import fsum
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from router.core.counted import CountedCall, Unit, unit_of, unit_of_visit, units_of_people
from router.core.record import Disposition
from router.core.times import WEEKDAYS, instant


class By(StrEnum):
    """What lines of a report are of."""

    CLIENT = "client"
    QUEUE = "queue"
    PERSON = "person"
    DAY = "day"
    HOUR = "hour"
    WEEKDAY = "weekday"
    DISPOSITION = "disposition"
    TAG = "tag"


class Window(msgspec.Struct, frozen=True):
    """When the calls of a report arrived; None is no bound."""

    first: datetime | None = None
    """By the clock on the wall, included;"""
    last: datetime | None = None
    """... and excluded."""
    since: datetime | None = None
    """An instant, included."""

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """From (included) until (excluded), as instants, by the clocks of a zone."""
        starts = [self.since, self.first and instant(self.first, zone)]
        start = max((one for one in starts if one is not None), default=None)
        return start, self.last and instant(self.last, zone)


class Wanted(msgspec.Struct, frozen=True):
    """What a report is to be of."""

    by: tuple[By, ...] = ()
    within: float = 20.0
    """Seconds in which calls are to be answered."""
    short: float = 5.0
    """Seconds before which hanging up counts for nothing."""
    window: Window = Window()
    client: str | None = None
    queue: str | None = None
    """Only calls that came to a queue of this name; and of their visits, only those."""


class Spread(msgspec.Struct, frozen=True):
    """How long something took; seconds, None where there was none."""

    count: int
    average: float | None
    p90: float | None
    longest: float | None


class Line(msgspec.Struct, frozen=True):
    """The figures of one group, or of all calls."""

    key: str | None
    """What the group is of: an id, `2026-11-27`, `09`, `mon`, a disposition, a tag; None of calls that have
    none."""
    client: str | None
    """Whose queue or person it is."""
    calls: int
    share: float | None
    """Of all calls of the report."""
    offered: int
    """Short abandons included."""
    answered: int
    answered_within: int
    service_level: float | None
    abandoned: int
    abandonment: float | None
    short_abandons: int
    callbacks: int
    """Calls that the router made to call somebody back; in none of the numbers before."""
    dispositions: Mapping[Disposition, int]
    wait: Spread
    left_after: Spread
    talk: Spread
    wrap_up: Spread
    handling: Spread

    @property
    def unanswered(self) -> int:
        """Offered, and neither answered nor abandoned: busy, nobody there, a message after waiting ..."""
        return self.offered - self.answered - self.abandoned - self.short_abandons


class Report(msgspec.Struct, frozen=True):
    """The figures of all calls, and of each group."""

    wanted: Wanted
    total: Line
    groups: Mapping[By, tuple[Line, ...]]
    first: datetime | None
    """When the first and the last call arrived, by the clocks of their clients; None without calls."""
    last: datetime | None
    live: int
    """Calls of that time that are not over, and so not counted; of all queues."""


Key = tuple[str | None, str | None]
"""Whose, and what: `client` and `key` of a line."""


class Counting:
    """Counts calls for one report."""

    def __init__(self, wanted: Wanted, zones: Mapping[str, ZoneInfo], otherwise: ZoneInfo) -> None:
        """`zones` of clients; `otherwise` that of calls that are no client's, or of one that is not there."""
        self._wanted = wanted
        self._zones = zones
        self._otherwise = otherwise
        self._bounds: dict[ZoneInfo, tuple[datetime | None, datetime | None]] = {}
        self._total = _Tally(wanted)
        self._groups: dict[By, dict[Key, _Tally]] = {by: {} for by in wanted.by}
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._live = 0

    def add(self, call: CountedCall) -> None:
        """Count a call, if it is wanted."""
        if not self._is_wanted(call.client, call.arrived_at):
            return
        if self._wanted.queue is not None:
            visits = tuple(visit for visit in call.visits if visit.queue == self._wanted.queue)
            if not visits:
                return
            call = replace(call, visits=visits)
        local = call.arrived_at.astimezone(self._zone(call.client))
        # Of two zones: by what the clocks show.
        shown = local.replace(tzinfo=None)
        self._first = min(self._first or shown, shown)
        self._last = max(self._last or shown, shown)
        whole = unit_of(call)
        self._total.add(whole, call.became)
        for by, tallies in self._groups.items():
            for key, unit in _units(by, call, whole, local):
                if key not in tallies:
                    tallies[key] = _Tally(self._wanted)
                tallies[key].add(unit, call.became)

    def add_live(self, client: str | None, arrived_at: datetime) -> None:
        """Count a call that is not over, if it is wanted."""
        self._live += self._is_wanted(client, arrived_at)

    def report(self) -> Report:
        """The figures of all that was counted."""
        total = self._total.line((None, None), None)
        groups = {by: tuple(self._lines(by, total.calls)) for by in self._wanted.by}
        return Report(self._wanted, total, groups, self._first, self._last, self._live)

    def _zone(self, client: str | None) -> ZoneInfo:
        return self._zones.get(client or "", self._otherwise)

    def _is_wanted(self, client: str | None, arrived_at: datetime) -> bool:
        zone = self._zone(client)
        if zone not in self._bounds:
            self._bounds[zone] = self._wanted.window.bounds(zone)
        start, end = self._bounds[zone]
        then = (start is None or start <= arrived_at) and (end is None or arrived_at < end)
        return then and self._wanted.client in (None, client)

    def _lines(self, by: By, calls: int) -> Iterator[Line]:
        tallies = self._groups[by]
        days = (key or "" for _, key in tallies)
        for key in _every(by, days) if by in _CLOCKED else ():
            tallies.setdefault((None, key), _Tally(self._wanted))
        lines = [tally.line(key, calls) for key, tally in tallies.items()]
        if by in _CLOCKED:
            order = WEEKDAYS.index if by is By.WEEKDAY else str
            yield from sorted(lines, key=lambda line: order(line.key or ""))
        else:
            yield from sorted(lines, key=_largest_first)


def _largest_first(line: Line) -> tuple[int, str, str]:
    return -line.calls, line.client or "", line.key or ""


_CLOCKED = (By.DAY, By.HOUR, By.WEEKDAY)


def _every(by: By, days: Iterable[str]) -> Iterator[str]:
    """All hours, all days of the week, or all days from the first to the last with a call."""
    match by:
        case By.HOUR:
            yield from (f"{hour:02}" for hour in range(24))
        case By.WEEKDAY:
            yield from WEEKDAYS
        case _:
            known = sorted(map(date.fromisoformat, days))
            if known:
                span = (known[-1] - known[0]).days
                yield from (str(known[0] + timedelta(days=number)) for number in range(span))


def _units(by: By, call: CountedCall, whole: Unit, local: datetime) -> Iterator[tuple[Key, Unit]]:
    """What of a call is counted in which groups; `local`: its arrival by its client's clocks."""
    match by:
        case By.QUEUE:
            for visit in call.visits:
                yield (call.client, visit.queue), unit_of_visit(call, visit)
        case By.PERSON:
            for who, unit in units_of_people(call):
                yield (call.client, who), unit
        case By.TAG:
            for tag in dict.fromkeys(call.tags) or (None,):
                yield (None, tag), whole
        case _:
            yield (None, _key(by, call, local)), whole


def _key(by: By, call: CountedCall, local: datetime) -> str | None:
    match by:
        case By.CLIENT:
            return call.client
        case By.DISPOSITION:
            return call.became.value
        case By.DAY:
            return f"{local:%Y-%m-%d}"
        case By.HOUR:
            return f"{local:%H}"
        case _:
            return WEEKDAYS[local.weekday()]


class _Tally:
    """Units of one group, as numbers."""

    __slots__ = (
        "_wanted",
        "abandoned",
        "answered",
        "answered_within",
        "callbacks",
        "calls",
        "dispositions",
        "handled",
        "left",
        "offered",
        "short",
        "talked",
        "waited",
        "wrapped_up",
    )

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.calls = self.offered = self.answered = self.answered_within = 0
        self.abandoned = self.short = self.callbacks = 0
        self.dispositions: dict[Disposition, int] = {}
        self.waited, self.left = array("d"), array("d")
        self.talked, self.wrapped_up, self.handled = array("d"), array("d"), array("d")

    def add(self, unit: Unit, disposition: Disposition) -> None:
        if unit.returns:
            self.callbacks += 1
        else:
            self._add_call(unit, disposition)
        if unit.talked is not None:
            self.talked.append(unit.talked)
        if unit.wrapped_up is not None:
            self.wrapped_up.append(unit.wrapped_up)
        if unit.handled is not None:
            self.handled.append(unit.handled)

    def _add_call(self, unit: Unit, disposition: Disposition) -> None:
        self.calls += 1
        self.dispositions[disposition] = self.dispositions.get(disposition, 0) + 1
        self.offered += unit.offered
        if unit.answered:
            self.answered += 1
            self.answered_within += unit.waited <= self._wanted.within
            self.waited.append(unit.waited)
        elif unit.abandoned and unit.waited < self._wanted.short:
            self.short += 1
        elif unit.abandoned:
            self.abandoned += 1
            self.left.append(unit.waited)

    def line(self, key: Key, of: int | None) -> Line:
        """The figures; `of` so many calls, its own where that is None."""
        client, name = key
        base = self.offered - self.short
        return Line(
            key=name,
            client=client,
            calls=self.calls,
            share=_rate(self.calls, self.calls if of is None else of),
            offered=self.offered,
            answered=self.answered,
            answered_within=self.answered_within,
            service_level=_rate(self.answered_within, base),
            abandoned=self.abandoned,
            abandonment=_rate(self.abandoned, base),
            short_abandons=self.short,
            callbacks=self.callbacks,
            dispositions={one: self.dispositions[one] for one in Disposition if one in self.dispositions},
            wait=_spread(self.waited),
            left_after=_spread(self.left),
            talk=_spread(self.talked),
            wrap_up=_spread(self.wrapped_up),
            handling=_spread(self.handled),
        )


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _spread(values: "array[float]") -> Spread:
    if not values:
        return Spread(0, None, None, None)
    ordered = sorted(values)
    rank = -(-9 * len(ordered) // 10)
    return Spread(len(ordered), fsum(ordered) / len(ordered), ordered[rank - 1], ordered[-1])
