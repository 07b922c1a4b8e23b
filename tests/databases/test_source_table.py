from datetime import datetime
from importlib.resources import files

import duckdb
import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.databases import source_table
from loantap.databases.source_table import Account, SourceTable
from loantap.datasets import SourceTableDataset
from loantap.portfolio.dictionary import KEYS, Table, columns_of
from loantap.portfolio.errors import InputError
from tests.databases.source_frames import make_source

DAY = datetime(2026, 11, 23)  # noqa: DTZ001 (UTC without a zone, as sources hold it)


@pytest.fixture
def rows():
	return make_source(
		Table.LOANS,
		int_rate=[10.1, 1 / 3, None],
		grade=["B", None, "Bäcker\r\n👩"],
		updated_at=pd.to_datetime(["2026-11-21", "2026-11-23", None]),
	)


@pytest.fixture
def dataset(duckdb_credentials):
	return make_dataset(duckdb_credentials)


def make_dataset(credentials, **changes):
	table = changes.get("table", "loans")
	given = {
		"system": "warehouse",
		"table": table,
		"query": f"loantap.pipelines.ingestion:sql/{table}.sql",
		"credentials": credentials,
	}
	return SourceTableDataset(**(given | changes))


def read(dataset):
	return dataset.load().read().read_pandas()


@pytest.mark.parametrize(
	("silence", "limit", "given"), [(120, 1_800, 123), (3_600, 60, 63), (float("inf"),) * 2 + (86_403,)]
)
def test_a_system_is_told_a_limit_that_any_can_keep(silence, limit, given, monkeypatch):
	told = []
	monkeypatch.setattr(source_table, "make_backend", lambda *arguments: told.append(arguments[2]))
	credentials = {"connection": "Driver=x;"}
	make_dataset(credentials, silence_limit_s=silence, time_limit_s=limit).load()._backend()

	assert told == [given]


def test_a_table_reads_back_as_it_was_written(dataset, rows):
	dataset.save(rows)

	assert_frame_equal(read(dataset)[rows.columns], rows, check_dtype=False)
	assert read(dataset)["int_rate"].dtype == "float64"


def test_rows_come_in_batches_of_the_size_asked_for(duckdb_credentials, rows):
	dataset = make_dataset(duckdb_credentials, batch_rows=2_048)
	dataset.save(rows.loc[rows.index.repeat(3_000)])

	sizes = [batch.num_rows for batch in dataset.load().read()]

	assert sum(sizes) == 9_000
	assert len(sizes) > 1
	assert max(sizes) <= 2_048


def test_what_changed_since_is_read_and_what_has_no_time(dataset, rows):
	dataset.save(rows)

	changed = dataset.load().read(DAY).read_pandas()

	assert changed["loan_id"].tolist() == ["loan 1", "loan 2"]


def test_the_account_says_what_a_reading_would_give(dataset, rows):
	dataset.save(rows)
	first = datetime(2026, 11, 21)  # noqa: DTZ001

	assert dataset.load().account() == Account(3, first, DAY, updated=3)
	assert dataset.load().account(DAY) == Account(3, first, DAY, updated=2)
	dataset.save(rows.head(0))
	assert dataset.load().account() == Account(0, None, None, 0)
	assert read(dataset).empty


@pytest.mark.parametrize("to_the_end", [True, False], ids=["the end", "a batch"])
def test_the_file_is_released_by_a_reader_that_has_ended_or_is_let_go(to_the_end, dataset, rows, duckdb_credentials):
	dataset.save(rows.loc[rows.index.repeat(100_000)])
	reader = dataset.load().read()
	if to_the_end:
		reader.read_all()
	else:
		reader.read_next_batch()
		del reader

	with duckdb.connect(duckdb_credentials["path"], read_only=False) as writer:
		assert writer.execute("SELECT count(*) FROM loans").fetchone() == (300_000,)


@pytest.mark.parametrize("table", list(Table))
def test_rows_are_told_apart_by_the_key_of_the_dictionary(table, duckdb_credentials):
	assert make_dataset(duckdb_credentials, table=table.value).load().key == KEYS[table]


