"""A report as one page of HTML with charts, which needs nothing else: no network, and no script."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from msgspec.structs import replace

from router.cli import charts
from router.cli.charts import Chart, Group, Part
from router.cli.reportforms import Names, Table, lasted, notes, percent, period, table
from router.core.report import By, Line, Report
from router.core.times import Duration

TITLES = {
    By.DAY: "Day by day",
    By.HOUR: "By hour of the day",
    By.WEEKDAY: "By day of the week",
    By.DISPOSITION: "What became of the calls",
    By.QUEUE: "Queues",
    By.PERSON: "People",
    By.TAG: "Tags",
    By.CLIENT: "Clients",
}
"""In the order in which they stand on the page."""

PLAIN = (By.DISPOSITION, By.TAG)
"""Groups whose bars are of one colour: what a call is decides how it was answered, or says nothing of it."""


class Figure(NamedTuple):
    """One of the figures at the top."""

    name: str
    value: str
    more: str


class Section(NamedTuple):
    """One kind of groups."""

    by: str
    title: str
    chart: Chart
    words: tuple[str, ...]
    """What the series stand for."""
    seen: tuple[int, ...]
    """Those that are in the chart; none, where there is only one."""
    table: Table
    left_out: int

    """Groups that are in the table only."""


def page(report: Report, names: Names, made_at: datetime) -> str:
    """The whole page."""
    wanted = report.wanted
    of_all = replace(report, wanted=replace(wanted, client=None))
    clocks = "its clocks" if wanted.client else "each client's own clocks"
    return _template().render(
        title=names.client(wanted.client) if wanted.client else "Calls",
        period=f"{period(of_all, names)}; by {clocks}",
        figures=list(_figures(report)),
        sections=[_section(report, by, names) for by in TITLES if _tells(report, by)],
        notes=list(notes(report)),
        made_at=f"{made_at.astimezone():%Y-%m-%d %H:%M}",
        empty=not report.total.calls,
    )


def _tells(report: Report, by: By) -> bool:
    """Whether these groups say more than the figures at the top."""
    lines = report.groups.get(by, ())
    return len(lines) > (1 if by is By.CLIENT else 0)


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")


def _figures(report: Report) -> Iterator[Figure]:
    total, within = report.total, Duration(round(report.wanted.within))
    yield Figure("Calls", f"{total.calls:,}", f"{total.offered:,} offered to somebody")
    base = total.offered - total.short_abandons
    in_time = f"{total.answered_within:,} answered within {within}, of {base:,}"
    yield Figure("Service level", percent(total.service_level) or "-", in_time)
    short = f"{total.abandoned:,} gave up, and {total.short_abandons:,} at once"
    yield Figure("Abandonment", percent(total.abandonment) or "-", short)
    for name, spread in (("Wait", total.wait), ("Handling", total.handling)):
        p90 = f"nine in ten up to {lasted(spread.p90)}" if spread.count else ""
        yield Figure(name, lasted(spread.average) or "-", p90)


def _series(report: Report) -> tuple[str, ...]:
    within = Duration(round(report.wanted.within))
    return (
        f"answered within {within}",
        "answered later",
        "not answered",
        "nobody was to answer",
    )


def _parts(line: Line) -> tuple[Part, ...]:
    numbers = (
        line.answered_within,
        line.answered - line.answered_within,
        line.offered - line.answered,
        line.calls - line.offered,
    )
    return tuple(Part(series, number) for series, number in enumerate(numbers))


def _section(report: Report, by: By, names: Names) -> Section:
    lines = report.groups[by]
    plain = by in PLAIN
    several = len({line.client for line in lines}) > 1
    groups = [_group(report, by, line, names, several) for line in lines]
    standing = by in (By.DAY, By.HOUR, By.WEEKDAY)
    chart = charts.columns(groups) if standing else charts.bars(groups)
    series = ("calls",) if plain else _series(report)
    seen = tuple(sorted({rect.series for drawn in chart.drawn for rect in drawn.rects}))
    left_out = len(groups) - len(chart.drawn)
    shown = table(report, by, names)
    return Section(by.value, TITLES[by], chart, series, seen, shown, left_out)


def _group(report: Report, by: By, line: Line, names: Names, several: bool) -> Group:
    """Its name has the client's behind it, where there are several."""
    name = names.of(by, line, report.wanted.client)
    short = name
    match by:
        case By.HOUR:
            short = line.key or ""
        case By.DAY:
            short = f"{date.fromisoformat(line.key or ''):%d %b}".lstrip("0")
        case By.WEEKDAY:
            short = name[:3]
        case By.QUEUE | By.PERSON if several:
            name = short = f"{name}, {names.client(line.client)}"
        case _:
            pass
    return Group(name, short, (Part(0, line.calls),) if by in PLAIN else _parts(line))
