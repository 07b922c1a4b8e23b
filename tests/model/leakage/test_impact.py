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
		# None at .111, then all at 0, and so on.
		([0.05] * 10, 0, []),
	],
)
def test_f2_is_taken_where_declining_raises_it_and_each_loan_moves_it(pds, f2, declined):
	found, chosen = estimate_metrics(TARGET, np.array(pds))["f2"], np.isin(np.arange(10), declined)

	assert found.value == pytest.approx(f2)
	assert found.influence == pytest.approx((5 * TARGET * chosen - f2 * (4 * TARGET + chosen)) / (0.8 + chosen.mean()))


def test_a_loss_is_limited_where_a_pd_is_certain_and_wrong():
	found = estimate_metrics(np.array([1, 0, 0]), np.array([0, 1, 0.2]))["log_loss"]
	losses = np.array([-np.log(1e-15), -np.log(1 - (1 - 1e-15)), -np.log(0.8)])

	assert found.influence + found.value == pytest.approx(losses)
	assert found.value == pytest.approx(losses.mean())


def test_an_area_moves_by_how_each_loan_is_placed():
	target = np.array([1, 0, 1, 0, 0])
	found = estimate_auc(target, np.array([3.0, 1, 1, 2, 0]))

	# The shares of the other outcome that it is on the right side of; equal ones count half.
	assert found.influence == pytest.approx((np.array([1, 0.75, 0.5, 0.5, 1]) - 0.75) / np.where(target, 0.4, 0.6))
	bounds = Estimate(0.123456789, np.array([0.1, -0.1, 0.1, -0.1])).with_bounds("f")
	assert (found.value, bounds) == (0.75, {"f": 0.123457, "f_low": 0.0254586, "f_high": 0.221455})


def test_loans_are_drawn_by_the_seed_in_order_and_once():
	few = OPTIONS.model_copy(update={"impact_loans": 50})
	drawn, again, other = (draw_loans(60, few.model_copy(update={"seed": seed})).tolist() for seed in (1, 1, 2))

	assert draw_loans(50, few).tolist() == [*range(50)]
	assert drawn == sorted(set(drawn)) == again != other
	assert len(drawn) == 50


def test_impact_is_out_of_fold_with_and_without_each_suspicious_feature():
	rng = np.random.default_rng(1)
	features = pd.DataFrame(rng.normal(size=(300, 3)), columns=["dti_pct", "open_accounts", "public_records"])
	target = pd.Series((rng.random(300) < expit(features.sum(axis=1) - 1)).astype(int))
	leak, warned = measure_impact(features, target, ["public_records", "dti_pct"], ["public_records"], OPTIONS)

	def area(*names):
		encoded = make_preprocessor(FeatureSet("x", names, "x", for_lending=False)).fit_transform(features[[*names]])
		model, folds = LogisticRegression(solver="newton-cholesky"), split_folds(target, OPTIONS)
		pds = cross_val_predict(model, encoded, target, cv=folds, method="predict_proba")[:, 1]
		return pytest.approx(roc_auc_score(target, pds), rel=1e-5)

	assert leak["with"]["roc_auc"] == area(*features)
	assert leak["without"] == warned["with"]
	assert warned["with"]["roc_auc"] == area("dti_pct", "open_accounts")
	assert warned["without"]["roc_auc"] == area("open_accounts")
	difference = warned["with"]["f2"] - warned["without"]["f2"]
	assert warned["difference"]["f2"] == pytest.approx(difference, abs=2e-6)
	assert (leak["feature"], leak["n"], leak["drawn_from"]) == ("public_records", 300, 300)
	assert measure_impact(features, target, [], [], OPTIONS) == []


def crossed():
	"""Two columns that tell together, one that tells alone, and one that no set uses."""
	rng = np.random.default_rng(2)
	one, other, price, year = rng.normal(size=(4, 1_500))
	logit = np.where((one > 0) == (other > 0), 1.5, -3) + 0.5 * price
	columns = {"dti_pct": np.where(rng.random(1_500) < 0.05, np.nan, one), "annual_income": other}
	columns |= {"interest_rate_pct": price, "issue year": year}
	users = {"annual_income": ["log_annual_income"], "issue year": []}
	readings = {n: read(pd.Series(v), n, users.get(n, [n])) for n, v in columns.items()}
	return readings, (rng.random(1_500) < expit(logit)).astype(np.int64)


def examine(readings, target, **changes):
	folds, joint = fold_by_content(readings, target, 5), Joint()
	examine_sets(readings, target, folds, OPTIONS.model_copy(update=changes), joint)
	return joint, folds


def test_a_set_is_judged_by_a_boosting_model_and_blames_what_tells_together():
	readings, target = crossed()
	joint, folds = examine(readings, target, max_set_auc=1.0)
	used = {n: r for n, r in readings.items() if r.features}
	design = np.column_stack([np.where(r.is_missing, np.nan, r.score) for r in used.values()])
	model = HistGradientBoostingClassifier(
		max_iter=40, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=10, random_state=42
	)
	boosted = estimate_auc(target, cross_val_predict(model, design, target, cv=folds, method="decision_function"))
	additive = cross_fit(used, target, folds).area
	gain, area, error = boosted.minus(additive), boosted.value, boosted.standard_error

	assert joint.sets[0] == {
		"feature_set": "lending",
		"n": 1_500,
		"auc": round(area, 4),
		"auc_low": round(area - 1.959964 * error, 4),
		"auc_high": round(area + 1.959964 * error, 4),
		"auc_additive": round(additive.value, 4),
		"limit": 1.0,
		"passed": True,
	}
	assert {f: len(e) for f, e in joint.evidence.items()} == {"dti_pct": 2, "log_annual_income": 2}
	least = gain.value - Z * gain.standard_error
	assert joint.evidence["dti_pct"][0].figures == {"auc_added": gain.value, "auc_added_at_least": least}
	for most, passed in ((area - Z * error, True), (area - Z * error - 1e-9, False)):
		# The other set, of which more is told together, is still blamed.
		joint, _ = examine(readings, target, max_set_auc=most, max_added_auc=least)
		assert joint.sets[0]["passed"] is passed
		assert [len(e) for e in joint.evidence.values()] == [1, 1]
	del used["dti_pct"], used["annual_income"]
	assert [s["feature_set"] for s in examine(used, target)[0].sets] == ["lending"]
