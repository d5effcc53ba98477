"""Reads the rules from files. What cannot be read is an error of the rules, like any other; of the tables and
calendars beside them, only where a rule wants it.
"""

import errno
import gc
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from router.core.dialling import Dialling
from router.core.feeds import Fetched, horizon
from router.core.remarks import RuleError, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.schema import SHARED_FILE
from router.core.tables import Table, Tables, is_calendar, is_table
from router.edge.feedcopies import FeedCopies

SCENARIOS = ".test.yaml"
"""How the names of files with tests end."""

LARGEST_FILE = 4_000_000
"""Bytes; a larger file is not read at all. The text itself has a lower limit, in characters (yamltext.py)."""
LARGEST_TABLE = 32_000_000
"""Bytes of a table beside the rules: some 250,000 entries of PhoneBlock's export."""
LARGEST_TABLES = 128_000_000
"""Characters of all tables and calendars that rules name."""
LARGEST_CALENDAR = 1_000_000
"""Bytes of one beside the rules."""
DEEPEST = 5
"""Folders within folders in which tables are looked for."""


class RulesFile:
    """The rules in a directory, or in one file, with what is shared beside it.

    Their tables lie in the directory and below it; of one file, not deeper than in the folders beside it.
    """

    def __init__(
        self,
        path: Path,
        dialling: Dialling,
        shown: str | None = None,
        copies: FeedCopies | None = None,
    ) -> None:
        """Errors and places name files as `path` was given or, where they are a copy, as under `shown`.
        `copies` are those of calendars of the web."""
        self.path = path
        self.dialling = dialling
        self.copies = copies
        self._shown = str(path) if shown is None else shown
        self._latest: tuple[dict[str, str], Tables] | None = None

    def load(self) -> RuleSet | RuleErrors:
        """Read and compile everything. It blocks: not for the loop."""
        with _uncollected():
            return self._load()

    def _load(self) -> RuleSet | RuleErrors:
        files, errors = self._read_all(self._files())
        if not files and not errors:
            return RuleErrors((self._nothing(),))
        if any(Path(error.file).name == SHARED_FILE for error in errors):
            # Nothing is known of what clients share, so of what they mean.
            return RuleErrors(tuple(sorted(errors)))
        tables = self.tables()
        rules = compile_rules(files, self.dialling, tables, self._fetched())
        if isinstance(rules, RuleErrors):
            errors += rules.errors
        if errors or isinstance(rules, RuleErrors):
            return RuleErrors(tuple(sorted(errors)))
        # The texts are much larger than the rules, so they are kept only where they are needed again.
        dated = any(hours.occasions.words for one in rules.clients.values() for hours in one.hours.values())
        self._latest = (files, tables) if dated else None
        return rules

    def again(self) -> RuleSet | RuleErrors | None:
        """The rules as they were read last, with the calendars of the web and the day as they are now; what
        was written into files since is not looked at. None where no rule names a calendar. It blocks.
        """
        if self._latest is None:
            return None
        files, tables = self._latest
        with _uncollected():
            return compile_rules(files, self.dialling, tables, self._fetched())

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """What shows that the files have changed: each one's name, time of change and size. It blocks."""
        found = []
        for file in (*self._files(), *self._table_files()):
            with suppress(OSError):  # Gone since it was listed: the next look will not list it.
                known = file.stat()
                found.append((str(file), known.st_mtime_ns, known.st_size))
        return tuple(found)

    def scenarios(self) -> tuple[dict[str, str], list[RuleError]]:
        """The tests beside the rules, `*.test.yaml`, as name -> text, and the errors of those that cannot be
        read. Of one file its own alone, `NAME.test.yaml`: others may call clients that are not there. It
        blocks."""
        if self.path.is_dir():
            tests = (file for file in self.path.glob(f"*{SCENARIOS}") if _is_open(file.name))
            return self._read_all(sorted(tests))
        own = self.path.with_suffix(SCENARIOS)
        return self._read_all([own] if own.exists() else ())

    def tables(self) -> Tables:
        """The tables beside the rules, as name -> text or why it cannot be read. Each is read, which blocks,
        when it is asked for."""
        files = {file.relative_to(self._folder).as_posix(): file for file in self._table_files()}
        return _Tables(files, self._name)

    def _fetched(self) -> Fetched:
        return Fetched(horizon(datetime.now(UTC)), self.copies.read() if self.copies else {})

    @property
    def _folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def _table_files(self) -> list[Path]:
        deepest = DEEPEST if self.path.is_dir() else 1
        return sorted(_find_tables(self._folder, deepest))

    def _files(self) -> list[Path]:
        """The rules' files, without the tests beside them."""
        if not self.path.is_dir():
            beside = self.path.with_name(SHARED_FILE)
            files = (beside, self.path) if self.path.exists() else ()
            return [file for file in dict.fromkeys(files) if file.exists()]
        found = (file for file in self.path.glob("*.yaml") if _is_open(file.name))  # not an editor's own
        return [file for file in sorted(found) if not file.name.endswith(SCENARIOS)]

    def _nothing(self) -> RuleError:
        if self.path.is_dir() and not os.access(self.path, os.R_OK | os.X_OK, effective_ids=True):
            what, instead = "this folder cannot be read", "let the router's user read it and what is in it"
        else:
            what = "no rules here" if self.path.is_dir() else "no such file or directory"
            instead = "write one file a client, NAME.yaml, beginning with `client: NAME`"
        return RuleError(self._shown, 0, 0, what, instead)

    def _read_all(self, paths: Iterable[Path]) -> tuple[dict[str, str], list[RuleError]]:
        names = {path: self._name(path) for path in paths}
        texts = {name: _read(path, name) for path, name in names.items()}
        errors = [text for text in texts.values() if isinstance(text, RuleError)]
        return {name: text for name, text in texts.items() if isinstance(text, str)}, errors

    def _name(self, path: Path) -> str:
        return str(path).replace(str(self.path), self._shown, 1)


