"""The tables as this version knows them; `migrations` makes them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

# The newest migration.
REVISION = "0002"

metadata = MetaData()

# The only type by which SQLite numbers rows.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")
# Ids sort byte by byte in any locale.
_ID = Text().with_variant(Text(collation="C"), "postgresql")


def _texts(*names: str, nullable: bool = True) -> list[Column[str]]:
	return [Column(name, Text, nullable=nullable) for name in names]


def _index_where_given(name: str, *columns: str, unique: bool = False) -> Index:
	is_given = text(f"{columns[0]} IS NOT NULL")
	return Index(name, *columns, unique=unique, sqlite_where=is_given, postgresql_where=is_given)


# Append-only; hashed in this order of columns.
records = Table(
	"records",
	metadata,
	Column("seq", _NUMBER, primary_key=True, autoincrement=False),
	Column("id", _ID, nullable=False),
	*_texts("kind", "at", "caller", "person", nullable=False),
	Column("subject", _ID),
	*_texts("request_id", nullable=False),
	*_texts("idempotency_key"),
	Column("position", Integer, nullable=False),
	*_texts("request_digest", "decision", "model_version", "policy_digest"),
	*_texts("public", nullable=False),
	*_texts("personal_digest"),
	*_texts("previous", "hash", nullable=False),
	Index("records_id", "id", unique=True),
	_index_where_given("records_idempotency_key", "idempotency_key", "caller", "position", unique=True),
	_index_where_given("records_subject", "subject"),
)
# Never changed, but erased.
personal = Table(
	"personal",
	metadata,
	Column("seq", _NUMBER, primary_key=True, autoincrement=False),
	Column("salt", LargeBinary, nullable=False),
	*_texts("content", nullable=False),
	*_texts("application_id"),
	_index_where_given("personal_application_id", "application_id"),
)
# The refer queue; each change is a record.
cases = Table(
	"cases",
	metadata,
	Column("seq", _NUMBER, primary_key=True, autoincrement=False),
	Column("decision_id", _ID, nullable=False),
	*_texts("state", nullable=False),
	Column("amount", Float, nullable=False),
	*_texts("opened_at", nullable=False),
	*_texts("taken_by", "taken_by_key", "taken_at", "expires_at", "outcome", "reason", "closed_at"),
	Index("cases_decision_id", "decision_id", unique=True),
	Index("cases_state_amount", "state", "amount", "seq"),
)
# Offers of help; each change is a record. Which loan it is, is in the personal part of the offer's record.
help_offers = Table(
	"help_offers",
	metadata,
	Column("seq", _NUMBER, primary_key=True, autoincrement=False),
	Column("simulated", Integer, nullable=False),
	*_texts("action", "state", nullable=False),
	*_texts("answered_at", "answered_by", "ended_at", "ended_by", "answer", "outcome"),
)
# One row, written to try.
probe = Table("probe", metadata, Column("name", Text, primary_key=True), Column("at", Text, nullable=False))
