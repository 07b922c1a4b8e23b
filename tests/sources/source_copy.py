"""The snapshot of a source table, as one run after the other brings it up to date."""

from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.databases.source_table import SourceTable
from loantap.datasets import SnapshotDataset
from loantap.portfolio.errors import InputError
from loantap.snapshots.extraction import Extraction
from tests.sources.source_rows import tell

AS_OF = date(2026, 11, 23)


class Copy:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def extract(self, source: SourceTable, since: date | Literal["all"] | None = None) -> None:
        snapshot = SnapshotDataset(filepath=str(self.folder))
        snapshot.save(Extraction(source, since, AS_OF, timedelta(days=1)))
        snapshot.publish()

    def fail(self, source: SourceTable, secret: str) -> InputError:
        """The error of an extraction, which does not tell a secret wherever one looks."""
        with pytest.raises(DatasetError) as failed:
            self.extract(source)
        assert secret not in tell(failed.value)
        assert isinstance(failed.value.__cause__, InputError)
        return failed.value.__cause__

    def load(self) -> pd.DataFrame:
        rows: pd.DataFrame = SnapshotDataset(filepath=str(self.folder)).load()
        return rows

    def expect(self, rows: pa.Table) -> None:
        ordered = self.load().sort_values("loan_id", ignore_index=True)
        assert_frame_equal(ordered, rows.to_pandas())

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}
