"""How long agents were left alone after calls."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "wrap_ups",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("began_at", UtcMicroseconds, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("ended_at", UtcMicroseconds, nullable=False),
    )
