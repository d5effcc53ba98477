"""Durations, moments, dates and hours of the day, as written."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.core.remarks import words_of
from router.core.times import (
    Dates,
    Duration,
    Period,
    YearDays,
    instant,
    read_dates,
    read_holidays,
    read_spans,
    read_weekdays,
    read_zone,
    spans_in_words,
)

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [
        ("25s", 25, "25s"),
        ("5m", 300, "5m"),
        ("1h30m", 5400, "1h30m"),
        ("90s", 90, "1m30s"),
        ("0s", 0, "0s"),
        ("2h", 7200, "2h"),
    ],
)
def test_a_duration_is_read(text: str, seconds: int, again: str) -> None:
    assert (Duration.parse(text).seconds, str(Duration.parse(text))) == (seconds, again)


SPAN_HINT = "is not a span of hours; write it as in 08:00-15:30"
UNREADABLE: list[tuple[Callable[[str], object], str, str]] = [
    (Duration.parse, "25", "`25` has no unit; write 25s (seconds) or 25m (minutes)"),
    (Duration.parse, "", "`` is not a length of time; write it as in 25s, 5m or 1h30m"),
    (Duration.parse, "30m1h", "`30m1h` is not a length of time; write it as in 25s, 5m or 1h30m"),
    (read_spans, "", "there are no hours here; write them as in 08:00-15:30, or closed"),
    (read_spans, "8-15", f"`8-15` {SPAN_HINT}"),
    (read_spans, "08:00-25:00", "`08:00-25:00` is not on the clock; hours go from 00:00 to 24:00"),
    (read_spans, "08:60-12:00", "`08:60-12:00` is not on the clock; hours go from 00:00 to 24:00"),
    (read_spans, "24:00-02:00", "`24:00-02:00` is not on the clock; hours go from 00:00 to 24:00"),
    (
        read_spans,
        "08:00-08:00",
        "`08:00-08:00` begins and ends at once; write 00:00-24:00 for the whole day, or closed",
    ),
    (
        read_spans,
        "08:00-12:00 11:00-14:00",
        "`08:00-12:00 11:00-14:00` has hours that overlap; write them as one span, or apart",
    ),
    (read_weekdays, "monday", "`monday` is not a day of the week; write mon, mon-thu or mon,wed"),
    (read_weekdays, "mon-tue-wed", "`mon-tue-wed` is not a day of the week; write mon, mon-thu or mon,wed"),
    (read_weekdays, "mon-wed,tue", "`mon-wed,tue` names a day twice; name it once"),
    (read_dates, "23.12", "`23.12` is not a date; write 2026-12-23, 12-24 (every year) or 12-24..12-31"),
    (read_dates, "2026-02-29", "`2026-02-29`: there is no such day; write year-month-day or month-day"),
    (read_dates, "13-01", "`13-01`: there is no such day; write year-month-day or month-day"),
    (
        read_dates,
        "2026-12-24..12-31",
        "`2026-12-24..12-31` has a year at one end only; write both ends with it, or neither",
    ),
    (
        read_dates,
        "2026-12-24..2026-12-01",
        "`2026-12-24..2026-12-01` goes back, or is over a year; write the earlier date first",
    ),
    (read_zone, "Europe/Olso", "`Europe/Olso` is not a time zone; write Europe/Oslo"),
    (read_zone, "???", "`???` is not a time zone; write a name such as Europe/Oslo"),
    (
        read_zone,
        "../../etc/passwd",
        "`../../etc/passwd` is not a time zone; write a name such as Europe/Oslo",
    ),
    (read_holidays, "no", "no public holidays are known for `no`; write NO"),
    (read_holidays, "no-03", "no public holidays are known for `no-03`; write a code such as NO or NO-03"),
    (read_holidays, "NO-99", "no public holidays are known for `NO-99`; write NO-"),
    (read_holidays, "???", "no public holidays are known for `???`; write a code such as NO or NO-03"),
]


@pytest.mark.parametrize(
    ("read", "text", "what"), UNREADABLE, ids=[f"{r.__name__} {t}" for r, t, _ in UNREADABLE]
)
def test_what_cannot_be_read_says_why(read: Callable[[str], object], text: str, what: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared
        read(text)
    assert words_of(refused.value).startswith(what)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("08:00-15:30", ((480, 930),)),
        ("8:00 - 15:30", ((480, 930),)),
        ("12:30-14:00 08:00-12:00", ((480, 720), (750, 840))),
        ("08:00-12:00, 12:00-13:00", ((480, 720), (720, 780))),
        ("22:00-02:00", ((1320, 1560),)),
        ("00:00-24:00", ((0, 1440),)),
        ("closed", ()),
    ],
)
def test_spans_are_read(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert read_spans(text) == spans


@pytest.mark.parametrize("text", ["08:00-15:30", "08:00-12:00 22:00-02:00", "00:00-24:00", "closed"])
def test_spans_in_words_are_as_written(text: str) -> None:
    assert spans_in_words(read_spans(text)) == text


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-thu", (0, 1, 2, 3)),
        ("fri", (4,)),
        ("Mon, wed", (0, 2)),
        ("sat-mon", (5, 6, 0)),
        ("mon-sun", (*range(7),)),
    ],
)
def test_weekdays_are_read(text: str, days: tuple[int, ...]) -> None:
    assert read_weekdays(text) == days


@pytest.mark.parametrize(
    ("text", "dates", "count"),
    [
        ("2026-12-23", Dates(date(2026, 12, 23), date(2026, 12, 23)), 1),
        ("2026-12-23..2027-01-02", Dates(date(2026, 12, 23), date(2027, 1, 2)), 11),
        ("12-24", YearDays((12, 24), (12, 24)), 1),
        ("02-29", YearDays((2, 29), (2, 29)), 1),
        ("12-24..12-31", YearDays((12, 24), (12, 31)), 8),
        ("12-24..01-02", YearDays((12, 24), (1, 2)), 10),
        ("12-24..02-29", YearDays((12, 24), (2, 29)), 68),
        ("03-01..02-29", YearDays((3, 1), (2, 29)), 366),
    ],
)
def test_dates_are_read(text: str, dates: Dates | YearDays, count: int) -> None:
    assert read_dates(text) == dates
    assert len(list(dates.days())) == count


@pytest.mark.parametrize("code", ["NO", "NO-03", "DE-BY", "US"])
def test_codes_of_holidays(code: str) -> None:
    assert read_holidays(code) == code


def local(*ends: str) -> Period:
    start, end = map(datetime.fromisoformat, ends)
    return Period.local(start, end, OSLO)


WALLS = [
    ("an ordinary hour", "2026-11-16 12:00", "2026-11-16 11:00"),
    ("before the hour that is skipped", "2026-03-29 01:59", "2026-03-29 00:59"),
    ("where that begins", "2026-03-29 02:00", "2026-03-29 01:00"),
    ("within it", "2026-03-29 02:30", "2026-03-29 01:00"),
    ("its last minute", "2026-03-29 02:59", "2026-03-29 01:00"),
    ("after it", "2026-03-29 03:30", "2026-03-29 01:30"),
    ("an hour that comes twice", "2026-10-25 02:30", "2026-10-25 00:30"),
]


@pytest.mark.parametrize(("wall", "utc"), [row[1:] for row in WALLS], ids=[row[0] for row in WALLS])
def test_when_a_clock_shows_it(wall: str, utc: str) -> None:
    assert instant(datetime.fromisoformat(wall), OSLO) == datetime.fromisoformat(f"{utc}+00:00")


PERIODS = [
    ("both ends", local("2026-11-16 12:00", "2026-11-16 15:30"), ["11:00", "14:30"]),
    ("its beginning", local("2026-11-16 12:00", "2026-11-18"), ["11:00"]),
    ("its end", local("2026-11-15", "2026-11-16 12:00"), ["11:00"]),
    ("neither, at the edges", local("2026-11-16 00:00", "2026-11-17 00:00"), []),
]


@pytest.mark.parametrize(("period", "ends"), [row[1:] for row in PERIODS], ids=[row[0] for row in PERIODS])
def test_when_a_period_begins_and_ends(period: Period, ends: list[str]) -> None:
    found = period.changes(datetime(2026, 11, 16, tzinfo=OSLO), datetime(2026, 11, 17, tzinfo=OSLO))
    assert [f"{instant:%H:%M}" for instant in found] == ends


def test_a_period_that_begins_in_a_skipped_hour_begins_when_that_is_skipped() -> None:
    begun = local("2026-03-29 02:30", "2026-03-29 03:30")
    three = datetime(2026, 3, 29, 3, 0, tzinfo=OSLO)
    assert [begun.holds(three + timedelta(minutes=minutes)) for minutes in (-1, 0, 29, 30)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_period_that_the_clocks_leave_nothing_of_never_begins() -> None:
    skipped = local("2026-03-29 02:30", "2026-03-29 03:00")
    assert skipped.changes(datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)) == []
