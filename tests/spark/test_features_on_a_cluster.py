import pytest
from pandas.testing import assert_frame_equal

from loantap.datasets import SparkInputDataset
from loantap.model.schemas import FEATURES
from loantap.pipelines.feature_engineering.nodes import build_features
from loantap.tables import tasks


@pytest.mark.parametrize("rows", [0, 4_000])
def test_features_are_those_of_one_machine(rows, simulated_loans, make_table, tmp_path, monkeypatch):
  monkeypatch.setattr(tasks.cut, "__defaults__", (1_000,))
  file = {
    "type": "pandas.ParquetDataset",
    "filepath": str(tmp_path / "loans.parquet"),
    "save_args": {"row_group_size": 500},
  }
  loans = SparkInputDataset(dataset=file, schema="loantap.portfolio.schemas.LOANS")
  loans.save(simulated_loans.head(rows))
  features = make_table(tmp_path / "features.parquet", "loantap.model.schemas.FEATURES")

  # Before it is published, as within a run that ingests.
  for promise in build_features(loans.load()):
    features.save(promise)

  (here,) = build_features(simulated_loans.head(rows))
  there = FEATURES.validate(features.load())
  assert_frame_equal(there, here, check_exact=False, rtol=0, atol=1e-9)
  assert len(list(features.current.iterdir())) == max(rows // 1_000, 1)
  features.discard()
