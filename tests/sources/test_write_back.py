import logging
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from loantap.datasets import TargetTableDataset
from tests.sources.our_tables import (
	TABLE,
	assert_holds,
	holds_one_of,
	make_loans,
	make_target,
	read,
	refusal,
	tables,
	write,
)
from tools.sources.postgres import READER


@pytest.fixture
def loans():
	return make_loans(3)


@pytest.mark.parametrize("settings", ["", "UseServerSidePrepare=0;", "UseDeclareFetch=1;"])
def test_every_value_survives_whatever_the_connection_string_sets(settings, warehouse):
	texts = ["Bäcker 😀", "12 Nowhere Lane\r\nOK", "\\ \" ' {NULL} , ? $1 %s", "", None]
	rows = pa.table(
		{
			"loan_id": ["a", "b", "c", "d", "e"],
			"text": texts,
			"number": [1 / 3, float("nan"), -5e-324, 1.7976931348623157e308, None],
			"whole": [2**63 - 1, -(2**63), 0, 1, None],
			"flag": [True, False, None, None, None],
			"time": pa.array([0, 1_700_000_000_123_456, -1, 1, None], pa.timestamp("us")),
		}
	)
	connection = warehouse.owner_connection + settings
	write(connection, rows)

	found = make_target(connection).load().read_all().sort_by("loan_id")
	# As text, in which NaN equals NaN and not a missing value.
	assert [str(row) for row in found.to_pylist()] == [str(row) for row in rows.to_pylist()]


def test_a_text_that_postgresql_cannot_hold_is_refused_by_its_column(warehouse, loans):
	error = refusal(warehouse, loans.assign(profession="nul\0l"))

	assert "column profession has a text with the character NUL" in error.problem
	assert tables(warehouse) == []


def test_the_table_is_made_with_its_key_and_types(warehouse, loans):
	write(warehouse.owner_connection, loans.assign(is_new=True))

	described = warehouse.run_sql(
		"SELECT column_name, data_type FROM information_schema.columns "
		"WHERE table_name = 'portfolio' ORDER BY ordinal_position"
	)
	assert described.splitlines() == [
		"loan_id|text",
		"interest_rate_pct|double precision",
		"months|bigint",
		"profession|text",
		"updated_at|timestamp without time zone",
		"is_new|boolean",
	]
	keys = "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
	assert "PRIMARY KEY (loan_id)" in warehouse.run_sql(f"{keys} WHERE conrelid = '{TABLE}'::regclass")


def test_a_new_column_is_added_and_one_no_longer_made_stays(warehouse, loans, caplog):
	write(warehouse.owner_connection, loans.head(2))
	warehouse.run_sql(f"ALTER TABLE {TABLE} ALTER COLUMN months SET NOT NULL")

	write(warehouse.owner_connection, loans.drop(columns="months").assign(state="OK"))

	found = read(warehouse)
	assert found["state"].tolist() == ["OK"] * 3
	assert found["months"].isna().tolist() == [False, False, True]
	assert "this release no longer fills column months; it stays, empty in new rows" in caplog.text


@pytest.mark.parametrize(("declared", "fits"), [("varchar(80)", True), ("numeric", False), ("jsonb", False)])
def test_a_column_that_others_retyped_is_used_if_it_fits_or_else_named(declared, fits, warehouse, loans):
	write(warehouse.owner_connection, loans)
	column = "profession" if fits else "interest_rate_pct"
	using = "USING to_jsonb(interest_rate_pct)" if declared == "jsonb" else ""
	warehouse.run_sql(f"ALTER TABLE {TABLE} ALTER COLUMN {column} TYPE {declared} {using}")
	changed = loans.assign(profession="Baker", state="OK")

	if fits:
		write(warehouse.owner_connection, changed)
		assert_holds(warehouse, changed)
	else:
		error = refusal(warehouse, changed)
		assert f"column {column} is of type {declared}, and its new values" in error.problem
		assert "state" not in read(warehouse)


def test_what_others_built_on_it_stays(warehouse, loans):
	write(warehouse.owner_connection, loans)
	warehouse.run_sql(
		f"GRANT USAGE ON SCHEMA underwriting TO {READER}; GRANT SELECT ON {TABLE} TO {READER};"
		f"CREATE VIEW underwriting.rates AS SELECT interest_rate_pct FROM {TABLE};"
		f"CREATE INDEX by_profession ON {TABLE} (profession);"
	)

	write(warehouse.owner_connection, make_loans(2, version=5).assign(state="OK"))

	assert warehouse.run_sql(f"SELECT count(*) FROM {TABLE}", role=READER) == "2"
	assert warehouse.run_sql("SELECT min(interest_rate_pct) FROM underwriting.rates") == "5"
	indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'portfolio' ORDER BY 1"
	assert warehouse.run_sql(indexes).split() == ["by_profession", "portfolio_pkey"]


def test_any_name_is_taken_literally(warehouse, loans):
	names = {"loan_id": 'the "id"', "months": "select", "profession": "x; DROP TABLE y -- ?"}
	rows, key = loans.rename(columns=names), ['the "id"']
	for _ in range(2):
		write(warehouse.owner_connection, rows, table='a "table"', key=key)

	found = make_target(warehouse.owner_connection, table='a "table"').load().read_pandas()
	assert_frame_equal(found, rows, check_dtype=False)


def versions(server):
	"""Which transaction wrote each row, and where it lies."""
	rows = server.run_sql(f"SELECT loan_id || '|' || xmin || ctid FROM {TABLE}").splitlines()
	return dict(row.split("|") for row in rows)


def test_only_rows_that_differ_are_written(warehouse, loans):
	write(warehouse.owner_connection, loans)
	before = versions(warehouse)
	changed = loans.assign(months=loans["months"].where(loans.index != 1, 99))

	write(warehouse.owner_connection, pd.concat([changed.tail(2), make_loans(4).tail(1)]))

	after = versions(warehouse)
	assert sorted(after) == ["0000001", "0000002", "0000003"]
	assert after["0000002"] == before["0000002"]
	assert after["0000001"] != before["0000001"]


def test_upserted_rows_stay_and_of_equal_keys_the_last_one_counts(warehouse, caplog):
	caplog.set_level(logging.INFO, "loantap")
	write(warehouse.owner_connection, make_loans(4), mode="upsert")
	newer = [make_loans(2, version=1), make_loans(1, version=2)]
	write(warehouse.owner_connection, newer, mode="upsert")

	expected = pd.concat([make_loans(1, 2), make_loans(2, 1).tail(1), make_loans(4).tail(2)], ignore_index=True)
	assert_holds(warehouse, expected)
	assert "2 updated" in caplog.messages[-1]
	assert "1 passed over for a later one with the same key" in caplog.messages[-1]


def test_runs_at_the_same_time_do_not_mix(warehouse):
	"""Neither rows nor the making of the table, which all of them find missing."""
	versions = [make_loans(500, version) for version in range(4)]
	targets = [make_target(warehouse.owner_connection, time_limit_s=20) for _ in versions]
	for target, version in zip(targets, versions, strict=True):
		target.save(version)
	with ThreadPoolExecutor(4) as threads:
		list(threads.map(TargetTableDataset.publish, targets))

	assert holds_one_of(warehouse, *versions)
	assert tables(warehouse) == ["portfolio"]
