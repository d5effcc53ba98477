"""YAML text -> plain data, with the place of everything in it.

The parser's events are put together here and not by PyYAML's constructors, for four reasons: YAML 1.2 in the
narrow form that suits administrators (only `true` and `false` are not text, so `NO`, `+47...`, `0800` and
`2026-12-23` stay what was written); duplicate keys, aliases, anchors and tags are refused and not guessed at;
every key and value has a line and column; and no nesting, however deep, can exhaust the stack, since nothing
here calls itself.

Data is `str`, `bool`, `None`, `list`, and `dict` with `str` keys. Numbers stay text: the schema reads them.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from router.core.remarks import RuleError
from router.core.yamlsyntax import syntax_error

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a document to a place in it."""
Mark = tuple[int, int]
"""Line and column, both from 1."""

MAX_DEPTH = 40
MAX_CHARACTERS = 1_000_000
MAX_VALUES = 25_000
"""Keys and values of one document: what is more belongs into tables, which cost less to read."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML is built with it, else PyYAML's own; the events are the same."""

_REFUSED = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|(?:\A|(?<=[\r\n\x85\u2028\u2029]))%"
)
"""Characters that are not printed, and `%` where it begins a directive: libyaml's time for those grows with
their square."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
"""Plain scalars that are not text (YAML 1.2.2, 10.3.2, without its numbers)."""


class YamlText(msgspec.Struct, frozen=True):
    """One document. Where there are errors, `data` is what could be read in spite of them."""

    file: str
    data: Any
    values: dict[Path, Mark]
    keys: dict[Path, Mark]
    errors: tuple[RuleError, ...]
    whole: bool = True
    """False where reading stopped before the end."""
    files: dict[Path, str] = {}
    """The other files that parts of `data` come from: what clients share, tables of people."""

    def mark(self, path: Path, at_key: bool = False) -> tuple[str, int, int]:
        """File, line and column of the value at `path` (or its key), else of the nearest thing around it."""
        if at_key and path in self.keys:
            return (self.files.get(path, self.file), *self.keys[path])
        at = self.values.get(path)
        if at is None:
            path = self.nearest(path)
            at = self.values.get(path, (1, 1))
        return (self.files.get(path, self.file), *at)

    def nearest(self, path: Path) -> Path:
        """The longest beginning of `path` whose place is known. A single value stands for a list of one."""
        if path[-1:] == (0,) and path[:-1] in self.values:
            return path[:-1]
        found: Path = ()
        here: Path = ()
        for part in path:
            if (*here, part) in self.values:
                found = (*here, part)
            if (*here, part) in self.values or part != 0:
                here = (*here, part)
        return found

    def place(self, path: Path) -> str:
        """`file:line` of what is at `path`."""
        file, line, _ = self.mark(path)
        return f"{file}:{line}"


_NO_KEY = ("a key must be text", "write `key: value`")


class _Open(msgspec.Struct):
    """A list or mapping whose end is not read yet."""

    path: Path
    into: Any
    """The list or the mapping."""
    is_list: bool
    wants_key: bool
    """A mapping's next scalar is a key."""
    inside: Path = ()
    """Where in a mapping the next value is."""


