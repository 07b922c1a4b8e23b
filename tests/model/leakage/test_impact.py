import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from loantap.features.definitions import FeatureSet
from loantap.model.leakage.additive import cross_fit
from loantap.model.leakage.expected import Z
from loantap.model.leakage.feature_sets import examine_sets
from loantap.model.leakage.impact import Estimate, draw_loans, estimate_auc, estimate_metrics, measure_impact
from loantap.model.leakage.readings import fold_by_content, read
from loantap.model.leakage.statistics import split_folds
from loantap.model.leakage.together import Joint
from loantap.model.training.estimator import make_preprocessor
from tests.model.leakage.limits import OPTIONS

TARGET = np.array([1, 1, *[0] * 8])


@pytest.mark.parametrize(
  ("pds", "f2", "declined"),
  [
    # All at .111 (F2 .556 of declining everybody, by 5) or above: F2 .833; at .167: .909; at .182: the same.
    ([0.5, 0.185, 0.25, 0.16, *[0.05] * 6], 5 * 2 / (4 * 2 + 3), [0, 1, 2]),
    # At .111 the first alone: F2 .556 again.
    ([0.9, 0.01, 0.105, *[0.02] * 7], 5 / (4 * 2 + 1), [0]),
  ],
)
def test_f2_is_taken_where_declining_raises_it_and_each_loan_moves_it(pds, f2, declined):
  found = estimate_metrics(TARGET, np.array(pds))["f2"]
  chosen = np.isin(np.arange(10), declined)
  influence = (5 * TARGET * chosen - f2 * (4 * TARGET + chosen)) / (4 * 0.2 + len(declined) / 10)

  assert found.value == pytest.approx(f2)
  assert found.influence == pytest.approx(influence)


def test_a_loss_is_limited_where_a_pd_is_certain_and_wrong():
  found = estimate_metrics(np.array([1, 0, 0]), np.array([0, 1, 0.2]))["log_loss"]
  losses = np.array([-np.log(1e-15), -np.log(1 - (1 - 1e-15)), -np.log(0.8)])

  assert found.value == pytest.approx(losses.mean())
  assert found.influence == pytest.approx(losses - losses.mean())


def test_an_area_moves_by_how_each_loan_is_placed():
  target, scores = np.array([1, 0, 1, 0, 0]), np.array([3.0, 1, 1, 2, 0])
  # The shares of the other outcome that it is on the right side of; equal ones count half.
  placed = np.array([1, 0.75, 0.5, 0.5, 1])
  found = estimate_auc(target, scores)

  assert found.value == 0.75
  assert found.influence == pytest.approx((placed - 0.75) / np.where(target, 0.4, 0.6))


def test_a_figure_comes_with_bounds_of_six_digits():
  found = Estimate(0.123456789, np.array([0.1, -0.1, 0.1, -0.1]))

  assert found.standard_error == 0.05
  assert found.with_bounds("f") == {"f": 0.123457, "f_low": 0.0254586, "f_high": 0.221455}


def test_loans_are_drawn_by_the_seed_in_order_and_once():
  few = OPTIONS.model_copy(update={"impact_loans": 50})
  drawn, others = draw_loans(60, few), draw_loans(60, few.model_copy(update={"seed": 1}))

  assert draw_loans(50, few).tolist() == [*range(50)]
  assert drawn.tolist() == sorted(set(drawn.tolist())) == draw_loans(60, few).tolist() != others.tolist()
  assert len(drawn) == 50


