"""Calendars of hours, as written."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from router.core import forms, reading
from router.core.written import Shape, as_text

Meaning = Literal["closed", "open"]


class CalendarFile(Shape):
    """An iCalendar file beside the rules."""

    file: Annotated[str, as_text(reading.read_calendar_file)]
    """Where it lies."""
    means: Meaning = "closed"
    """What it is while an event lasts."""


class CalendarUrl(Shape):
    """An iCalendar feed of the web. It is fetched aside, at start and from time to time; while that fails,
    the last good copy counts, and before the first the hours are as without it."""

    url: Annotated[str, as_text(reading.read_calendar_url)]
    """Where it is."""
    means: Meaning = "closed"
    """What it is while an event lasts."""


CalendarDoc = Annotated[
    Annotated[CalendarFile, Tag("<file>")] | Annotated[CalendarUrl, Tag("<url>")],
    Discriminator(forms.calendar_form),
]
