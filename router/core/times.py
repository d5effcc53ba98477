"""Durations, moments, dates and hours of the day, as they are written, and what they mean."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import holidays
import msgspec
from holidays.registry import EntityLoader

from router.core.remarks import UnknownNameError

DAY = 24 * 60
"""Minutes of a day."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""From (included) until (excluded), in minutes after the midnight that begins the day; `until` may pass
24:00.
"""
Spans = tuple[Span, ...]

_DURATION = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,5})s)?")
_RATE = re.compile(r"([0-9]{1,3}) +calls? +in +([0-9hms]+)")
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_AROUND_DASH = re.compile(r"\s*[-\u2013]\s*")
_DATED = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<time>[ T][0-9]{2}:[0-9]{2})?")
_HOLIDAY_CODE = re.compile(r"[A-Z]{2}(?:-[A-Za-z0-9]{1,8})?")
_YEARS = range(1970, 3000)
"""A moment is in one of these; near the ends of the calendar a zone's clock has nowhere to go."""
_LONGEST_YEAR = 366
_LEAP_YEAR = 2000
"""Every-year dates are counted in a leap year, so that 02-29 can be named."""


class Duration(msgspec.Struct, frozen=True, order=True):
    """A length of time, in whole seconds. Build it with `parse`."""

    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `25s`, `5m`, `1h30m`, `30d`. ValueError says what to write."""
        found = _DURATION.fullmatch(text)
        if text.isascii() and text.isdigit():
            raise ValueError(f"`{text}` has no unit; write {text[:5]}s (seconds) or {text[:5]}m (minutes)")
        if not text or found is None:
            raise ValueError(f"`{text}` is not a length of time; write it as in 25s, 5m or 1h30m")
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls(((days * 24 + hours) * 60 + minutes) * 60 + seconds)

    def __str__(self) -> str:
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
        return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


LONGEST_WITHIN = Duration(24 * 3600)
"""Calls are not counted over more: they are kept in memory for as long."""


class Rate(msgspec.Struct, frozen=True):
    """So many calls within so long. Build it with `parse`."""

    calls: int
    within: Duration

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Rate: so many calls in a time, as in `5 calls in 10m`.

        ValueError says what to write.
        """
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError(f"`{text[:60]}` is no number of calls in a time; write it as in 5 calls in 10m")
        rate = cls(int(found[1]), Duration.parse(found[2]))
        if not rate.calls or not Duration(0) < rate.within <= LONGEST_WITHIN:
            raise ValueError(f"`{text}` cannot be counted; write at least 1 call in 1s to {LONGEST_WITHIN}")
        return rate

    def spread(self, now: datetime) -> tuple[datetime, ...]:
        """So many moments, evenly over the time before `now` (aware)."""
        step = timedelta(seconds=self.within.seconds) / (self.calls + 1)
        return tuple(now - step * number for number in range(self.calls, 0, -1))

    def __str__(self) -> str:
        return f"{self.calls} call{'s' * (self.calls > 1)} in {self.within}"


class YearDays(msgspec.Struct, frozen=True):
    """Days of every year, as (month, day), both ends included; may cross New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    @property
    def count(self) -> int:
        """How many days."""
        first, last = (date(_LEAP_YEAR, *point) for point in (self.first, self.last))
        return (last - first).days % _LONGEST_YEAR + 1

    def days(self) -> Iterable[tuple[int, int]]:
        new_year = date(_LEAP_YEAR, 1, 1)
        first = (date(_LEAP_YEAR, *self.first) - new_year).days
        for number in range(self.count):
            day = new_year + timedelta(days=(first + number) % _LONGEST_YEAR)
            yield (day.month, day.day)


class Dates(msgspec.Struct, frozen=True):
    """Days of one calendar, both ends included; at most a year."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def days(self) -> Iterable[date]:
        for number in range(self.count):
            yield self.first + timedelta(days=number)


