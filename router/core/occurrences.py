"""A calendar's text -> when its events last.

- A day without a time is a day of the client's own, from midnight to midnight; a time without a zone is what
  the client's clocks show. So both are kept as clocks show them until a client asks (`Feed.periods`).
- Cancelled events do not count. Neither do those with a time that are shown as free (TRANSP:TRANSPARENT); of
  whole days that is how calendars show them unless told otherwise, public holidays too, so those count.
- Seconds are rounded to whole minutes, so that what ends at 23:59:59 ends with the day.

What recurs is worked out by dateutil, until some years ahead of the present. It steps from one day, week,
month or year that a rule speaks of to the next, from the first on; and where nothing fits (30 February), to
the year 9999. So its steps are counted, and a calendar that takes too many is refused: rules come from
others, and none may hold up those who wait. What does not recur counts in any year.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Component
from recurring_ical_events.adapters.event import EventAdapter
from recurring_ical_events.occurrence import Occurrence
from recurring_ical_events.series import Series

from router.core.icaltext import Written, written_events
from router.core.times import Period

MOST_WORK = 800_000
"""Of one calendar; about as many millionths of a second."""
WORK = {"YEARLY": 100, "MONTHLY": 15, "WEEKLY": 5, "DAILY": 3}
"""Of a step of a simple rule, by what recurs; what recurs more often is left out."""
SIMPLE = 10
"""Values in a simple rule; one of twice as many takes twice the work."""
WORK_OF_OCCURRENCE = 20
WORK_OF_SERIES = 700
"""Of an event that recurs or was changed, whatever its rule."""
MOST_PARTS = 100
"""Values that the parts of one rule may have."""
MOST_RULES = 5
"""Of one event."""
MOST_MOVED = 50
"""Changes of one event that count from then on (RANGE=THISANDFUTURE)."""
MOMENTS_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")

_FIRST, _LAST = datetime(1970, 1, 1), datetime(3000, 1, 1)  # noqa: DTZ001 - as clocks show it
_BEYOND_ZONES = timedelta(days=2)
"""No two clocks are further apart."""


class Feed(msgspec.Struct, frozen=True):
    """One calendar, read."""

    instants: tuple[Period, ...]
    """Those whose zone is written."""
    walls: tuple[tuple[datetime, datetime], ...]
    """Those by the clocks of whoever reads them; in no zone."""
    remarks: tuple[tuple[int, str], ...]
    """What is told of events: their line, and `what; what to do instead`."""

    def periods(self, zone: ZoneInfo) -> list[Period]:
        """All, for a client whose clocks are in `zone`."""
        local = (Period(*(_instant(end, zone) for end in ends)) for ends in self.walls)
        # Of one that clocks going forward have left nothing of, the end may come before the beginning.
        return [*self.instants, *(period for period in local if period.start < period.end)]


class _TooMuchError(Exception):
    """The work that a calendar may be has been done."""


class _Work:
    """What may still be done for one calendar."""

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise _TooMuchError


def read_feed(text: str, horizon: datetime) -> Feed:
    """The events of a calendar: those that recur until `horizon` (aware), all others whenever they are.
    ValueError says why it cannot be used.
    """
    written = written_events(text)
    work = _Work()
    found: list[tuple[datetime, datetime]] = []
    remarks = [(one.line, one.remark) for one in written if one.remark]
    for series in _series(one for one in written if one.event is not None):
        line = series[0].line
        wrong = _refusal(series)
        try:
            found += [] if wrong else list(_lasting(series, horizon, work))
        except _TooMuchError:
            what = f"the events up to line {line} recur too often to be worked out"
            raise ValueError(f"{what}; let them begin later, or take some out") from None
        except Exception as error:  # What the libraries meet in wrong values, they raise as it comes.
            wrong = f"this event cannot be understood ({type(error).__name__}); correct it"
        if wrong:
            remarks.append((line, wrong))
    return Feed(
        tuple(Period(*ends) for ends in found if ends[0].tzinfo),
        tuple(ends for ends in found if not ends[0].tzinfo),
        tuple(sorted(remarks)),
    )


def _series(written: Iterable[Written]) -> Iterator[list[Written]]:
    """Events with what was changed of them; they have one UID."""
    found: dict[str, list[Written]] = defaultdict(list)
    for one in written:
        assert one.event is not None
        found[str(one.event.get("UID", one.line))].append(one)
    yield from found.values()


def _refusal(series: list[Written]) -> str:
    """Why these are not worked out; empty where they are."""
    moved = 0
    for event in (one.event for one in series if one.event is not None):
        rules = _listed(event.get("RRULE"))
        if "EXRULE" in event or len(rules) > MOST_RULES:
            return "this event recurs by rules that are not understood; write one RRULE"
        for rule in rules:
            if rule.get("FREQ", [""])[0] not in WORK or any(
                len(rule.get(one, ())) > 1 for one in MOMENTS_OF_DAY
            ):
                return "this event recurs within a day, so it does not count; write one that lasts as long"
            if "COUNT" in rule and "UNTIL" in rule:
                return "this event ends by COUNT and by UNTIL; take one out"
            if sum(map(len, rule.values())) > MOST_PARTS or rule.get("INTERVAL", [1])[0] < 1:
                return "this event recurs by a rule that is not understood; write a simpler one"
        if "RECURRENCE-ID" in event:
            moved += "RANGE" in event["RECURRENCE-ID"].params
    return "this event was changed too often; write it anew" if moved > MOST_MOVED else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _lasting(series: list[Written], horizon: datetime, work: _Work) -> Iterator[tuple[datetime, datetime]]:
    """From when until when the events that count last, in UTC or in no zone."""
    adapters = [_Adapter(one.event) for one in series if one.event is not None]
    if len(adapters) == 1 and not adapters[0].recurs:
        occurrences = [_Occurrence(adapters[0])]
    else:
        work.spend(WORK_OF_SERIES)
        # In no zone: the library takes each event's own.
        until = horizon.replace(tzinfo=None) + _BEYOND_ZONES
        occurrences = _Series(adapters, work).between(_FIRST, until)
    for occurrence in occurrences:
        work.spend(WORK_OF_OCCURRENCE)
        begins, ends = _minutes(occurrence.start, occurrence.end)
        if occurrence.counts and begins < ends:
            yield begins, ends


def _minutes(start: date, end: date) -> tuple[datetime, datetime]:
    """In whole minutes."""
    if start == end and not isinstance(start, datetime):
        end += timedelta(days=1)
    begins, ends = _clock(start).replace(second=0, microsecond=0), _clock(end)
    if ends.second or ends.microsecond:
        ends = ends.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return begins, ends


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When clocks in `zone` show it; one that is skipped is read by the clock before it (RFC 5545, 3.3.5)."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _clock(moment: date) -> datetime:
    """The beginning of a day; near the ends of the calendar a zone's clock has nowhere to go."""
    clock = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if _FIRST.year <= clock.year < _LAST.year:
        return clock.astimezone(UTC) if clock.tzinfo else clock
    return (_FIRST if clock.year < _FIRST.year else _LAST).replace(tzinfo=UTC if clock.tzinfo else None)


