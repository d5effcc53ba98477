"""Hours that go by calendars: from the rules as written to open and closed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from router.core.dialling import Dialling
from router.core.feeds import TOLD, Fetched, horizon
from router.core.remarks import RuleError, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import ClientRules, RuleSet
from router.core.show import tree
from router.core.tables import Table

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
URL = "https://user.example/private-c0ffee/basic.ics"

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours:
  office:
    week: {mon-fri: "08:00-16:00", sat: "22:00-02:00"}
    holidays: NO
    dates: {2027-03-02: "10:00-12:00", 03-13: "20:00-02:00"}
    calendar: CALENDAR
"""


def calendar(*events: str) -> str:
    lines = [f"BEGIN:VEVENT|{event}|END:VEVENT" for event in events]
    return "\n".join(["BEGIN:VCALENDAR", *"|".join(lines).split("|"), "END:VCALENDAR"]) if lines else ""


def days(first: str, after: str) -> str:
    return f"UID:{first}|DTSTART;VALUE=DATE:{first}|DTEND;VALUE=DATE:{after}"


def hours(first: str, last: str) -> str:
    return f"UID:{first}|DTSTART:{first}|DTEND:{last}"


def compiled(
    written: str, tables: Mapping[str, Table] | None = None, copies: Mapping[str, str] | None = None
) -> RuleSet | RuleErrors:
    fetched = Fetched(horizon(NOW), copies or {})
    files = {"rules/fjord.yaml": RULES.replace("CALENDAR", written)}
    return compile_rules(files, Dialling(), tables or {}, fetched)


def client(
    written: str, tables: Mapping[str, Table] | None = None, copies: Mapping[str, str] | None = None
) -> ClientRules:
    rules = compiled(written, tables, copies)
    assert isinstance(rules, RuleSet), rules
    return rules.clients["fjord"]


def is_open(rules: ClientRules, at: str) -> bool:
    return rules.hours["office"].is_open(datetime.fromisoformat(at).replace(tzinfo=OSLO))


CLOSED_DAYS = calendar(
    days("20270301", "20270304"), days("20270308", "20270309"), days("20270313", "20270315")
)
AT = [
    # 2027-03-01 is a Monday.
    ("a day of the week as ever", "2027-03-05 10:00", True),
    ("an event closes it", "2027-03-01 10:00", False),
    ("and lasts for days", "2027-03-03 15:59", False),
    ("a date outranks it", "2027-03-02 10:00", True),
    ("and holds for the whole day", "2027-03-02 09:00", False),
    ("a single day", "2027-03-08 08:00", False),
    ("the day after", "2027-03-09 08:00", True),
    ("a date of every year outranks it", "2027-03-13 21:00", True),
    ("and so does what it has past midnight", "2027-03-14 01:59", True),
    ("then the event holds again", "2027-03-14 02:00", False),
]


@pytest.mark.parametrize(("at", "expected"), [row[1:] for row in AT], ids=[row[0] for row in AT])
def test_an_event_closes_it(at: str, expected: bool) -> None:
    rules = client("{file: calendars/closed.ics}", {"calendars/closed.ics": CLOSED_DAYS})
    assert is_open(rules, at) is expected


