import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query, plain_schema, to_plain
from loantap.portfolio.errors import InputError
from tests.conftest import require
from tools.sources.system_packages import is_driver_installed

APT = "apt-get install unixodbc libsqliteodbc"
PASSWORD = "s3cret-pa55word"  # noqa: S105 (made up)
EVERYTHING = Query("SELECT * FROM loans")


@pytest.fixture(scope="module")
def driver():
	require(is_driver_installed("SQLite3"), f"SQLite's ODBC driver is not installed: {APT}")
	pytest.importorskip("arrow_odbc", reason="needs pip install loantap[odbc]")
	return "SQLite3"


@pytest.fixture
def database(tmp_path):
	"""A SQLite file with 5,000 loans, text, numbers and missing values."""
	path = tmp_path / "appstream.sqlite"
	rows = [(f"{n:05d}", n / 3, None if n % 5 == 0 else "Bäcker\r\nOK") for n in range(5_000)]
	with closing(sqlite3.connect(path)) as connection, connection:
		columns = "loan_id VARCHAR(20), int_rate DOUBLE, address VARCHAR(200)"
		connection.execute(f"CREATE TABLE loans ({columns})")
		connection.executemany("INSERT INTO loans VALUES (?, ?, ?)", rows)
	return path


def make_odbc(driver, database):
	text = f"Driver={{{driver}}};Database={database};Uid=reader;Pwd={PASSWORD};"
	return make_backend("appstream", {"connection": text})


def test_rows_arrive_in_batches_with_their_values(driver, database):
	batches = list(make_odbc(driver, database).read(EVERYTHING, batch_rows=1_000))

	assert [batch.num_rows for batch in batches] == [1_000] * 5
	rows = pa.Table.from_batches(batches).to_pandas()
	# SQLite's driver passes 15 digits; a float32 would keep 7.
	assert rows["int_rate"].tolist() == pytest.approx([n / 3 for n in range(5_000)], rel=1e-14)
	assert rows["loan_id"].tolist()[:2] == ["00000", "00001"]
	assert rows["address"].isna().sum() == 1_000
	assert rows["address"][1] == "Bäcker\r\nOK"


def test_parameters_stand_for_the_question_marks(driver, database):
	query = Query("SELECT loan_id FROM loans WHERE loan_id = ? OR loan_id = ?", ("00007", "04999"))

	rows = make_odbc(driver, database).read(query).read_all()

	assert rows["loan_id"].to_pylist() == ["00007", "04999"]


def test_what_the_driver_refuses_is_said_and_quoted(driver, database):
	with pytest.raises(InputError, match=r"appstream: the statement failed .*near .SELEC"):
		make_odbc(driver, database).read(Query("SELEC"))


def test_no_error_tells_the_password(driver, tmp_path):
	with pytest.raises(InputError) as refused:
		make_odbc(driver, tmp_path / "no/such/folder/loans.sqlite").read(EVERYTHING)

	error = refused.value
	while error is not None:
		assert PASSWORD not in f"{error} {vars(error)}"
		error = error.__cause__ or error.__context__


def test_without_the_driver_manager_the_packages_to_install_are_named(monkeypatch):
	monkeypatch.setitem(sys.modules, "arrow_odbc", None)

	with pytest.raises(InputError, match=r"loantap\[odbc\].*unixodbc") as refused:
		make_odbc("SQLite3", Path("x.sqlite")).read(EVERYTHING)
	assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
	("given", "plain"),
	[
		(pa.float32(), pa.float64()),
		(pa.float16(), pa.float64()),
		(pa.decimal128(12, 2), pa.float64()),
		(pa.int16(), pa.int64()),
		(pa.uint8(), pa.int64()),
		(pa.large_string(), pa.string()),
		(pa.null(), pa.string()),
		(pa.date32(), pa.timestamp("us")),
		(pa.timestamp("ns"), pa.timestamp("us")),
		(pa.timestamp("ms", "Asia/Kolkata"), pa.timestamp("us")),
		(pa.bool_(), pa.bool_()),
		(pa.binary(), pa.binary()),
	],
	ids=str,
)
def test_whatever_a_driver_makes_of_a_column_it_is_read_in_a_plain_type(given, plain):
	assert plain_schema(pa.schema([("column", given)])).types == [plain]


def test_a_time_with_a_zone_is_put_into_utc():
	instant = pa.array([1_451_606_400], pa.timestamp("s")).cast(pa.timestamp("s", "Asia/Kolkata"))
	batch = pa.record_batch({"updated_at": instant})

	[plain] = to_plain(batch.schema, [batch])

	assert str(plain["updated_at"][0]) == "2016-01-01 00:00:00"


def test_no_driver_is_imported_and_nothing_connects_before_rows_are_asked_for():
	program = (
		"import sys\n"
		"from loantap.datasets import SourceTableDataset\n"
		"for connection in ('Driver={X};Server=127.0.0.1', 'db2+ibm_db://u:p@127.0.0.1:1/D',\n"
		"    'databricks://token:t@127.0.0.1:1?http_path=/a'):\n"
		"    dataset = SourceTableDataset(system='warehouse', table='loans',\n"
		"        query='loantap.pipelines.ingestion:sql/loans.sql',\n"
		"        credentials={'connection': connection})\n"
		"    dataset.require_credentials()\n"
		"    assert dataset.exists()\n"
		"    dataset.load()\n"
		"drivers = ('arrow_odbc', 'pyodbc', 'ibm_db', 'databricks.sql')\n"
		"print([name for name in drivers if name in sys.modules])"
	)
	said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
	assert said.strip() == "[]"
