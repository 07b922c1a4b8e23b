"""The tables as this version knows them; `migrations` makes them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

# The newest migration.
REVISION = "0002"

metadata = MetaData()

# The only type by which SQLite numbers rows.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")
# Ids sort byte by byte in any locale.
_ID = Text().with_variant(Text(collation="C"), "postgresql")
_IS_KEYED = text("idempotency_key IS NOT NULL")
_HAS_SUBJECT = text("subject IS NOT NULL")
_HAS_APPLICATION_ID = text("application_id IS NOT NULL")

# Append-only; hashed in this order of columns.
records = Table(
    "records",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("id", _ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("subject", _ID),
    Column("request_id", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("position", Integer, nullable=False),
    Column("request_digest", Text),
    Column("decision", Text),
    Column("model_version", Text),
    Column("policy_digest", Text),
    Column("public", Text, nullable=False),
    Column("personal_digest", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("records_id", "id", unique=True),
    Index(
        "records_idempotency_key",
        "idempotency_key",
        "caller",
        "position",
        unique=True,
        sqlite_where=_IS_KEYED,
        postgresql_where=_IS_KEYED,
    ),
    Index("records_subject", "subject", sqlite_where=_HAS_SUBJECT, postgresql_where=_HAS_SUBJECT),
)
# Never changed, but erased.
personal = Table(
    "personal",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("content", Text, nullable=False),
    Column("application_id", Text),
    Index(
        "personal_application_id",
        "application_id",
        sqlite_where=_HAS_APPLICATION_ID,
        postgresql_where=_HAS_APPLICATION_ID,
    ),
)
# The refer queue; each change is a record.
cases = Table(
    "cases",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("decision_id", _ID, nullable=False),
    Column("state", Text, nullable=False),
    Column("amount", Float, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("taken_by", Text),
    Column("taken_by_key", Text),
    Column("taken_at", Text),
    Column("expires_at", Text),
    Column("outcome", Text),
    Column("reason", Text),
    Column("closed_at", Text),
    Index("cases_decision_id", "decision_id", unique=True),
    Index("cases_state_amount", "state", "amount", "seq"),
)
# Offers of help; each change is a record. Which loan it is, is in the personal part of the offer's record.
help_offers = Table(
    "help_offers",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("simulated", Integer, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("action", "state")),
    *(Column(f"{step}_{of}", Text) for step in ("answered", "ended") for of in ("at", "by")),
    *(Column(name, Text) for name in ("answer", "outcome")),
)
# One row, written to try.
probe = Table("probe", metadata, Column("name", Text, primary_key=True), Column("at", Text, nullable=False))
