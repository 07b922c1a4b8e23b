"""A source table reads the same whichever system holds it, and is written in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import SourceTableDataset
from loantap.datasets.staged import Publishable
from loantap.portfolio.dictionary import Table, columns_of
from loantap.portfolio.errors import InputError


def make_table(credentials: dict[str, str], **changes: object) -> SourceTableDataset:
    given = {"system": "warehouse", "table": "loans", "credentials": credentials}
    return SourceTableDataset(**(given | changes))


def write(dataset: SourceTableDataset, data: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
    """Save in a run that succeeds."""
    dataset.save(data)
    dataset.publish()


def read(dataset: SourceTableDataset) -> pd.DataFrame:
    return dataset.load().read_pandas()


def test_a_table_reads_back_as_it_was_written(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    table = make_table(duckdb_credentials)
    write(table, loans)

    assert_frame_equal(read(table), loans, check_dtype=False)
    assert read(table)["int_rate"].dtype == "float64"


def test_several_frames_make_one_table_in_order(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    table = make_table(duckdb_credentials)
    write(table, (loans.iloc[[row]] for row in range(3)))

    assert read(table)["loan_id"].tolist() == loans["loan_id"].tolist()


def test_columns_of_later_frames_are_matched_by_name(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    table = make_table(duckdb_credentials)
    write(table, [loans, loans[loans.columns[::-1]]])

    assert_frame_equal(read(table).tail(3).reset_index(drop=True), loans, check_dtype=False)


def test_rows_come_in_batches_of_the_size_asked_for(duckdb_credentials: dict[str, str]) -> None:
    table = make_table(duckdb_credentials, batch_rows=2_048)
    write(table, pd.DataFrame({"loan_id": range(10_000)}))

    sizes = [batch.num_rows for batch in table.load()]

    assert sum(sizes) == 10_000
    assert len(sizes) > 1
    assert max(sizes) <= 2_048


def test_writing_again_replaces_the_table(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    table = make_table(duckdb_credentials)
    write(table, loans)
    write(table, loans.head(1))

    assert len(read(table)) == 1


@pytest.mark.parametrize("failure", ["the source of frames", "a column of another type"])
def test_a_failing_second_frame_leaves_the_old_table(
    failure: str, loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    def frames() -> Iterator[pd.DataFrame]:
        yield loans.head(1)
        if failure == "the source of frames":
            raise ValueError("connection lost")
        yield loans.assign(int_rate="plenty")

    table = make_table(duckdb_credentials)
    write(table, loans)

    with pytest.raises(DatasetError, match=r"connection lost|Could not convert"):
        write(table, frames())

    assert_frame_equal(read(table), loans, check_dtype=False)


class TestOutputs:
    """A table without a query is an output: it takes its place when the run has succeeded."""

    @pytest.fixture
    def table(self, loans: pd.DataFrame, duckdb_credentials: dict[str, str]) -> SourceTableDataset:
        """A table with a last good version of three rows, and one row saved by this run."""
        write(make_table(duckdb_credentials), loans)
        table = make_table(duckdb_credentials)
        table.save(loans.head(1))
        return table

    def tables(self, credentials: dict[str, str]) -> dict[str, int]:
        """Rows of each table in the database."""
        with duckdb.connect(credentials["path"], read_only=True) as connection:
            names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
            return {name: len(connection.table(name)) for name in names}

    def test_within_the_run_what_was_saved_is_read(
        self, table: SourceTableDataset, duckdb_credentials: dict[str, str]
    ) -> None:
        assert len(read(table)) == 1
        assert len(read(make_table(duckdb_credentials))) == 3

    def test_publication_puts_it_in_place_and_leaves_no_other(
        self, table: SourceTableDataset, duckdb_credentials: dict[str, str]
    ) -> None:
        table.publish()
        table.publish()

        assert self.tables(duckdb_credentials) == {"loans": 1}

    def test_what_is_discarded_leaves_the_last_good_table(
        self, table: SourceTableDataset, duckdb_credentials: dict[str, str]
    ) -> None:
        table.discard()
        table.publish()

        assert self.tables(duckdb_credentials) == {"loans": 3}
        assert len(read(table)) == 3

    def test_a_source_is_replaced_as_it_is_saved(
        self, loans: pd.DataFrame, duckdb_credentials: dict[str, str]
    ) -> None:
        query = "loantap.pipelines.ingestion:sql/loans.sql"
        make_table(duckdb_credentials, query=query).save(loans)

        assert self.tables(duckdb_credentials) == {"loans": 3}

    def test_it_can_be_published_like_a_file(self, table: SourceTableDataset) -> None:
        assert isinstance(table, Publishable)


def test_the_query_is_package_data_and_says_which_columns_are_read(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    columns = [*(str(c.source_name) for c in columns_of(Table.LOANS)), "updated_at", "origin"]
    everything = pd.DataFrame([dict.fromkeys(["loan_id", *columns, "not_asked_for"], "x")])
    write(make_table(duckdb_credentials), everything)

    queried = make_table(duckdb_credentials, query="loantap.pipelines.ingestion:sql/loans.sql")

    assert read(queried).columns.tolist() == ["loan_id", *columns]


@pytest.mark.parametrize("table", list(Table))
def test_the_extraction_queries_ask_for_the_columns_of_the_dictionary_and_no_other(
    table: Table, duckdb_credentials: dict[str, str]
) -> None:
    expected = {str(c.source_name) for c in columns_of(table)} | {"loan_id", "updated_at", "origin"}
    write(
        make_table(duckdb_credentials, table=table.value),
        pd.DataFrame([dict.fromkeys([*sorted(expected), "not_asked_for"], "x")]),
    )
    query = f"loantap.pipelines.ingestion:sql/{table}.sql"

    columns = read(make_table(duckdb_credentials, query=query)).columns

    assert set(columns) == expected


def test_the_extraction_queries_are_portable() -> None:
    """No quoting, function, alias or limit: nothing the three spell each their way."""
    for query in files("loantap.pipelines.ingestion").joinpath("sql").iterdir():
        statement = [
            line for line in query.read_text("utf-8").splitlines() if not line.startswith("--")
        ]
        assert not set("\"`'()[]*;") & set("".join(statement)), query.name
        assert not {"LIMIT", "AS"} & set(" ".join(statement).upper().split()), query.name


def test_a_database_that_is_not_there_is_named_with_the_remedy(
    duckdb_credentials: dict[str, str],
) -> None:
    table = make_table(duckdb_credentials)

    assert not table.exists()
    with pytest.raises(DatasetError) as refused:
        table.load()
    cause = refused.value.__cause__
    assert isinstance(cause, InputError)
    assert cause.where == f"warehouse ({duckdb_credentials['path']})"
    assert "cannot be opened" in cause.problem
    assert "kedro run --pipelines sources" in cause.remedy


def test_a_table_that_is_not_there_is_named_with_the_remedy(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    write(make_table(duckdb_credentials, table="other"), loans)
    table = make_table(duckdb_credentials)

    assert not table.exists()
    with pytest.raises(DatasetError) as refused:
        table.load()
    cause = refused.value.__cause__
    assert isinstance(cause, InputError)
    assert "Table with name loans does not exist" in cause.problem
    assert "kedro run --pipelines sources" in cause.remedy


def test_a_written_table_exists(loans: pd.DataFrame, duckdb_credentials: dict[str, str]) -> None:
    table = make_table(duckdb_credentials)
    write(table, loans)

    assert table.exists()
    assert table.is_embedded


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("not a database, only some text that is long enough to be read" * 100)
    table = make_table({"backend": "duckdb", "path": str(path)})

    with pytest.raises(DatasetError, match="cannot be opened"):
        table.load()


def test_the_file_is_released_when_the_last_batch_is_read(
    loans: pd.DataFrame, duckdb_credentials: dict[str, str]
) -> None:
    table = make_table(duckdb_credentials)
    write(table, loans)
    table.load().read_all()

    with duckdb.connect(duckdb_credentials["path"], read_only=False) as writer:
        assert writer.execute("SELECT count(*) FROM loans").fetchone() == (3,)


@pytest.mark.parametrize(
    "credentials",
    [
        {"backend": "oracle", "path": "x"},
        {"backend": "duckdb"},
        {"backend": "odbc", "path": "x"},
        {"path": "x"},
    ],
    ids=["unknown backend", "duckdb without path", "odbc without a string", "no backend"],
)
def test_credentials_that_are_not_understood_are_refused_when_used(
    credentials: dict[str, str],
) -> None:
    table = make_table(credentials)  # never when it is made: Kedro makes every dataset

    with pytest.raises(
        DatasetError, match=r"credentials of warehouse: backend .* is not"
    ) as refused:
        table.load()
    assert "backend duckdb with a path, or backend odbc" in str(refused.value)


def test_credentials_never_show(duckdb_credentials: dict[str, str]) -> None:
    secret = {"backend": "odbc", "connection_string": "Driver={X};Pwd=s3cret"}

    assert "s3cret" not in repr(make_table(secret))
    assert duckdb_credentials["path"] not in repr(make_table(duckdb_credentials))
