import logging

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.databases.backends.embedded import DuckDBTransaction
from loantap.databases.merge import POSITION
from loantap.portfolio.errors import InputError
from tests.datasets.target_runs import ask, make_target, read, refusal, tables, write

_INDEXES = "SELECT 1 FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"
_execute = DuckDBTransaction.execute


def _insert_twice(transaction, statement):
	if statement.startswith("INSERT"):
		statement = statement.partition(" WHERE NOT EXISTS")[0]
		_execute(transaction, statement)
	return _execute(transaction, statement)


@pytest.fixture
def credentials(duckdb_credentials):
	return duckdb_credentials


@pytest.fixture
def changes(caplog):
	caplog.set_level(logging.DEBUG, "loantap.datasets.target_table")

	def last_change():
		said = [message for message in caplog.messages if "unchanged" in message]
		return said[-1].removeprefix("warehouse, table portfolio: ")

	return last_change


# What keeps a transaction of any size in bounded memory: `make bench-full`.


def test_the_embedded_table_has_no_index_on_its_key(loans, credentials):
	write(credentials, loans)

	assert ask(credentials, _INDEXES) == []


@pytest.mark.parametrize("mode", ["replace", "upsert"])
def test_rows_that_were_lost_or_doubled_on_the_way_change_nothing(mode, loans, credentials, monkeypatch):
	write(credentials, loans)
	monkeypatch.setattr(DuckDBTransaction, "execute", _insert_twice)

	error = refusal(make_target(credentials, mode=mode), loans.assign(mort_acc=1.0))

	assert error.problem == "the merge would leave 6 of the run's rows in the table, not 3"
	assert_frame_equal(read(credentials), loans, check_dtype=False)


@pytest.mark.parametrize(
	("meddle", "arrived"),
	[
		("DELETE FROM {0} WHERE {1} = 2", 2),
		("INSERT INTO {0} SELECT * REPLACE ('d-1' AS loan_id, 3 AS {1}) FROM {0} LIMIT 1", 4),
	],
	ids=["lost", "extra"],
)
def test_what_waits_must_be_what_was_sent(meddle, arrived, loans, credentials):
	write(credentials, loans)
	target = make_target(credentials)
	target.save(loans.assign(mort_acc=1.0))
	[staged] = [name for name in tables(credentials) if "__staged_" in name]
	ask(credentials, meddle.format(f'"{staged}"', f'"{POSITION}"'))

	with pytest.raises(InputError, match=f"3 rows were sent, and {arrived} are in the staging table"):
		target.publish()
	assert_frame_equal(read(credentials), loans, check_dtype=False)


def test_a_table_loses_the_index_on_its_key_and_keeps_rows_and_views(loans, credentials, changes):
	write(credentials, loans)
	ask(credentials, "ALTER TABLE portfolio ADD PRIMARY KEY (loan_id)")
	ask(credentials, "CREATE VIEW seen AS SELECT loan_id, mort_acc FROM portfolio")

	changed = loans.assign(mort_acc=[5.0, *loans["mort_acc"][1:]])
	write(credentials, changed)

	assert changes() == "0 rows inserted, 1 updated, 0 deleted, 2 unchanged"
	assert_frame_equal(read(credentials), changed, check_dtype=False)
	assert read(credentials, "seen")["mort_acc"].iloc[0] == 5
	assert ask(credentials, _INDEXES) == []


def test_only_rows_that_differ_are_written(loans, credentials, changes):
	write(credentials, loans)
	new = loans.tail(1).assign(loan_id="d-1")
	changed = loans.iloc[[1]].assign(mort_acc=5.0)
	write(credentials, pd.concat([new, changed, loans.tail(1)]))

	assert changes() == "1 rows inserted, 1 updated, 1 deleted, 1 unchanged"
	assert read(credentials)["loan_id"].tolist() == ["b-1", "c-1", "d-1"]
	assert read(credentials)["mort_acc"].tolist() == [5.0, 0.0, 0.0]