class _Builder:
    """Puts the parser's events together.

    A quarter of the time of loading goes here, so what meets every key and value calls nothing it need not.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: Any = None
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.errors: list[RuleError] = []
        self.around: _Open | None = None
        """What is being read into."""
        self.open: list[_Open | None] = []
        """What is around that, the innermost last."""
        self.documents = 0
        self.nodes = 0
        """Keys and values."""

    def refuse(self, mark: Any, what: str, instead: str) -> None:
        self.errors.append(RuleError(self.file, mark.line + 1, mark.column + 1, what, instead))

    def document(self, event: Any) -> bool:
        self.documents += 1
        if self.documents > 1:
            self.refuse(event.start_mark, "a second document begins here", "write one a file")
        return self.documents == 1

    def end(self, event: Any) -> bool:
        self.around = self.open.pop()
        return True

    def go_on(self, event: Any) -> bool:
        """For events that carry nothing."""
        return True

    def too_many(self, event: Any) -> bool:
        what = f"more than {MAX_VALUES} keys and values, up to here"
        self.refuse(event.start_mark, what, "keep numbers and people in tables, or split the file")
        return False

    def refuse_dressed(self, event: Any) -> None:
        """Of a value that has an anchor or a tag."""
        if event.anchor is not None:
            self.refuse(
                event.start_mark, f"`&{event.anchor}` is an anchor", "write the value out at each use"
            )
        if event.tag is not None:
            self.refuse(event.start_mark, f"`{event.tag}` is a tag", "leave it out; quote what is to be text")

    def alias(self, event: Any) -> bool:
        self.nodes += 1
        if self.nodes > MAX_VALUES:
            return self.too_many(event)
        instead = "write the value out, or put it in quotes"
        self.refuse(event.start_mark, f"`*{event.anchor}` is an alias", instead)
        around = self.around
        if around is not None and around.wants_key:
            self.refuse(event.start_mark, *_NO_KEY)
            around.wants_key = False
            around.inside = (*around.path, "")
        else:
            self.put(event, None)
        return True

    def scalar(self, event: Any) -> bool:
        self.nodes += 1
        if self.nodes > MAX_VALUES:
            return self.too_many(event)
        if event.anchor is not None or event.tag is not None:
            self.refuse_dressed(event)
        text: str = event.value
        around = self.around
        if around is None or not around.wants_key:
            self.put(event, text if event.style else _WORDS.get(text, text))
            return True
        around.wants_key = False
        around.inside = path = (*around.path, text)
        mark = event.start_mark
        here = (mark.line + 1, mark.column + 1)
        first = self.keys.setdefault(path, here)
        if first is not here:
            what = f"`{text[:60]}` is here twice, first on line {first[0]}"
            self.refuse(mark, what, "write it once")
            self.keys[path] = here
        return True

    def put(self, event: Any, value: Any) -> Path:
        """Store `value` where the text stands; its path."""
        around = self.around
        if around is None:
            path: Path = ()
            self.data = value
        elif around.is_list:
            path = (*around.path, len(around.into))
            around.into.append(value)
        else:
            path = around.inside
            around.into[path[-1]] = value
            around.wants_key = True
        mark = event.start_mark
        self.values[path] = (mark.line + 1, mark.column + 1)
        return path

    def begin_list(self, event: Any) -> bool:
        return self.begin(event, [], is_list=True)

    def begin_mapping(self, event: Any) -> bool:
        return self.begin(event, {}, is_list=False)

    def begin(self, event: Any, into: Any, *, is_list: bool) -> bool:
        self.nodes += 1
        if self.nodes > MAX_VALUES:
            return self.too_many(event)
        if event.anchor is not None or event.tag is not None:
            self.refuse_dressed(event)
        around = self.around
        if around is not None and around.wants_key:
            self.refuse(event.start_mark, *_NO_KEY)
            return False
        if len(self.open) >= MAX_DEPTH:
            self.refuse(event.start_mark, f"more than {MAX_DEPTH} levels deep", "use fewer levels")
            return False
        self.open.append(around)
        self.around = _Open(self.put(event, into), into, is_list, not is_list)
        return True


_TAKE: dict[type, Callable[[_Builder, Any], bool]] = {
    yaml.StreamStartEvent: _Builder.go_on,
    yaml.StreamEndEvent: _Builder.go_on,
    yaml.DocumentStartEvent: _Builder.document,
    yaml.DocumentEndEvent: _Builder.go_on,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.AliasEvent: _Builder.alias,
    yaml.MappingStartEvent: _Builder.begin_mapping,
    yaml.SequenceStartEvent: _Builder.begin_list,
    yaml.MappingEndEvent: _Builder.end,
    yaml.SequenceEndEvent: _Builder.end,
}
"""How each event is taken; False where reading must stop."""


def read_yaml(file: str, text: str) -> YamlText:
    """Read one document. Never raises, whatever the text: what is wrong is in `errors`."""
    text = text.removeprefix("\ufeff")
    refusal = _refused_at_sight(file, text)
    if refusal is not None:
        return YamlText(file, None, {}, {}, (refusal,), whole=False)
    builder = _Builder(file)
    try:
        whole = True
        for event in iter(LOADER(text).get_event, None):
            whole = _TAKE[type(event)](builder, event)
            if not whole:
                break
    except yaml.MarkedYAMLError as error:
        builder.errors.append(syntax_error(file, text, error))
        whole = False
    return YamlText(file, builder.data, builder.values, builder.keys, tuple(builder.errors), whole)


def _refused_at_sight(file: str, text: str) -> RuleError | None:
    if len(text) > MAX_CHARACTERS:
        return RuleError(file, 0, 0, f"longer than {MAX_CHARACTERS} characters", "split it into more files")
    if "%" not in text and text.replace("\n", "").isprintable():
        return None  # What is printable is never refused, and most texts are: this takes a tenth of the time.
    bad = _REFUSED.search(text)
    if bad is None:
        return None
    before = text[: bad.start()]
    line, col = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    if bad.group() == "%":
        return RuleError(file, line, col, "a line that begins with `%` is a directive", "leave it out")
    what = f"the character U+{ord(bad.group()):04X} cannot be in YAML"
    return RuleError(file, line, col, what, "take it out")
