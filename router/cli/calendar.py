"""A calendar as a table, as lines, and as one page of HTML that needs nothing else."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.words import in_columns
from router.core.calendar import Calendar, Day, Interval
from router.core.times import WEEKDAYS

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
h2 { margin: 2em 0 0; } p { margin: .2em 0 1em; color: #555; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #ccc; padding: .3em .5em; text-align: left; vertical-align: top; }
th { background: #f2f2f2; } th[scope=row] { white-space: nowrap; font-weight: normal; }
tr.sun th[scope=row], tr.sat th[scope=row] { color: #a33; }
div { white-space: nowrap; } div.exception { background: #fff3c4; } div.route { font-weight: 600; }
@media print { body { margin: 0; font-size: 11px; }
h2 { break-before: page; } h2.first { break-before: auto; }
tr { break-inside: avoid; } thead { display: table-header-group; } }
"""


def heading(calendar: Calendar) -> str:
    """Whose it is, and for which call its routes are."""
    call = f"routes of a call from {calendar.caller} to {calendar.number}" if calendar.number else "no number"
    return f"{calendar.name}, by the clocks of {calendar.timezone}; {call}"


def columns(calendar: Calendar) -> tuple[str, ...]:
    """Of the table: the day, each name of hours, exceptions, routes."""
    return ("day", *calendar.days[0].open, "exceptions", "route")


def print_calendar(calendar: Calendar) -> None:
    """As a table on a terminal, else as lines."""
    console = Console()
    rows = [_row(day) for day in calendar.days]
    if console.is_terminal:
        table = Table(
            *columns(calendar), title=Text(f"{calendar.client}: {heading(calendar)}"), show_lines=True
        )
        for row in rows:
            table.add_row(*(Text("\n".join(cell)) for cell in row))
        console.print(table)
    else:
        lines = in_columns([columns(calendar), *([", ".join(cell) or "-" for cell in row] for row in rows)])
        typer.echo("\n".join((f"{calendar.client}: {heading(calendar)}", *lines, "")))


def _row(day: Day) -> Iterator[tuple[str, ...]]:
    """The cells of a day: the words for each interval of it."""
    yield (_day(day),)
    yield from (tuple(_span(one, day) for one in opened) for opened in day.open.values())
    for named in (day.exceptions, day.routes):
        yield tuple(f"{_span(one, day)} {one.what}" for one in named)


def _day(day: Day) -> str:
    set_today = "" if day.hours == 24 else f" ({day.hours:g} h)"
    return f"{WEEKDAYS[day.date.weekday()].capitalize()} {day.date}{set_today}"


def _span(interval: Interval, day: Day) -> str:
    # Two moments of one zone are compared as clocks show them, so the end of the day by what it is.
    end = "24:00" if interval.end.timestamp() == day.end.timestamp() else _clock(interval.end)
    return f"{_clock(interval.start)}-{end}"


def _clock(moment: datetime) -> str:
    """`02:30`, and `02:30 again` in an hour that comes twice."""
    return f"{moment:%H:%M}{' again' if moment.fold else ''}"


# The page


def page(calendars: Sequence[Calendar]) -> str:
    """One page for all; each interval has the place of its rule as its title."""
    html = ET.Element("html", lang="en")
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "title").text = "What applies when"
    ET.SubElement(head, "style").text = _STYLE
    body = ET.SubElement(html, "body")
    ET.SubElement(body, "h1").text = "What applies when"
    for number, calendar in enumerate(calendars):
        title = ET.SubElement(body, "h2", {"id": calendar.client, "class": "" if number else "first"})
        title.text = calendar.client
        ET.SubElement(body, "p").text = heading(calendar)
        _table(body, calendar)
        ET.SubElement(body, "p").text = "; ".join(_places(calendar))
    return f"<!DOCTYPE html>\n{ET.tostring(html, encoding='unicode', method='html')}\n"


def _places(calendar: Calendar) -> Iterator[str]:
    """Where everything on the calendar is written, for paper, which shows no titles."""
    for name in calendar.days[0].open:
        yield from {f"{name}: {one.place}" for day in calendar.days for one in day.open[name]}
    named = (one for day in calendar.days for one in (*day.exceptions, *day.routes))
    yield from dict.fromkeys(f"{one.what}: {one.place}" for one in named)


def _table(body: ET.Element, calendar: Calendar) -> None:
    table = ET.SubElement(body, "table")
    top = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for name in columns(calendar):
        ET.SubElement(top, "th", scope="col").text = name
    rows = ET.SubElement(table, "tbody")
    for day in calendar.days:
        row = ET.SubElement(rows, "tr", {"class": WEEKDAYS[day.date.weekday()]})
        ET.SubElement(row, "th", scope="row").text = _day(day)
        for opened in day.open.values():
            _cell(row, day, opened, "open")
        _cell(row, day, day.exceptions, "exception")
        _cell(row, day, day.routes, "route")


def _cell(row: ET.Element, day: Day, intervals: Iterable[Interval], kind: str) -> None:
    cell = ET.SubElement(row, "td")
    for one in intervals:
        words = _span(one, day) if kind == "open" else f"{_span(one, day)} {one.what}"
        ET.SubElement(cell, "div", {"class": kind, "title": one.place}).text = words
