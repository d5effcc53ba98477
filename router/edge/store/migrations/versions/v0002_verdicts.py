"""What is decided of single numbers by command."""

import sqlalchemy as sa
from alembic import op

from router.edge.store.tables import UtcMicroseconds

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("made_at", UtcMicroseconds, nullable=False),
        sa.Column("until", UtcMicroseconds),
        sa.Column("undone_at", UtcMicroseconds),
        sa.Column("undone_by", sa.Text),
    )
    op.create_index("verdicts_by_number", "verdicts", ["number"])
