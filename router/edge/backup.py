"""A backup: a folder with all that a router keeps and nobody could make again.

That is the database, recordings of messages, prompts that somebody recorded, and the last good copies of
calendars. The database comes first: a recording that a row names was there before the row was copied. Prompts
that are spoken are made again, and rules and settings are the administrator's own files.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from router.edge.prompts import RECORDED
from router.edge.store.backup import copy_database
from router.settings import Settings

MESSAGES = "messages"
CALENDARS = "calendars"


class BackupError(Exception):
    """No backup was made; the text says why."""


class Backup(msgspec.Struct, frozen=True):
    """What is in one."""

    folder: str
    database: str
    """The name of the copy."""
    database_bytes: int
    messages: int
    """How many recordings."""
    recorded: int
    """How many prompts' files."""
    calendars: int


def make_backup(settings: Settings, folder: Path) -> Backup:
    """Make one, in a folder that is not there yet. BackupError or StoreError if it cannot be made; then
    nothing is left of it."""
    with _whole_or_not_at_all(folder) as draft:
        database = copy_database(settings.database_url, draft)
        size = database.stat().st_size
        messages = _copy(settings.messages, draft / MESSAGES)
        recorded = _copy(settings.prompts / RECORDED, draft / RECORDED)
        calendars = _copy(settings.calendars, draft / CALENDARS)
    return Backup(str(folder), database.name, size, messages, recorded, calendars)


@contextmanager
def _whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """A folder beside, which becomes this one in the end. It holds callers' numbers: its owner's only."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        if folder.exists():
            raise BackupError(f"`{folder}` is there already; name a folder that is not")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        yield draft
        draft.rename(folder)
    except OSError as error:
        raise BackupError(f"`{error.filename or folder}`: {error.strerror}; no backup was made") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy(source: Path, target: Path) -> int:
    """Copy the files of a folder, if there is one; how many. What goes away meanwhile is not missed."""
    target.mkdir()
    copied = 0
    for file in sorted(source.glob("*")) if source.is_dir() else ():
        try:
            shutil.copy2(file, target / file.name)
        except FileNotFoundError:
            continue
        copied += 1
    return copied
