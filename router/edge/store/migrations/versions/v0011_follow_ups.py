"""What is to be done after calls: follow-ups, their jobs, obligations, and whom nobody is to call."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("calls", sa.Column("queues", sa.Text))
    op.create_table(
        "follow_ups",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("at", UtcMicroseconds, nullable=False),
    )
    _jobs()
    _obligations()
    _do_not_contact()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("call_id", call_id_type(), nullable=False),
        sa.Column("follow_up", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("made_at", UtcMicroseconds, nullable=False),
        sa.Column("since", UtcMicroseconds, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", UtcMicroseconds),
        sa.Column("done_at", UtcMicroseconds),
        sa.Column("dead_at", UtcMicroseconds),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("call_id", "follow_up", "number", name="jobs_once"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "jobs_waiting", "jobs", ["way", "address", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
    dead = sa.text("dead_at IS NOT NULL")
    op.create_index("jobs_dead", "jobs", ["dead_at"], sqlite_where=dead, postgresql_where=dead)


def _obligations() -> None:
    op.create_table(
        "obligations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("call_id", call_id_type(), nullable=False),
        sa.Column("follow_up", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("made_at", UtcMicroseconds, nullable=False),
        sa.Column("due_at", UtcMicroseconds, nullable=False),
        sa.Column("closed_at", UtcMicroseconds),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_call", call_id_type()),
        sa.UniqueConstraint("call_id", "follow_up", name="obligations_once"),
    )
    owed = sa.text("closed_at IS NULL")
    op.create_index("obligations_open", "obligations", ["due_at"], sqlite_where=owed, postgresql_where=owed)


def _do_not_contact() -> None:
    op.create_table(
        "do_not_contact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("until", UtcMicroseconds),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("made_at", UtcMicroseconds, nullable=False),
        sa.Column("call_id", call_id_type()),
        sa.Column("removed_at", UtcMicroseconds),
        sa.Column("removed_by", sa.Text),
    )
    op.create_index("do_not_contact_by_number", "do_not_contact", ["number"])
