import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.scoring.points import tabulate_points
from loantap.model.scoring.scorecard import SCALE
from loantap.model.validation.scorecard_report import (
	make_example_application,
	report_scorecard,
	report_stability,
	tabulate_score_bands,
)
from loantap.portfolio.amortisation import emi
from tests.conftest import AS_OF

LENDING = FEATURE_SETS["lending"]


@pytest.fixture(scope="module")
def loans(simulated_loans, scorer):
	features = build_features(simulated_loans, LENDING.features)
	pds = expit(scorer.scorecard.log_odds(features))
	return simulated_loans.assign(probability_of_default=pds)


@pytest.fixture(scope="module")
def points(scorer, loans):
	return tabulate_points(scorer.scorecard, build_features(loans, LENDING.features))


@pytest.fixture(scope="module")
def report(scorer, points, loans):
	return report_scorecard(scorer, points, loans, AS_OF)


def test_every_loan_has_one_attribute_of_every_feature(report):
	for feature in report["features"]:
		assert feature["attributes"]["n"].sum() == 4_000, feature["feature"]
		assert feature["attributes"]["n"].gt(0).all()


def test_mean_points_of_the_loans_add_up_to_their_mean_score(report, loans):
	means = [
		(feature["attributes"]["points"] * feature["attributes"]["n"]).sum() / 4_000 for feature in report["features"]
	]

	exact = [SCALE.exact(log_odds) for log_odds in logit(loans["probability_of_default"])]
	assert report["base_points"] + sum(means) == pytest.approx(np.mean(exact), abs=1e-6)


def test_the_feature_that_moves_the_score_max_comes_first(report):
	spans = [feature["most"] - feature["fewest"] for feature in report["features"]]

	assert spans == sorted(spans, reverse=True)
	assert min(spans) > 0


def test_all_loans_are_in_one_band(report, loans):
	bands = report["bands"]

	assert bands["n"].sum() == len(loans)
	assert bands["charged_off"].sum() == loans["is_charged_off"].sum()
	assert (bands["n"] * bands["mean_pd"]).sum() == pytest.approx(loans["probability_of_default"].sum())


def test_bands_by_hand():
	# One default per four paid loans makes 600 points, twice the odds 50 more; 599 and 600 lie in different bands.
	log_odds = np.array([-np.log(4), -np.log(8), -np.log(4) + 0.01, -np.log(4)])
	loans = pd.DataFrame({"probability_of_default": expit(log_odds), "is_charged_off": [1, 0, 1, 0]})

	bands = tabulate_score_bands(loans)

	assert bands[["lowest", "highest", "n", "charged_off"]].to_numpy().tolist() == [
		[575, 599, 1, 1],
		[600, 624, 2, 1],
		[650, 674, 1, 0],
	]
	assert bands["default_rate"].tolist() == [1, 0.5, 0]


def test_points_of_the_example_add_up_to_its_score_with_reasons_and_values(report):
	example = report["example"]
	total = example["base_points"] + sum(example["points"].values())

	assert round(total) == example["score"]
	assert SCALE.of_one(float(logit(example["probability_of_default"]))) == example["score"]
	assert 1 <= len(example["reasons"]) <= 4
	assert all(example["reasons"])
	assert set(example["values"]) == {FEATURES[n].phrase for n in LENDING.features}
	assert set(example["points"]) <= set(example["values"])


def test_the_example_is_nobody_s_row_and_its_instalment_the_emi_of_its_terms(scorer, loans):
	application = make_example_application(scorer, loans)

	names = [column.name for column in scorer.columns]
	assert application.columns.tolist() == names
	made = application.iloc[0]
	assert not loans[names].eq(made).all(axis=1).any()
	exact = emi(made["loan_amount"], made["interest_rate_pct"], made["term_months"])
	assert made["instalment"] == round(float(exact), 2)


def make_predictions(training=3_000, test=600, seed=4):
	"""PDs of one population; five folds of training loans, then the test split."""
	rng = np.random.default_rng(seed)
	loans = training + test
	pd_ = rng.beta(1.6, 6.8, loans)
	is_test = np.arange(loans) >= training
	return pd.DataFrame(
		{
			"loan_id": [f"{number:05d}" for number in range(loans)],
			"sample": np.where(is_test, "test", "cv"),
			"fold": np.where(is_test, -1, np.arange(loans) % 5),
			"is_charged_off": (rng.random(loans) < pd_).astype("int8"),
			"probability_of_default": pd_,
		}
	)


def date_loans(predictions, years=(2012, 2013)):
	issued = [f"{years[place % len(years)]}-05-01" for place in range(len(predictions))]
	months = pd.to_datetime(pd.Series(issued)).astype("datetime64[s]")
	return pd.DataFrame({"loan_id": predictions["loan_id"], "issue_month": months})


@pytest.fixture(scope="module")
def predictions():
	return make_predictions()


@pytest.fixture(scope="module")
def stability(predictions):
	return report_stability(predictions, date_loans(predictions))


def test_each_fold_has_the_auc_of_its_own_loans(stability, predictions):
	assert stability["n"] == 3_000
	assert [fold["fold"] for fold in stability["folds"]] == [1, 2, 3, 4, 5]
	for number, fold in enumerate(stability["folds"]):
		own = predictions[predictions["sample"].eq("cv") & predictions["fold"].eq(number)]
		assert (fold["n"], fold["charged_off"]) == (600, own["is_charged_off"].sum())
		area = roc_auc_score(own["is_charged_off"], own["probability_of_default"])
		assert fold["roc_auc"] == pytest.approx(area)
		assert fold["roc_auc_low"] < area < fold["roc_auc_high"]


def test_the_test_split_is_held_against_training_and_each_year_against_the_rest_and_chance(stability):
	rows = {row["population"]: row for row in stability["populations"]}

	assert {name: (row["n"], row["against_n"]) for name, row in rows.items()} == {
		"test split": (600, 3_000),
		"issued 2012": (1_500, 1_500),
		"issued 2013": (1_500, 1_500),
	}
	# Chance gives less the more loans there are.
	chance = rows["test split"]["psi_chance"]
	assert chance == pytest.approx(chi2.ppf(0.95, 9) * (1 / 600 + 1 / 3_000))
	assert chance > rows["issued 2012"]["psi_chance"]


def test_a_year_of_few_loans_is_left_out(predictions):
	loans = date_loans(predictions)
	rare = loans["issue_month"].mask(loans.index < 50, pd.Timestamp("2008-05-01"))

	stability = report_stability(predictions, loans.assign(issue_month=rare))

	assert [row["population"] for row in stability["populations"]] == ["test split", "issued 2012", "issued 2013"]
