"""A report as tables for people, as CSV for spreadsheets, and as JSON."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec

from router.cli.labels import Labels
from router.cli.words import length, moment
from router.core.record import Disposition
from router.core.report import By, Line, Report, Spread, Window
from router.core.ruleset import RuleSet
from router.core.times import WEEKDAYS, Duration

SPREADS = ("wait", "left_after", "talk", "wrap_up", "handling")
"""Those of a line."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NONE = {By.CLIENT: "(no client)", By.TAG: "(no tag)"}

WITH_TOTAL = (By.CLIENT, By.DAY, By.HOUR, By.WEEKDAY, By.DISPOSITION)
"""Groups of which each call is in one: their lines come to the total."""


class Names:
    """What groups are called for people."""

    def __init__(self, rules: RuleSet | None = None, language: str | None = None) -> None:
        """Without rules, clients and people go by their ids; without a language, dispositions and tags do.
        BadParameter for a language that nothing has a name in."""
        self._clients = rules.clients if rules else {}
        self._labels = Labels(language, rules)

    def of(self, by: By, line: Line, of: str | None = None) -> str:
        """The name of a line's group, in a report `of` one client, if it is."""
        key = line.key
        if key is None:
            return _NONE.get(by, "")
        match by:
            case By.CLIENT:
                return self.client(key)
            case By.PERSON:
                client = self._clients.get(line.client or "")
                person = client.people.get(key) if client else None
                return (person.name if person else "") or key
            case By.HOUR:
                return f"{key}:00-{int(key) + 1:02}:00"
            case By.WEEKDAY:
                return _WEEKDAYS[WEEKDAYS.index(key)]
            case By.DAY:
                return f"{date.fromisoformat(key):%a} {key}"
            case By.DISPOSITION:
                return self._labels.disposition(Disposition(key)).replace("_", " ")
            case By.TAG:
                return self._labels.tag(of, key).replace("_", " ")
            case By.QUEUE:
                return key

    def client(self, id: str | None) -> str:
        """The client's name; its id, where the rules do not know it."""
        known = self._clients.get(id or "")
        return known.name if known else id or ""


# For people

FEW = 9.95
"""Seconds, below which tenths are told."""


class Column(NamedTuple):
    """A column of a table; empty in a line where there is nothing to tell."""

    head: str
    cell: Callable[[Line], str]
    always: bool = False
    """Also where it is empty in every line."""


def percent(rate: float | None) -> str:
    """`81.3 %`; empty for none."""
    return "" if rate is None else f"{100 * rate:.1f} %"


def lasted(seconds: float | None) -> str:
    """`4.2 s`, `42 s`, `2:05`; empty for none."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < FEW else length(seconds)


def count(number: int) -> str:
    """Empty for 0."""
    return f"{number:,}" if number else ""


def columns(report: Report, by: By) -> Iterator[Column]:
    """All columns of a table, but for the group's name."""
    within = Duration(round(report.wanted.within))
    yield Column("calls", lambda line: f"{line.calls:,}", always=True)
    yield Column("share", lambda line: percent(line.share), always=True)
    if by is not By.DISPOSITION:  # It says itself who was answered.
        yield Column("offered", lambda line: count(line.offered), always=True)
        yield Column("answered", lambda line: count(line.answered), always=True)
        yield Column(f"within {within}", lambda line: percent(line.service_level), always=True)
        yield Column("abandoned", lambda line: count(line.abandoned))
        yield Column("rate", lambda line: percent(line.abandonment) if line.abandoned else "")
        yield Column("short", lambda line: count(line.short_abandons))
    yield Column("called back", lambda line: count(line.callbacks))
    shown = ["wait", "talk"]
    if report.total.wrap_up.count:  # Else the talk is all that is known of the handling.
        shown += ["wrap_up", "handling"]
    for name in shown:
        head = name.replace("_", "-")
        yield Column(head, _lasted(name, lambda spread: spread.average))
        yield Column("p90", _lasted(name, lambda spread: spread.p90))


