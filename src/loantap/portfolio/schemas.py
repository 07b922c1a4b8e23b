"""Pandera schemas of the portfolio's tables, derived from the data dictionary.

Named in the catalog as validators; a schema never coerces, so a wrong type is an error.
"""

from collections.abc import Iterable

import pandera.pandas as pa

from loantap.portfolio.dictionary import COLUMNS, RESOLVED, RUNNING, Column, Kind, Table, columns_of

_DTYPES = {
	Kind.NUMBER: "float64",
	Kind.COUNT: "float64",
	Kind.CATEGORY: "str",
	Kind.TEXT: "str",
	Kind.MONTH: "datetime64[s]",
	Kind.DATE: "datetime64[s]",
	Kind.FLAG: "int8",
}


def column_schema(column: Column) -> pa.Column:
	"""Check of one column: type, range, valid values, missing or not."""
	checks: list[pa.Check] = []
	if column.minimum is not None:
		checks.append(pa.Check.ge(column.minimum))
	if column.maximum is not None:
		checks.append(pa.Check.le(column.maximum))
	if column.values or column.categories:
		checks.append(pa.Check.isin([*column.values, *column.categories]))
	if column.kind is Kind.FLAG:
		checks.append(pa.Check.isin([0, 1]))
	return pa.Column(_DTYPES[column.kind], checks, nullable=column.nullable, description=column.meaning)


def table_schema(name: str, columns: Iterable[Column], unique: list[str], **further: pa.Column) -> pa.DataFrameSchema:
	"""Schema of a table with exactly these columns, unique in its grain."""
	checks = {column.name: column_schema(column) for column in columns}
	return pa.DataFrameSchema(checks | further, strict=True, unique=unique, name=name)


def _keep(names: Iterable[str]) -> list[Column]:
	return [COLUMNS[name] for name in names]


_BOOKKEEPING = ("loan_id", "updated_at", "origin")
_DERIVED = ("funded_principal", "state", "pincode")
_APPLICATION_COLUMNS = [c for c in columns_of(Table.APPLICATIONS) if c.name != "address"]


def _status_of(words: Iterable[str]) -> pa.Column:
	meaning = COLUMNS["loan_status"].meaning
	return pa.Column("str", pa.Check.isin([*words]), description=meaning)


_OF_A_LOAN = [*columns_of(Table.LOANS), *_APPLICATION_COLUMNS, *_keep(_BOOKKEEPING + _DERIVED)]

_RESOLVED = [*_OF_A_LOAN, COLUMNS["is_charged_off"]]
LOANS = table_schema("loans", _RESOLVED, unique=["loan_id"], loan_status=_status_of(RESOLVED))
# Running ones among them, where the target is one of a window.
LABELLED_LOANS = table_schema("labelled_loans", _RESOLVED, unique=["loan_id"])

# One row per loan that still runs; whether it will be charged off nobody knows.
RUNNING_LOANS = table_schema("running_loans", _OF_A_LOAN, unique=["loan_id"], loan_status=_status_of(RUNNING))

LOAN_MONTHS = table_schema(
	"loan_months",
	[*columns_of(Table.LOAN_EVENTS), *_keep(_BOOKKEEPING)],
	unique=["loan_id", "month"],
	months_on_book=pa.Column("int64", pa.Check.ge(0)),
)

# One row per row set aside.
QUARANTINE = pa.DataFrameSchema(
	{"loan_id": pa.Column("str", nullable=True), "row": pa.Column("int64", pa.Check.ge(1)), "reason": pa.Column("str")},
	strict=True,
	name="quarantine",
)

# One row per loan whose instalment is not the EMI of its terms.
INSTALMENT_EXCEPTIONS = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str", unique=True),
		**{
			name: pa.Column("float64")
			for name in (
				"loan_amount",
				"interest_rate_pct",
				"term_months",
				"instalment",
				"emi",
				"difference",
				"funded_principal",
			)
		},
	},
	strict=True,
	name="instalment_exceptions",
)

_RATE = pa.Check.in_range(0, 1)

# One row per source table.
RECONCILIATION = pa.DataFrameSchema(
	{
		"table": pa.Column("str", unique=True),
		"origin": pa.Column("str"),
		"extracted": pa.Column("int64", pa.Check.gt(0)),
		"kept": pa.Column("int64", pa.Check.gt(0)),
		"running": pa.Column("int64", pa.Check.ge(0)),
		"left_out": pa.Column("int64", pa.Check.ge(0)),
		"quarantined": pa.Column("int64", pa.Check.ge(0)),
		"difference": pa.Column("int64", pa.Check.eq(0)),
		"quarantined_share": pa.Column("float64", _RATE),
	},
	strict=True,
	name="reconciliation",
)
