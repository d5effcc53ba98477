"""Copies of the database while it is in use, whole and of one moment.

SQLite is copied by its own online backup, in one step: the copy is what was committed when it began, and with
WAL the writer does not wait for it (https://www.sqlite.org/backup.html). PostgreSQL is copied by pg_dump.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL

from router.edge.store.database import parse_url, sqlite_file, trouble_told, where
from router.edge.store.errors import MissingDatabaseError, StoreError, UnusableDatabaseError

SQLITE_COPY = "callrouter.db"
POSTGRESQL_COPY = "callrouter.dump"
"""Names of copies; the second is of pg_dump's own format, for pg_restore."""

_DEBIAN = Path("/usr/lib/postgresql")
"""Debian has the programs of each version in a folder of its own; those in the PATH are of the newest."""


def copy_database(url: str, folder: Path) -> Path:
    """Copy the database into a folder; where the copy is. StoreError if there is none, or it cannot be."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _dump(parsed, folder / POSTGRESQL_COPY)
    file = sqlite_file(parsed)
    if file is None:
        raise UnusableDatabaseError(where(parsed), "it is in memory only, so there is nothing to keep")
    if not file.exists():
        raise MissingDatabaseError(str(file))
    with trouble_told(parsed):
        _copy_file(file, folder / SQLITE_COPY)
    return folder / SQLITE_COPY


def _copy_file(file: Path, copy: Path) -> None:
    read_only = f"file:{quote(str(file.absolute()))}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target, pages=-1)
        # One file, and no -wal beside it that somebody forgets. The router sets WAL again.
        target.execute("PRAGMA journal_mode=DELETE")
        found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"its copy is damaged, and so is the database itself: {found}")


def _dump(url: URL, copy: Path) -> Path:
    program = shutil.which("pg_dump") or _newest("pg_dump")
    if program is None:
        raise StoreError("there is no pg_dump here, which copies PostgreSQL: install postgresql-client")
    # `set` would leave the password as it is, and it would be rendered as ***.
    plain = url.set(drivername="postgresql")._replace(password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}  # the command line is seen by all
    done = subprocess.run(
        [program, "--format=custom", "--no-owner", "--no-privileges", f"--file={copy}", f"--dbname={plain}"],
        env=os.environ | secret, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UnusableDatabaseError(where(url), done.stderr.strip() or f"pg_dump ends with {done.returncode}")
    return copy


def _newest(program: str) -> str | None:
    found = sorted(_DEBIAN.glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    return str(found[-1]) if found else None
