"""Run by alembic. The connection, its transaction and its locks come from `upgrade`, never from a file."""

from alembic import context

from router.edge.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # alembic holds SQLite's DDL to be outside transactions; with our own BEGIN IMMEDIATE it is inside.
    transactional_ddl=True,
)
context.run_migrations()