# What the library is told: which events count, and that steps are counted. It has no types.


class _Adapter(EventAdapter):  # type: ignore[misc]  # comes without types
    """An event."""

    def __init__(self, event: Component) -> None:
        if "RECURRENCE-ID" in event:
            # A change is of one occurrence, and the library would look through all for each with a rule.
            for name in ("RRULE", "RDATE", "EXDATE"):
                event.pop(name, None)
        super().__init__(event)
        self.recurs = any(name in event for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"))
        free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT" and isinstance(self.start, datetime)
        self.counts = not free and str(event.get("STATUS", "")).upper() != "CANCELLED"


class _Occurrence(Occurrence):  # type: ignore[misc]  # comes without types
    """One time that an event lasts."""

    def __init__(self, adapter: _Adapter, start: Any = None, end: Any = None, sequence: int = -1) -> None:
        super().__init__(adapter, start, end, sequence)
        self.counts = adapter.counts


class _Interval(int):
    """The INTERVAL of a rule: dateutil adds it, or a multiple, at each of its steps."""

    def __new__(cls, value: int, step: Callable[[], None]) -> "_Interval":
        made = super().__new__(cls, value)
        made.step = step
        return made

    step: Callable[[], None]

    def __radd__(self, other: int) -> int:
        self.step()
        return other + int(self)

    def __mul__(self, other: int) -> int:
        self.step()
        return int(self) * other


class _Series(Series):  # type: ignore[misc]  # comes without types
    """An event with what was changed of it."""

    def __init__(self, adapters: list[_Adapter], work: _Work) -> None:
        self.RecurrenceRules = lambda core: _Rules(core, work)
        super().__init__(adapters)

    def occurrence(self, adapter: _Adapter, start: Any = None, end: Any = None) -> _Occurrence:
        return _Occurrence(adapter, start, end)


class _Rules(Series.RecurrenceRules):  # type: ignore[misc]  # comes without types
    """The rules of an event."""

    def __init__(self, core: _Adapter, work: _Work) -> None:
        self._work = work
        super().__init__(core)

    def rrulestr(self, rule_string: str) -> Any:
        rule = super().rrulestr(rule_string)
        parts = {
            name: value.split(",")
            for name, _, value in (one.partition("=") for one in rule_string.split(";"))
        }
        work = WORK[parts["FREQ"][0]] * (1 + sum(map(len, parts.values())) // SIMPLE)
        interval = _Interval(int(parts.get("INTERVAL", ["1"])[0]), lambda: self._work.spend(work))
        counted = rule.replace(interval=interval)
        counted.until = rule.until
        return counted
