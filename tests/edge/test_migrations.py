"""Databases of every age: made, upgraded, refused; and the tables are the same on PostgreSQL."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.schema import CreateIndex, CreateTable

from router.edge.store.bulk import BulkStatements
from router.edge.store.database import WriterConnection, parse_url, prepare, where, writing_engine
from router.edge.store.errors import (
    MissingDatabaseError,
    NewerDatabaseError,
    OlderDatabaseError,
    UnusableDatabaseError,
)
from router.edge.store.queries import Queries
from router.edge.store.tables import METADATA, SCHEMA, to_micros
from tests.edge.stories import TEN


def set_version(file: Path, version: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.commit()
    connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "callrouter.db"


def test_the_first_start_makes_folder_and_tables(file: Path) -> None:
    prepare(f"sqlite:///{file}")
    engine = writing_engine(parse_url(f"sqlite:///{file}"))
    with engine.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    engine.dispose()
    assert differences == []
    assert pragmas == ["wal", 2]


def test_a_later_start_changes_nothing(file: Path) -> None:
    prepare(f"sqlite:///{file}")
    connection = sqlite3.connect(file)
    before = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    prepare(f"sqlite:///{file}")
    assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
    connection.close()


def test_the_newest_migration_is_the_version_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", "router.edge.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA


def test_a_migration_that_fails_leaves_no_half_made_tables(file: Path) -> None:
    file.parent.mkdir()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE timeline (something_else TEXT)")
    connection.commit()
    with pytest.raises(UnusableDatabaseError, match="already exists"):
        prepare(f"sqlite:///{file}")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert tables == {"timeline"}


def test_a_newer_database_is_refused_and_left_alone(file: Path) -> None:
    url = f"sqlite:///{file}"
    prepare(url)
    set_version(file, "9999")
    with pytest.raises(
        NewerDatabaseError, match=f"version 9999, and this callrouter knows only up to {SCHEMA}"
    ):
        prepare(url)
    with pytest.raises(NewerDatabaseError):
        Queries(url)
    writer = WriterConnection(parse_url(url))
    with pytest.raises(NewerDatabaseError):
        writer.get()


def test_an_older_database_is_not_read(file: Path) -> None:
    prepare(f"sqlite:///{file}")
    set_version(file, "0000")
    with pytest.raises(OlderDatabaseError, match="start the daemon of this version once"):
        Queries(f"sqlite:///{file}")


def test_a_database_of_something_else_is_not_read(file: Path) -> None:
    file.parent.mkdir()
    sqlite3.connect(file).close()
    with pytest.raises(OlderDatabaseError, match="has version none"):
        Queries(f"sqlite:///{file}")


def test_a_missing_database_is_told(file: Path) -> None:
    with pytest.raises(MissingDatabaseError, match="no router has run yet"):
        Queries(f"sqlite:///{file}")
    assert not file.parent.exists()


def test_a_file_that_is_no_database_is_told(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("these are not records, but a text that is long enough" * 100)
    for use in (prepare, Queries):
        with pytest.raises(UnusableDatabaseError, match="not a database"):
            use(f"sqlite:///{file}")


def test_a_url_with_a_wrong_port_is_told_without_its_password() -> None:
    with pytest.raises(UnusableDatabaseError, match="the port is no number; write") as told:
        parse_url("postgresql://user:pa@ss:word@host/db")
    assert "word" not in str(told.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UnusableDatabaseError, match="cannot be used"):
        prepare(f"sqlite:///{tmp_path / 'taken' / 'callrouter.db'}")


# PostgreSQL, without a server.


def test_postgresql_has_the_same_tables() -> None:
    dialect = parse_url("postgresql://h/d").get_dialect()()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables]
    made += [str(CreateIndex(i).compile(dialect=dialect)) for t in METADATA.sorted_tables for i in t.indexes]
    script = "\n".join(made)
    for expected in (
        'id TEXT COLLATE "C" NOT NULL',
        "arrived_at BIGINT NOT NULL",
        "WHERE disposition IS NULL",
    ):
        assert expected in script


def test_postgresql_takes_rows_as_one_document() -> None:
    dialect = parse_url("postgresql://h/d").get_dialect()()
    ends = BulkStatements(dialect).ends
    assert "json_array_elements(CAST(%(rows)s::VARCHAR AS JSON)) AS r(value)" in ends
    assert "ON CONFLICT (id) DO UPDATE SET disposition = excluded.disposition" in ends
    assert ends.endswith("WHERE calls.disposition IS NULL")


URLS = [
    ("a plain one takes psycopg", "postgresql://u:secret@h/d", "postgresql+psycopg://u:***@h/d"),
    ("a driver may be named", "postgresql+psycopg://u:secret@h/d", "postgresql+psycopg://u:***@h/d"),
    ("a file is its path", "sqlite:////a/b.db", "/a/b.db"),
    ("no file", "sqlite://", "in memory"),
]


@pytest.mark.parametrize(("url", "shown"), [row[1:] for row in URLS], ids=[row[0] for row in URLS])
def test_urls_are_shown_without_their_password(url: str, shown: str) -> None:
    assert where(parse_url(url)) == shown


def test_moments_must_have_a_time_zone() -> None:
    assert to_micros(TEN) == 1_795_341_600_123_456
    with pytest.raises(TypeError):
        to_micros(TEN.replace(tzinfo=None))
