"""Offers of help to borrowers on the watch-list."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LATER = ("answered_at", "answered_by", "ended_at", "ended_by", "answer", "outcome")


def upgrade() -> None:
	"""Make the table; what is kept already stays as it is."""
	number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
	op.create_table(
		"help_offers",
		sa.Column("seq", number, primary_key=True, autoincrement=False),
		sa.Column("simulated", sa.Integer(), nullable=False),
		*(sa.Column(name, sa.Text(), nullable=False) for name in ("action", "state")),
		*(sa.Column(name, sa.Text()) for name in _LATER),
	)
