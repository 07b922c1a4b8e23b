"""The first tables: a migration is frozen, whatever `tables.py` says later."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_REFUSED = (("records", "UPDATE"), ("records", "DELETE"), ("personal", "UPDATE"))


def upgrade() -> None:
	"""Make the tables, and triggers against changing a record."""
	_make_records()
	_make_personal()
	_make_cases()
	op.create_table("probe", sa.Column("name", sa.Text(), primary_key=True), sa.Column("at", sa.Text(), nullable=False))
	op.execute("INSERT INTO probe (name, at) VALUES ('writable', '')")
	if op.get_bind().dialect.name == "sqlite":
		_guard_sqlite()
	else:
		_guard_postgresql()


def _make_records() -> None:
	op.create_table(
		"records",
		sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
		sa.Column("id", _ID, nullable=False),
		*_texts("kind", "at", "caller", "person", nullable=False),
		sa.Column("subject", _ID),
		*_texts("request_id", nullable=False),
		*_texts("idempotency_key"),
		sa.Column("position", sa.Integer(), nullable=False),
		*_texts("request_digest", "decision", "model_version", "policy_digest"),
		*_texts("public", nullable=False),
		*_texts("personal_digest"),
		*_texts("previous", "hash", nullable=False),
	)
	op.create_index("records_id", "records", ["id"], unique=True)
	_index_where_given("records_idempotency_key", "records", ["idempotency_key", "caller", "position"], is_unique=True)
	_index_where_given("records_subject", "records", ["subject"])


def _make_personal() -> None:
	op.create_table(
		"personal",
		sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
		sa.Column("salt", sa.LargeBinary(), nullable=False),
		*_texts("content", nullable=False),
		*_texts("application_id"),
	)
	_index_where_given("personal_application_id", "personal", ["application_id"])


def _make_cases() -> None:
	op.create_table(
		"cases",
		sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
		sa.Column("decision_id", _ID, nullable=False),
		*_texts("state", nullable=False),
		sa.Column("amount", sa.Float(), nullable=False),
		*_texts("opened_at", nullable=False),
		*_texts("taken_by", "taken_by_key", "taken_at", "expires_at", "outcome", "reason", "closed_at"),
	)
	op.create_index("cases_decision_id", "cases", ["decision_id"], unique=True)
	op.create_index("cases_state_amount", "cases", ["state", "amount", "seq"])


def _texts(*names: str, nullable: bool = True) -> list[sa.Column[str]]:
	return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _index_where_given(name: str, table: str, columns: list[str], *, is_unique: bool = False) -> None:
	is_given = sa.text(f"{columns[0]} IS NOT NULL")
	op.create_index(name, table, columns, unique=is_unique, sqlite_where=is_given, postgresql_where=is_given)


def _guard_sqlite() -> None:
	for table, verb in _REFUSED:
		op.execute(
			f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
			f"BEGIN SELECT RAISE(ABORT, '{table} refuses {verb}: the log is append-only'); END"
		)


def _guard_postgresql() -> None:
	op.execute(
		"CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		"RAISE EXCEPTION '% refuses %: the log is append-only', TG_TABLE_NAME, TG_OP; END $$"
	)
	for table, verb in _REFUSED:
		op.execute(
			f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
		)
	for table in ("records", "personal"):
		op.execute(
			f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
			f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
		)
