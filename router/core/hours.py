"""Business hours: when a client is open.

Hours are spans of local wall time, half-open, in whole minutes. An instant is open if its wall clock in the
client's zone falls into a span, so a change to or from summer time needs no rule of its own: an hour that is
skipped is never met, an hour that comes twice is open (or closed) both times.

The rule for a day is the first of: the dated rule, the every-year rule, a public holiday (closed), the week.
It replaces the day's spans whole, with the part of a span past midnight, since a span belongs to the day it
begins on.

Events of calendars are instants, not days. They outrank public holidays and the week, and a date outranks
them: on a day with a rule of its own, and in what such a day's spans have past midnight, they count for
nothing.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import msgspec

from router.core.times import DAY, Dates, Period, Spans, YearDays, clock_set


class Occasions(msgspec.Struct, frozen=True):
    """What holds while events of calendars last, whatever the week says. Build it with `of` and `first`."""

    starts: tuple[float, ...] = ()
    """Seconds since 1970, in order."""
    states: tuple[bool | None, ...] = ()
    """From each start to the next: open, closed, or None where there is no event. None is the last."""
    words: tuple[str, ...] = ()
    """What is said of each calendar, `closed by holidays.ics`."""

    @classmethod
    def of(cls, periods: Iterable[Period], is_open: bool, words: str) -> "Occasions":
        """One calendar's; its periods may overlap."""
        turns: list[tuple[float, bool | None]] = []
        end = float("-inf")
        for period in sorted(periods, key=lambda period: period.start):
            begins, ends = period.start.timestamp(), period.end.timestamp()
            if begins > end:
                turns += [(end, None), (begins, is_open)]
            end = max(end, ends)
        turns = [*turns[1:], (end, None)] if turns else []
        return cls(tuple(at for at, _ in turns), tuple(state for _, state in turns), (words,))

    @classmethod
    def first(cls, several: Sequence["Occasions"]) -> "Occasions":
        """Those of several calendars: where events of two overlap, the calendar named first holds."""
        turns: list[tuple[float, bool | None]] = []
        for at in sorted({at for one in several for at in one.starts}):
            states = [one._at(at) for one in several]
            state = next((state for state in states if state is not None), None)
            if state is not (turns[-1][1] if turns else None):
                turns.append((at, state))
        words = tuple(word for one in several for word in one.words)
        return cls(tuple(at for at, _ in turns), tuple(state for _, state in turns), words)

    def at(self, now: datetime) -> bool | None:
        """Whether an event makes the instant `now` (aware) open or closed; None without one."""
        return self._at(now.timestamp())

    def _at(self, seconds: float) -> bool | None:
        found = bisect_right(self.starts, seconds)
        return self.states[found - 1] if found else None

    def turns(self, start: datetime, end: datetime) -> set[datetime]:
        """The instants from `start` on and before `end` at which one begins or ends."""
        return {
            instant
            for instant in (datetime.fromtimestamp(at, UTC) for at in self.starts)
            if start <= instant < end
        }


NO_OCCASIONS = Occasions()
_ONE_DAY = timedelta(days=1)


@cache
def _holidays_of(code: str, year: int) -> frozenset[date]:
    country, _, subdivision = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@dataclass(frozen=True, slots=True)