def _lasted(name: str, figure: Callable[[Spread], float | None]) -> Callable[[Line], str]:
    """What is shown of one figure of the times that have that name."""
    return lambda line: lasted(figure(_spread(line, name)))


def _spread(line: Line, name: str) -> Spread:
    found: Spread = getattr(line, name)
    return found


class Table(NamedTuple):
    """The groups of a report as rows of texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int
    """How many columns name the group; figures stand in the others."""
    has_total: bool
    """The last row is of all calls; where each is in one group."""


def table(report: Report, by: By, names: Names) -> Table:
    """Without columns that have nothing in them."""
    lines = _told(by, report.groups[by])
    has_total = by in WITH_TOTAL
    shown = (*lines, report.total) if has_total else lines
    kept = [one for one in columns(report, by) if one.always or any(map(one.cell, shown))]
    heads, firsts = [str(by.value)], [[names.of(by, line, report.wanted.client)] for line in lines]
    if len({line.client for line in lines}) > 1:
        heads = ["client", *heads]
        firsts = [[names.client(line.client), *first] for line, first in zip(lines, firsts, strict=True)]
    if has_total:
        firsts.append(["all"])
    rows = [(*first, *(one.cell(line) for one in kept)) for first, line in zip(firsts, shown, strict=True)]
    return Table((*heads, *(one.head for one in kept)), tuple(rows), len(heads), has_total)


def _told(by: By, lines: Sequence[Line]) -> Sequence[Line]:
    """All lines; of hours those from the first to the last with a call."""
    used = [at for at, line in enumerate(lines) if line.calls or line.callbacks]
    return lines[used[0] : used[-1] + 1] if by is By.HOUR and used else lines


def overview(report: Report) -> Iterator[tuple[str, str, str]]:
    """The figures of all calls: what, how many or how long, and more on it."""
    total, wanted = report.total, report.wanted
    within, short = Duration(round(wanted.within)), Duration(round(wanted.short))
    yield "calls", f"{total.calls:,}", ""
    yield "offered", f"{total.offered:,}", "somebody was to answer"
    yield "answered", f"{total.answered:,}", ""
    level = percent(total.service_level)
    yield f"within {within}", f"{total.answered_within:,}", level and f"service level {level}"
    yield "abandoned", f"{total.abandoned:,}", ", ".join(_abandoned(total))
    yield "short abandons", f"{total.short_abandons:,}", f"hung up within {short}; in neither share"
    yield "unanswered", f"{total.unanswered:,}", "busy, nobody there, a message after waiting ..."
    if total.callbacks:
        yield "called back", f"{total.callbacks:,}", "by the router; in none of the numbers above"
    for name in ("wait", "talk", "wrap_up", "handling"):
        spread = _spread(total, name)
        if spread.count and (name != "handling" or total.wrap_up.count):
            more = f"on average; nine in ten up to {lasted(spread.p90)}, the longest {lasted(spread.longest)}"
            yield name.replace("_", "-"), lasted(spread.average), more


def _abandoned(line: Line) -> Iterator[str]:
    if line.abandoned:
        yield percent(line.abandonment)
        yield f"after {lasted(line.left_after.average)} on average"


def period(report: Report, names: Names) -> str:
    """Which calls a report is of, in words."""
    wanted = report.wanted
    parts = ["calls"]
    parts += [f"of {names.client(wanted.client)}"] if wanted.client else []
    parts += [f"in queue {wanted.queue}"] if wanted.queue else []
    return " ".join([*parts, *_when(report)])


def _when(report: Report) -> Iterator[str]:
    window, first, last = report.wanted.window, report.first, report.last
    if window == Window() and first and last and first.date() == last.date():
        yield f"on {first:%Y-%m-%d}"
        return
    if window.since is not None:
        yield f"since {moment(window.since)}"
    elif window.first is not None:
        yield f"from {_on_the_clock(window.first)}"
    elif first is not None:
        yield f"from {first:%Y-%m-%d}"
    if window.last is not None:
        # Midnight is the end of the day before, which counts whole.
        midnight = window.last.time() == time.min
        yield f"until {_on_the_clock(window.last - timedelta(days=1) if midnight else window.last)}"
    elif last is not None:
        yield f"until {last:%Y-%m-%d}"


def _on_the_clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == time.min else f"{at:%Y-%m-%d %H:%M}"


def notes(report: Report) -> Iterator[str]:
    """What the figures mean, in a few sentences."""
    wanted = report.wanted
    within, short = Duration(round(wanted.within)), Duration(round(wanted.short))
    yield (
        f"within {within}: answered within {within}, of those that were offered (somebody was to answer), "
        f"but for callers who hung up within {short} (short)"
    )
    yield "wait: from arrival to answer, of those answered; talk: hold included; handling: talk and wrap-up"
    if By.QUEUE in report.groups:
        yield "by queue: who comes to wait twice counts twice; they wait from when they come to the queue"
    if By.PERSON in report.groups:
        yield "by person: calls for which their phones rang, or which they took; the wait is the ringing"
    if report.live:
        yield f"{not_over(report)}, and not counted"


def not_over(report: Report) -> str:
    """How many calls are still going on."""
    return "1 call is not over yet" if report.live == 1 else f"{report.live:,} calls are not over yet"


# For spreadsheets

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a text begins with that a spreadsheet takes for a formula (OWASP, CSV Injection)."""
_NUMBER = re.compile(r"\+[0-9]{2,15}")
"""A telephone number, E.164: as a formula it is just that number."""


