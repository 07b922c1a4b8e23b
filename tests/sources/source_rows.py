"""Made-up rows of the source table `loans`, and the table as the extraction sees it."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from loantap.databases.source_table import SourceTable
from loantap.datasets import SourceTableDataset
from loantap.portfolio.errors import InputError

EMOJI = "Bäcker 面包师 👩🏽‍🍳"
FIRST_UPDATE = datetime(2016, 1, 1)


def make_loans(rows: int, **columns: list[Any]) -> pa.Table:
    """Loans, each changed a minute after the one before; `columns` are replaced."""
    made = {
        "loan_id": [f"{number:08d}" for number in range(rows)],
        "loan_amnt": [1_000.0 + number / 3 for number in range(rows)],
        "term": [" 36 months"] * rows,
        "int_rate": [None if number % 7 == 0 else number / 3 for number in range(rows)],
        "installment": [100 + number / 7 for number in range(rows)],
        "grade": ["B"] * rows,
        "sub_grade": ["B4"] * rows,
        "issue_d": ["Jan-2014"] * rows,
        "loan_status": [None if n % 5 == 0 else "Fully Paid" for n in range(rows)],
        "initial_list_status": ["w"] * rows,
        "updated_at": [FIRST_UPDATE + timedelta(minutes=number) for number in range(rows)],
        "origin": ["real"] * rows,
    }
    numbers = dict.fromkeys(("loan_amnt", "int_rate", "installment"), pa.float64())
    types = numbers | {"updated_at": pa.timestamp("us")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in made])
    return pa.table(made | columns, schema)


def find_source(connection: str, **changes: Any) -> SourceTable:
    given = {
        "system": "warehouse",
        "table": "loans",
        "query": "loantap.pipelines.ingestion:sql/loans.sql",
        "credentials": {"connection": connection},
        # Rather an error than a test that waits.
        "time_limit_s": 60,
        "silence_limit_s": 20,
    }
    return SourceTableDataset(**(given | changes)).load()


def expect_remedy(error: InputError, *, problem: str, remedy: str, where: str = "warehouse, table loans") -> None:
    """An error names the table, what is wrong and what to do."""
    assert error.where == where
    assert problem in error.problem
    assert remedy in error.remedy


def tell(error: BaseException | None) -> str:
    """Everything that an error, and whatever led to it, could show."""
    told = ""
    while error is not None:
        told += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    return told
