"""A snapshot holds a source's rows as extracted, written as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset

SCHEMA = pa.schema([("loan_id", pa.string()), ("int_rate", pa.float64())])


def make_batch(rows: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(["x" * 100] * rows), pa.array([10.5] * rows)], SCHEMA)


def make_reader(batches: int, rows: int) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, (make_batch(rows) for _ in range(batches)))


def make_failing_reader(batches: int) -> pa.RecordBatchReader:
    def read() -> Iterator[pa.RecordBatch]:
        for _ in range(batches):
            yield make_batch(1)
        raise ConnectionError("connection lost")

    return pa.RecordBatchReader.from_batches(SCHEMA, read())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "01_raw" / "loans.parquet"


@pytest.fixture
def snapshot(path: Path) -> SnapshotDataset:
    return SnapshotDataset(filepath=str(path))


def test_all_rows_are_there_typed_as_in_the_source(snapshot: SnapshotDataset) -> None:
    snapshot.save(make_reader(batches=3, rows=2))
    snapshot.publish()

    expected = pd.DataFrame({"loan_id": ["x" * 100] * 6, "int_rate": [10.5] * 6})
    assert_frame_equal(snapshot.load(), expected)


def test_a_source_without_rows_makes_a_file_with_its_columns(snapshot: SnapshotDataset) -> None:
    snapshot.save(make_reader(batches=0, rows=0))

    assert snapshot.load().columns.tolist() == SCHEMA.names
    assert len(snapshot.load()) == 0


def test_nothing_is_there_before_publication(snapshot: SnapshotDataset, path: Path) -> None:
    snapshot.save(make_reader(batches=1, rows=1))

    assert not path.exists()
    assert snapshot.exists()


def test_batches_are_written_one_by_one(
    snapshot: SnapshotDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next batch is asked for only when the one before is written, so memory stays flat."""
    events: list[str] = []
    write = pq.ParquetWriter.write_batch

    def record(writer: pq.ParquetWriter, batch: pa.RecordBatch) -> None:
        events.append("written")
        write(writer, batch)

    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(3):
            events.append("asked for")
            yield make_batch(10)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", record)
    snapshot.save(pa.RecordBatchReader.from_batches(SCHEMA, batches()))

    assert events == ["asked for", "written"] * 3


def test_memory_does_not_grow_with_the_table(snapshot: SnapshotDataset) -> None:
    """100 batches of 1.2 MB take no more than a few of them at a time."""
    pool = pa.default_memory_pool()
    held: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(100):
            held.append(pool.bytes_allocated())
            yield make_batch(10_000)

    before = pool.bytes_allocated()
    snapshot.save(pa.RecordBatchReader.from_batches(SCHEMA, batches()))

    assert max(held) - before < 10 * make_batch(10_000).nbytes


def test_a_source_that_fails_leaves_the_last_good_file(
    snapshot: SnapshotDataset, path: Path
) -> None:
    snapshot.save(make_reader(batches=1, rows=1))
    snapshot.publish()
    before = path.read_bytes()

    with pytest.raises(DatasetError, match="connection lost"):
        snapshot.save(make_failing_reader(batches=2))
    snapshot.publish()

    assert [found.name for found in path.parent.iterdir()] == ["loans.parquet"]
    assert path.read_bytes() == before
