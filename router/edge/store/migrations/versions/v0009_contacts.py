"""Contacts, and by which name a caller was known and shown."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("number", call_id_type(), primary_key=True),
        sa.Column("client", call_id_type(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("changed_at", UtcMicroseconds, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    for name in ("name", "display"):
        op.add_column("calls", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_index("calls_by_caller", "calls", ["caller", "arrived_at"])