def test_a_value_may_go_missing_and_come_back(loans, credentials):
	write(credentials, loans)
	titles = pd.Series([None, "Baker", "Bäcker"], dtype="str")
	swapped = loans.assign(mort_acc=[None, 1.0, 0.0], emp_title=titles)
	write(credentials, swapped)

	assert_frame_equal(read(credentials), swapped, check_dtype=False)


def test_rows_with_the_same_key_are_refused_before_anything_is_written(loans, credentials):
	write(credentials, loans)
	doubled = pd.concat([loans.head(2), loans.head(1)]).assign(new=1)

	error = refusal(make_target(credentials), doubled)

	assert error.problem == "the key loan_id is not unique: 2 rows have loan_id a-1"
	assert_frame_equal(read(credentials), loans, check_dtype=False)


@pytest.mark.parametrize("columns", [["loan_id", "month"], ["loan_id"]], ids=["two", "one"])
def test_a_table_of_nothing_but_its_key(columns, loans, credentials, changes):
	rows = loans.assign(month=1)[columns]
	write(credentials, rows, key=columns)
	write(credentials, rows.tail(2), key=columns)

	assert changes() == "0 rows inserted, 0 updated, 1 deleted, 2 unchanged"


def test_rows_of_earlier_runs_stay(loans, credentials, changes):
	write(credentials, loans.head(2), mode="upsert")
	write(credentials, loans.tail(2).assign(int_rate=1.0), mode="upsert")

	assert changes() == "1 rows inserted, 1 updated, 0 deleted, 0 unchanged"
	assert read(credentials)["int_rate"].tolist() == [10.1, 1.0, 1.0]


def test_upserting_of_rows_with_the_same_key_the_last_one_counts(loans, credentials, changes):
	write(credentials, [loans, loans.head(2).assign(int_rate=[7.0, 8.0])], mode="upsert")

	assert changes() == (
		"3 rows inserted, 0 updated, 0 deleted, 0 unchanged, 2 passed over for a later one with the same key"
	)
	assert read(credentials)["int_rate"].tolist() == [7.0, 8.0, 12.75]


def test_a_new_column_is_added_and_one_no_longer_made_is_empty_in_new_rows(loans, credentials, caplog):
	write(credentials, loans.head(2))
	ask(credentials, "ALTER TABLE portfolio ALTER COLUMN int_rate SET NOT NULL")
	write(credentials, loans.drop(columns="int_rate").assign(state="OK"))

	assert read(credentials)["state"].tolist() == ["OK"] * 3
	assert read(credentials)["int_rate"].isna().tolist() == [False, False, True]
	assert "warehouse, table portfolio: this release no longer fills column int_rate" in caplog.text


def test_a_column_of_another_type_is_refused_before_anything_changes(loans, credentials):
	write(credentials, loans)

	error = refusal(make_target(credentials), loans.assign(int_rate="high", state="OK"))

	assert "column int_rate is of type double, and its new values are text" in error.problem
	assert "ALTER TABLE" in error.remedy
	assert_frame_equal(read(credentials), loans, check_dtype=False)


def test_a_table_that_an_earlier_release_made_is_taken_over(loans, credentials, changes):
	"""It has no key, and the types of the frame it was made of."""
	write(credentials, loans.assign(is_bad=0), table="other")
	ask(
		credentials,
		"CREATE TABLE portfolio AS SELECT * REPLACE (CAST(is_bad AS TINYINT) AS is_bad, "
		"CAST(updated_at AS TIMESTAMP_S) AS updated_at) FROM other",
	)
	write(credentials, loans.assign(is_bad=[0, 1, 0]))

	assert changes() == "0 rows inserted, 1 updated, 0 deleted, 2 unchanged"


def test_what_others_built_on_the_table_stays(loans, credentials):
	write(credentials, loans)
	ask(credentials, "CREATE VIEW rates AS SELECT loan_id, int_rate FROM portfolio")
	ask(credentials, "CREATE INDEX by_title ON portfolio (emp_title)")

	write(credentials, loans.head(1).assign(int_rate=5.0))

	assert ask(credentials, "FROM rates") == [("a-1", 5.0)]
	assert ask(credentials, "SELECT index_name FROM duckdb_indexes()") == [("by_title",)]
