"""Opening the database, for the one writer and for readers, with what each needs.

SQLite: WAL with synchronous=FULL, so a committed call survives a power cut and readers never wait for the
writer; BEGIN IMMEDIATE, so a transaction never fails half-way for a lock; pysqlite's own transactions are
switched off because they begin too late (see SQLAlchemy, "Serializable isolation / Savepoints /
Transactional DDL").
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from router.edge.store.errors import (
    MissingDatabaseError,
    NewerDatabaseError,
    OlderDatabaseError,
    UnusableDatabaseError,
)
from router.edge.store.migrations import schema_of, upgrade
from router.edge.store.tables import SCHEMA

_BUSY_MS = 1000
"""How long SQLite itself waits for another's lock before the writer's own back-off takes over."""

_OLDEST_SQLITE = (3, 38, 0)
"""The first with the `->>` operator."""

_EXAMPLES = "write sqlite:////path/to/callrouter.db or postgresql://..."

_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How soon a PostgreSQL that says nothing counts as gone: in seconds, the last in milliseconds. Without these
it may take a quarter of an hour."""

_TURN = 0x63616C6C
"""The number of PostgreSQL's advisory lock for those who number rows."""

_TURN_LIMIT_MS = 10_000
"""A process that stands still for so long in its turn loses it, with all that it wrote in it."""

_TROUBLE = (OSError, DBAPIError, sqlite3.Error)
"""What a database may raise; SQLite's own where a pragma fails, which SQLAlchemy does not wrap."""


def parse_url(url: str) -> URL:
    """The URL, or UnusableDatabaseError with what to write."""
    try:
        parsed = make_url(url)
        dialect = parsed.get_backend_name()
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UnusableDatabaseError("URL", f"{error}; {_EXAMPLES}") from error
    except ValueError:  # its text could hold a piece of the password
        raise UnusableDatabaseError("URL", f"the port is no number; {_EXAMPLES}") from None
    if dialect == "postgresql" and parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if dialect not in ("sqlite", "postgresql"):
        raise UnusableDatabaseError(where(parsed), f"{dialect} is not supported; use sqlite or postgresql")
    if dialect == "sqlite" and sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UnusableDatabaseError(
            where(parsed), f"SQLite {sqlite3.sqlite_version} is too old; 3.38 is needed"
        )
    return parsed


def where(url: URL) -> str:
    """The database for people: a file, or a URL without its password."""
    return url.database or "in memory" if url.get_backend_name() == "sqlite" else url.render_as_string()


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL and for one in memory."""
    is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(url.database) if is_file and url.database else None


@contextmanager
def trouble_told(url: URL) -> Iterator[None]:
    """What goes wrong with the database in here is an UnusableDatabaseError."""
    try:
        yield
    except _TROUBLE as error:
        why = str(error.orig if isinstance(error, DBAPIError) else error)
        raise UnusableDatabaseError(where(url), why) from error


@contextmanager
def begin(engine: Engine) -> Iterator[Connection]:
    """A transaction. UnusableDatabaseError where there is trouble in it."""
    with trouble_told(engine.url), engine.begin() as connection:
        yield connection


def writing_engine(url: URL) -> Engine:
    """An engine for the one writer. Its errors never carry parameters: these hold callers' numbers."""
    if url.get_backend_name() != "sqlite":
        return _engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_PATIENCE)
    engine = _engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": _BUSY_MS / 1000},
    )
    _on_connect(engine, "journal_mode=WAL", "synchronous=FULL")
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def reading_engine(url: URL) -> Engine:
    """An engine that cannot write, on a database of just our version; StoreError otherwise.

    Its transactions take no lock that the writer would wait for.
    """
    file = sqlite_file(url)
    if file is not None:
        if not file.exists():
            raise MissingDatabaseError(str(file))
        read_only = url.set(
            database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"}
        )
        engine = _engine(read_only, connect_args={"isolation_level": None, "timeout": _BUSY_MS / 1000})
        _on_connect(engine, "query_only=ON")
        _begin_with(engine, "BEGIN")
    else:
        engine = _engine(url, execution_options={"postgresql_readonly": True}, connect_args=_PATIENCE)
    with trouble_told(url), engine.connect() as connection:
        found = schema_of(connection)
    if found != SCHEMA:
        raise (
            NewerDatabaseError(found, SCHEMA)
            if found is not None and found > SCHEMA
            else OlderDatabaseError(found, SCHEMA)
        )
    return engine


