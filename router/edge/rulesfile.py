"""Reads the rules from files. What cannot be read is an error of the rules, like any other."""

from pathlib import Path

from router.core.dialling import Dialling
from router.core.remarks import RuleError, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

LARGEST_FILE = 4_000_000
"""Bytes; a larger file is not read at all. The text itself has a lower limit, in characters (yamltext.py)."""


class RulesFile:
    """The rules in a directory, or in one file."""

    def __init__(self, path: Path, dialling: Dialling) -> None:
        self.path = path
        self.dialling = dialling

    def load(self) -> RuleSet | RuleErrors:
        """Read and compile everything; errors name files as `path` was given. It blocks: not for the loop."""
        files: dict[str, str] = {}
        errors: list[RuleError] = []
        for file in self._files():
            text = _read(file)
            if isinstance(text, RuleError):
                errors.append(text)
            else:
                files[str(file)] = text
        if not files and not errors:
            return RuleErrors((self._nothing(),))
        rules = compile_rules(files, self.dialling)
        if isinstance(rules, RuleErrors):
            errors += rules.errors
        if errors:
            return RuleErrors(tuple(sorted(errors)))
        return rules

    def _files(self) -> list[Path]:
        """The rules' files; `*.test.yaml` beside them are tests."""
        if not self.path.is_dir():
            return [self.path] if self.path.exists() else []
        found = sorted(self.path.glob("*.yaml"))
        return [file for file in found if not file.name.endswith(".test.yaml")]

    def _nothing(self) -> RuleError:
        what = "no rules here" if self.path.is_dir() else "no such file or directory"
        instead = "write one file a client, NAME.yaml, beginning with `client: NAME`"
        return RuleError(str(self.path), 0, 0, what, instead)


def _read(file: Path) -> str | RuleError:
    try:
        if file.stat().st_size > LARGEST_FILE:
            return RuleError(str(file), 0, 0, f"larger than {LARGEST_FILE} bytes", "split it into more files")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, col = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        return RuleError(str(file), line, col, "this is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        return RuleError(str(file), 0, 0, what, "make it readable for the daemon")
