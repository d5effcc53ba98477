"""Reads the rules from files. What cannot be read is an error of the rules, like any other."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from router.core.dialling import Dialling
from router.core.remarks import RuleError, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

SCENARIOS = ".test.yaml"
"""How the names of files with tests end."""

LARGEST_FILE = 4_000_000
"""Bytes; a larger file is not read at all. The text itself has a lower limit, in characters (yamltext.py)."""


class RulesFile:
    """The rules in a directory, or in one file."""

    def __init__(self, path: Path, dialling: Dialling, shown: str | None = None) -> None:
        """Errors and places name files as `path` was given or, where they are a copy, as under `shown`."""
        self.path = path
        self.dialling = dialling
        self._shown = str(path) if shown is None else shown

    def load(self) -> RuleSet | RuleErrors:
        """Read and compile everything. It blocks: not for the loop."""
        files, errors = self._read_all(self._files())
        if not files and not errors:
            return RuleErrors((self._nothing(),))
        rules = compile_rules(files, self.dialling)
        if isinstance(rules, RuleErrors):
            errors += rules.errors
        if errors:
            return RuleErrors(tuple(sorted(errors)))
        return rules

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """What shows that the files have changed: each one's name, time of change and size. It blocks."""
        found = []
        for file in self._files():
            with suppress(OSError):  # Gone since it was listed: the next look will not list it.
                known = file.stat()
                found.append((str(file), known.st_mtime_ns, known.st_size))
        return tuple(found)

    def scenarios(self) -> tuple[dict[str, str], list[RuleError]]:
        """The tests beside the rules, `*.test.yaml`, as name -> text, and the errors of those that cannot be
        read. It blocks."""
        folder = self.path if self.path.is_dir() else self.path.parent
        return self._read_all(sorted(folder.glob(f"*{SCENARIOS}")))

    def _files(self) -> list[Path]:
        """The rules' files, without the tests beside them."""
        if not self.path.is_dir():
            return [self.path] if self.path.exists() else []
        return [file for file in sorted(self.path.glob("*.yaml")) if not file.name.endswith(SCENARIOS)]

    def _nothing(self) -> RuleError:
        what = "no rules here" if self.path.is_dir() else "no such file or directory"
        instead = "write one file a client, NAME.yaml, beginning with `client: NAME`"
        return RuleError(self._shown, 0, 0, what, instead)

    def _read_all(self, paths: Iterable[Path]) -> tuple[dict[str, str], list[RuleError]]:
        names = {path: str(path).replace(str(self.path), self._shown, 1) for path in paths}
        texts = {name: _read(path, name) for path, name in names.items()}
        errors = [text for text in texts.values() if isinstance(text, RuleError)]
        return {name: text for name, text in texts.items() if isinstance(text, str)}, errors


def _read(file: Path, name: str) -> str | RuleError:
    try:
        if file.stat().st_size > LARGEST_FILE:
            return RuleError(name, 0, 0, f"larger than {LARGEST_FILE} bytes", "split it into more files")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, col = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        return RuleError(name, line, col, "this is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        return RuleError(name, 0, 0, what, "make it readable for the daemon")
