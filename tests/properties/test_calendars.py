"""Hours by calendars against all events looked at one by one, and rules that recur against a plain count."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.feeds import Calendars, Fetched, Source
from router.core.hours import Hours
from router.core.occurrences import read_feed
from router.core.times import read_dates, read_spans

ZONES = ("Europe/Oslo", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo", "UTC")
FIRST = datetime(2027, 3, 22)  # noqa: DTZ001 - as clocks show it; clocks go forward at the end of the week
MINUTES = 10 * 24 * 60

zones = st.sampled_from(ZONES)
minutes = st.integers(0, MINUTES)
timed = st.tuples(st.sampled_from(["", "Z", *ZONES]), minutes, st.integers(1, 3000))
whole = st.tuples(st.just("day"), st.integers(0, 10), st.integers(1, 3))
events = st.lists(st.one_of(timed, whole), max_size=6)
calendars = st.lists(st.tuples(st.booleans(), events), min_size=1, max_size=3)
Event = tuple[str, int, int]


def as_text(event: Event) -> str:
    zone, begins, lasts = event
    if zone == "day":
        first = FIRST + timedelta(days=begins)
        return f"DTSTART;VALUE=DATE:{first:%Y%m%d}\nDURATION:P{lasts}D"
    first = FIRST + timedelta(minutes=begins)
    last = first + timedelta(minutes=lasts)
    name, z = ("", zone) if zone in ("", "Z") else (f";TZID={zone}", "")
    return f"DTSTART{name}:{first:%Y%m%dT%H%M%S}{z}\nDTEND{name}:{last:%Y%m%dT%H%M%S}{z}"


def calendar(written: list[Event]) -> str:
    blocks = [f"BEGIN:VEVENT\n{as_text(event)}\nEND:VEVENT" for event in written]
    return "\n".join(["BEGIN:VCALENDAR", *blocks, "END:VCALENDAR"])


def lasts(event: Event, now: datetime, client: ZoneInfo) -> bool:
    zone, begins, long = event
    unit = timedelta(days=1) if zone == "day" else timedelta(minutes=1)
    own = {"day": client, "": client, "Z": ZoneInfo("UTC")}.get(zone) or ZoneInfo(zone)
    start, end = FIRST + begins * unit, FIRST + (begins + long) * unit
    # An hour that is skipped is read by the clock before it (RFC 5545, 3.3.5).
    begun, over = (wall.replace(tzinfo=own).astimezone(UTC) for wall in (start, end))
    return begun <= now < over


def build(zone: str, written: list[tuple[bool, list[Event]]], dated: bool) -> Hours:
    tables = {f"{at}.ics": calendar(listed) for at, (_, listed) in enumerate(written)}
    known = Calendars(tables, "", Fetched(datetime(2028, 1, 1, tzinfo=UTC)))
    sources = tuple(Source(f"{at}.ics", False, opens) for at, (opens, _) in enumerate(written))
    client = ZoneInfo(zone)
    dates = {read_dates("2027-03-27"): read_spans("12:00-02:00")} if dated else {}
    week = {(*range(7),): read_spans("08:00-16:00")}
    return Hours.build(client, week, dates, [], known.occasions(sources, client))


@settings(max_examples=300, deadline=None)
@given(zones, calendars, minutes, st.booleans())
def test_open_agrees_with_all_events_one_by_one(
    zone: str, written: list[tuple[bool, list[Event]]], minute: int, dated: bool
) -> None:
    client, now = ZoneInfo(zone), (FIRST + timedelta(minutes=minute)).replace(tzinfo=UTC)
    local = now.astimezone(client)
    without = build(zone, [(True, [])], dated).is_open(now)
    held = [opens for opens, listed in written if any(lasts(event, now, client) for event in listed)]
    by_date = dated and (
        local.date() == date(2027, 3, 27) or (local.date() == date(2027, 3, 28) and local.hour < 2)
    )
    expected = held[0] if held and not by_date else without
    assert build(zone, written, dated).is_open(now) is expected


@settings(max_examples=150, deadline=None)
@given(zones, calendars, st.booleans())
def test_nothing_changes_between_two_changes(
    zone: str, written: list[tuple[bool, list[Event]]], dated: bool
) -> None:
    hours = build(zone, written, dated)
    start = FIRST.replace(tzinfo=UTC)
    end = start + timedelta(minutes=MINUTES)
    cuts = [start, *hours.changes(start, end), end]
    for at, (first, after) in enumerate(pairwise(cuts)):
        steps = range(0, int((after - first).total_seconds()) // 60, 17)
        found = {hours.is_open(first + timedelta(minutes=step)) for step in steps}
        assert found <= {hours.is_open(start) is (at % 2 == 0)}


rules = st.fixed_dictionaries(
    {
        "freq": st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        "interval": st.integers(1, 5),
        "count": st.integers(1, 40),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.dates(date(2020, 1, 1), date(2026, 1, 28)).filter(lambda day: day.day <= 28), rules)
def test_what_recurs_is_counted_as_on_fingers(first: date, rule: dict[str, int | str]) -> None:
    freq, interval, count = rule["freq"], int(rule["interval"]), int(rule["count"])

    def after(number: int) -> date:
        if freq in ("DAILY", "WEEKLY"):
            return first + timedelta(days=number * interval * (7 if freq == "WEEKLY" else 1))
        months = first.month - 1 + number * interval * (12 if freq == "YEARLY" else 1)
        return first.replace(year=first.year + months // 12, month=months % 12 + 1)

    written = f"RRULE:FREQ={freq};INTERVAL={interval};COUNT={count}"
    event = f"BEGIN:VEVENT\nDTSTART;VALUE=DATE:{first:%Y%m%d}\n{written}\nEND:VEVENT"
    text = f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR"
    found = read_feed(text, datetime(2400, 1, 1, tzinfo=UTC)).walls
    assert sorted(start.date() for start, _ in found) == [after(number) for number in range(count)]


lines = st.lists(
    st.sampled_from([*'\n\r :;=,"Z', "TZID=", "DTSTART", "RRULE:FREQ=", "2027", "0101", "T09", "VEVENT"])
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=80), lines.map("".join)), st.booleans())
def test_any_text_is_a_calendar_or_refused(text: str, inside: bool) -> None:
    if inside:
        text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101T090000\n{text}\nEND:VEVENT\nEND:VCALENDAR"
    refusal = ""
    try:
        read_feed(text, datetime(2028, 1, 1, tzinfo=UTC))
    except ValueError as error:
        refusal = str(error)
    assert not refusal or "; " in refusal
