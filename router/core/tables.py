"""Tables beside the rules: `*.csv`, `*.txt` and `*.json` as spreadsheets and feeds write them; and calendars,
`*.ics`, which lie among them.

A record is mostly a line, and each is read by itself, so that one stray quote spoils one record and not all
that come after it. The delimiter is what the first record has: a tab, `;`, or else `,`.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

from router.core.remarks import RuleError, UnknownNameError

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

MOST_BROKEN = 1000
"""Records whose quotes are not closed. After so many, quotes of a table mean nothing."""

_QUOTED = re.compile('"[^"]*"')


class NamedTables(Mapping[str, Table]):
    """Those of `tables` that rules name: each is taken once, when it is first wanted."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.taken: dict[str, Table] = {}

    def __getitem__(self, name: str) -> Table:
        if name not in self.taken:
            self.taken[name] = self._tables[name]
        return self.taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def folder_of(file: str) -> str:
    """What stands before the names of tables beside `file`: `rules/`, or nothing."""
    folder = str(PurePath(file).parent)
    return "" if folder == "." else f"{folder}/"


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
        raise UnknownNameError.among(f"there is no `{name}` in the rules' folder", name, tables, "add it")
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


def records(text: str, *, remarks: bool = True) -> Iterator[Record]:
    """The rows of a CSV table, without blank ones and, unless it has no `remarks`, those that begin with `#`.
    Never raises."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = ""
    taken, broken = 0, 0
    for number, line in enumerate(lines, start=1):
        bare = line.strip()
        if number <= taken or not bare or (remarks and bare[0] == "#"):
            continue
        delimiter = delimiter or _delimiter(line)
        cells, whole = [bare], True
        if '"' in bare:
            most = MOST_LINES if broken < MOST_BROKEN else 0
            found, more, whole = _quoted(lines[number - 1 : number - 1 + most], line, delimiter)
            taken, broken = number + more - 1, broken + (not whole)
            cells = [cell.strip() for cell in found]
        elif delimiter in line:
            cells = [cell.strip() for cell in line.split(delimiter)]
        if any(cells):
            yield Record(number, cells, whole)


def _delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return next((mark for mark in "\t;" if mark in bare), ",")


def _quoted(lines: Sequence[str], first: str, delimiter: str) -> tuple[list[str], int, bool]:
    """The cells of the record that begins with the line `first`, how many of the `lines` from there on it
    takes, and if it is whole."""
    quotes = 0
    for taken, line in enumerate(lines, start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            record = line if taken == 1 else "\n".join(lines[:taken])
            try:
                rows = csv.reader((record,), delimiter=delimiter, skipinitialspace=True, strict=True)
                return next(rows), taken, True
            except csv.Error:
                break
    return first.replace('"', "").split(delimiter), 1, False
