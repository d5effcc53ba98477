"""Business hours: open, closed, and when that changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.core.hours import Hours, _holidays_of, beginning
from router.core.times import read_dates, read_spans

OSLO = ZoneInfo("Europe/Oslo")


def office() -> Hours:
    return Hours.build(
        OSLO,
        {(0, 1, 2, 3): read_spans("08:00-15:30"), (4,): read_spans("08:00-12:00 22:00-02:00")},
        {
            read_dates("2026-12-23"): read_spans("08:00-12:00"),
            read_dates("2027-01-01"): read_spans("10:00-11:00"),
            read_dates("12-24..01-02"): (),
            read_dates("12-28"): read_spans("09:00-10:00"),
            read_dates("2026-11-20..2026-11-20"): read_spans("08:00-12:00 22:00-02:00"),
        },
        ["NO"],
    )


OPEN = [
    ("at the first minute", "2026-11-16 08:00", True),
    ("a minute before", "2026-11-16 07:59:59", False),
    ("in the last second", "2026-11-16 15:29:59", True),
    ("at the end", "2026-11-16 15:30", False),
    ("on Friday, in the pause", "2026-11-20 13:00", False),
    ("on Friday night", "2026-11-20 23:30", True),
    ("past midnight, Friday's hours", "2026-11-21 01:59", True),
    ("past midnight, over", "2026-11-21 02:00", False),
    ("on Sunday", "2026-11-22 10:00", False),
    ("a date in place of the week", "2026-12-23 12:30", False),
    ("that date, open", "2026-12-23 11:30", True),
    ("an every-year range", "2026-12-29 10:00", False),
    ("over New Year", "2029-01-02 10:00", False),
    ("a day within the range", "2026-12-28 09:30", True),
    ("a date over a range and a holiday", "2027-01-01 10:30", True),
    ("a public holiday", "2027-05-17 10:00", False),
    ("Good Friday's night, replaced whole", "2027-03-27 01:00", False),
]


@pytest.mark.parametrize(("at", "expected"), [row[1:] for row in OPEN], ids=[row[0] for row in OPEN])
def test_open(at: str, expected: bool) -> None:
    assert office().is_open(datetime.fromisoformat(at).replace(tzinfo=OSLO)) is expected


def test_open_is_asked_at_instants_of_any_zone() -> None:
    assert office().is_open(datetime.fromisoformat("2026-11-16T07:00:00+00:00"))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        office().is_open(datetime(2026, 11, 16, 8))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "start", "open_for"),
    [
        ("into summer time, 01:30-03:30 lasts an hour", "2026-03-29T00:00+01:00", timedelta(hours=1)),
        ("out of summer time, 01:30-03:30 lasts three", "2026-10-25T00:00+02:00", timedelta(hours=3)),
    ],
)
def test_hours_follow_the_clock_on_the_wall(name: str, start: str, open_for: timedelta) -> None:
    hours = Hours.build(OSLO, {(*range(7),): read_spans("01:30-03:30")}, {}, [])
    midnight = datetime.fromisoformat(start)
    minutes = [midnight + timedelta(minutes=count) for count in range(6 * 60)]
    assert timedelta(minutes=sum(map(hours.is_open, minutes))) == open_for


def test_holidays_of_several_calendars_are_united() -> None:
    hours = Hours.build(OSLO, {(*range(7),): read_spans("00:00-24:00")}, {}, ["NO", "DE-BY"])
    assert not hours.is_open(datetime(2027, 5, 17, 12, tzinfo=OSLO))
    assert not hours.is_open(datetime(2027, 1, 6, 12, tzinfo=OSLO))
    assert hours.is_open(datetime(2027, 1, 7, 12, tzinfo=OSLO))


NIGHT = "01:30-03:30"
FLIPS: list[tuple[str, str, str, str, list[str]]] = [
    (
        "a day",
        "08:00-12:00 13:00-15:00",
        "2026-11-16T00:00",
        "2026-11-17T00:00",
        ["08:00", "12:00", "13:00", "15:00"],
    ),
    (
        "spans that meet",
        "08:00-12:00 12:00-13:00",
        "2026-11-16T00:00",
        "2026-11-17T00:00",
        ["08:00", "13:00"],
    ),
    ("spans that meet at midnight", "00:00-24:00", "2026-11-16T00:00", "2026-11-19T00:00", []),
    ("past midnight", "22:00-02:00", "2026-11-16T12:00", "2026-11-17T12:00", ["22:00", "02:00"]),
    (
        "neither end is after the start and before the end",
        "08:00-12:00",
        "2026-11-16T08:00",
        "2026-11-16T12:00",
        [],
    ),
    ("never open", "closed", "2026-11-16T00:00", "2026-11-19T00:00", []),
    ("a start after the end", "08:00-12:00", "2026-11-17T00:00", "2026-11-16T00:00", []),
    (
        "an hour that does not exist, within",
        NIGHT,
        "2026-03-29T00:00",
        "2026-03-29T12:00",
        ["01:30", "03:30"],
    ),
    (
        "it opens as the clocks go forward",
        "02:30-05:00",
        "2026-03-29T00:00",
        "2026-03-29T12:00",
        ["03:00", "05:00"],
    ),
    (
        "it closes as the clocks go forward",
        "01:00-02:30",
        "2026-03-29T00:00",
        "2026-03-29T12:00",
        ["01:00", "03:00"],
    ),
    ("all in the hour that does not exist", "02:15-02:45", "2026-03-29T00:00", "2026-03-29T12:00", []),
    ("an hour that comes twice, within", NIGHT, "2026-10-25T00:00", "2026-10-25T12:00", ["01:30", "03:30"]),
    (
        "it opens twice",
        "02:30-05:00",
        "2026-10-25T00:00",
        "2026-10-25T12:00",
        ["02:30", "02:00 again", "02:30 again", "05:00"],
    ),
    (
        "it closes twice",
        "01:00-02:30",
        "2026-10-25T00:00",
        "2026-10-25T12:00",
        ["01:00", "02:30", "02:00 again", "02:30 again"],
    ),
]


@pytest.mark.parametrize(
    ("spans", "start", "end", "flips"), [row[1:] for row in FLIPS], ids=[row[0] for row in FLIPS]
)
def test_when_open_turns_to_closed_or_back(spans: str, start: str, end: str, flips: list[str]) -> None:
    hours = Hours.build(OSLO, {(*range(7),): read_spans(spans)}, {}, [])
    found = hours.changes(*(datetime.fromisoformat(text).replace(tzinfo=OSLO) for text in (start, end)))
    clocks = [instant.astimezone(OSLO) for instant in found]
    assert [f"{clock:%H:%M}{' again' * clock.fold}" for clock in clocks] == flips


def test_the_day_that_samoa_left_out() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    hours = Hours.build(samoa, {(4,): read_spans("00:00-24:00"), (5,): read_spans("12:00-13:00")}, {}, [])
    thursday, sunday = (datetime(2011, 12, 29, tzinfo=samoa), datetime(2012, 1, 1, tzinfo=samoa))
    noon = datetime(2011, 12, 31, 12, tzinfo=samoa).astimezone(UTC)
    assert hours.changes(thursday, sunday) == [noon, noon + timedelta(hours=1)]


def test_changes_between_times_without_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        office().changes(datetime(2026, 11, 16), datetime(2026, 11, 17))  # noqa: DTZ001


BEGINNINGS = [
    ("a day", "Europe/Oslo", date(2026, 11, 16), "2026-11-15T23:00"),
    ("one whose midnight the clocks leave out", "America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00"),
    ("one whose midnight comes twice", "America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
    ("one that was left out", "Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
    ("the one after", "Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
]


@pytest.mark.parametrize(
    ("zone", "day", "instant"), [row[1:] for row in BEGINNINGS], ids=[row[0] for row in BEGINNINGS]
)
def test_when_a_day_begins(zone: str, day: date, instant: str) -> None:
    assert beginning(day, ZoneInfo(zone)) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


def test_the_holidays_of_a_year_can_be_worked_out_beforehand() -> None:
    several = Hours.build(OSLO, {}, {}, ("FO", "GL"))
    several.know_holidays(datetime(2033, 5, 1, tzinfo=UTC))
    worked_out = _holidays_of.cache_info().misses
    assert not several.spans(date(2033, 12, 25))
    assert not several.spans(date(2033, 12, 27))
    assert _holidays_of.cache_info().misses == worked_out
