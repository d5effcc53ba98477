"""shared.yaml: what clients share, and how each comes by it.

Defaults become part of a client's document before that is checked, with their place in shared.yaml, so they
are read, checked and used by the same code as what clients write themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from posixpath import basename
from typing import Any, NamedTuple

from msgspec.structs import replace

from router.core.dialling import Dialling
from router.core.feeds import NOTHING_FETCHED, Calendars, Fetched
from router.core.followupdocs import Actions
from router.core.numberlists import NumberLists
from router.core.numbers import NumberIndex, NumberPattern
from router.core.numbertexts import CONTACTS
from router.core.reading import Reading
from router.core.regexes import Regex, RegexIndex
from router.core.remarks import MOST_TOLD, RuleError
from router.core.schema import SHAREABLE, SHARED_FILE, DefaultScreeningDoc, SharedDoc, TagDoc
from router.core.screening import Listed
from router.core.screeningdocs import Entry, FileList, ListRef, NumbersDoc, regexes_in
from router.core.shapes import check
from router.core.tables import Tables, folder_of
from router.core.tagging import TAGS_THAT_SHIP, changed
from router.core.tags import Origin, Tag
from router.core.yamltext import Mark, Path, YamlText, read_yaml

_SCREENING = frozenset(DefaultScreeningDoc.model_fields)


class _Named(NamedTuple):
    """A list with a name."""

    written: tuple[NumberIndex[str], ...] = ()
    files: tuple[FileList, ...] = ()
    regexes: tuple[RegexIndex, ...] = ()
    """At most one."""


class _Default(NamedTuple):
    """What holds where a client's document has nothing."""

    path: Path
    """Where it would stand there."""
    value: Any
    values: dict[Path, Mark]
    """The places in SHARED_FILE, by where things would stand; here and below."""
    keys: dict[Path, Mark]


class Shared(NamedTuple):
    """What clients share."""

    file: str
    lists: NumberLists
    calendars: Calendars
    named: Mapping[str, _Named] = {}
    defaults: tuple[_Default, ...] = ()
    tags: Mapping[str, Tag] = TAGS_THAT_SHIP
    """Tags that all clients have."""
    errors: tuple[RuleError, ...] = ()
    done_by_tag: Mapping[str, Actions] = {}
    """What is to be done after calls of all clients, by the tag that carries it."""
    whole: bool = True
    """False where the file could not be read to its end, or has too many errors to look further."""

    def reading(self, data: Any, dialling: Dialling) -> Reading:
        """What a client's document is read with."""
        return Reading.of(data, dialling, tuple(self.named), self.lists, tuple(self.tags), self.calendars)

    def under(self, text: YamlText) -> YamlText:
        """A client's document with the defaults for what it leaves out."""
        if not self.defaults or not isinstance(text.data, dict):
            return text
        data, files = dict(text.data), dict(text.files)
        values, keys = dict(text.values), dict(text.keys)
        for path, value, value_marks, key_marks in self.defaults:
            first, key = path[0], path[-1]
            beside = data.get(first, {}) if first != key else data
            if not isinstance(beside, dict) or key in beside:
                continue
            data[first] = value if first == key else {**beside, key: value}
            values |= value_marks
            keys |= key_marks
            files |= dict.fromkeys(value_marks, self.file)
        return replace(text, data=data, values=values, keys=keys, files=files)

    def listed(self, entries: Sequence[Entry], country: str) -> Listed:
        """The callers of a screening list of a client in `country`.

        What is written in the rule comes first, in one index. Lists are the same objects for all who use
        them.
        """
        written: list[NumberPattern] = []
        regexes = [frozenset(regexes_in(entries))]
        numbers: list[NumberIndex[str]] = []
        for entry in dict.fromkeys(entries):
            if isinstance(entry, NumberPattern):
                written.append(entry)
            elif isinstance(entry, FileList | ListRef):
                named = self.named[entry.list] if isinstance(entry, ListRef) else _Named(files=(entry,))
                files = (self.lists.load(one.file, country, one.min_votes) for one in named.files)
                numbers += [*named.written, *(one.index for one in files)]
                regexes += [one.regexes for one in named.regexes]
        return Listed((*_index(written), *numbers), tuple(filter(None, regexes)), CONTACTS in entries)

    def regexes(self, entries: Sequence[Entry]) -> tuple[RegexIndex, ...]:
        """All of a client's screening lists, ready to match callers: those written there, and those of each
        list that they name."""
        names = dict.fromkeys(entry.list for entry in entries if isinstance(entry, ListRef))
        shared = (index for name in names for index in self.named[name].regexes)
        return (*_matcher(regexes_in(entries)), *shared)


