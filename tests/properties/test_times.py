"""Business hours against a table of minutes made another way, at any instant of any zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.times import Hours, read_spans, read_weekdays

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
    st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
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
