"""Contacts as a table: CSV, as spreadsheets and other systems write and read it.

What is written here is read back as it was. A text that a spreadsheet would take for a formula stands behind
an apostrophe, in which nothing is a formula, and which is taken away again when it is read. Spreadsheets
take the `+` of a number away; digits that are no number of the country are read as if it were there.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from router.core.contacts import (
    MOST_CONTACTS,
    Entry,
    read_groups,
    read_name,
    read_notes,
    read_spoken,
)
from router.core.numbers import PhoneNumber
from router.core.remarks import RuleError, did_you_mean, told
from router.core.tables import Record, records

T = TypeVar("T")

COLUMNS = ("number", "name", "groups", "language", "notes", "client")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}

_FORMULA = re.compile("'*[-=+@\t\r\uff0d\uff1d\uff0b\uff20]")
"""How a text begins that is one for a spreadsheet (of East Asia, too), or that stands behind an apostrophe to
be none."""
_SHORTENED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
"""How a spreadsheet shows a number that is too long for it."""
_NAMES_DELIMITER = re.compile(r"sep=.\r?(?:\n|$)", re.IGNORECASE)
"""A first line for spreadsheets alone."""

_EACH_ONCE = "name each number once for a client"


class ReadTable(NamedTuple):
    """What was read; where there are errors, it is not to be used."""

    entries: tuple[Entry, ...]
    errors: tuple[RuleError, ...]
    columns: tuple[str, ...] = ()
    """Those that it has, of COLUMNS."""


class Clients(NamedTuple):
    """The clients that there are, and how their numbers are read."""

    country: Callable[[str | None], str | None]
    """The country (ISO 3166) in which numbers are read that one client knows, or all."""
    known: Collection[str] | None = None
    """Their ids; None where nobody knows which there are."""


def read_bytes(data: bytes) -> str:
    """The text of a table, as UTF-8, or as the UTF-16 of spreadsheets' `Unicode text`."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with suppress(UnicodeDecodeError):
            return data.decode("utf-16")
        raise ValueError("this is no whole UTF-16; save it as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save it as CSV in UTF-8") from None
    if "\x00" in text:
        raise ValueError("there is a NUL byte in it, so it is no text; save it as CSV in UTF-8")
    return text


def read_table(file: str, text: str, client: str | None, clients: Clients) -> ReadTable:
    """All rows, as contacts of `client` (None: of all) where they do not name another; or every error."""
    text = _NAMES_DELIMITER.sub("\n", text, count=1) if _NAMES_DELIMITER.match(text) else text
    rows = records(text, remarks=False)  # others do not write any, and a name may begin so
    first = next(rows, None)
    if first is None:
        instead = f"name its columns in the first line: {','.join(COLUMNS)}"
        return ReadTable((), (RuleError(file, 0, 0, "this table is empty", instead),))
    titles = [cell.lower() for cell in first.cells]
    wrong = [RuleError(file, first.line, 1, *why) for why in _wrong_titles(titles)]
    if wrong:
        return ReadTable((), told(wrong))
    return _Reading(file, titles, client, clients).all(rows)


def write_table(entries: Iterable[Entry], delimiter: str = ",") -> Iterator[str]:
    """The table, line by line, with its columns in the first."""
    yield delimiter.join(COLUMNS) + "\n"
    for entry in entries:
        texts = (entry.name, ",".join(entry.groups), entry.language, entry.notes, entry.client or "")
        yield delimiter.join((entry.number, *(_cell(text, delimiter) for text in texts))) + "\n"


def _cell(text: str, delimiter: str) -> str:
    text = f"'{text}" if _FORMULA.match(text) else text
    if any(mark in text for mark in (delimiter, '"', "\n", ",", ";", "\t")):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text