def read_shared(
    files: Mapping[str, str], tables: Tables, dialling: Dialling, fetched: Fetched = NOTHING_FETCHED
) -> Shared:
    """From the file called SHARED_FILE, if it is among `files`, and the tables beside it."""
    folder = folder_of(next(iter(files), ""))
    lists, calendars = NumberLists(tables, folder), Calendars(tables, folder, fetched)
    file = next((name for name in sorted(files) if basename(name) == SHARED_FILE), None)
    if file is None:
        return Shared(SHARED_FILE, lists, calendars)
    text = read_yaml(file, files[file])
    if not text.whole or text.data is None:
        return Shared(file, lists, calendars, errors=text.errors, whole=text.whole)
    written = text.data if isinstance(text.data, dict) else {}
    defaults, names, tags_named = (_mapping(written.get(key)) for key in ("defaults", "lists", "tags"))
    reading = replace(Reading.of(defaults, dialling, (), lists, tuple(tags_named)), shared=True)
    doc = check(text, SharedDoc, reading)
    if isinstance(doc, tuple):
        # Clients may name its lists all the same: what is wrong is told where it is written.
        named, errors = dict.fromkeys(names, _Named()), text.errors + doc
        tags_written = dict.fromkeys(tags_named, TagDoc())
        if len(doc) > MOST_TOLD:
            return Shared(file, lists, calendars, errors=errors, whole=False)
    else:
        named = {name: _named(one) for name, one in doc.lists.items()}
        tags_written, errors = doc.tags, (*text.errors, *_repeated_codes(text, doc))
    tags = changed(TAGS_THAT_SHIP, tags_written, Origin.SHARED, lambda tag: text.place(("tags", tag)))
    done = {tag: written.do for tag, written in tags_written.items() if written.do}
    return Shared(file, lists, calendars, named, tuple(_defaults(text, defaults)), tags, errors, done)


def _repeated_codes(text: YamlText, doc: SharedDoc) -> Iterator[RuleError]:
    first: dict[str, str] = {}
    for tag, written in doc.tags.items():
        if written.code is not None and first.setdefault(written.code, tag) != tag:
            where = text.place(("tags", first[written.code], "code"))
            what = f"code `{written.code}` is already at {where}; give each its own"
            yield RuleError.of(text.mark(("tags", tag, "code")), what)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _defaults(text: YamlText, written: Mapping[str, Any]) -> Iterator[_Default]:
    """`screening` by its parts: clients have their own beside them."""
    for key, value in written.items():
        parts: dict[Path, Any] = {(key,): value}
        if key == "screening":
            parts = {(key, part): one for part, one in _mapping(value).items() if part in _SCREENING}
        for path, one in parts.items():
            if key in SHAREABLE and one is not None:
                yield _Default(path, one, _under(path, text.values), _under(path, text.keys))


def _under(path: Path, marks: Mapping[Path, Mark]) -> dict[Path, Mark]:
    here: Path = ("defaults", *path)
    return {place[1:]: mark for place, mark in marks.items() if place[: len(here)] == here}


def _named(doc: NumbersDoc | FileList) -> _Named:
    if isinstance(doc, FileList):
        return _Named(files=(doc,))
    written = [entry for entry in doc.numbers if isinstance(entry, NumberPattern)]
    files = dict.fromkeys(entry for entry in doc.numbers if isinstance(entry, FileList))
    return _Named(_index(written), tuple(files), _matcher(regexes_in(doc.numbers)))


def _matcher(regexes: tuple[Regex, ...]) -> tuple[RegexIndex, ...]:
    return (RegexIndex(regexes),) if regexes else ()


def _index(patterns: list[NumberPattern]) -> tuple[NumberIndex[str], ...]:
    return (NumberIndex((pattern, pattern.text) for pattern in patterns),) if patterns else ()
