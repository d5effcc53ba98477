"""What could not be written before a router stopped: kept in files, and written first at the next start.

A file has one operation a line, as JSON, in the order in which they came. It is whole or not there: it gets
its name once it is safe on the disk. Every operation may be written again (bulk.py), so a file is removed
after the commit of its last line, and a router that dies before writes it once more.

Where the database takes them only after this router has taken its calls over, it has a history of its own of
those that were live, and the kept one would be mixed with it: of these nothing is written (`over`). Calls
whose end is kept are no longer live, whatever the database says (`ended`).

Files are in the folder of the state; where nothing can be written there, in the system's folder for what is
temporary, where others may write, too: what is not our own user's is not looked at.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from router.edge.store.operations import Arrival, End, Happening, Operation, Tagging, call_of

_ENDING = ".jsonl"
_DAMAGED = ".damaged"

TEMPORARY = ("/tmp", "/var/tmp")
"""Besides what TMPDIR says. Not tempfile's own choice, which needs a folder that can be written to now, and
may be another at the next start."""

_NO_OTHER = os.O_NOFOLLOW | os.O_NONBLOCK
"""No link, and no pipe on which to wait."""

_DECODER = msgspec.json.Decoder(Operation)

_LOG = structlog.get_logger("router.store")


class Found(NamedTuple):
    """A file, read."""

    file: Path
    operations: Sequence[Operation]
    damaged: int
    """Lines that cannot be read."""


class Unwritten:
    """The files of the routers of one state, one after the other."""

    def __init__(self, state: Path) -> None:
        self._state = state
        whose = sha256(str(state.absolute()).encode()).hexdigest()[:16]
        temporary = dict.fromkeys(map(Path, filter(None, (os.environ.get("TMPDIR"), *TEMPORARY))))
        elsewhere = f"callrouter-{whose}-unwritten-"
        self._places = ((state, "unwritten-"), *((folder, elsewhere) for folder in temporary))
        """Folders, and how the names of our files begin there."""

    def keep(self, operations: Sequence[Operation]) -> bool:
        """Write a file of these. False, with the reason logged, where they are not safe in the state: nowhere
        at all, or where the system may remove them."""
        text = b"".join(_lines(operations))
        for folder, prefix in self._places:
            file = folder / f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}{_ENDING}"
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
                _write(file, text)
            except OSError as error:
                _LOG.error("records cannot be kept in a file", file=str(file), error=str(error))
                continue
            safe = folder == self._state
            tell = _LOG.warning if safe else _LOG.error
            tell("records kept for the next start", file=str(file), operations=len(operations))
            return safe
        _LOG.error("records lost at stop", operations=len(operations))
        return False

    def found(self) -> list[Found]:
        """The files that were left, the oldest first. One that cannot be read is passed over."""
        return list(self._found())

    def _found(self) -> Iterator[Found]:
        files = [file for folder, prefix in self._places for file in folder.glob(f"{prefix}*{_ENDING}")]
        for file in sorted(files, key=lambda file: file.name.partition("unwritten-")[2]):
            try:
                text = _read(file)
            except OSError as error:
                _LOG.error("records that were kept cannot be read", file=str(file), error=str(error))
            else:
                operations = [_operation(line) for line in text.splitlines()]
                good = [operation for operation in operations if operation is not None]
                yield Found(file, good, len(operations) - len(good))

    def written(self, found: Found) -> None:
        """A file's operations are in the database: it is not needed, or put aside where it is damaged."""
        file = found.file
        try:
            if found.damaged:
                aside = file.with_name(f"{file.name}{_DAMAGED}")
                file.rename(aside)
                _LOG.error("records that were kept are damaged", file=str(aside), lines=found.damaged)
            else:
                file.unlink()
        except OSError as error:
            _LOG.error("records that are written stay kept", file=str(file), error=str(error))
        _LOG.info("records of before are written", file=str(file), operations=len(found.operations))


def ended(operations: Iterable[Operation]) -> frozenset[str]:
    """The ids of calls whose end is among these."""
    return frozenset(one.record.info.id for one in operations if isinstance(one, End))


def over(operations: Sequence[Operation], calls: Collection[str]) -> list[Operation]:
    """Without the histories of other calls than these, which are over."""
    return [one for one in operations if not _is_history(one) or call_of(one) in calls]


def _is_history(operation: Operation) -> bool:
    """Whether a router that takes the call over makes its own of it."""
    if isinstance(operation, Tagging):
        return operation.told is not None  # By the rules; people's are theirs.
    return isinstance(operation, Arrival | Happening)


def _lines(operations: Sequence[Operation]) -> Iterator[bytes]:
    for operation in operations:
        try:
            yield msgspec.json.encode(operation) + b"\n"
        except (TypeError, ValueError) as error:  # nor could the database have stored it
            what = type(operation).__name__.lower()
            _LOG.error("row refused", call_id=call_of(operation), what=what, error=type(error).__name__)


def _operation(line: bytes) -> Operation | None:
    try:
        operation: Operation = _DECODER.decode(line)
    except (msgspec.DecodeError, ValueError):
        return None
    return operation


def _write(file: Path, text: bytes) -> None:
    """A new file of our user's alone, on the disk when this returns; nothing where it raises OSError."""
    unfinished = file.with_suffix(".part")
    try:
        made = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(made, "wb") as writing:
            writing.write(text)
            writing.flush()
            os.fsync(writing.fileno())
        unfinished.rename(file)
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        for one in (unfinished, file):
            with suppress(OSError):  # of which the first is told
                one.unlink()
        raise


def _read(file: Path) -> bytes:
    with open(file, "rb", opener=lambda path, flags: os.open(path, flags | _NO_OTHER)) as reading:
        about = os.fstat(reading.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            raise PermissionError("it is no file of the router's user")
        return reading.read()
