"""The text of a calendar (iCalendar, RFC 5545) -> its events, each with the line that it begins on.

Calendars come from others, so as little as possible of them is read: of everything in a calendar only its
events, and of an event only what says when it lasts. One event that cannot be read is left out and told of;
it keeps none of the others from counting.

The zones that a calendar brings along are not read, but looked up by their names: IANA's, Windows', and those
with a maker's name before IANA's. A definition could be anything, for each who reads it; a name is the same
zone everywhere. The times of a zone that nobody knows are read as if none were named.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Component, Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

MOST_CHARACTERS = 1_000_000
MOST_EVENTS = 3_000
"""Written ones: what recurs is one."""
MOST_LINES = 8 * MOST_EVENTS
"""Lines of events that are looked at."""
DEEPEST = 10
"""Parts within parts."""

ONCE = frozenset({"UID", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "SEQUENCE", "STATUS", "TRANSP"})
"""The properties of an event that are looked at, and that there may be only one of."""
READ = ONCE | {"RRULE", "EXRULE", "RDATE", "EXDATE"}
"""All that are looked at."""

_EVENT = ["VCALENDAR", "VEVENT"]
_END_OF_LINE = re.compile("\r\n|\r|\n")
_NAME = re.compile("[A-Za-z0-9-]+")
_ZONE = re.compile(';TZID=("[^"]*"|[^":;,]*)', re.IGNORECASE)
INSTEAD = "save the calendar as iCalendar (.ics) once more"


class Written(NamedTuple):
    """An event as it is in the text."""

    line: int
    """From 1; where it begins."""
    event: Component | None
    """None where it cannot be read."""
    remark: str = ""
    """What is told of it, `what; what to do instead`."""


def written_events(text: str) -> list[Written]:
    """All events of a calendar. ValueError says why the text is none."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"this calendar has more than {MOST_CHARACTERS} characters; take old events out")
    found: list[Written] = []
    lines = 0
    for line, properties in _blocks(text.removeprefix("\ufeff")):
        if len(found) == MOST_EVENTS:
            raise ValueError(f"this calendar has more than {MOST_EVENTS} events; take old ones out")
        lines += len(properties)
        if lines > MOST_LINES:
            what = f"this calendar has more than {MOST_LINES} lines on when its events last"
            raise ValueError(f"{what}; take old ones out")
        found.append(_read(line, properties))
    return found


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The events as the properties that are looked at."""
    around: list[str] = []
    line, properties, empty = 0, [""], True
    for number, content in _content_lines(text):
        name, value = _name(content), content.partition(":")[2].strip().upper()
        if name == "BEGIN":
            around.append(value)
            if around[0] != "VCALENDAR" or len(around) > DEEPEST:
                raise ValueError(f"line {number} begins `{value[:40]}`, which is no calendar; {INSTEAD}")
            if around == _EVENT:
                line, properties = number, []
        elif name == "END":
            if around[-1:] != [value]:
                raise ValueError(f"line {number} ends `{value[:40]}`, which nothing began; {INSTEAD}")
            if around == _EVENT:
                yield line, properties
            around.pop()
        elif not around and content.strip():
            raise ValueError(f"line {number} is not in a calendar (BEGIN:VCALENDAR); {INSTEAD}")
        elif around == _EVENT and name in READ:
            properties.append(content)
        empty = empty and not around
    if around or empty:
        what = f"this calendar ends within `{around[-1]}`" if around else "there is no calendar here"
        raise ValueError(f"{what}; {INSTEAD}")


def _content_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines, each with its number; one that begins with a blank goes on with the line before it."""
    number, parts = 1, [""]
    for at, line in enumerate(_END_OF_LINE.split(text), start=1):
        if line[:1] in (" ", "\t"):
            parts.append(line[1:])
        else:
            yield number, "".join(parts)
            number, parts = at, [line]
    yield number, "".join(parts)


def _name(content: str) -> str:
    found = _NAME.match(content)
    return found[0].upper() if found else ""


def _read(line: int, properties: list[str]) -> Written:
    unknown: list[str] = []

    def known(found: re.Match[str]) -> str:
        zone = _zone(found[1].strip('" '))
        if zone is None:
            unknown.append(found[1].strip('" '))
        return "" if zone is None else f";TZID={zone}"

    block = "\r\n".join(["BEGIN:VEVENT", *(_ZONE.sub(known, one) for one in properties), "END:VEVENT", ""])
    try:
        event = Event.from_ical(block)
    except Exception as error:  # What the library meets in wrong values, it raises as it comes.
        return Written(line, None, f"this event cannot be read ({type(error).__name__}); correct it")
    wrong = [name or "line" for name, _ in event.errors] + [
        one for one in sorted(ONCE) if isinstance(event.get(one), list)
    ]
    if wrong or "DTSTART" not in event:
        return Written(
            line, None, f"this event has no {wrong[0] if wrong else 'DTSTART'} that is one; correct it"
        )
    if unknown:
        instead = "name it as in Europe/Oslo"
        remark = f"no time zone is called `{unknown[0][:60]}`, so the client's own clocks count; {instead}"
        return Written(line, event, remark)
    return Written(line, event)


@lru_cache(maxsize=1_000)
def _zone(name: str) -> str | None:
    """The name of IANA's for a zone."""
    parts = name.strip("/").split("/") if name.startswith("/") else [name]
    for candidate in ("/".join(parts[at:]) for at in range(min(len(parts), DEEPEST))):
        candidate = WINDOWS_TO_OLSON.get(candidate, candidate)
        try:
            return ZoneInfo(candidate).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None
