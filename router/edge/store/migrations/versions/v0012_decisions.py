"""What dialplans of the administrator's own were told of callers, and why."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", call_id_type(), primary_key=True),
        sa.Column("asterisk_id", sa.Text, nullable=False),
        sa.Column("asterisk_started", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("dialled", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("arrived_at", UtcMicroseconds, nullable=False),
        sa.Column("treatment", sa.Text, nullable=False),
        sa.Column("trace", sa.Text, nullable=False),
    )
    op.create_index("decisions_by_time", "decisions", ["arrived_at"])
