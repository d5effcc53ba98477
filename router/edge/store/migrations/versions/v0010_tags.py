"""Where tags were put and what else was said of them, and corrections of dispositions."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds, call_id_type

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("tags", sa.Column("place", sa.Text, nullable=False, server_default=""))
    op.add_column("tags", sa.Column("note", sa.Text, nullable=False, server_default=""))
    op.create_index("tags_by_tag", "tags", ["tag", "call_id"])
    op.create_table(
        "corrections",
        sa.Column("call_id", call_id_type(), primary_key=True),
        sa.Column("at", UtcMicroseconds, primary_key=True),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
    )