def _text(cell: str) -> str:
    """The text that `_cell` was given."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def _wrong_titles(titles: Sequence[str]) -> Iterator[tuple[str, str]]:
    known = f"the columns are {', '.join(COLUMNS)}"
    for at, title in enumerate(titles):
        if title not in COLUMNS:
            yield f"`{title[:60]}` is not a column of contacts", did_you_mean(title, COLUMNS, known)
        elif title in titles[:at]:
            yield f"column `{title}` is here twice", "name each once"
    if "number" not in titles:
        yield "there is no column `number`", "name the columns in the first line"


class _Reading:
    """One table that is being read."""

    def __init__(self, file: str, titles: Sequence[str], client: str | None, clients: Clients) -> None:
        self._file = file
        self._titles = titles
        self._client = client
        self._clients = clients
        self._lines: dict[tuple[str | None, str], int] = {}
        self._errors: list[RuleError] = []

    def all(self, rows: Iterator[Record]) -> ReadTable:
        entries: list[Entry] = []
        for row in rows:
            if len(self._lines) == MOST_CONTACTS:
                self._refuse(row.line, f"more than {MOST_CONTACTS} contacts", "make them several tables")
                break
            entry = self._entry(row)
            if entry is not None:
                entries.append(entry)
        return ReadTable(() if self._errors else tuple(entries), told(self._errors), tuple(self._titles))

    def _refuse(self, line: int, what: str, instead: str) -> None:
        self._errors.append(RuleError(self._file, line, 1, what, instead))

    def _entry(self, row: Record) -> Entry | None:
        if not row.whole:
            self._refuse(row.line, "a quote here is not closed", 'write " around a value, or leave it out')
            return None
        if len(row.cells) > len(self._titles):
            what = f"this row has {len(row.cells)} values, and there are {len(self._titles)} columns"
            self._refuse(row.line, what, 'write " around a value that has the delimiter in it')
            return None
        cells = dict(zip(self._titles, map(_text, row.cells), strict=False))
        try:
            entry = self._read(cells)
        except ValueError as error:
            self._errors.append(RuleError.of((self._file, row.line, 1), str(error)))
            return None
        before = self._lines.setdefault((entry.client, entry.number), row.line)
        if before != row.line:
            self._refuse(row.line, f"{entry.number} is in line {before} already", _EACH_ONCE)
        return entry

    def _read(self, cells: Mapping[str, str]) -> Entry:
        client = self._client_of(cells.get("client", ""))
        country = self._clients.country(client)
        return Entry(
            _in("number", lambda cell: _number(cell, country), cells),
            client,
            _in("name", read_name, cells),
            _in("groups", lambda text: read_groups([text]), cells),
            _in("language", read_spoken, cells),
            _in("notes", read_notes, cells),
        )

    def _client_of(self, written: str) -> str | None:
        client = written or self._client
        if self._client is not None and client != self._client:
            raise ValueError(f"column `client`: this is `{written[:60]}`, not `{self._client}`; leave it out")
        if client is not None and self._clients.known is not None and client not in self._clients.known:
            hint = did_you_mean(client, self._clients.known, "`callrouter show` lists them")
            raise ValueError(f"column `client`: no client is called `{client[:60]}`; {hint}")
        return client


def _in(column: str, read: Callable[[str], T], cells: Mapping[str, str]) -> T:
    """What a cell says, with its column in what is wrong."""
    try:
        return read(cells.get(column, ""))
    except ValueError as error:
        raise ValueError(f"column `{column}`: {error}") from None


def _number(cell: str, country: str | None) -> str:
    """A number in E.164, of one that is written in any way."""
    if not cell:
        raise ValueError("it is empty; write a number, as in +4722334455")
    if _SHORTENED.fullmatch(cell):
        instead = "format that column as text there, and save it anew"
        raise ValueError(f"`{cell}` is a number that a spreadsheet has shortened; {instead}")
    try:
        return PhoneNumber.parse(cell, country).e164
    except ValueError:
        if cell.isdecimal():
            with suppress(ValueError):
                return PhoneNumber.parse(f"+{cell}").e164
        raise
