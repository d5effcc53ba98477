"""Rules as they were at a git revision. Nothing is checked out: git hands over a copy of their directory."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from router.edge.rulesfile import RulesFile

PATIENCE = 60.0
"""Seconds that git may take for one answer."""


class RevisionError(Exception):
    """There are no rules to be had at that revision; its text is what is wrong, and what to write."""


@contextmanager
def rules_at(revision: str, path: Path, like: RulesFile) -> Iterator[RulesFile]:
    """The rules that `path`, a directory or one file, had at `revision`; they are there within the `with`,
    and read `like` others are.

    Raises RevisionError where git, the repository, the revision or the directory in it is missing.
    """
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise RevisionError(f"{folder}: no such directory; give the rules' own with --rules")
    top, inside = _git(folder, "rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")[:2]
    commit = _commit(folder, revision)
    tree = f"{commit}:{inside}" if inside else commit
    packed = _git(Path(top), "archive", "--format=tar", tree, missing=f"{folder} is not in {revision}")
    with TemporaryDirectory(prefix="callrouter-") as copy:
        _unpack(packed, Path(copy))
        name = "" if path.is_dir() else path.name
        shown = f"{revision}:{inside}{name}".removesuffix("/")
        yield RulesFile(Path(copy) / name, like.dialling, shown, like.copies)


def _commit(folder: Path, revision: str) -> str:
    missing = f"`{revision}` is no file, no directory and no revision that git knows"
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return _git(folder, *asked, missing=f"{missing}; write a path, or one such as HEAD~1").decode().strip()


def _git(folder: Path, *arguments: str, missing: str = "") -> bytes:
    """What git answers to a question that changes nothing; `missing` are the words for its not knowing."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise RevisionError("git is not installed; install it, or give a directory or a file") from None
    except subprocess.TimeoutExpired:
        raise RevisionError(f"git did not answer within {PATIENCE:g} s; give a directory or a file") from None
    if answer.returncode:
        said = answer.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise RevisionError(missing or f"git cannot tell ({said}); give a directory or a file")
    return answer.stdout


def _unpack(packed: bytes, folder: Path) -> None:
    """Plain files only: no link leads out of `folder`, and no name."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and ".." not in PurePath(member.name).parts:
                file = folder / member.name.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
