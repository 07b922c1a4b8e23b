import errno
import os

import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import StagedDataset
from loantap.portfolio.errors import InputError

OLD = pd.DataFrame({"loan_id": ["old"]})
NEW = pd.DataFrame({"loan_id": ["new"]})


@pytest.fixture
def path(tmp_path):
  return tmp_path / "03_primary" / "loans.parquet"


@pytest.fixture
def staged(path):
  return StagedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)})


@pytest.fixture
def with_last_good(staged, path):
  staged.save(OLD)
  staged.publish()
  return staged


def list_files(path):
  return sorted(found.name for found in path.parent.iterdir())


def test_publication_puts_the_file_in_place_and_leaves_no_other(staged, path):
  assert not staged.exists()
  staged.save(NEW)
  assert staged.exists()
  assert not path.exists()
  staged.publish()

  assert list_files(path) == ["loans.parquet"]
  assert_frame_equal(pd.read_parquet(path), NEW)


@pytest.mark.parametrize(
  ("kind", "file", "good", "bad"),
  [
    ("pandas.ParquetDataset", "table.parquet", OLD, pd.DataFrame({"mixed": [1, "a"]})),
    ("json.JSONDataset", "metrics.json", {"n": 1}, {"n": 1, "later": object()}),
    ("text.TextDataset", "page.html", "<p>", 3),
  ],
  ids=["parquet", "json", "text"],
)
def test_a_failing_save_leaves_the_last_good_file_and_no_half_of_another(kind, file, good, bad, tmp_path):
  dataset = StagedDataset(dataset={"type": kind, "filepath": str(tmp_path / file)})
  dataset.save(good)
  dataset.publish()
  before = (tmp_path / file).read_bytes()

  with pytest.raises(DatasetError):
    dataset.save(bad)
  dataset.publish()

  assert [found.name for found in tmp_path.iterdir()] == [file]
  assert (tmp_path / file).read_bytes() == before


def test_a_file_left_by_a_killed_run_is_not_read_and_gone_with_the_next_save(with_last_good, path):
  with_last_good.save(NEW)
  after = StagedDataset(dataset={"type": "pandas.ParquetDataset", "filepath": str(path)})

  after.publish()
  assert_frame_equal(after.load(), OLD)
  after.save(NEW)
  after.publish()
  assert list_files(path) == ["loans.parquet"]


def test_a_failing_publication_keeps_the_staged_file_for_a_look(staged, path):
  staged.save(NEW)
  path.mkdir()

  with pytest.raises(OSError, match="loans"):
    staged.publish()


def test_the_preview_is_the_wrapped_datasets(tmp_path):
  picture = StagedDataset(dataset={"type": "matplotlib.MatplotlibDataset", "filepath": str(tmp_path / "roc.png")})
  text = StagedDataset(dataset={"type": "text.TextDataset", "filepath": str(tmp_path / "page.html")})

  assert callable(picture.preview)
  assert not hasattr(text, "preview")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_told_with_the_file_and_the_remedy(number, with_last_good, path, monkeypatch):
  def refuse(*_, **__):
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)
  with pytest.raises(DatasetError, match=f"file {path}: it cannot be written") as refused:
    with_last_good.save(NEW)

  # The command tells this one alone.
  assert isinstance(refused.value.__cause__, InputError)
  assert os.strerror(number) in str(refused.value.__cause__)
  assert list_files(path) == ["loans.parquet"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
  (tmp_path / "reports").write_text("a file in its place")
  page = {"type": "text.TextDataset", "filepath": str(tmp_path / "reports" / "page.html")}

  with pytest.raises(DatasetError, match="it cannot be written"):
    StagedDataset(dataset=page).save("<p>")
