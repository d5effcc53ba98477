"""Bringing a database to the shape of this version, with alembic, from inside the package.

A database made by a newer callrouter is refused: its rows may mean what this version does not know.
"""

from sqlalchemy import Connection, inspect, text

from router.edge.store.errors import NewerDatabaseError
from router.edge.store.tables import SCHEMA

_POSTGRESQL_LOCK = 0x63616C6C72
"""Two routers that start together on one PostgreSQL migrate one after the other. SQLite has BEGIN
IMMEDIATE."""


def schema_of(connection: Connection) -> str | None:
    """The newest migration this database has seen; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection) -> None:
    """Make or upgrade the tables, in the caller's transaction. NewerDatabaseError if the database is ahead
    of us."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
    found = schema_of(connection)
    if found == SCHEMA:
        return
    # Imported only when there is something to do: alembic takes longer to import than the rest of the start.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "router.edge.store:migrations")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabaseError(found, SCHEMA)
    command.upgrade(config, "head")
