import logging

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import BatchedDataset, TableFileDataset
from loantap.datasets.staged import StagedFile, remove_staged, staging_path
from loantap.portfolio.loantap_format import FAULT
from loantap.tables.files import TableFile

ROWS = pd.DataFrame(
	{
		"application_id": [11, 12, 13, 14, 15],
		"grade": ["A", "B", "A", None, "B"],
		"dti": [1.5, np.nan, 3.0, 4.0, 5.0],
		"address": ["x", "y", "z", "x", "y"],
	}
)


def write(rows, path):
	if path.suffix.lower() == ".csv":
		rows.to_csv(path, index=False)
	else:
		rows.to_parquet(path, row_group_size=3)
	return path


def read(path, columns, batch_rows=2):
	return list(TableFile(path, batch_rows).read(columns))


@pytest.mark.parametrize("name", ["new.parquet", "new.csv", "NEW.CSV"])
def test_reading_gives_the_columns_asked_for_in_batches(name, tmp_path):
	# What the file lacks is left to whoever needs it.
	batches = read(write(ROWS, tmp_path / name), ["grade", "dti", "income"])

	assert len(batches[0]) == 2
	whole = pd.concat(batches, ignore_index=True)
	assert [name for name in whole.columns if name != FAULT] == ["grade", "dti"]
	assert whole["grade"].astype("str").tolist()[:3] == ["A", "B", "A"]
	assert whole["grade"].isna().tolist() == [False, False, False, True, False]
	assert whole["dti"].astype("float64").tolist()[2:] == [3, 4, 5]


def test_reading_tells_how_far_it_is(tmp_path, caplog):
	with caplog.at_level(logging.INFO, "loantap.progress"):
		read(write(ROWS, tmp_path / "new.parquet"), ["dti"])

	done = [record.done for record in caplog.records]
	assert done[-1] == 5
	assert done == sorted(done)
	assert {record.total for record in caplog.records} == {5}
	assert "5 rows, " in caplog.messages[-1]


def test_the_dataset_exists_when_its_file_does(tmp_path):
	path = tmp_path / "new.csv"
	dataset = TableFileDataset(filepath=str(path))

	assert not dataset.exists()
	write(ROWS, path)
	assert dataset.exists()
	assert len(next(iter(dataset.load().read(["dti"])))) == 5


def make_batch(*reasons):
	return pd.DataFrame(
		{
			"application_id": pd.Series([f"a{n}" for n in range(len(reasons))], dtype="str"),
			"score": pd.Series([600, None] * len(reasons), dtype="Int64")[: len(reasons)],
			"reason": pd.Categorical(reasons),
		}
	)


@pytest.fixture
def path(tmp_path):
	return tmp_path / "07_model_output" / "scores.parquet"


@pytest.fixture
def batched(path):
	return BatchedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)})


def test_batches_are_read_back_as_one_table_with_texts_as_text(batched, path):
	first, second = make_batch("x", "", "x"), make_batch(*(f"y{n}" for n in range(300)))
	batched.save(first)
	batched.save(second)
	batched.publish()

	table = pd.read_parquet(path)

	expected = pd.concat([first.astype({"reason": "str"}), second.astype({"reason": "str"})])
	assert_frame_equal(table, expected.reset_index(drop=True))
	assert pq.ParquetFile(path).num_row_groups == 2


def test_a_batch_without_rows_makes_a_table_without_rows(batched, path):
	batched.save(make_batch())
	assert batched.tally(["reason"]).empty
	assert not path.exists()
	batched.publish()

	assert_frame_equal(pd.read_parquet(path), make_batch().astype({"reason": "str"}))


def test_a_batch_that_fails_leaves_the_last_good_file_and_no_half_of_another(batched, path):
	batched.save(make_batch("old"))
	batched.publish()
	batched.save(make_batch("x"))

	with pytest.raises(DatasetError, match="schema"):
		batched.save(make_batch("x").assign(score="many"))

	assert [found.name for found in path.parent.iterdir()] == ["scores.parquet"]
	assert batched.load()["reason"].tolist() == ["old"]


def test_rows_are_tallied_without_the_table_being_loaded(batched):
	batched.save(make_batch("x", "y", "x"))
	batched.save(make_batch("x"))

	tally = batched.tally(["reason"])

	assert tally.to_dict("records") == [{"reason": "x", "rows": 3}, {"reason": "y", "rows": 1}]


def test_what_is_remembered_is_read_once_until_it_is_another_file_or_released(path, monkeypatch):
	dataset = BatchedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)}, remember=True)
	read = []
	make = dataset._make
	monkeypatch.setattr(dataset, "_make", lambda path: read.append(path) or make(path))
	dataset.save(make_batch("old"))
	dataset.publish()

	first = dataset.load()
	first["reason"] = "another"
	first.loc[0, "score"] = 1
	assert dataset.load()["reason"].tolist() == ["old"]
	assert dataset.load()["score"].tolist() == [600]
	assert len(read) == 1

	dataset.save(make_batch("new"))
	assert dataset.load()["reason"].tolist() == ["new"]
	dataset.discard()
	assert dataset.load()["reason"].tolist() == ["old"]
	assert len(read) == 3
	dataset.release()
	assert dataset.load()["reason"].tolist() == ["old"]
	assert len(read) == 4


def test_a_csv_is_written_where_one_is_named_and_read_with_its_types(path):
	csv = path.with_suffix(".csv")
	dataset = BatchedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(csv)}, in_batches=True)
	for batch in (make_batch("x, y", "", "x"), make_batch("z")):
		dataset.save(batch)

	rows = pd.concat(dataset.load().read(["score", "reason"]), ignore_index=True)
	dataset.publish()

	assert rows["score"].dtype == "Int64"
	assert rows["reason"].astype("str").tolist() == ["x, y", "", "x", "z"]
	assert csv.read_text(encoding="utf-8") == ('application_id,score,reason\na0,600,"x, y"\na1,,\na2,600,x\na0,600,z\n')
	assert dataset.tally(["application_id"])["rows"].tolist() == [2, 1, 1]
	assert [found.name for found in path.parent.iterdir()] == ["scores.csv"]


@pytest.mark.parametrize("killed_after", ["both", "the rename"])
def test_what_a_killed_run_left_of_a_csv_goes_with_its_types(killed_after, path):
	csv = path.with_suffix(".csv")
	csv.parent.mkdir(parents=True, exist_ok=True)
	left = staging_path(csv, "12-abcdef")
	left.with_name(f"{left.name}.parquet").touch()
	if killed_after == "both":
		left.touch()

	StagedFile(csv).remove_leftovers()
	assert list(csv.parent.iterdir()) == []

	for each in (left, left.with_name(f"{left.name}.parquet")):
		each.touch()
	remove_staged(left)
	assert list(csv.parent.iterdir()) == []
