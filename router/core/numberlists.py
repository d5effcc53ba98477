"""Lists of numbers in files beside the rules: one number a line, CSV, or PhoneBlock's export (JSON or CSV).

Lists come from others and may have odd rows: those are passed over with a warning, since nobody is helped if
they keep the rules from loading. A list is read and indexed once for all who use it, or once a country where
numbers in it are national. Only the indexes outlive the loading.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from router.core.numbers import MAX_CALLER_TEXT, NumberIndex, NumberPattern
from router.core.remarks import RuleWarning
from router.core.tables import Tables, find_table, records

COLUMNS = ("number", "phone", "telephone", "caller")
"""What the column with the numbers may be called; the first of these that is there is taken."""
VOTES = "votes"
MANY_VOTES = 1_000_000_000
"""Those of an entry that cannot be read, so that it is told of."""
TOLD = 5
"""Unreadable rows of a list that are named one by one."""
MOST_UNREAD = 10_000
"""After so many unreadable rows the rest of a list is left unread: it is something else."""
MOST_VOTES = 5
"""Different `min_votes` that one list may be read with: each is an index of its own."""
LEAST_LITERAL = len("+478")
"""What a pattern of a list begins with, in characters: a shorter one would take in whole countries."""

_NOT_PRINTED = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")
_SHOWN = 60


class NumberList(msgspec.Struct, frozen=True):
    """A list, ready to look numbers up in."""

    index: NumberIndex[str]
    """Pattern -> the pattern as E.164 text."""
    size: int
    """Different numbers and patterns."""
    skipped: tuple[RuleWarning, ...]
    """What is told of the rows that are not in it."""


class _Entry(NamedTuple):
    """A row as written."""

    at: int
    """Its line; in JSON its place among the entries, from 1."""
    text: str
    votes: int


class _Entries(NamedTuple):
    rows: tuple[_Entry, ...]
    voted: bool
    """True where they have votes."""
    lined: bool
    """False for JSON, whose entries have no lines."""
    national: bool
    """True where some can be read only with a country."""


class _Export(msgspec.Struct):
    """PhoneBlock's JSON."""

    numbers: list[msgspec.Raw]


class _Exported(msgspec.Struct):
    phone: str
    votes: float = 0


class NumberLists:
    """All lists that rules refer to. `folder` is put before their names where they are told of."""

    def __init__(self, tables: Tables, folder: str = "") -> None:
        self._tables = tables
        self._folder = folder
        self._found: dict[str, tuple[str, _Entries] | ValueError] = {}
        """By the name as a rule has it: the name as the tables have it and the rows, or what is wrong."""
        self._votes: dict[str, set[int]] = {}
        self._lists: dict[tuple[str, str | None, int], NumberList] = {}

    def find(self, file: str) -> str:
        """The list's name as the tables have it. ValueError says why there is no such list."""
        return self._read(file)[0]

    def admit(self, file: str, min_votes: int) -> None:
        """Take note of how a list will be read. ValueError says that it is in too many ways."""
        votes = self._votes.setdefault(file, set())
        votes.add(min_votes)
        if len(votes) > MOST_VOTES:
            what = f"`{file}` is read with more than {MOST_VOTES} different `min_votes`"
            raise ValueError(f"{what}; let rules share some")

    def load(self, file: str, country: str | None, min_votes: int = 0) -> NumberList:
        """The list in `file`, its national numbers read in `country`, without those of fewer votes.

        The same object for the same list. ValueError says what is wrong with the file as a whole.
        """
        name, entries = self._read(file)
        key = (name, country if entries.national else None, min_votes)
        if key not in self._lists:
            self._lists[key] = _index(self._folder + name, entries, country, min_votes)
        return self._lists[key]

    def warnings(self) -> set[RuleWarning]:
        """All that is told of the lists loaded so far."""
        return set(chain.from_iterable(one.skipped for one in self._lists.values()))

    def _read(self, file: str) -> tuple[str, _Entries]:
        if file not in self._found:
            try:
                name, text = find_table(file, self._tables)
                self._found[file] = self._read(name) if name != file else (name, _entries(name, text))
            except ValueError as error:
                self._found[file] = error
        found = self._found[file]
        if isinstance(found, ValueError):
            raise found.with_traceback(None)
        return found


NO_LISTS = NumberLists({})
"""For documents that refer to none."""


def _entries(name: str, text: str) -> _Entries:
    if name.lower().endswith(".json"):
        rows, voted, lined = tuple(_from_json(name, text)), True, False
    else:
        rows, voted = _from_csv(name, text)
        lined = True
    national = any(row.text[:1] != "+" and any(map(str.isdigit, row.text)) for row in rows)
    return _Entries(rows, voted, lined, national)


