"""A source behind ODBC, for real: SQLite's ODBC driver makes any SQLite file such a source."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from kedro.io import DatasetError

from loantap.datasets import SourceTableDataset
from loantap.datasets.backends import Odbc, _redact, _widen_floats
from loantap.portfolio.errors import InputError
from tests.conftest import require

APT = "apt-get install unixodbc libsqliteodbc"
PASSWORD = "s3cret-pa55word"  # noqa: S105 (made up)


@pytest.fixture(scope="module")
def driver() -> str:
    """Name under which the driver manager knows SQLite's driver."""
    try:
        listed = subprocess.run(
            ["odbcinst", "-q", "-d"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    except FileNotFoundError:
        listed = ""
    require("[SQLite3]" in listed, f"SQLite's ODBC driver is not installed: {APT}")
    pytest.importorskip("arrow_odbc", reason="needs pip install loantap[odbc]")
    return "SQLite3"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A SQLite file with 5,000 loans, text, numbers and missing values."""
    path = tmp_path / "appstream.sqlite"
    rows = [
        (f"{n:05d}", n / 3, None if n % 7 == 0 else n, None if n % 5 == 0 else "Bäcker\r\nOK 22690")
        for n in range(5_000)
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE loans (loan_id VARCHAR(20), int_rate DOUBLE, mort_acc INTEGER, "
            "address VARCHAR(200))"
        )
        connection.executemany("INSERT INTO loans VALUES (?, ?, ?, ?)", rows)
    return path


def make_table(driver: str, database: Path, **changes: object) -> SourceTableDataset:
    connection_string = f"Driver={{{driver}}};Database={database};Uid=reader;Pwd={PASSWORD};"
    given = {
        "system": "appstream",
        "table": "loans",
        "credentials": {"backend": "odbc", "connection_string": connection_string},
        "batch_rows": 1_000,
    }
    return SourceTableDataset(**(given | changes))


def test_rows_arrive_in_batches_with_their_values(driver: str, database: Path) -> None:
    batches = list(make_table(driver, database).load())

    assert [batch.num_rows for batch in batches] == [1_000] * 5
    rows = pa.Table.from_batches(batches).to_pandas()
    assert rows["loan_id"].tolist()[:2] == ["00000", "00001"]
    assert rows["mort_acc"].isna().sum() == 715
    assert rows["address"].isna().sum() == 1_000
    assert rows["address"][1] == "Bäcker\r\nOK 22690"


def test_doubles_stay_doubles(driver: str, database: Path) -> None:
    reader = make_table(driver, database).load()

    assert reader.schema.field("int_rate").type == pa.float64()
    # SQLite's driver passes 15 digits; a float32 would keep 7.
    expected = pytest.approx([n / 3 for n in range(5_000)], rel=1e-14)
    assert reader.read_pandas()["int_rate"].tolist() == expected


@pytest.mark.parametrize(
    "narrow",
    [pa.float32(), pa.float16(), pa.float64(), pa.decimal128(12, 2)],
    ids=["float32", "float16", "float64", "decimal"],
)
def test_whatever_a_driver_makes_of_a_number_it_is_read_as_float64(narrow: pa.DataType) -> None:
    schema = pa.schema([("amount", narrow), ("loan_id", pa.string()), ("count", pa.int64())])

    assert _widen_floats(schema).types == [pa.float64(), pa.string(), pa.int64()]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": "nowhere"}, "no such table: nowhere"),
        ({"query": "tests:no_such_column.sql"}, "no such column: colour"),
    ],
    ids=["table", "column"],
)
def test_what_is_not_there_is_said_in_the_drivers_words(
    changes: dict[str, str],
    said: str,
    driver: str,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "query" in changes:
        monkeypatch.setattr(SourceTableDataset, "_sql", lambda self: "SELECT colour FROM loans")
    table = make_table(driver, database, **changes)

    with pytest.raises(DatasetError, match=said) as refused:
        table.load()
    assert isinstance(refused.value.__cause__, InputError)
    assert refused.value.__cause__.where == "appstream"
    assert "Check the driver, the address, the login" in refused.value.__cause__.remedy


@pytest.mark.parametrize(
    ("driver_name", "file"),
    [("SQLite3", "no/such/folder/loans.sqlite"), ("No Such Driver", "loans.sqlite")],
)
def test_no_error_tells_the_password(
    driver_name: str, file: str, driver: str, tmp_path: Path
) -> None:
    table = make_table(driver_name, tmp_path / file)

    with pytest.raises(DatasetError, match=r"over ODBC failed: .*State") as refused:
        table.load()

    error: BaseException | None = refused.value
    while error is not None:
        assert PASSWORD not in str(error)
        error = error.__cause__


@pytest.mark.parametrize("key", ["Pwd", "PASSWORD", "Token", "Auth_AccessToken"])
@pytest.mark.parametrize("value", [PASSWORD, f"{{{PASSWORD}}}"], ids=["plain", "braced"])
def test_a_driver_that_repeats_a_secret_is_not_quoted(key: str, value: str) -> None:
    connection_string = f"Driver={{X}};Server=db;{key}={value};"

    shown = _redact(f"login failed for {PASSWORD} at db", connection_string)

    assert shown == "login failed for *** at db"


def test_without_the_driver_manager_the_packages_to_install_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "arrow_odbc", None)

    with pytest.raises(InputError, match=r"loantap\[odbc\].*unixodbc") as refused:
        Odbc("appstream", f"Driver={{X}};Pwd={PASSWORD}").read("SELECT 1", 10)
    assert PASSWORD not in str(refused.value)


def test_a_real_system_is_never_written_to(loans: pd.DataFrame) -> None:
    table = SourceTableDataset(
        system="appstream",
        table="loans",
        credentials={"backend": "odbc", "connection_string": "Driver={X}"},
    )

    assert not table.is_embedded
    with pytest.raises(DatasetError, match=r"table loans\w* would be written to a real system"):
        table.save(loans)


def test_a_connection_string_that_was_never_set_is_named() -> None:
    table = SourceTableDataset(
        system="warehouse",
        table="loans",
        credentials={"backend": "odbc", "connection_string": "WAREHOUSE_ODBC is not set"},
    )

    with pytest.raises(DatasetError, match="'WAREHOUSE_ODBC is not set' is not an ODBC") as refused:
        table.load()
    assert "Set the environment variable" in str(refused.value)


def test_drivers_are_imported_only_when_they_are_used() -> None:
    program = (
        "import sys, loantap.datasets; "
        "print([name for name in ('arrow_odbc', 'pyodbc', 'ibm_db') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "[]"
