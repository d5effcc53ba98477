"""Tags that people put on calls."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("tag", sa.Text, primary_key=True),
        sa.Column("at", UtcMicroseconds, primary_key=True),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
    )