def cell(text: str) -> str:
    """A text as it stands in a cell: one that would be a formula has `'` before it, by which spreadsheets
    know a text. Telephone numbers stay as they are, for programs that look them up."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def as_csv(report: Report, names: Names) -> str:
    """One line for all calls and one for each group; times are seconds, shares between 0 and 1. CRLF, as
    RFC 4180 has it."""
    text = io.StringIO(newline="")
    rows = [flat(by, line, name) for by, line, name in _lines(report, names)]
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([cell(value) if isinstance(value, str) else value for value in row.values()])
    return text.getvalue()


def _lines(report: Report, names: Names) -> Iterator[tuple[str, Line, str]]:
    yield "all", report.total, ""
    for by, lines in report.groups.items():
        for line in lines:
            yield by.value, line, names.of(by, line, report.wanted.client)


def flat(by: str, line: Line, name: str) -> dict[str, str | float | None]:
    """A line as one row of simple values."""
    row: dict[str, str | float | None] = {"by": by, "client": line.client, "key": line.key, "name": name}
    for field in (
        "calls",
        "share",
        "offered",
        "answered",
        "answered_within",
        "service_level",
        "abandoned",
        "abandonment",
        "short_abandons",
        "unanswered",
        "callbacks",
    ):
        row[field] = _rounded(getattr(line, field))
    for spread in SPREADS:
        found = msgspec.to_builtins(_spread(line, spread))
        row |= {f"{spread}_{what}": _rounded(value) for what, value in found.items() if what != "count"}
    return row | {f"disposition_{one.value}": line.dispositions.get(one, 0) for one in Disposition}


def _rounded(value: float | None) -> float | None:
    return round(value, 4) if isinstance(value, float) else value


# For programs


def as_objects(report: Report, names: Names) -> Iterator[Mapping[str, Any]]:
    """One object for all calls, with what was asked for, and one for each group."""
    wanted = report.wanted
    asked = {
        "within": wanted.within,
        "short": wanted.short,
        "first": report.first,
        "last": report.last,
        "live": report.live,
    }
    for by, line, name in _lines(report, names):
        told = msgspec.to_builtins(line) | {"unanswered": line.unanswered}
        for spread in SPREADS:
            told[spread] = {what: _rounded(value) for what, value in told[spread].items()}
        for rate in ("share", "service_level", "abandonment"):
            told[rate] = _rounded(told[rate])
        yield {"by": by, "name": name, **(asked if by == "all" else {}), **told}


def aligned(shown: Table) -> Sequence[Sequence[str]]:
    """Rows for words.in_columns, with figures to the right."""
    rows = [shown.head, *shown.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [text if at < shown.names else text.rjust(widths[at]) for at, text in enumerate(cells)]
        for cells in rows
    ]
