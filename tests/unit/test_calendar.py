"""What applies when."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from router.core.calendar import Calendar, Interval, calendar
from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

OSLO = ZoneInfo("Europe/Oslo")
FJORD = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 6x", "22334455"]
timezone: Europe/Oslo
country: NO
hours:
  office: {week: {mon-thu: "08:00-15:30", fri: "08:00-12:00 12:30-14:00"}, holidays: NO}
  night: {week: {mon-sun: "22:30-02:30"}}
screening:
  block: [{name: sales, numbers: ["+472123456x", "+472123458x"]}]
exceptions:
  - {title: told, from: 2026-11-17 12:00, until: 2026-11-18 09:00, owner: kari, say: {file: told}}
  - {title: course, from: 2026-11-17 13:00, until: 2026-11-17 15:00, owner: kari, do: hangup}
people: {kari: {rings: PJSIP/1, numbers: ["22334460"]}}
routes:
  - {name: withheld, when: {caller: anonymous}, do: hangup}
  - {name: family, when: {caller: "+472123457x"}, do: hangup}
  - {name: a friend, when: {caller: ["+4721*", "+47*"], not: {open: [office, night]}}, do: hangup}
  - {name: advent, when: {not: {not: {between: [2026-11-18 10:00, 2026-11-18 10:30]}}}, do: hangup}
  - {name: other number, when: {dialled: "22334462"}, do: hangup}
  - {name: open, when: {open: office}, do: hangup}
"""


def compiled(*texts: str) -> RuleSet:
    rules = compile_rules({f"{text[8]}.yaml": text for text in texts}, Dialling())
    assert isinstance(rules, RuleSet), rules
    return rules


def made(text: str, first: date, days: int) -> Calendar:
    rules = compiled(text)
    (client,) = rules.clients.values()
    return calendar(rules, client, first, days)


def words(intervals: Sequence[Interval]) -> list[str]:
    """`08:00-15:30 main`; `again` is the second of an hour that comes twice."""
    clocks = (
        "-".join(f"{end:%H:%M}{' again' * end.fold}" for end in (one.start, one.end)) for one in intervals
    )
    return [f"{clock} {one.what}" for clock, one in zip(clocks, intervals, strict=True)]


def test_the_hours_the_exceptions_and_the_routes_of_each_day() -> None:
    monday, tuesday, wednesday = made(FJORD, date(2026, 11, 16), 3).days
    assert words(monday.open["office"]) == ["08:00-15:30 open"]
    assert words(monday.open["night"]) == ["00:00-02:30 open", "22:30-00:00 open"]
    assert words(monday.routes) == [
        "00:00-02:30 last resort",
        "02:30-08:00 a friend",
        "08:00-15:30 open",
        "15:30-22:30 a friend",
        "22:30-00:00 last resort",
    ]
    assert words(tuesday.exceptions) == ["12:00-00:00 told", "13:00-15:00 course"]
    assert words(tuesday.routes)[2:4] == ["08:00-13:00 open", "13:00-15:00 exception course"]
    assert words(wednesday.exceptions) == ["00:00-09:00 told"]
    assert words(wednesday.routes)[2:5] == ["08:00-10:00 open", "10:00-10:30 advent", "10:30-15:30 open"]


def test_every_interval_has_the_place_of_its_rule() -> None:
    (day,) = made(FJORD, date(2026, 11, 17), 1).days
    places = {one.what: one.place for one in (*day.open["office"], *day.exceptions, *day.routes)}
    assert places == {
        "open": "f.yaml:21",
        "told": "f.yaml:12",
        "course": "f.yaml:13",
        "last resort": "f.yaml:1",
        "a friend": "f.yaml:18",
        "exception course": "f.yaml:13",
    }
    assert {one.place for one in day.open["office"]} == {"f.yaml:7"}


def test_the_ordinary_caller_is_none_that_a_rule_names() -> None:
    found = made(FJORD, date(2026, 11, 16), 1)
    assert (found.number, found.caller) == ("+4722334461", "+4740612367")


DST = [
    (
        "an hour that does not exist",
        date(2026, 3, 29),
        23,
        ["00:00-03:00 open", "22:30-00:00 open"],
        ["00:00-03:00 last resort", "03:00-22:30 a friend", "22:30-00:00 last resort"],
    ),
    (
        "an hour that comes twice",
        date(2026, 10, 25),
        25,
        ["00:00-02:30 open", "02:00 again-02:30 again open", "22:30-00:00 open"],
        [
            "00:00-02:30 last resort",
            "02:30-02:00 again a friend",
            "02:00 again-02:30 again last resort",
            "02:30 again-22:30 a friend",
            "22:30-00:00 last resort",
        ],
    ),
]