def _from_json(name: str, text: str) -> Iterator[_Entry]:
    try:
        export = msgspec.json.decode(text.encode("utf-8", "surrogatepass"), type=_Export)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        instead = 'write {"numbers": [{"phone": "+47..."}]}, or a table NAME.csv'
        raise ValueError(f"`{name}` is not PhoneBlock's JSON ({error}); {instead}") from None
    unread = 0
    for number, raw in enumerate(export.numbers, start=1):
        try:
            row = msgspec.json.decode(raw, type=_Exported)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            yield _Entry(number, "", MANY_VOTES)
            unread += 1
            if unread == MOST_UNREAD:
                return
        else:
            yield _Entry(number, row.phone, int(row.votes))


def _from_csv(name: str, text: str) -> tuple[tuple[_Entry, ...], bool]:
    """The rows, and if they have votes."""
    rows = records(text)
    first = next(rows, None)
    if first is None:
        return (), False
    titles = [cell.lower() for cell in first.cells]
    title = next((known for known in COLUMNS if known in titles), None)
    if title is None:
        return tuple(
            _readable(_Entry(row.line, _number(row.cells[0]), 0) for row in chain((first,), rows))
        ), False
    for known in (title, VOTES):
        if titles.count(known) > 1:
            raise ValueError(f"`{name}:{first.line}` has two columns `{known}`; give each its own name")
    at, voted = titles.index(title), VOTES in titles
    votes = titles.index(VOTES) if voted else len(titles)
    return tuple(
        _Entry(row.line, _number(_cell(row.cells, at)), _count(_cell(row.cells, votes))) for row in rows
    ), voted


def _readable(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """Those up to where it shows that no list is meant."""
    hopeless = 0
    for entry in entries:
        yield entry
        hopeless += len(entry.text) < 2 or entry.text.isalpha()
        if hopeless == MOST_UNREAD:
            return


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""


def _number(cell: str) -> str:
    """Without the comment after it."""
    return cell.partition("#")[0].strip() if "#" in cell else cell


def _count(cell: str) -> int:
    return int(cell[:9]) if cell.isascii() and cell.isdigit() else 0


def _index(file: str, entries: _Entries, country: str | None, min_votes: int) -> NumberList:
    unread: list[RuleWarning] = []

    def readable() -> Iterator[tuple[NumberPattern, str]]:
        for entry in entries.rows:
            if entry.votes < min_votes:
                continue
            try:
                pattern = _pattern(entry.text, country)
            except ValueError as error:
                place = (file, entry.at, 1) if entries.lined else (file, 0, 0)
                numbered = "" if entries.lined else f"entry {entry.at}: "
                unread.append(RuleWarning.of(place, f"{numbered}{error}"))
                if len(unread) == MOST_UNREAD:
                    return
            else:
                yield pattern, pattern.text

    index = NumberIndex(readable())
    told = tuple(unread[:TOLD])
    if len(unread) > TOLD:
        told += (_and_more(unread),)
    if not len(index):
        told += (_empty(file, min_votes if not entries.voted else 0),)
    return NumberList(index, len(index), told)


def _and_more(unread: list[RuleWarning]) -> RuleWarning:
    following, more = unread[TOLD], len(unread) - TOLD
    what = f"this row, and {more} in all after those named, cannot be read"
    if len(unread) == MOST_UNREAD:
        what = f"{MOST_UNREAD} rows up to here cannot be read, and the rest of the list was left unread"
        following = unread[-1]
    return RuleWarning(following.file, following.line, following.col, what, "correct them, or take them out")


def _empty(file: str, unmet_votes: int) -> RuleWarning:
    if unmet_votes:
        what = f"no row has votes, so none has the {unmet_votes} of `min_votes`"
        return RuleWarning(file, 0, 0, what, f"leave `min_votes` out, or add a column `{VOTES}`")
    instead = "write one number a line, or name their column `number` in the first line"
    return RuleWarning(file, 0, 0, "this list has no number that can be used", instead)


def _pattern(text: str, country: str | None) -> NumberPattern:
    if not text:
        raise ValueError("there is no number here; add it, or take the row out")
    if len(text) > MAX_CALLER_TEXT or _NOT_PRINTED.search(text):
        shown = _NOT_PRINTED.sub("", text)[:_SHOWN]
        raise ValueError(f"`{shown}` is not a number or a pattern; take the row out")
    pattern = NumberPattern.parse(text, country)
    if len(pattern.literal) < LEAST_LITERAL:
        raise ValueError(f"`{text}` takes in whole countries; write such a pattern into the rules themselves")
    return pattern
