"""Offers of help to borrowers on the watch-list."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LATER = ("answer", "answered_at", "answered_by", "outcome", "ended_at", "ended_by")


def upgrade() -> None:
    """Make the table; what is kept already stays as it is."""
    op.create_table(
        "help_offers",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text()) for name in _LATER),
    )
    op.create_index("help_offers_state", "help_offers", ["state", "seq"])