def read_spans(text: str) -> Spans:
    """Open hours: `08:00-12:00 12:30-14:00`, or `closed`; a span that ends before it begins ends on the next
    day.
    """
    if text.strip() == "closed":
        return ()
    spans = tuple(sorted(map(_read_span, _AROUND_DASH.sub("-", text.replace(",", " ")).split())))
    if not spans:
        raise ValueError("there are no hours here; write them as in 08:00-15:30, or closed")
    for before, after in pairwise(spans):
        if after[0] < before[1]:
            raise ValueError(f"`{text}` has hours that overlap; write them as one span, or apart")
    return spans


def spans_in_words(spans: Spans) -> str:
    """As `read_spans` reads them."""
    return " ".join(f"{_clock(start)}-{_clock(end)}" for start, end in spans) or "closed"


def _clock(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute - DAY if minute > DAY else minute, 60))


def _read_span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is not a span of hours; write it as in 08:00-15:30")
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or start >= DAY or end > DAY:
        raise ValueError(f"`{text}` is not on the clock; hours go from 00:00 to 24:00")
    if start == end:
        raise ValueError(f"`{text}` begins and ends at once; write 00:00-24:00 for the whole day, or closed")
    return (start, end if end > start else end + DAY)


def read_weekdays(text: str) -> tuple[int, ...]:
    """Days of the week: `fri`, `mon-thu` or `mon,wed`; a range may pass Sunday.

    Monday is 0, once read.
    """
    days: list[int] = []
    for part in text.lower().replace(" ", "").split(","):
        ends = part.split("-")
        if len(ends) > 2 or not set(ends) <= set(WEEKDAYS):
            raise ValueError(f"`{text}` is not a day of the week; write mon, mon-thu or mon,wed")
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days += [day % 7 for day in range(first, last + 1 if last >= first else last + 8)]
    if len(set(days)) < len(days):
        raise ValueError(f"`{text}` names a day twice; name it once")
    return tuple(days)


def read_dates(text: str) -> Dates | YearDays:
    """Date: `2026-12-23`, `12-24` (every year), or a range of either, as in `12-24..01-02`."""
    first, _, last = (part.strip() for part in text.partition(".."))
    ends = [_read_date(end, text) for end in (first, last or first)]
    match ends:
        case [date() as start, date() as end]:
            if not start <= end <= start + timedelta(days=_LONGEST_YEAR):
                raise ValueError(f"`{text}` goes back, or is over a year; write the earlier date first")
            return Dates(start, end)
        case [tuple() as start, tuple() as end]:
            return YearDays(start, end)
        case _:
            raise ValueError(f"`{text}` has a year at one end only; write both ends with it, or neither")


def _read_date(text: str, whole: str) -> date | tuple[int, int]:
    dated, yearly = _DATED.fullmatch(text), _YEARLY.fullmatch(text)
    try:
        if dated:
            return date(*map(int, dated.groups()))
        if yearly:
            day = date(_LEAP_YEAR, *map(int, yearly.groups()))
            return (day.month, day.day)
    except ValueError:
        raise ValueError(f"`{whole}`: there is no such day; write year-month-day or month-day") from None
    raise ValueError(f"`{whole}` is not a date; write 2026-12-23, 12-24 (every year) or 12-24..12-31")


def read_from(text: str) -> datetime:
    """Moment: `2026-12-02 12:00`; a day alone, `2026-12-02`, is its beginning.

    In no zone yet.
    """
    return _read_moment(text, 0)


def read_until(text: str) -> datetime:
    """Last moment: `2026-12-02 15:30`; a day alone, `2026-12-02`, is its end.

    Who says `until Friday` means Friday too.
    """
    return _read_moment(text, 1)


def _read_moment(text: str, days: int) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text[:60]}` is not a date; write 2026-12-23 or 2026-12-23 15:30")
    try:
        moment = datetime.fromisoformat(text) + timedelta(days=0 if found["time"] else days)
        if moment.year not in _YEARS:
            raise ValueError(text)
        return moment
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}`: there is no such moment; write 2026-12-23 or 2026-12-23 15:30") from None


