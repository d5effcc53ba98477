"""Can the router keep what it must: database and folders?"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine, text

from router.core.findings import Finding, error, note, ok, warning
from router.edge.doctor.clocks import difference
from router.edge.doctor.visit import Visit, aside
from router.edge.store.database import parse_url, reading_engine, sqlite_file, trouble_told, where
from router.edge.store.errors import (
    MissingDatabaseError,
    NewerDatabaseError,
    OlderDatabaseError,
    StoreError,
    UnusableDatabaseError,
)

MB = 1_000_000
LEAST, LITTLE = 100 * MB, 1000 * MB
"""Free space: below the first messages and records are soon lost, below the second it is time to act."""
FEW_FILES = 1000
"""That a file system can still take."""
LARGEST_WAL = 200 * MB
"""Of SQLite's log, which is emptied as long as no reader stays in it for ever."""
ELSEWHERE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs")
"""File systems on other machines, on which SQLite's log works for one machine only, if at all."""
MOUNTS = Path("/proc/mounts")
_BROKEN = ("file is not a database", "database disk image is malformed")
"""SQLite's words for a file that it cannot make sense of (SQLITE_NOTADB, SQLITE_CORRUPT)."""


async def database(visit: Visit) -> AsyncIterator[Finding]:
    """Is it there, of our version, and in good order?"""
    url = visit.settings.database_url
    for finding in await aside(lambda: list(_database(url))):
        yield finding


def _database(url: str) -> Iterator[Finding]:
    try:
        parsed = parse_url(url)
        engine = reading_engine(parsed)
    except StoreError as problem:
        yield _unusable(problem)
        return
    place = where(parsed)
    yield ok("the database can be read, and is of this version", place)
    try:
        with trouble_told(parsed):
            file = sqlite_file(parsed)
            yield from _sqlite(engine, file) if file is not None else _postgresql(engine, parsed)
    except UnusableDatabaseError as problem:
        yield _unusable(problem)
    finally:
        engine.dispose()


def _unusable(problem: StoreError) -> Finding:
    what, _, remedy = str(problem).partition(": ")
    match problem:
        case MissingDatabaseError():
            return note("there is no database yet", "callrouter run makes it at its first start")
        case OlderDatabaseError():
            return warning(what, remedy)
        case NewerDatabaseError():
            return error(what, remedy)
        case _ if any(broken in str(problem) for broken in _BROKEN):
            return error(
                str(problem),
                "stop the router, keep that file aside, and put back the last backup: deploy/OPERATIONS.md",
            )
        case _:
            return error(
                str(problem),
                "set `database` to one that is there, and see that its server runs and lets callrouter in; "
                "until then records wait in memory",
            )


def _sqlite(engine: Engine, file: Path) -> Iterator[Finding]:
    wal = file.with_name(file.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    with engine.connect() as connection:
        mode = connection.scalar(text("PRAGMA journal_mode"))
    if size > LARGEST_WAL:
        what = f"the database's log has {size // MB} MB, so some program reads in it without an end"
        yield warning(what, f"see who has it open: fuser {file}; then restart that", str(wal))
    elif mode != "wal":
        what = f"the database is in the mode `{mode}`, in which readers keep the router waiting"
        yield warning(what, "restart the router, which sets it to WAL", str(file))
    else:
        yield ok(f"SQLite keeps a log (WAL) of {size / MB:.1f} MB", str(wal))
    for path in (file, file.parent):
        if not os.access(path, os.W_OK):
            yield error("the database cannot be written", f"chown callrouter {path}", str(path))
    kind = file_system(file, MOUNTS.read_text() if MOUNTS.exists() else "")
    if kind in ELSEWHERE:
        what = f"the database is on a file system of another machine ({kind}), where SQLite may lose records"
        yield warning(what, "set `state` to a local disk, or `database` to postgresql://...", str(file))


def _postgresql(engine: Engine, url: URL) -> Iterator[Finding]:
    before = datetime.now(UTC)
    with engine.connect() as connection:
        theirs: datetime = connection.scalar(text("SELECT clock_timestamp()"))
        after = datetime.now(UTC)
        server, encoding, standby, may = connection.execute(
            text(
                "SELECT current_setting('server_version'), pg_encoding_to_char(encoding), "
                "pg_is_in_recovery(), has_table_privilege('calls', 'INSERT') "
                "FROM pg_database WHERE datname = current_database()"
            )
        ).one()
    place = where(url)
    yield difference("PostgreSQL", theirs, before, after)
    if standby:
        yield error("this PostgreSQL is a standby, which takes no records", "name the primary", place)
    if not may:
        yield error("our user may not write into the table `calls`", "make it the owner of the tables", place)
    if encoding != "UTF8":
        what = f"the database has the encoding {encoding}, which cannot keep every name"
        yield error(what, "make it anew: createdb -E UTF8 -T template0 callrouter", place)
    yield ok(f"PostgreSQL {server}", place)


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system that a path is on, by /proc/mounts; empty where that does not say."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 2:
            mounted = fields[1].replace("\\040", " ")
            if path.absolute().is_relative_to(mounted) and len(mounted) >= len(best):
                best, kind = mounted, fields[2]
    return kind


async def folders(visit: Visit) -> AsyncIterator[Finding]:
    """Is there space, and can be written?"""
    wanted = {"state": visit.settings.state, "prompts": visit.settings.prompts}
    found = await aside(lambda: [one for item in wanted.items() for one in _folder(*item)])
    for finding in found:
        yield finding
    if os.geteuid() == 0:
        what = "this was root's look: whether the router's own user may write there is not checked"
        yield note(what, "sudo -u callrouter callrouter doctor")


def _folder(name: str, folder: Path) -> Iterator[Finding]:
    """One that is not there yet is made in the nearest that is."""
    setting = "state" if name == "state" else "speech.folder"
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        what = f"the folder for {name} cannot be made: {there} is no folder"
        yield error(what, f"set `{setting}` to a folder that callrouter may write to", str(folder))
        return
    if not os.access(there, os.W_OK | os.X_OK):
        remedy = f"chown callrouter {there}, or set `{setting}` to another one"
        yield error(f"the folder for {name} cannot be written by {_me()}", remedy, str(there))
    usage = os.statvfs(there)
    yield space(name, str(folder), shutil.disk_usage(there).free, usage.f_favail if usage.f_files else None)


def space(name: str, folder: str, free: int, files: int | None) -> Finding:
    """What is left of a disk; None for `files` where their number has no bound."""
    remedy = "remove what is not needed: messages have `keep:` in the rules; du -xh / | sort -h"
    if free < LEAST or (files is not None and files < FEW_FILES):
        what = f"the disk for {name} is full: {free // MB} MB are free"
        if free >= LEAST:
            what = f"the disk for {name} is full: only {files} more files can be made"
        return error(what, remedy, folder)
    if free < LITTLE:
        return warning(f"the disk for {name} has only {free // MB} MB left", remedy, folder)
    return ok(f"the disk for {name} has {free / MB / 1000:.0f} GB left", folder)


def _me() -> str:
    return f"user {os.geteuid()}"
