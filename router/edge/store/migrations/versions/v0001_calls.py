"""Calls, their attempts and their timeline."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "calls",
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
        sa.Column("plan", sa.Text),
        sa.Column("trace", sa.Text),
        sa.Column("disposition", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("phase", sa.Text),
        sa.Column("hung_up_by", sa.Text),
        sa.Column("answered_by", sa.Text),
        sa.Column("answered_at", UtcMicroseconds),
        sa.Column("ended_at", UtcMicroseconds),
        sa.Column("ring_seconds", sa.Double),
        sa.Column("wait_seconds", sa.Double),
        sa.Column("talk_seconds", sa.Double),
        sa.Column("hold_seconds", sa.Double),
        sa.Column("evidence", sa.Text),
        sa.Column("flags", sa.Text),
        sa.Column("classifier", sa.Integer),
        sa.UniqueConstraint("asterisk_id", "asterisk_started", "channel", name="calls_key"),
    )
    op.create_index("calls_by_arrival", "calls", ["arrived_at", "id"])
    op.create_index("calls_by_client", "calls", ["client", "arrived_at"])
    op.create_index("calls_by_end", "calls", ["ended_at"])
    is_open = sa.text("disposition IS NULL")
    op.create_index("calls_open", "calls", ["arrived_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "attempts",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("dial", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("started_at", UtcMicroseconds, nullable=False),
        sa.Column("ended_at", UtcMicroseconds, nullable=False),
        sa.Column("ringing_at", UtcMicroseconds),
        sa.Column("answered_at", UtcMicroseconds),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("tech_cause", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timeline",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", UtcMicroseconds, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
