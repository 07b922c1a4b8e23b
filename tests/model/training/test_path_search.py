import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from threadpoolctl import threadpool_limits

from loantap.features.build import build_features
from loantap.model.training.path_search import PathSearch
from loantap.model.training.search import choose, make_candidate, make_folds, score_on_fold, search, tabulate_scores
from loantap.model.training.train import feature_names
from tests.conftest import training_options
from tools.benchmarks.bench_search import choose_by_results

LOANS = 3_000
OPTIONS = training_options(
	"lending",
	balancing=("smote", "class_weights", "none"),
	l1_ratios=(0, 1),
	inverse_penalties=(0.01, 1, 100),
	monotone=False,
)
CANDIDATES = OPTIONS.candidates
_SCORES = ("f2", "f2_variance", "log_loss", "roc_auc")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
	"""As `search` does: sums repeat but for the last bit, which is where memory happens to lie."""
	with threadpool_limits(1):
		yield


@pytest.fixture(scope="module")
def loans(simulated_loans):
	few = simulated_loans.head(LOANS)
	return build_features(few, feature_names(OPTIONS)), few["is_charged_off"]


def judge(loans, candidates=CANDIDATES, jobs=1, cv=None):
	paths = PathSearch(candidates, lambda c: make_candidate(c, OPTIONS), score_on_fold, jobs)
	return paths.judge(*loans, cv or make_folds(OPTIONS))


@pytest.fixture(scope="module")
def ours(loans):
	return judge(loans)


@pytest.fixture(scope="module")
def plain(loans):
	"""The same pipelines, each fitted from nothing on every fold, in double precision."""
	models = [make_candidate(candidate, OPTIONS) for candidate in CANDIDATES]
	grid = GridSearchCV(
		models[0],
		[{"balance": [m["balance"]], "classify": [m["classify"]]} for m in models],
		scoring=score_on_fold,
		refit=lambda results: choose_by_results(results, OPTIONS.folds),
		cv=make_folds(OPTIONS),
		error_score="raise",
	)
	with warnings.catch_warnings():
		warnings.simplefilter("ignore", ConvergenceWarning)
		return grid.fit(*loans)


def scores_of(judged, score):
	return np.array([[candidate.scores[score] for candidate in fold] for fold in judged])


def choice(judged, candidates=CANDIDATES):
	return choose(tabulate_scores(candidates, judged), OPTIONS.folds)


def test_the_same_candidate_is_chosen_as_by_grid_search(ours, plain):
	assert choice(ours) == plain.best_index_


@pytest.mark.parametrize(("score", "most"), [("f2", 0.002), ("roc_auc", 2e-4), ("log_loss", 2e-4)])
def test_scores_differ_by_no_more_than_single_precision_makes(ours, plain, score, most):
	found, expected = scores_of(ours, score), plain.cv_results_
	for fold in (0, 2):
		np.testing.assert_allclose(found[fold], expected[f"split{fold}_test_{score}"], atol=most)
	np.testing.assert_allclose(found.mean(axis=0), expected[f"mean_test_{score}"], atol=most)


def test_the_winner_fitted_on_all_loans_is_the_same_model(plain, loans):
	found = search(*loans, OPTIONS)

	assert found.best == CANDIDATES[plain.best_index_]
	np.testing.assert_allclose(found.model.predict_proba(loans[0]), plain.predict_proba(loans[0]), rtol=1e-9)


def assert_same(found, expected):
	for score in _SCORES:
		np.testing.assert_allclose(scores_of(found, score), scores_of(expected, score), rtol=1e-9, err_msg=score)
	for one, other in zip(found, expected, strict=True):
		assert [c.iterations for c in one] == [c.iterations for c in other]


def test_two_folds_at_a_time_give_the_same_numbers(ours, loans):
	assert_same(judge(loans, jobs=2), ours)


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_up_to_every_fit(jobs, loans, caplog):
	some = CANDIDATES[-6:]
	with caplog.at_level(logging.INFO, logger="loantap.progress"):
		judge(loans, some, jobs)

	records = [r for r in caplog.records if r.name == "loantap.progress"]
	total = OPTIONS.folds * len(some)
	assert [record.done for record in records] == list(range(1, total + 1))
	assert {record.total for record in records} == {total}
	assert {r.getMessage().split(",")[0] for r in records} == {"fold 1", "fold 2", "fold 3"}
	assert any("none L1 C=" in record.getMessage() for record in records)


def test_a_fold_left_out_reaches_neither_preprocessing_nor_coefficients(loans):
	features, target = loans
	folds, some = PredefinedSplit(np.arange(LOANS) % 3), CANDIDATES[::6]
	left_out = folds.test_fold == 0
	turned = target.mask(left_out, 1 - target)
	numbers = features.select_dtypes("number").mask(pd.Series(left_out), 999.0)
	spoilt = numbers.assign(purpose=features["purpose"].mask(left_out, "never seen"))

	def fit(features, target):
		judged = judge((features, target), some, cv=folds)
		return [candidate.solution for fold in judged for candidate in fold]

	before, after = fit(features, target), fit(spoilt, turned)

	np.testing.assert_allclose(after[: len(some)], before[: len(some)], rtol=1e-6, atol=1e-9)
	# The next fold has them in its training rows.
	assert not np.allclose(after[len(some)][:5], before[len(some)][:5], rtol=0.1)


def test_a_training_fold_of_one_outcome_is_refused(loans):
	features, target = loans
	folds = PredefinedSplit(np.where(target == 1, 0, np.arange(LOANS) % 2))

	with pytest.raises(ValueError, match="only one class is present"):
		judge((features, target), CANDIDATES[-1:], cv=folds)