OTHER_CALENDARS = [
    (
        "open on a Sunday",
        "{file: c.ics, means: open}",
        [hours("20270307T100000", "20270307T140000")],
        "2027-03-07 13:59",
        True,
    ),
    (
        "until it ends",
        "{file: c.ics, means: open}",
        [hours("20270307T100000", "20270307T140000")],
        "2027-03-07 14:00",
        False,
    ),
    (
        "open on a public holiday",
        "{file: c.ics, means: open}",
        [days("20270517", "20270518")],
        "2027-05-17 23:00",
        True,
    ),
    (
        "closed at night",
        "{file: c.ics}",
        [hours("20270306T230000", "20270307T010000")],
        "2027-03-07 00:59",
        False,
    ),
    (
        "and open again",
        "{file: c.ics}",
        [hours("20270306T230000", "20270307T010000")],
        "2027-03-07 01:00",
        True,
    ),
    (
        "the first holds, closed",
        "[{file: c.ics}, {file: open.ics, means: open}]",
        [days("20270307", "20270308")],
        "2027-03-07 10:00",
        False,
    ),
    (
        "the first holds, open",
        "[{file: open.ics, means: open}, {file: c.ics}]",
        [days("20270307", "20270308")],
        "2027-03-07 10:00",
        True,
    ),
    (
        "the other where it has none",
        "[{file: c.ics}, {file: open.ics, means: open}]",
        [days("20270306", "20270307")],
        "2027-03-07 10:00",
        True,
    ),
    (
        "both have ended",
        "[{file: c.ics}, {file: open.ics, means: open}]",
        [days("20270306", "20270307")],
        "2027-03-08 07:59",
        False,
    ),
    (
        "neither has begun",
        "[{file: c.ics}, {file: open.ics, means: open}]",
        [days("20270306", "20270307")],
        "2027-03-05 10:00",
        True,
    ),
    (
        "both close it, one after the other",
        "[{file: c.ics}, {file: open.ics}]",
        [days("20270306", "20270307")],
        "2027-03-07 01:00",
        False,
    ),
    (
        "events that overlap",
        "{file: c.ics}",
        [days("20270301", "20270305"), days("20270303", "20270304")],
        "2027-03-04 10:00",
        False,
    ),
    (
        "every week",
        "{file: c.ics}",
        [days("20260101", "20260102") + "|RRULE:FREQ=WEEKLY"],
        "2037-11-26 10:00",
        False,
    ),
    (
        "by the clocks that were set",
        "{file: c.ics}",
        [hours("20270328T000000", "20270329T090000")],
        "2027-03-29 08:59",
        False,
    ),
    ("no events", "{file: c.ics}", [hours("20270301T100000", "20270301T100000")], "2027-03-01 10:00", True),
]


@pytest.mark.parametrize(
    ("written", "events", "at", "expected"),
    [row[1:] for row in OTHER_CALENDARS],
    ids=[row[0] for row in OTHER_CALENDARS],
)
def test_calendars_open_and_close(written: str, events: list[str], at: str, expected: bool) -> None:
    tables = {"c.ics": calendar(*events), "open.ics": calendar(days("20270307", "20270308"))}
    assert is_open(client(written, tables), at) is expected


def test_changes_are_where_events_and_dates_begin_and_end() -> None:
    office = client("{file: c.ics}", {"c.ics": CLOSED_DAYS}).hours["office"]
    start, end = (datetime(2027, 3, day, tzinfo=OSLO) for day in (1, 10))
    changes = [f"{change.astimezone(OSLO):%d %H:%M}" for change in office.changes(start, end)]
    assert changes == [
        *("02 10:00", "02 12:00", "04 08:00", "04 16:00", "05 08:00", "05 16:00"),
        *("06 22:00", "07 02:00", "09 08:00", "09 16:00"),
    ]


def test_a_calendar_is_read_once_for_all_who_name_it() -> None:
    files = {
        f"{id}.yaml": RULES.replace("CALENDAR", f"{{file: {file}}}").replace("fjord", id).replace("55", end)
        for id, file, end in (("a", "c.ics", "56"), ("b", "./c.ics", "57"))
    }
    rules = compile_rules(files, Dialling(), {"c.ics": CLOSED_DAYS})
    assert isinstance(rules, RuleSet), rules
    one, other = (client.hours["office"].occasions for client in rules.clients.values())
    assert one is other


def test_what_is_said_of_calendars() -> None:
    rules = compiled(f"[{{file: c.ics}}, {{url: '{URL}', means: open}}]", {"c.ics": CLOSED_DAYS})
    assert isinstance(rules, RuleSet)
    [line] = [one.words for one in tree(rules, rules.clients["fjord"]).inside if one.kind == "hours"]
    assert line.endswith("; closed on public holidays of NO; closed by c.ics; open by user.example")