class TestFingerprint:
	"""Another query, table or place means other rows; another password does not."""

	def of(self, **changes):
		credentials = {"connection": "Driver={X};Server=a;Pwd=one"}
		return make_dataset(**({"credentials": credentials} | changes)).load().fingerprint

	def test_it_is_the_same_as_long_as_the_rows_are(self):
		assert self.of() == self.of()
		assert self.of() == self.of(credentials={"connection": "Driver={X};Server=a;Pwd=two"})
		assert self.of() == self.of(batch_rows=1, time_limit_s=1)

	@pytest.mark.parametrize(
		"changes",
		[
			{"credentials": {"connection": "Driver={X};Server=b;Pwd=one"}},
			{"credentials": {"backend": "duckdb", "path": "x"}},
			{"table": "applications"},
			{"query": "loantap.pipelines.ingestion:sql/applications.sql"},
			{"system": "appstream"},
		],
		ids=["server", "backend", "table", "query", "system"],
	)
	def test_it_is_another_one_where_they_may_not_be(self, changes):
		assert self.of(**changes) != self.of()


# The columns of a table are held against the data dictionary before a row is read.


def test_a_new_column_is_ignored_with_one_warning(dataset, rows, caplog):
	dataset.save(rows.assign(colour="blue", shape="round"))
	source = dataset.load()

	assert "colour" not in source.read().schema.names
	assert source.read().read_all().num_rows == 3
	assert caplog.messages == ["warehouse, table loans: new columns colour, shape are ignored"]


@pytest.mark.parametrize("column", ["updated_at", "int_rate"])
def test_a_missing_column_is_named(column, dataset, rows):
	dataset.save(rows.drop(columns=column))

	with pytest.raises(InputError, match=f"table loans: column {column} is missing") as refused:
		read(dataset)
	assert "restored at the source" in refused.value.remedy


@pytest.mark.parametrize(
	("column", "values", "said"),
	[
		("int_rate", "10.1", "int_rate is held as string, not as number"),
		("grade", 2.0, "grade is held as double, not as text"),
		("updated_at", "2026-11-23", "updated_at is held as string, not as time"),
		("issue_d", True, "issue_d is held as bool, not as text or time"),
	],
)
def test_a_retyped_column_is_named(column, values, said, dataset, rows):
	dataset.save(rows.assign(**{column: values}))

	with pytest.raises(InputError, match=f"warehouse, table loans: column {said}"):
		read(dataset)


def test_contract_names_may_be_in_upper_case(dataset, rows):
	dataset.save(rows.rename(columns=str.upper))

	assert_frame_equal(read(dataset)[rows.columns], rows, check_dtype=False)


def test_columns_of_later_frames_are_matched_by_name(dataset, rows):
	dataset.save([rows, rows[rows.columns[::-1]]])

	later = read(dataset).tail(3).reset_index(drop=True)[rows.columns]
	assert_frame_equal(later, rows, check_dtype=False)


@pytest.mark.parametrize("failure", ["the source of frames", "a column of another type"])
def test_a_failing_second_frame_leaves_the_old_table(failure, dataset, rows):
	def frames():
		yield rows.head(1)
		if failure == "the source of frames":
			raise ValueError("connection lost")
		yield rows.assign(int_rate="plenty")

	dataset.save(rows)

	with pytest.raises(DatasetError, match=r"connection lost|Could not convert"):
		dataset.save(frames())
	assert len(read(dataset)) == 3


def test_a_real_system_is_never_written_to(rows):
	dataset = make_dataset({"connection": "Driver={X};Server=db"})

	assert not dataset.is_embedded
	for given in (rows, iter([rows])):
		with pytest.raises(DatasetError, match="table loans: it belongs to a real system"):
			dataset.save(given)


@pytest.mark.parametrize("table", list(Table))
def test_queries_ask_for_the_columns_of_the_dictionary_and_no_other(table, duckdb_credentials):
	expected = {str(c.source_name) for c in columns_of(table)}
	dataset = make_dataset(duckdb_credentials, table=table.value)
	dataset.save(make_source(table).assign(not_asked_for="x"))

	assert set(read(dataset).columns) == expected | {"loan_id", "updated_at", "origin"}


