import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from loantap.features.build import build_features
from loantap.features.definitions import FeatureSet
from loantap.model.leakage.additive import BORROWER, cross_fit
from loantap.model.leakage.expected import Z, add_strengths
from loantap.model.leakage.feature_sets import examine_sets
from loantap.model.leakage.impact import Estimate, draw_loans, estimate_auc, estimate_metrics, measure_impact
from loantap.model.leakage.readings import fold_by_content, read, read_columns
from loantap.model.leakage.statistics import split_folds
from loantap.model.leakage.together import Joint, examine_together
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


# Small portfolios of a few columns, and what the gate says of each.
LOANS = 1_500
RATE, PAIR = "interest_rate_pct", ("interest_rate_pct", "dti_pct")
ALL = (*PAIR, "open_accounts", "log_annual_income")


def make(price=0.8, seed=1, **effects):
	"""Loans priced by their risk, and columns that tell as much more as is said of each."""
	rng = np.random.default_rng(seed)
	drawn = pd.DataFrame(rng.normal(size=(LOANS, 4)), columns=[*PAIR, "open_accounts", "annual_income"])
	logit = price * drawn[RATE] - 1 + sum(by * drawn[n] for n, by in effects.items())
	bad = (rng.random(LOANS) < expit(logit)).astype(int)
	return drawn.assign(annual_income=np.exp(drawn["annual_income"]), is_charged_off=bad)


def look(loans, *names, caught="", **changes):
	options, features = OPTIONS.model_copy(update=changes), build_features(loans, names)
	joint = examine_together(loans, features, {n: n == caught for n in names}, options)
	return {f: [e.test for e in found] for f, found in joint.evidence.items()}, joint


def refit(loans, *names):
	"""The model that the gate fits first."""
	readings, target = read_columns(loans, build_features(loans, names), names), loans["is_charged_off"].to_numpy()
	return cross_fit(readings, target, fold_by_content(readings, target, 5))


def figures(gain, allowed):
	return pytest.approx({"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": allowed})


def test_honest_columns_are_not_blamed_and_their_sets_are_judged():
	found, joint = look(make(), *ALL)

	assert (found, [s["feature_set"] for s in joint.sets]) == ({}, ["lending", "application"])
	# What was caught alone is no part of them.
	assert look(make(), *ALL, caught="open_accounts")[1].sets != joint.sets


def test_a_column_may_add_a_hundredth_beside_a_price_and_what_a_score_adds_without():
	loans = make(dti_pct=0.8)
	model = refit(loans, *PAIR)
	gain, alone = model.gain_of("dti_pct"), model.before("dti_pct").area.value
	found, joint = look(loans, *PAIR)

	assert found == {"dti_pct": ["refreshed"]} == look(loans, *PAIR, caught="dti_pct")[0]
	assert joint.evidence["dti_pct"][0].figures == figures(gain, 0.01)
	for most, told in ((gain.at_least(Z), {}), (gain.at_least(Z) - 1e-9, found)):
		assert look(loans, *PAIR, max_added_auc=most, max_borrower_auc=0.5)[0] == told
	scored = look(loans, *PAIR, expected_auc={"dti_pct": 0.6})[1].evidence["dti_pct"][0]
	assert scored.figures == figures(gain, 0.01 + add_strengths(alone, 0.6) - alone)
	# Without a price all may add as much as they are expected to tell.
	unpriced = make(price=0, dti_pct=1.2)
	model = refit(unpriced, *PAIR)
	others = max(model.before("dti_pct").area.value, 0.5)
	told = look(unpriced, *PAIR)[1].evidence["dti_pct"][0]
	assert told.figures == figures(model.gain_of("dti_pct"), 0.01 + add_strengths(others, 0.605) - others)


