"""Batches in CSV."""

import tempfile
from pathlib import Path
from typing import Any, Final

from loantap.policy.application_ids import APPLICATION_ID
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT, require_names
from loantap.serving.api.problems import tell_field
from loantap.serving.desk.fields import application_columns
from loantap.serving.desk.standing import Standing
from loantap.tables.csv_file import CsvRows

_BODY: Final = "the body"


def read_csv(raw: bytes, standing: Standing, most: int) -> list[dict[str, Any]]:
    """Rows of a CSV body by source column name, as text; None where nothing is stated.

    Columns that are not of the LoanTap format are left out; a row that cannot be read says why in
    `FAULT`. At most `most` rows and one more are read.

    Raises:
        ProblemError: it is no CSV, or lacks a column.
    """
    columns = {APPLICATION_ID, *application_columns()}
    rows: list[dict[str, Any]] = []
    # The reader takes a file; it has no name once it is open.
    with tempfile.TemporaryDirectory(prefix="loantap-") as folder:
        path = Path(folder) / "batch.csv"
        path.write_bytes(raw)
        try:
            file = CsvRows(path, _BODY)
            require_names(file.names, standing.underwriter.needed, _BODY)
            for table in file.read(columns, most + 1):
                values = [column.to_numpy().tolist() for column in table.columns]
                names = table.column_names
                rows += (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))
                if len(rows) > most:
                    break
        except InputError as error:
            problem = f"{error.where}: {error.problem}"
            told = f"The CSV cannot be used: {problem}. {error.remedy}."
            raise tell_field("not-csv", told, "body", problem, error.remedy) from error
    return rows


def take_faults(rows: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Why rows cannot be read, by place from 0; `FAULT` is taken out."""
    faults = {}
    for place, row in enumerate(rows):
        fault = row.pop(FAULT, None)
        if fault is not None:
            faults[place] = [fault]
    return faults
