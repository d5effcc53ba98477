"""Messages that callers left, and where they go."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("addressees", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("callback", sa.Text, nullable=False),
        sa.Column("recording", sa.Integer),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("left_at", UtcMicroseconds, nullable=False),
        sa.Column("keep_until", UtcMicroseconds, nullable=False),
        sa.Column("fetched_at", UtcMicroseconds),
        sa.Column("lost_at", UtcMicroseconds),
        sa.Column("done_at", UtcMicroseconds),
        sa.Column("done_by", sa.Text),
    )
    op.create_index("messages_by_time", "messages", ["left_at"])
    op.create_table(
        "deliveries",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", UtcMicroseconds),
        sa.Column("taken_at", UtcMicroseconds),
        sa.Column("error", sa.Text),
    )
    op.create_index("deliveries_by_turn", "deliveries", ["next_at"])
