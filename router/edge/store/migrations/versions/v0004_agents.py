"""When agents come and go."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "agent_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", UtcMicroseconds, nullable=False),
    )
    op.create_index("agent_changes_by_agent", "agent_changes", ["client", "person"])