NO_CALENDAR = "line 1 is not in a calendar (BEGIN:VCALENDAR)"
SAVE = "save the calendar as iCalendar (.ics) once more"
NO_ADDRESS = "is not the address of a calendar"
AS_SEEN = "write it as seen from there, as in calendars/holidays.ics"
TOO_LARGE = RuleError("c.ics", 0, 0, "larger than 9 bytes", "split it")
WRONG = [
    ("no file", "{file: c.csv}", {}, "`c.csv` is not a calendar; write NAME.ics"),
    ("not there", "{file: c.ics}", {}, "there is no `c.ics` in the rules' folder; add it"),
    ("elsewhere", "{file: ../c.ics}", {}, "`../c.ics` leads out of the rules' folder; " + AS_SEEN),
    ("too large", "{file: c.ics}", {"c.ics": TOO_LARGE}, "`c.ics`: larger than 9 bytes; split it"),
    ("no calendar", "{file: c.ics}", {"c.ics": "<html>"}, f"`c.ics`: {NO_CALENDAR}; {SAVE}"),
    ("no address", "{url: ours}", {}, f"`ours` {NO_ADDRESS}; begin with https://"),
    (
        "webcal",
        "{url: 'webcal://x.example/c.ics'}",
        {},
        f"`webcal://x.example/c.ics` {NO_ADDRESS}; write https:// in place of webcal://",
    ),
    (
        "a password",
        "{url: 'https://me:secret@x.example'}",
        {},
        "an address here may have no user and password; leave them out",
    ),
]


@pytest.mark.parametrize(
    ("written", "tables", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_calendar_that_cannot_be_used_is_an_error_where_it_is_named(
    written: str, tables: Mapping[str, Table], text: str
) -> None:
    rules = compiled(written, tables)
    assert isinstance(rules, RuleErrors)
    place = f"rules/fjord.yaml:11:{22 if 'file' in written else 21}"
    assert [str(error) for error in rules.errors] == [f"{place}: {text}"]


def warnings(rules: RuleSet | RuleErrors) -> list[str]:
    assert isinstance(rules, RuleSet), rules
    return [str(warning) for warning in rules.warnings]


def test_events_that_are_left_out_are_told_at_their_line() -> None:
    wrong = "this event has no DTSTART that is one; correct it"
    more = "this event, and 2 in all after those named, have something wrong; correct them"
    tables = {"c.ics": calendar(*["UID:a"] * (TOLD + 2))}
    assert warnings(compiled("{file: c.ics}", tables)) == [
        *(f"rules/c.ics:{line}:1: {wrong}" for line in range(2, 2 + 3 * TOLD, 3)),
        f"rules/c.ics:{2 + 3 * TOLD}:1: {more}",
    ]


def test_a_calendar_of_the_web_counts_by_its_copy() -> None:
    rules = client(f"{{url: '{URL}'}}", copies={URL: CLOSED_DAYS})
    assert not is_open(rules, "2027-03-01 10:00")
    assert [(one.hours, one.url, one.missing) for one in rules.feeds] == [("office", URL, None)]


AS_WITHOUT = "so these hours are as without it"
NEVER = f"was never fetched, {AS_WITHOUT}; let a router with these rules reach it"
WITHOUT = [
    ("never fetched", {}, f"the calendar at user.example {NEVER}"),
    (
        "no calendar",
        {URL: "<html>"},
        f"the calendar at user.example cannot be used ({NO_CALENDAR}), {AS_WITHOUT}; {SAVE}",
    ),
]


@pytest.mark.parametrize(("copies", "text"), [row[1:] for row in WITHOUT], ids=[row[0] for row in WITHOUT])
def test_without_a_copy_hours_are_as_without_the_calendar(copies: dict[str, str], text: str) -> None:
    for written, col in ((f"{{url: '{URL}'}}", 21), (f"[{{url: '{URL}'}}]", 22)):
        rules = compiled(written, copies=copies)
        assert warnings(rules) == [f"rules/fjord.yaml:11:{col}: {text}"]
        assert isinstance(rules, RuleSet)
        assert is_open(rules.clients["fjord"], "2027-03-01 10:00")
        [feed] = rules.clients["fjord"].feeds
        assert str(feed.missing) == warnings(rules)[0]


def test_events_of_a_copy_are_told_by_its_host() -> None:
    told = "this event has no DTSTART that is one; correct it"
    assert warnings(compiled(f"{{url: '{URL}'}}", copies={URL: calendar("UID:a")})) == [
        f"user.example:2:1: {told}"
    ]


def test_the_version_changes_with_calendars_that_are_named() -> None:
    def version(copies: dict[str, str]) -> str:
        rules = compiled(f"{{url: '{URL}'}}", copies=copies)
        assert isinstance(rules, RuleSet)
        return rules.version

    assert version({URL: CLOSED_DAYS}) == version({URL: CLOSED_DAYS, "https://other.example": ""})
    assert version({URL: CLOSED_DAYS}) != version({URL: calendar(days("20270301", "20270302"))})
    assert version({URL: CLOSED_DAYS}) != version({})
