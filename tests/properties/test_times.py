"""Business hours against a table of minutes made another way, at any instant of any zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.hours import Hours
from router.core.times import (
    Dates,
    Period,
    Spans,
    YearDays,
    read_dates,
    read_holidays,
    read_spans,
    read_weekdays,
)

ZONES = (
    *(
        "Europe/Oslo",
        "Europe/London",
        "Europe/Lisbon",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
    ),
    *(
        "Asia/Kathmandu",
        "Asia/Ho_Chi_Minh",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Chatham",
    ),
    *("Africa/Casablanca", "Europe/Dublin", "Antarctica/Troll", "America/Caracas", "UTC"),
)
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
]
"""Around clocks going forward and back, and the day that Samoa left out."""

instants = st.one_of(
    st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.integers(-3000, 3000),
    ),
)
clock = st.integers(0, 1439)
week = st.dictionaries(st.integers(0, 6), st.tuples(clock, clock).filter(lambda span: span[0] != span[1]))


def text(span: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in span)


def open_minutes(span: tuple[int, int]) -> tuple[set[int], set[int]]:
    """Minutes of the day itself, and of the day after."""
    start, end = span
    return (set(range(start, end)), set()) if end > start else (set(range(start, 1440)), set(range(end)))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ZONES), instants, week)
def test_open_agrees_with_a_table_of_minutes(
    zone: str, now: datetime, spans: dict[int, tuple[int, int]]
) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    written = {read_weekdays(names[day]): read_spans(text(span)) for day, span in spans.items()}
    hours = Hours.build(ZoneInfo(zone), written, {}, [])

    table = [[False] * 1440 for _ in range(7)]
    for day, span in spans.items():
        today, tomorrow = open_minutes(span)
        for minute in today:
            table[day][minute] = True
        for minute in tomorrow:
            table[(day + 1) % 7][minute] = True
    wall = now.astimezone(ZoneInfo(zone))
    assert hours.is_open(now) is table[wall.weekday()][wall.hour * 60 + wall.minute]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), instants, st.sampled_from([[], ["NO"], ["DE-BY", "US"]]))
def test_no_instant_is_an_error_and_closed_days_are_closed(
    zone: str, now: datetime, codes: list[str]
) -> None:
    always = Hours.build(ZoneInfo(zone), {(*range(7),): read_spans("00:00-24:00")}, {}, codes)
    never = Hours.build(ZoneInfo(zone), {}, {}, codes)
    assert always.is_open(now) or codes
    assert not never.is_open(now)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), instants)
def test_what_is_open_and_what_is_left_out_of_the_day_make_the_whole_day(zone: str, now: datetime) -> None:
    days = (*range(7),)
    day, night = (
        Hours.build(ZoneInfo(zone), {days: read_spans(span)}, {}, [])
        for span in ("02:30-17:15", "17:15-02:30")
    )
    assert day.is_open(now) is not night.is_open(now)


spans = st.lists(clock, min_size=0, max_size=4, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
late = clock.flatmap(lambda start: st.tuples(st.just(start), st.integers(1440, start + 1440))).map(
    lambda span: (span,)
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    instants,
    st.integers(1, 3 * 1440),
    st.dictionaries(st.integers(0, 6).map(lambda day: (day,)), st.one_of(spans, late)),
    st.dictionaries(st.sampled_from(["03-29", "10-25", "12-30", "11-01"]).map(read_dates), spans),
    st.sampled_from([[], [read_holidays("NO")]]),
)
def test_changes_agree_with_every_minute(
    zone: str,
    start: datetime,
    minutes: int,
    week: dict[tuple[int, ...], Spans],
    dates: dict[Dates | YearDays, Spans],
    codes: list[str],
) -> None:
    hours = Hours.build(ZoneInfo(zone), week, dates, codes)
    assert_turns(hours.is_open, hours.changes, start, minutes)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), instants, st.integers(-200, 1000), st.integers(-200, 1000))
def test_changes_of_a_period_agree_with_every_minute(
    zone: str, start: datetime, from_: int, until: int
) -> None:
    wall = start.replace(second=0, microsecond=0).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    begins, ends = (wall + timedelta(minutes=count) for count in (from_, until))
    period = Period.local(begins, ends, ZoneInfo(zone))
    assert_turns(period.holds, period.changes, start, 1440)


def assert_turns(
    holds: Callable[[datetime], bool],
    changes: Callable[[datetime, datetime], list[datetime]],
    start: datetime,
    minutes: int,
) -> None:
    """That `changes` are the minutes at which `holds` is another than the minute before."""
    every = [start.replace(second=0, microsecond=0) + timedelta(minutes=count) for count in range(minutes)]
    turns = [now for before, now in pairwise(every) if holds(before) is not holds(now)]
    assert changes(every[0], every[-1] + timedelta(minutes=1)) == turns