class Hours:
    """When a client is open. Build it with `build`."""

    zone: ZoneInfo
    week: tuple[Spans, ...]
    """Seven, Monday first."""
    dates: Mapping[date, Spans] = field(default_factory=dict)
    yearly: Mapping[tuple[int, int], Spans] = field(default_factory=dict)
    holidays: tuple[str, ...] = ()
    """Codes of the calendars whose public holidays are closed."""
    occasions: Occasions = NO_OCCASIONS
    """What events of calendars say."""
    place: str = field(default="", compare=False)
    """`file:line`."""

    @classmethod
    def build(
        cls,
        zone: ZoneInfo,
        week: Mapping[tuple[int, ...], Spans],
        dates: Mapping[Dates | YearDays, Spans],
        holidays: Iterable[str],
        occasions: Occasions = NO_OCCASIONS,
        place: str = "",
    ) -> "Hours":
        """From the rules as read. Where ranges of dates overlap, the shorter one holds."""
        by_weekday = {day: spans for days, spans in week.items() for day in days}
        dated: dict[date, Spans] = {}
        yearly: dict[tuple[int, int], Spans] = {}
        for rule, spans in sorted(dates.items(), key=lambda row: -row[0].count):
            if isinstance(rule, Dates):
                dated |= dict.fromkeys(rule.days(), spans)
            else:
                yearly |= dict.fromkeys(rule.days(), spans)
        every_week = tuple(by_weekday.get(day, ()) for day in range(7))
        return cls(zone, every_week, dated, yearly, tuple(holidays), occasions, place)

    @property
    def meaning(self) -> Hashable:
        """When that is, whatever they are called and wherever they are written."""
        dates, yearly = frozenset(self.dates.items()), frozenset(self.yearly.items())
        return (self.zone.key, self.week, dates, yearly, self.holidays, self.occasions)

    def spans(self, day: date) -> Spans:
        """The open hours that begin on `day`."""
        if day in self.dates:
            return self.dates[day]
        if (day.month, day.day) in self.yearly:
            return self.yearly[day.month, day.day]
        for code in self.holidays:
            if day in _holidays_of(code, day.year):
                return ()
        return self.week[day.weekday()]

    def is_open(self, now: datetime) -> bool:
        """Whether the instant `now` (aware, else ValueError) is within the hours."""
        if now.tzinfo is None:
            raise ValueError("`now` has no time zone")
        local = now.astimezone(self.zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        is_open = self._by_occasion(now, day, minute) if self.occasions.starts else None
        return self._by_spans(day, minute) if is_open is None else is_open

    def know_holidays(self, now: datetime) -> None:
        """Work out the holidays of the year of `now` (aware), which takes a tenth of a second the first
        time."""
        for code in self.holidays:
            _holidays_of(code, now.astimezone(self.zone).year)

    def _by_spans(self, day: date, minute: int) -> bool:
        return _within(self.spans(day), minute) or self._past_midnight(day, minute)

    def _past_midnight(self, day: date, minute: int) -> bool:
        """Whether a span of the day before goes on at this minute of `day`."""
        return _within(self.spans(day - _ONE_DAY), minute + DAY)

    def _by_occasion(self, now: datetime, day: date, minute: int) -> bool | None:
        is_open = self.occasions.at(now)
        if is_open is None or self.is_dated(day):
            return None
        if self.is_dated(day - timedelta(days=1)) and self._past_midnight(day, minute):
            return None
        return is_open

    def is_dated(self, day: date) -> bool:
        """Whether `day` has a rule of its own, which outranks calendars."""
        return day in self.dates or (day.month, day.day) in self.yearly

    def changes(self, start: datetime, end: datetime) -> list[datetime]:
        """The instants after `start` and before `end` (aware, else ValueError) at which open turns to closed
        or closed to open, in UTC, in order. From `start` to the first of them it is as at `start`.
        """
        is_open, found = self.is_open(start), []
        for instant in sorted(self._turns(start, end)):
            if self.is_open(instant) is not is_open:
                is_open = not is_open
                found.append(instant)
        return found

    def _turns(self, start: datetime, end: datetime) -> set[datetime]:
        """Where it can change: where a clock in the zone shows the beginning or end of a span, where the
        clock itself is set, over such a moment, and where an event begins or ends."""
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        days = [first + timedelta(days=count) for count in range(-2, (last - first).days + 2)]
        walls = {
            datetime.combine(day, time()) + timedelta(minutes=minute)
            for day in days
            for span in self.spans(day)
            for minute in span
        }
        if self.occasions.starts:
            # A day with a rule of its own puts the calendars aside from its beginning to its end.
            dated = [day for day in days if self.is_dated(day)]
            walls |= {
                datetime.combine(day + timedelta(days=after), time()) for day in dated for after in (0, 1)
            }
        turns = {instant for wall in walls for instant in _instants(wall, self.zone)}
        turns |= self.occasions.turns(start, end)
        return {instant for instant in turns if start < instant < end}


def _within(spans: Spans, minute: int) -> bool:
    for start, end in spans:  # noqa: SIM110 - decisions ask often, and a generator takes twice as long
        if start <= minute < end:
            return True
    return False


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (in UTC) at which it is `day` in `zone`; where that day is left out, or its midnight
    is, the first after."""
    midnight = _instants(datetime.combine(day, time()), zone)
    return min(instant for instant in midnight if instant.astimezone(zone).date() >= day)


def _instants(wall: datetime, zone: ZoneInfo) -> set[datetime]:
    """When clocks in `zone` show `wall`; where they never do, or do twice, also when they are set."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before == after:
        return {before}
    return {before, after, clock_set(min(before, after), max(before, after), zone)}