@pytest.mark.parametrize(
    ("day", "hours", "night", "routes"), [row[1:] for row in DST], ids=[row[0] for row in DST]
)
def test_a_day_on_which_clocks_are_set(day: date, hours: int, night: list[str], routes: list[str]) -> None:
    (found,) = made(FJORD, day, 1).days
    assert (found.hours, words(found.open["night"]), words(found.routes)) == (hours, night, routes)


DAYS = [
    ("with exceptions", "Europe/Oslo", date(2026, 11, 16)),
    ("without an hour", "Europe/Oslo", date(2026, 3, 28)),
    ("with an hour twice", "Europe/Oslo", date(2026, 10, 24)),
    ("without midnight", "America/Havana", date(2026, 3, 7)),
    ("with midnight twice", "America/Havana", date(2026, 10, 31)),
    ("with half an hour twice", "Australia/Lord_Howe", date(2026, 4, 4)),
    ("one of which was left out", "Pacific/Apia", date(2011, 12, 29)),
]


@pytest.mark.parametrize(("zone", "first"), [row[1:] for row in DAYS], ids=[row[0] for row in DAYS])
def test_it_is_what_is_decided_each_minute(zone: str, first: date) -> None:
    rules = compiled(FJORD.replace("Europe/Oslo", zone))
    found = calendar(rules, rules.clients["fjord"], first, 3)
    assert found.number is not None
    did, caller = PhoneNumber(found.number), CallerId.read(found.caller, "", "NO")
    shown = [one for day in found.days for one in day.routes]
    begin, end = found.days[0].start.astimezone(UTC), found.days[-1].end.astimezone(UTC)
    minutes = int((end - begin) / timedelta(minutes=1))
    for now in (begin + timedelta(minutes=count) for count in range(minutes)):
        (interval,) = (one for one in shown if one.start.timestamp() <= now.timestamp() < one.end.timestamp())
        route = decide(rules, Facts(now, did.e164, did, caller)).route
        assert interval.what == (route or "last resort")


def test_a_day_that_was_left_out_is_empty() -> None:
    samoa = FJORD.replace("Europe/Oslo", "Pacific/Apia")
    friday = made(samoa, date(2011, 12, 30), 1).days[0]
    assert (friday.hours, friday.routes, friday.open["night"]) == (0, (), ())


HEAD = "client: fjord\nname: F\ntimezone: Europe/Oslo\ncountry: {country}\n"
BLOCKED = (
    HEAD.format(country="NO") + 'numbers: "22334455"\nscreening: {block: [{name: all, numbers: "+47*"}]}\n'
)


def test_where_all_are_blocked_that_is_what_is_met() -> None:
    (day,) = made(BLOCKED, date(2026, 11, 16), 1).days
    assert words(day.routes) == ["00:00-00:00 blocked: all"]


NUMBERLESS = [
    ("none at all", HEAD.format(country="TA")),
    ("people's only", HEAD.format(country="NO") + 'people: {k: {rings: PJSIP/1, numbers: "22334455"}}\n'),
]


@pytest.mark.parametrize("text", [row[1] for row in NUMBERLESS], ids=[row[0] for row in NUMBERLESS])
def test_a_client_without_a_number_has_no_routes(text: str) -> None:
    found = made(text, date(2026, 11, 16), 2)
    assert (found.number, [day.routes for day in found.days]) == (None, [(), ()])


def test_it_encodes_to_json_with_the_offset_of_each_moment() -> None:
    encoded = msgspec.json.encode(made(FJORD, date(2026, 10, 25), 1)).decode()
    assert '"start":"2026-10-25T02:00:00+01:00"' in encoded
    assert '"end":"2026-10-25T02:30:00+02:00"' in encoded


def test_a_block_rule_that_ends_is_on_the_calendar_until_then() -> None:
    ending = BLOCKED.replace('"+47*"', '"+47*", until: 2026-11-16 12:00')
    (day,) = made(ending, date(2026, 11, 16), 1).days
    assert words(day.routes) == ["00:00-12:00 blocked: all", "12:00-00:00 last resort"]