def test_queries_are_portable():
	"""No quoting, function, alias or limit: nothing the three spell each their way."""
	for query in files("loantap.pipelines.ingestion").joinpath("sql").iterdir():
		statement = [line for line in query.read_text("utf-8").splitlines() if not line.startswith("--")]
		assert not set("\"`'()[]*;") & set("".join(statement)), query.name
		assert not {"LIMIT", "AS"} & set(" ".join(statement).upper().split()), query.name


def test_a_database_is_named_with_the_remedy(dataset, duckdb_credentials):
	assert not dataset.exists()
	source = dataset.load()
	with pytest.raises(InputError) as refused:
		source.read()
	assert source.where == "warehouse, table loans"
	assert refused.value.where == f"warehouse, table loans ({duckdb_credentials['path']})"
	assert "cannot be opened" in refused.value.problem
	assert "kedro run --pipelines sources" in refused.value.remedy


def test_a_table_is_named_with_the_remedy(dataset, duckdb_credentials):
	make_dataset(duckdb_credentials, table="applications").save(make_source(Table.APPLICATIONS))

	assert not dataset.exists()
	with pytest.raises(InputError) as refused:
		read(dataset)
	assert "Table with name loans does not exist" in refused.value.problem
	assert "kedro run --pipelines sources" in refused.value.remedy


def test_what_is_not_there_of_a_real_system_it_is_taken_as_given_without_connecting(dataset, rows):
	dataset.save(rows)

	assert dataset.exists()
	assert dataset.is_embedded
	assert make_dataset({"connection": "Driver={X};Server=db"}).exists()


def test_a_file_that_is_no_database_is_refused(tmp_path):
	path = tmp_path / "notes.duckdb"
	path.write_text("not a database, only some text that is long enough to be read" * 100)

	with pytest.raises(InputError, match="cannot be opened"):
		read(make_dataset({"backend": "duckdb", "path": str(path)}))


# Checked when they are needed, never when a dataset is made: Kedro makes all of them.


@pytest.mark.parametrize(
	("credentials", "said", "remedy"),
	[
		({"backend": "oracle", "path": "x"}, "entries ['backend', 'path']", "backend: duckdb"),
		({}, "entries [] are not understood", "`connection` with a connection text"),
		({"connection": "LOANTAP_X is not set"}, "variable LOANTAP_X is not set", "Driver="),
		({"connection": " "}, "the environment variable is empty", "docs/sources.md names"),
		({"connection": "Drivr={X};Pwd=s3cret"}, "names no driver", "odbcinst -q -d"),
		({"connection": "FILEDSN=x.dsn;Pwd=s3cret"}, "names no driver", "DSN=.."),
		({"connection": "s3cret"}, "a form that is not understood", "databricks://"),
		({"connection": "oracle://u:s3cret@h/db"}, "a form that is not", "db2+ibm_db://"),
		({"connection": "Driver={PostgreSQL ANSI};Pwd=s3cret"}, "ANSI", "{PostgreSQL Unicode}"),
		# As an ODBC driver, what comes with ibm_db ends the process.
		({"connection": "Driver=/x/clidriver/lib/libdb2.so"}, "garbles NULLs", "db2+ibm_db://"),
	],
)
def test_credentials_those_that_cannot_be_used_are_refused_with_the_remedy(credentials, said, remedy):
	dataset = make_dataset(credentials)

	for ask in (dataset.require_credentials, lambda: dataset.load().read()):
		with pytest.raises(InputError) as refused:
			ask()
		assert "warehouse" in refused.value.where
		assert said in refused.value.problem
		assert remedy in refused.value.remedy
		assert "s3cret" not in str(refused.value)


def test_credentials_never_show():
	dataset = make_dataset({"connection": "Driver={X};Uid=me;Pwd=s3cret"})

	assert "s3cret" not in repr(dataset)
	assert "s3cret" not in repr(dataset.load())
	assert isinstance(dataset.load(), SourceTable)
