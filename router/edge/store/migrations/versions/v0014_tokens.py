"""Tokens of programs that ask the router over HTTP."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("made_at", UtcMicroseconds, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("until", UtcMicroseconds),
        sa.Column("revoked_at", UtcMicroseconds),
        sa.Column("revoked_by", sa.Text),
    )
