"""What other systems are to be told."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("notice", sa.Text, nullable=False, unique=True),
        sa.Column("router", sa.Text, nullable=False),
        sa.Column("call_id", call_id_type(), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", UtcMicroseconds, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sent_at", UtcMicroseconds),
        sqlite_autoincrement=True,
    )
    unsent = sa.text("sent_at IS NULL")
    op.create_index("outbox_unsent", "outbox", ["router", "id"], sqlite_where=unsent, postgresql_where=unsent)
