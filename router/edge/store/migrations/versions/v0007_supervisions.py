"""Who supervised which talk of an agent, how and when."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "supervisions",
        sa.Column("supervision", call_id_type(), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("router", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("supervisor", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("call_id", call_id_type(), nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("began_at", UtcMicroseconds, nullable=False),
        sa.Column("ended_at", UtcMicroseconds),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("supervisions_by_time", "supervisions", ["began_at"])