def test_columns_are_taken_out_one_by_one_the_one_that_adds_most_first():
	assert look(make(dti_pct=1.2, open_accounts=0.8), *ALL)[0] == {
		"dti_pct": ["refreshed"],
		"open_accounts": ["refreshed"],
	}
	owned = make().assign(home_ownership=lambda t: np.where(t["is_charged_off"], "RENT", "OWN"))
	listed = owned.rename(columns={"home_ownership": "listing_status"})

	# What is not lent on is asked if it is known at the decision and was not caught.
	assert look(owned, RATE, "home_ownership")[0] == {"home_ownership": ["category"]}
	assert look(owned, RATE, "home_ownership", caught="home_ownership")[0] == {}
	assert look(listed, RATE, "listing_status")[0] == {}


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_50_loans_of_either_outcome_something_is_told(outcome):
	sets = []
	for lost in (49, 50):
		bad = np.where(np.arange(LOANS) < lost, 1 - outcome, outcome)
		sets.append(len(look(make().assign(is_charged_off=bad), *PAIR)[1].sets))

	assert sets == [0, 2]


def test_broken_arithmetic_goes_before_what_it_adds():
	loans = make().assign(sub_grade="B4", issue_month=pd.Timestamp("2014-03-01"))
	hit = loans["is_charged_off"].eq(1) & (loans.index % 3 == 0)
	found, joint = look(loans.assign(interest_rate_pct=12.0 + 2 * hit), *PAIR)

	assert found == {RATE: ["arithmetic"]}
	assert joint.evidence[RATE][0].figures["exceptions"] == hit.sum()


def test_two_columns_that_tell_by_each_other_are_named_together_and_a_slice_is_none():
	rng, loans, names = np.random.default_rng(4), make(), (*PAIR, "open_accounts")
	year = pd.Series(rng.integers(2013, 2015, LOANS))
	loans["issue_month"] = pd.to_datetime(year.astype(str) + "-05-01")

	def put(same):
		logit = np.where((loans["dti_pct"] > 0) == same, 1.3, -1.3) + 1.2 * loans[RATE] - 1
		return loans.assign(is_charged_off=(rng.random(LOANS) < expit(logit)).astype(int))

	pair = put(loans["open_accounts"] > 0)
	found, joint = look(pair, *names)
	assert found == {"dti_pct": ["combination"], "open_accounts": ["combination"]}
	least = joint.evidence["dti_pct"][0].figures["auc_added_at_least"]
	assert joint.evidence["dti_pct"][0].figures["auc_added"] > least > 0.02
	others = look(pair, *names, max_added_auc=least)[1].evidence["dti_pct"]
	assert all("no column" in evidence.statement for evidence in others)  # of the sets, no more of the pair
	found, joint = look(put(year > 2013), *names)
	assert found == {"dti_pct": ["slice"]}
	assert "dti_pct by issue year adds" in joint.evidence["dti_pct"][0].statement


def test_the_borrowers_columns_may_add_little_to_an_offer_all_together():
	loans = make(dti_pct=0.4, open_accounts=0.4, annual_income=0.1)
	gain, limits = refit(loans, *ALL).gain_of(BORROWER), {"max_added_auc": 0.5, "max_borrower_auc": 0.001}
	found, joint = look(loans, *ALL, **limits)

	# Income adds next to nothing: less than three tenths of the most.
	assert found == {"dti_pct": ["refreshed"], "open_accounts": ["refreshed"]}
	assert joint.evidence["dti_pct"][0].figures == figures(gain, 0.001)
	assert look(loans, *ALL, **limits | {"max_borrower_auc": gain.at_least(Z)})[0] == {}
	# A score adds by itself what is expected of it; without a price nothing sums them up.
	assert look(loans, *ALL, **limits, expected_auc={"dti_pct": 0.75})[0] == {}
	assert look(make(price=0, dti_pct=0.4, open_accounts=0.4), *ALL, **limits)[0] == {}


def test_two_columns_of_the_same_thing_are_judged_together():
	loans = make(seed=2, dti_pct=0.6)
	noise = np.random.default_rng(6).normal(size=LOANS)
	same, names = loans.assign(annual_income=np.exp(loans["dti_pct"] + 0.05 * noise)), (*PAIR, "log_annual_income")
	found, joint = look(same, *names, max_borrower_auc=0.5)

	assert found == {"dti_pct": ["refreshed"], "log_annual_income": ["refreshed"]}
	assert joint.evidence["dti_pct"][0].figures == figures(
		refit(same, *names).gain_of("annual_income and dti_pct"), 0.015
	)
	assert look(same, *names, max_borrower_auc=0.5, expected_auc={"dti_pct": 0.72})[0] == {}