class _Tables(Mapping[str, Table]):
    """Tables that are read when they are first asked for, and stay as they were then."""

    def __init__(self, files: Mapping[str, Path], shown: Callable[[Path], str]) -> None:
        self._files = files
        self._shown = shown
        self._room = LARGEST_TABLES
        self._read: dict[str, Table] = {}

    def __getitem__(self, name: str) -> Table:
        if name not in self._read:
            file = self._files[name]
            table = _read(file, self._shown(file), "utf-8-sig", _largest(file))
            self._room -= len(table) if isinstance(table, str) else 0
            if self._room < 0:
                what = f"with this one, the tables that rules name have more than {LARGEST_TABLES} characters"
                table = RuleError(self._shown(file), 0, 0, what, "let rules use fewer, or smaller ones")
            self._read[name] = table
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is read stays, and looking through all of it for garbage again and again takes a third of the
    time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _find_tables(folder: Path, deepest: int) -> Iterator[Path]:
    """What is called a table in `folder` and as many levels below it; nothing hidden. A folder with such a
    name is among them, so that a rule that names it is told.
    """
    for here, folders, files in os.walk(folder, followlinks=True):
        names = (name for name in (*folders, *files) if _is_open(name))
        yield from (Path(here, name) for name in names if is_table(name) or is_calendar(name))
        level = len(Path(here).relative_to(folder).parts)
        below = (name for name in folders if _is_open(name) and level < deepest)
        folders[:] = [name for name in below if not _leads_back(Path(here, name))]


def _largest(file: Path) -> int:
    return LARGEST_CALENDAR if is_calendar(file.name) else LARGEST_TABLE


def _leads_back(folder: Path) -> bool:
    """True for a link to a folder that it is in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _is_open(name: str) -> bool:
    return not name.startswith(".")


def _read(file: Path, name: str, encoding: str = "utf-8", largest: int = LARGEST_FILE) -> str | RuleError:
    try:
        known = file.stat()
        if known.st_size > largest:
            return RuleError(name, 0, 0, f"larger than {largest} bytes", "split it into more files")
        if not (stat.S_ISREG(known.st_mode) or stat.S_ISDIR(known.st_mode)):
            raise OSError(errno.EINVAL, "it is a pipe or a device")  # which may never end
        return file.read_text(encoding=encoding)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, col = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        return RuleError(name, line, col, "this is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        return RuleError(name, 0, 0, what, "make it readable for the daemon")
