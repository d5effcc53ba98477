"""Tables beside the rules: `*.csv`, `*.txt` and `*.json` as spreadsheets and feeds write them; and calendars,
`*.ics`, which lie among them.

A record is mostly a line, and each is read by itself, so that one stray quote spoils one record and not all
that come after it. The delimiter is what the first record has: a tab, `;`, or else `,`.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import NamedTuple

from router.core.remarks import RuleError, did_you_mean

Table = str | RuleError
"""The text of a table, or why it could not be read."""
Tables = Mapping[str, Table]
"""Name -> table; a name is a path as seen from the rules' folder, `lists/feed.csv`."""

SUFFIXES = (".csv", ".txt", ".json")
CALENDAR_SUFFIX = ".ics"
SCHEMA_SUFFIX = ".schema.json"
"""What ends so is for editors, and no table."""
MOST_LINES = 20
"""Lines that a quoted value may have. Beyond them the quote is taken for one that nobody closed."""

_QUOTED = re.compile('"[^"]*"')


def is_table(name: str) -> bool:
    """True for the names of files that are tables."""
    lower = name.lower()
    return lower.endswith(SUFFIXES) and not lower.endswith(SCHEMA_SUFFIX)


def is_calendar(name: str) -> bool:
    """True for the names of files that are calendars."""
    return name.lower().endswith(CALENDAR_SUFFIX)


def find_table(name: str, tables: Tables) -> tuple[str, str]:
    """The name as `tables` has it, and the text. ValueError says what is wrong with the name or the table."""
    return _find(name, tables, is_table, "a table; write NAME.csv, NAME.txt or NAME.json", "lists/feed.csv")


def find_calendar(name: str, tables: Tables) -> tuple[str, str]:
    """The same for a calendar."""
    return _find(name, tables, is_calendar, "a calendar; write NAME.ics", "calendars/holidays.ics")


def _find(name: str, tables: Tables, fits: Callable[[str], bool], kind: str, example: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        instead = f"write it as seen from there, as in {example}"
        raise ValueError(f"`{name}` leads out of the rules' folder; {instead}")
    if not fits(name):
        raise ValueError(f"`{name}` is not {kind}")
    table = tables.get(str(path))
    if table is None:
        raise ValueError(f"there is no `{name}` in the rules' folder; {did_you_mean(name, tables, 'add it')}")
    if isinstance(table, RuleError):
        place = f"{path}:{table.line}:{table.col}" if table.line else str(path)
        raise ValueError(f"`{place}`: {table.what}; {table.instead}")
    if "\x00" in table:
        line = table.count("\n", 0, table.index("\x00")) + 1
        raise ValueError(f"`{path}:{line}` has a NUL byte, so it is no text; save the table as UTF-8")
    return str(path), table


class Record(NamedTuple):
    """One row."""

    line: int
    """Where it begins, from 1."""
    cells: Sequence[str]
    """Without blanks around them."""
    whole: bool = True
    """False where its quotes are not as CSV has them; then its first line is split as if it had none."""


def records(text: str) -> Iterator[Record]:
    """The rows of a CSV table, without blank ones and those that begin with `#`. Never raises."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at, delimiter = 0, ""
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        delimiter = delimiter or _delimiter(line)
        cells, whole = line.split(delimiter), True
        if '"' in line:
            cells, taken, whole = _quoted(lines[at - 1 : at - 1 + MOST_LINES], delimiter)
            at += taken - 1
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield Record(number, cells, whole)


def _delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return next((mark for mark in "\t;" if mark in bare), ",")


def _quoted(lines: Sequence[str], delimiter: str) -> tuple[list[str], int, bool]:
    """The cells of the record that begins the `lines`, how many of them it takes, and if it is whole."""
    quotes = 0
    for taken, line in enumerate(lines, start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            record = "\n".join(lines[:taken])
            with suppress(csv.Error):
                rows = csv.reader([record], delimiter=delimiter, skipinitialspace=True, strict=True)
                return next(rows), taken, True
            break
    return lines[0].replace('"', "").split(delimiter), 1, False