def take_turn(connection: Connection) -> None:
    """To be called before rows are written whose numbers others read on from: who numbers rows later commits
    later, so that no lower number comes into sight after a higher one.

    It lasts until the end of the transaction, in which no lock of a row should be taken any more: whoever has
    that row may wait for the turn. Transactions of SQLite take turns anyway.
    """
    if connection.dialect.name == "postgresql":
        limit = func.set_config("idle_in_transaction_session_timeout", str(_TURN_LIMIT_MS), True)
        connection.execute(select(limit, func.pg_advisory_xact_lock(_TURN)))


def prepare(url: str) -> None:
    """Make the database ready at the daemon's start: its directory, its tables, its upgrade.

    NewerDatabaseError must stop the daemon. UnusableDatabaseError need not: the writer keeps its queue and
    tries again.
    """
    parsed = parse_url(url)
    file = sqlite_file(parsed)
    engine = writing_engine(parsed)
    try:
        with trouble_told(parsed):
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            with engine.begin() as connection:
                upgrade(connection)
    finally:
        engine.dispose()


Parameters = Sequence[object] | Mapping[str, object]
"""As the driver takes them."""


def run_plain(connection: Connection, statement: str, parameters: Parameters) -> int:
    """Run one statement on the driver's own cursor; the number of rows it touched. Errors are SQLAlchemy's.

    SQLAlchemy's way to the same cursor costs 60 us a statement, a third of a commit of few rows.
    """
    with _executed(connection, statement, parameters) as cursor:
        return cursor.rowcount


def read_plain(connection: Connection, statement: str, parameters: Parameters) -> Sequence[Any]:
    """The same of a query; its rows as the driver gives them."""
    with _executed(connection, statement, parameters) as cursor:
        return cursor.fetchall()


@contextmanager
def _executed(connection: Connection, statement: str, parameters: Parameters) -> Iterator[DBAPICursor]:
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, parameters)
        yield cursor
    except driver.Error as error:
        raise DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


class WriterConnection:
    """The writer's one connection: opened when needed, and given up when it or its file is gone."""

    def __init__(self, url: URL) -> None:
        self._file = sqlite_file(url)
        self._engine = writing_engine(url)
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None

    @property
    def dialect(self) -> Dialect:
        """The kind of database, for compiling statements."""
        return self._engine.dialect

    def get(self) -> Connection:
        """An open connection to a database in our shape. DBAPIError or StoreError while there is none."""
        if self._connection is not None and self._identity != self._file_identity():
            # The open file was removed or replaced; SQLite would go on writing into the unlinked one.
            self.drop()
        if self._connection is None:
            connection = self._engine.connect()
            try:
                with connection.begin():
                    upgrade(connection)
            except BaseException:
                connection.close()
                raise
            if self._file is not None:
                # Not before the upgrade, which may have to sort a whole table.
                run_plain(connection, "PRAGMA temp_store=MEMORY", ())
            self._connection = connection
            self._identity = self._file_identity()
        return self._connection

    def drop(self) -> None:
        """Forget the connection: the next `get` makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _file_identity(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _engine(url: URL, **options: object) -> Engine:
    try:
        return create_engine(url, **options)
    except ImportError as error:
        raise UnusableDatabaseError(where(url), f"{error}; install callrouter anew") from error


def _on_connect(engine: Engine, *pragmas: str) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


class Access:
    """One database, for commands and what else reads and writes it beside the writer thread.

    StoreError when made, if there is none or it is not of our version: only the router makes and upgrades a
    database. UnusableDatabaseError while it cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self._reading = reading_engine(parsed)
        self._writing = writing_engine(parsed)

    def close(self) -> None:
        """Give up the connections."""
        self._reading.dispose()
        self._writing.dispose()


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        run_plain(connection, statement, ())