def read_zone(text: str) -> ZoneInfo:
    """Time zone: its name (IANA), as in `Europe/Oslo`.

    ValueError names close ones.
    """
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what, otherwise = f"`{text[:60]}` is not a time zone", "a name such as Europe/Oslo"
        raise _unknown(what, text, _zones(), otherwise) from None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def read_holidays(text: str) -> str:
    """Holidays: the code of a country or a part of one (ISO 3166-2), `NO` or `NO-03`.

    ValueError names close codes.
    """
    country, _, part = text.partition("-")
    countries = _countries_with_holidays()
    parts = _parts_with_holidays(country) if part else ()
    if country not in countries or (part and part not in parts) or not _HOLIDAY_CODE.fullmatch(text):
        what, otherwise = f"no public holidays are known for `{text}`", "a code such as NO or NO-03"
        codes: Iterable[str] = (f"{country}-{one}" for one in parts)
        if text.upper() in countries:
            codes = (text.upper(),)
        raise _unknown(what, text.upper(), codes, otherwise)
    return text


@cache
def _countries_with_holidays() -> frozenset[str]:
    return frozenset(EntityLoader.get_country_codes())


@cache
def _parts_with_holidays(country: str) -> tuple[str, ...]:
    if country not in _countries_with_holidays():
        return ()
    calendar = holidays.country_holidays(country)
    return (*calendar.subdivisions, *calendar.subdivisions_aliases)


def _unknown(what: str, text: str, known: Iterable[str], otherwise: str) -> UnknownNameError:
    def look() -> str:
        close = get_close_matches(text, sorted(known), n=2, cutoff=0.5)
        return f"write {' or '.join(close) or otherwise}"

    return UnknownNameError(what, f"write {otherwise}", look)


def instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the clock on the wall in `zone` shows `moment`.

    Of an hour that comes twice the first is meant; one that is skipped is the moment at which it is.
    """
    first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # In a gap the offset before it, which the first fold has, leads to the later instant (PEP 495).
    return first if first <= second else clock_set(second, first, zone)


def clock_set(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The one instant after `early`, and not after `late`, from which the clock runs otherwise, to the
    second."""
    offset = early.astimezone(zone).utcoffset()
    low, high = 0, int((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)


class Period(msgspec.Struct, frozen=True):
    """From an instant (included) until another (excluded)."""

    start: datetime
    end: datetime

    @classmethod
    def local(cls, start: datetime, end: datetime, zone: ZoneInfo) -> "Period":
        """From the clock on the wall."""
        return cls(instant(start, zone), instant(end, zone))

    def holds(self, now: datetime) -> bool:
        """Whether the instant `now` (aware) is within it."""
        return self.start <= now < self.end

    def changes(self, start: datetime, end: datetime) -> list[datetime]:
        """The instants after `start` and before `end` (aware) at which it begins or ends, in order."""
        # One that clocks going forward have left nothing of never begins.
        ends = (self.start, self.end) if self.start < self.end else ()
        return [instant for instant in ends if start < instant < end]


_ANY_DAY = "(?:{})".format("|".join("".join(f"[{one.upper()}{one}]" for one in day) for day in WEEKDAYS))
_ANY_SPAN = r"[0-9]{1,2}:[0-9]{2}\s*[-\u2013]\s*[0-9]{1,2}:[0-9]{2}"
_ANY_DATE = "(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}"
_ANY_MOMENT = re.compile(_MOMENT.pattern.replace("?P<time>", ""))
"""ECMA 262 names groups otherwise."""

LOOKS: Mapping[Callable[[str], object], re.Pattern[str]] = {
    Duration.parse: _DURATION,
    Rate.parse: _RATE,
    read_spans: re.compile(rf"closed|[\s,]*(?:{_ANY_SPAN}[\s,]*)+"),
    read_weekdays: re.compile(f"{_ANY_DAY}(?: *[-,] *{_ANY_DAY})*"),
    read_dates: re.compile(rf"{_ANY_DATE}(?:\s*\.\.\s*(?:{_ANY_DATE})?)?"),
    read_from: _ANY_MOMENT,
    read_until: _ANY_MOMENT,
    read_holidays: _HOLIDAY_CODE,
}
"""As in reading.py, for the readers here."""
