"""Calendars: when their events last, and what is no calendar."""

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from router.core.icaltext import MOST_CHARACTERS, MOST_EVENTS, MOST_LINES
from router.core.occurrences import MOST_MOVED, MOST_PARTS, MOST_RULES, read_feed

OSLO = ZoneInfo("Europe/Oslo")
HORIZON = datetime(2028, 1, 1, tzinfo=UTC)

NEW_YEAR = "DTSTART;VALUE=DATE:20270101"
MORNING = "DTSTART:20270104T090000|DTEND:20270104T100000"


def calendar(*events: str) -> str:
    """A calendar of events, whose lines have `|` between them."""
    lines = [f"BEGIN:VEVENT|{event}|END:VEVENT" for event in events]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *"|".join(lines).split("|"), "END:VCALENDAR", ""])


def lasting(text: str) -> list[str]:
    """When events last, by the clocks of Oslo."""
    found = sorted(read_feed(text, HORIZON).periods(OSLO), key=lambda period: period.start)
    clocks = [[f"{end.astimezone(OSLO):%y-%m-%d %H:%M}" for end in (one.start, one.end)] for one in found]
    return [" until ".join(ends) for ends in clocks]


EVENTS = [
    ("a day", [NEW_YEAR], ["27-01-01 00:00 until 27-01-02 00:00"]),
    ("several days", [f"{NEW_YEAR}|DTEND;VALUE=DATE:20270104"], ["27-01-01 00:00 until 27-01-04 00:00"]),
    (
        "a day that ends with itself",
        [f"{NEW_YEAR}|DTEND;VALUE=DATE:20270101"],
        ["27-01-01 00:00 until 27-01-02 00:00"],
    ),
    ("a length", ["DTSTART:20270104T090000|DURATION:PT1H30M"], ["27-01-04 09:00 until 27-01-04 10:30"]),
    ("a length of days", [f"{NEW_YEAR}|DURATION:P2D"], ["27-01-01 00:00 until 27-01-03 00:00"]),
    ("by the client's clocks", [MORNING], ["27-01-04 09:00 until 27-01-04 10:00"]),
    ("in UTC", ["DTSTART:20270104T090000Z|DTEND:20270104T100000Z"], ["27-01-04 10:00 until 27-01-04 11:00"]),
    (
        "in a zone of its own",
        ["DTSTART;TZID=America/New_York:20270104T090000|DTEND;TZID=Europe/London:20270104T150000"],
        ["27-01-04 15:00 until 27-01-04 16:00"],
    ),
    (
        "in a zone by Windows' name",
        ["DTSTART;TZID=GMT Standard Time:20270104T090000|DURATION:PT1H"],
        ["27-01-04 10:00 until 27-01-04 11:00"],
    ),
    (
        "in a zone with a maker's name before it",
        ['DTSTART;TZID="/maker.example/20270101/Europe/London":20270104T090000|DURATION:PT1H'],
        ["27-01-04 10:00 until 27-01-04 11:00"],
    ),
    (
        "in a zone that nobody knows",
        ["DTSTART;TZID=Ours:20270104T090000|DURATION:PT1H"],
        ["27-01-04 09:00 until 27-01-04 10:00"],
    ),
    ("no time at all", ["DTSTART:20270104T090000"], []),
    ("backwards", ["DTSTART:20270104T100000|DTEND:20270104T090000"], ["27-01-04 09:00 until 27-01-04 10:00"]),
    (
        "to the second",
        ["DTSTART:20270104T090030|DTEND:20270104T235959"],
        ["27-01-04 09:00 until 27-01-05 00:00"],
    ),
    ("cancelled", [f"{NEW_YEAR}|STATUS:CANCELLED"], []),
    ("tentative", [f"{NEW_YEAR}|STATUS:TENTATIVE"], ["27-01-01 00:00 until 27-01-02 00:00"]),
    ("a time shown as free", [f"{MORNING}|TRANSP:TRANSPARENT"], []),
    ("a time shown as busy", [f"{MORNING}|TRANSP:OPAQUE"], ["27-01-04 09:00 until 27-01-04 10:00"]),
    ("a day shown as free", [f"{NEW_YEAR}|TRANSP:TRANSPARENT"], ["27-01-01 00:00 until 27-01-02 00:00"]),
    ("long ago", ["DTSTART;VALUE=DATE:19000101"], []),
    (
        "from long ago",
        ["DTSTART;VALUE=DATE:19000101|DTEND;VALUE=DATE:19700103"],
        ["70-01-01 00:00 until 70-01-03 00:00"],
    ),
    ("beyond the horizon", ["DTSTART;VALUE=DATE:20400101"], ["40-01-01 00:00 until 40-01-02 00:00"]),
    (
        "on the day that clocks go forward",
        ["DTSTART;VALUE=DATE:20270328"],
        ["27-03-28 00:00 until 27-03-29 00:00"],
    ),
    (
        "in the hour that is left out",
        ["DTSTART:20270328T023000|DTEND:20270328T024500"],
        ["27-03-28 03:30 until 27-03-28 03:45"],
    ),
    ("whose end is left out", ["DTSTART:20270328T024500|DTEND:20270328T031500"], []),
    (
        "weekly, over the change of clocks",
        ["DTSTART;TZID=Europe/Oslo:20270321T100000|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=2"],
        ["27-03-21 10:00 until 27-03-21 11:00", "27-03-28 10:00 until 27-03-28 11:00"],
    ),
    (
        "weekly in UTC, over the change of clocks",
        ["DTSTART:20270321T090000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=2"],
        ["27-03-21 10:00 until 27-03-21 11:00", "27-03-28 11:00 until 27-03-28 12:00"],
    ),
    (
        "every year",
        ["DTSTART;VALUE=DATE:20251224|RRULE:FREQ=YEARLY"],
        [f"{year}-12-24 00:00 until {year}-12-25 00:00" for year in (25, 26, 27)],
    ),
    (
        "but for some days",
        [
            "DTSTART;VALUE=DATE:20270101|RRULE:FREQ=DAILY;UNTIL=20270105|EXDATE;VALUE=DATE:20270102,20270103|EXDATE;VALUE=DATE:20270105"
        ],
        ["27-01-01 00:00 until 27-01-02 00:00", "27-01-04 00:00 until 27-01-05 00:00"],
    ),
    (
        "and some more",
        [f"{NEW_YEAR}|RDATE;VALUE=DATE:20270105"],
        ["27-01-01 00:00 until 27-01-02 00:00", "27-01-05 00:00 until 27-01-06 00:00"],
    ),
    (
        "the last Friday of a month",
        [
            "DTSTART;VALUE=DATE:20270129|RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2"
        ],
        ["27-01-29 00:00 until 27-01-30 00:00", "27-03-31 00:00 until 27-04-01 00:00"],
    ),
    (
        "one moved and one cancelled",
        [
            "UID:a|DTSTART:20270104T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3",
            "UID:a|RECURRENCE-ID:20270105T090000|DTSTART:20270105T120000|DURATION:PT1H|RRULE:FREQ=DAILY",
            "UID:a|RECURRENCE-ID:20270106T090000|DTSTART:20270106T090000|DURATION:PT1H|STATUS:CANCELLED",
        ],
        ["27-01-04 09:00 until 27-01-04 10:00", "27-01-05 12:00 until 27-01-05 13:00"],
    ),
    (
        "all moved from one on",
        [
            "UID:a|DTSTART:20270104T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3",
            "UID:a|RECURRENCE-ID;RANGE=THISANDFUTURE:20270105T090000|DTSTART:20270105T100000|DURATION:PT1H",
        ],
        [
            f"27-01-0{day} until 27-01-0{end}"
            for day, end in (("4 09:00", "4 10:00"), ("5 10:00", "5 11:00"), ("6 10:00", "6 11:00"))
        ],
    ),
    (
        "a rule that nothing fits",
        [f"{NEW_YEAR}|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
        ["27-01-01 00:00 until 27-01-02 00:00"],
    ),
    (
        "other parts",
        [f"SUMMARY:x|{NEW_YEAR}|BEGIN:VALARM|DTSTART:20270104T090000|END:VALARM"],
        ["27-01-01 00:00 until 27-01-02 00:00"],
    ),
    (
        "a line that goes on",
        ["DTSTART;VALUE=DA|\tTE:2027|  0101".replace("  ", " ")],
        ["27-01-01 00:00 until 27-01-02 00:00"],
    ),
    (
        "two",
        [NEW_YEAR, MORNING],
        ["27-01-01 00:00 until 27-01-02 00:00", "27-01-04 09:00 until 27-01-04 10:00"],
    ),
    ("none", [], []),
]


@pytest.mark.parametrize(("events", "expected"), [row[1:] for row in EVENTS], ids=[row[0] for row in EVENTS])
def test_events_last(events: list[str], expected: list[str]) -> None:
    assert lasting(calendar(*events)) == expected


def test_what_else_is_in_a_calendar_does_not_count() -> None:
    every_second = "BEGIN:STANDARD\nDTSTART:16010101T000000\nRRULE:FREQ=SECONDLY\nEND:STANDARD"
    zone = f"BEGIN:VTIMEZONE\nTZID:Ours\n{every_second}\nEND:VTIMEZONE"
    todo = f"BEGIN:VTODO\n{NEW_YEAR}\nEND:VTODO"
    event = f"begin:vevent\n{NEW_YEAR}\nend:vevent"
    text = f"\ufeffBEGIN:VCALENDAR\n{zone}\n{todo}\nEND:VCALENDAR\n\nbegin:vcalendar\n{event}\nend:vcalendar"
    assert lasting(text) == ["27-01-01 00:00 until 27-01-02 00:00"]


WITHIN_A_DAY = "this event recurs within a day, so it does not count; write one that lasts as long"
NOT_UNDERSTOOD = "this event recurs by a rule that is not understood; write a simpler one"
SEVERAL_RULES = "this event recurs by rules that are not understood; write one RRULE"
LEFT_OUT = [
    ("no beginning", "UID:a", "this event has no DTSTART that is one; correct it"),
    ("a beginning that is none", "DTSTART:tomorrow", "this event has no DTSTART that is one; correct it"),
    ("two beginnings", f"{NEW_YEAR}|{NEW_YEAR}", "this event has no DTSTART that is one; correct it"),
    ("an end that is none", f"{NEW_YEAR}|DTEND:x", "this event has no DTEND that is one; correct it"),
    (
        "a rule that is none",
        f"{NEW_YEAR}|RRULE:FREQ=NEVER",
        "this event has no RRULE that is one; correct it",
    ),
    ("a line that is none", f"{NEW_YEAR}|DTEND", "this event has no line that is one; correct it"),
    (
        "two kinds of value",
        f"{NEW_YEAR}|EXDATE;VALUE=DATE,PERIOD:20270101",
        "this event cannot be read (AttributeError); correct it",
    ),
    ("a time of day", "DTSTART;VALUE=TIME:090000", "this event cannot be understood (TypeError); correct it"),
    (
        "a length beyond all years",
        f"{NEW_YEAR}|DURATION:P9999999D",
        "this event cannot be understood (OverflowError); correct it",
    ),
    ("every second", f"{NEW_YEAR}|RRULE:FREQ=SECONDLY", WITHIN_A_DAY),
    ("every hour", f"{MORNING}|RRULE:FREQ=HOURLY;COUNT=2", WITHIN_A_DAY),
    ("twice a day", f"{MORNING}|RRULE:FREQ=DAILY;BYHOUR=9,15", WITHIN_A_DAY),
    (
        "two ends",
        f"{NEW_YEAR}|RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270105",
        "this event ends by COUNT and by UNTIL; take one out",
    ),
    ("never the next", f"{NEW_YEAR}|RRULE:FREQ=DAILY;INTERVAL=0", NOT_UNDERSTOOD),
    (
        "a very long rule",
        f"{NEW_YEAR}|RRULE:FREQ=YEARLY;BYYEARDAY={','.join(map(str, range(1, MOST_PARTS + 1)))}",
        NOT_UNDERSTOOD,
    ),
    ("many rules", f"{NEW_YEAR}{'|RRULE:FREQ=DAILY' * (MOST_RULES + 1)}", SEVERAL_RULES),
    ("a rule of days on which it is not", f"{NEW_YEAR}|RRULE:FREQ=DAILY|EXRULE:FREQ=WEEKLY", SEVERAL_RULES),
]


@pytest.mark.parametrize(("event", "remark"), [row[1:] for row in LEFT_OUT], ids=[row[0] for row in LEFT_OUT])
def test_an_event_is_left_out_with_a_remark_and_the_others_count(event: str, remark: str) -> None:
    feed = read_feed(calendar(event, "UID:b|DTSTART;VALUE=DATE:20270601"), HORIZON)
    assert (feed.remarks, len(feed.periods(OSLO))) == (((3, remark),), 1)


def test_a_zone_that_nobody_knows_is_told() -> None:
    feed = read_feed(calendar("DTSTART;TZID=Ours:20270104T090000|DTEND;TZID=Ours:20270104T100000"), HORIZON)
    what = "no time zone is called `Ours`, so the client's own clocks count; name it as in Europe/Oslo"
    assert feed.remarks == ((3, what),)


def test_an_event_that_was_changed_too_often_is_left_out() -> None:
    change = "UID:a|RECURRENCE-ID;RANGE=THISANDFUTURE:202701{:02}T090000|DTSTART:20270105T100000"
    changes = [change.format(day % 28 + 1) for day in range(MOST_MOVED + 1)]
    feed = read_feed(
        calendar("UID:a|DTSTART:20270104T090000|DURATION:PT1H|RRULE:FREQ=DAILY", *changes), HORIZON
    )
    assert feed.remarks == ((3, "this event was changed too often; write it anew"),)


INSTEAD = "save the calendar as iCalendar (.ics) once more"
NO_CALENDARS = [
    ("nothing", "", f"there is no calendar here; {INSTEAD}"),
    ("a page", "<html>\n", f"line 1 is not in a calendar (BEGIN:VCALENDAR); {INSTEAD}"),
    ("an address book", "BEGIN:VCARD", f"line 1 begins `VCARD`, which is no calendar; {INSTEAD}"),
    (
        "a part of one",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTA",
        f"this calendar ends within `VEVENT`; {INSTEAD}",
    ),
    ("an end alone", "END:VCALENDAR", f"line 1 ends `VCALENDAR`, which nothing began; {INSTEAD}"),
    (
        "crossed",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR",
        f"line 3 ends `VCALENDAR`, which nothing began; {INSTEAD}",
    ),
    ("very deep", "BEGIN:VCALENDAR\n" * 11, f"line 11 begins `VCALENDAR`, which is no calendar; {INSTEAD}"),
    (
        "very large",
        " " * (MOST_CHARACTERS + 1),
        f"this calendar has more than {MOST_CHARACTERS} characters; take old events out",
    ),
    (
        "very many events",
        calendar(*[NEW_YEAR] * (MOST_EVENTS + 1)),
        f"this calendar has more than {MOST_EVENTS} events; take old ones out",
    ),
    (
        "more dates than are read",
        calendar(NEW_YEAR + "|EXDATE:20270101" * (MOST_LINES + 1)),
        f"this calendar has more than {MOST_LINES} lines on when its events last; take old ones out",
    ),
]


@pytest.mark.parametrize(
    ("text", "refusal"), [row[1:] for row in NO_CALENDARS], ids=[row[0] for row in NO_CALENDARS]
)
def test_what_is_no_calendar_is_refused(text: str, refusal: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(refusal)}$"):
        read_feed(text, HORIZON)


NOTHING_FITS = "BYMONTH=2;BYMONTHDAY=30;BYDAY=MO,TU"
GIANTS = [
    ("never, day by day", f"{NEW_YEAR}|RRULE:FREQ=DAILY;{NOTHING_FITS}"),
    ("never, year by year", f"{NEW_YEAR}|RRULE:FREQ=YEARLY;{NOTHING_FITS}"),
    ("every day for long", f"{NEW_YEAR}|RRULE:FREQ=DAILY"),
    (
        "many parts",
        f"{NEW_YEAR}|RRULE:FREQ=YEARLY;{NOTHING_FITS};BYSETPOS={','.join(map(str, range(1, 80)))}",
    ),
]


@pytest.mark.parametrize("event", [row[1] for row in GIANTS], ids=[row[0] for row in GIANTS])
def test_what_recurs_too_often_is_refused_in_bounded_time(event: str) -> None:
    began = time.process_time()
    with pytest.raises(
        ValueError, match=r"the events up to line [0-9]+ recur too often to be worked out; let "
    ):
        read_feed(calendar(*[event] * 200), datetime(2038, 1, 1, tzinfo=UTC))
    assert time.process_time() - began < 30