def test_impact_is_out_of_fold_with_and_without_each_suspicious_feature():
  rng = np.random.default_rng(1)
  features = pd.DataFrame(rng.normal(size=(300, 3)), columns=["dti_pct", "open_accounts", "public_records"])
  target = pd.Series((rng.random(300) < expit(features.sum(axis=1) - 1)).astype(int), features.index)
  leak, warned = measure_impact(features, target, ["public_records", "dti_pct"], ["public_records"], OPTIONS)

  def area(names):
    encoded = make_preprocessor(FeatureSet("x", names, "x", for_lending=False)).fit_transform(features[[*names]])
    model, folds = LogisticRegression(solver="newton-cholesky"), split_folds(target, OPTIONS)
    pds = cross_val_predict(model, encoded, target, cv=folds, method="predict_proba")[:, 1]
    return pytest.approx(roc_auc_score(target, pds), rel=1e-5)

  assert leak["with"]["roc_auc"] == area(("dti_pct", "open_accounts", "public_records"))
  assert leak["without"] == warned["with"]
  assert warned["with"]["roc_auc"] == area(("dti_pct", "open_accounts"))
  assert warned["without"]["roc_auc"] == area(("open_accounts",))
  for record in (leak, warned):
    for name in ("roc_auc", "log_loss", "f2"):
      assert record["difference"][name] == pytest.approx(record["with"][name] - record["without"][name], abs=2e-6)
      assert record["difference"][f"{name}_low"] < record["difference"][name] < record["difference"][f"{name}_high"]
  assert (leak["feature"], leak["n"], leak["drawn_from"]) == ("public_records", 300, 300)
  assert measure_impact(features, target, [], [], OPTIONS) == []


def crossed():
  """Two columns that tell together, one that tells alone, and one that no set uses."""
  rng = np.random.default_rng(2)
  one, other, price, year = rng.normal(size=(4, 1_500))
  logit = np.where((one > 0) == (other > 0), 1.5, -3) + 0.5 * price
  target = (rng.random(1_500) < expit(logit)).astype(np.int64)
  columns = {"dti_pct": one, "annual_income": other, "interest_rate_pct": price}
  columns["dti_pct"] = np.where(rng.random(1_500) < 0.05, np.nan, one)
  users = {n: [n.replace("annual", "log_annual")] for n in columns}
  readings = {n: read(pd.Series(v), n, users[n]) for n, v in columns.items()}
  return readings | {"issue year": read(pd.Series(year), "issue year")}, target


def examine(readings, target, **changes):
  folds, joint = fold_by_content(readings, target, 5), Joint()
  examine_sets(readings, target, folds, OPTIONS.model_copy(update=changes), joint)
  return joint, folds


def test_a_set_is_judged_by_a_boosting_model_and_blames_what_tells_together():
  readings, target = crossed()
  joint, folds = examine(readings, target, max_set_auc=1.0)
  names = ["dti_pct", "annual_income", "interest_rate_pct"]
  design = np.column_stack([np.where(readings[n].is_missing, np.nan, readings[n].score) for n in names])
  boosting = HistGradientBoostingClassifier(
    max_iter=40, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=10, random_state=42
  )
  boosted = estimate_auc(target, cross_val_predict(boosting, design, target, cv=folds, method="decision_function"))
  additive = cross_fit({n: readings[n] for n in names}, target, folds).area
  gain, error = boosted.minus(additive), boosted.standard_error
  lending, application = joint.sets

  assert lending == {
    "feature_set": "lending",
    "n": 1_500,
    "auc": round(boosted.value, 4),
    "auc_low": round(boosted.value - 1.959964 * error, 4),
    "auc_high": round(boosted.value + 1.959964 * error, 4),
    "auc_additive": round(additive.value, 4),
    "limit": 1.0,
    "passed": True,
  }
  assert application["feature_set"] == "application"
  assert {f: len(e) for f, e in joint.evidence.items()} == {"dti_pct": 2, "log_annual_income": 2}
  evidence = joint.evidence["dti_pct"][0]
  least = gain.value - Z * gain.standard_error
  assert (evidence.test, evidence.figures) == ("combination", {"auc_added": gain.value, "auc_added_at_least": least})
  least = boosted.value - Z * error
  for most, passed in ((least, True), (least - 1e-9, False)):
    assert examine(readings, target, max_set_auc=most, max_added_auc=1.0)[0].sets[0]["passed"] is passed
  # The other set, of which more is told together, is still blamed.
  found = examine(readings, target, max_added_auc=gain.value - Z * gain.standard_error)[0].evidence
  assert {f: len(e) for f, e in found.items()} == {"dti_pct": 1, "log_annual_income": 1}


def test_a_set_of_which_no_column_is_left_is_not_judged():
  readings, target = crossed()
  joint, _ = examine({n: readings[n] for n in ("interest_rate_pct", "issue year")}, target)

  assert [s["feature_set"] for s in joint.sets] == ["lending"]
