import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from loantap.measures.curves import tabulate_reliability, trace_precision_recall, trace_roc


@pytest.fixture(scope="module")
def loans():
  rng = np.random.default_rng(8)
  pd_ = rng.beta(1.6, 6.8, 20_000)
  return (rng.random(20_000) < pd_).astype("int64"), pd_


def test_the_roc_curve_runs_from_corner_to_corner_and_keeps_its_area(loans):
  curve = trace_roc(*loans)

  assert len(curve) <= 400
  assert curve.iloc[0].tolist() == [0, 0]
  assert curve.iloc[-1].tolist() == [1, 1]
  assert curve["false_positive_rate"].is_monotonic_increasing
  assert curve["true_positive_rate"].is_monotonic_increasing
  area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
  assert area == pytest.approx(roc_auc_score(*loans), abs=2e-4)


def test_a_short_roc_curve_is_kept_whole():
  curve = trace_roc(np.array([0, 1, 1, 0]), np.array([0.1, 0.2, 0.8, 0.9]))

  assert curve.to_numpy().tolist() == [[0, 0], [0.5, 0], [0.5, 1], [1, 1]]


def test_the_precision_recall_curve_starts_where_everybody_is_declined(loans):
  curve = trace_precision_recall(*loans)

  assert len(curve) <= 400
  assert curve.iloc[0].tolist() == [1, pytest.approx(loans[0].mean())]
  assert curve.iloc[-1].tolist() == [0, 1]
  assert curve["recall"].is_monotonic_decreasing


# Four loans in two bins: .1 and .2 with one loss, .6 and .8 with two.
def test_reliability_by_hand():
  table = tabulate_reliability(np.array([1, 0, 1, 1]), np.array([0.2, 0.1, 0.8, 0.6]), bins=2)

  assert list(table["mean_pd"]) == pytest.approx([0.15, 0.7])
  assert list(table["observed_rate"]) == [0.5, 1.0]
  assert list(table["loans"]) == [2, 2]
  assert (table["low"] <= table["observed_rate"]).all()
  assert (table["observed_rate"] <= table["high"]).all()


def test_a_reliability_table_has_ten_bins_and_a_curve_four_hundred_points(loans):
  assert tabulate_reliability(*loans)["loans"].tolist() == [2_000] * 10
  assert len(trace_roc(*loans)) == 400
