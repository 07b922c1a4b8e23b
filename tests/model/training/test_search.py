import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.measures.metrics import f2_variance, find_best_threshold
from loantap.model.schemas import CANDIDATES
from loantap.model.training.search import (
	_within_one_standard_error,
	choose,
	fit_candidate,
	make_candidate,
	make_folds,
	search,
)
from loantap.portfolio.errors import InputError
from tests.conftest import training_options

OPTIONS = training_options(
	"application", balancing=("smote", "class_weights", "none"), l1_ratios=(0, 1), inverse_penalties=(0.01, 1)
)


@pytest.fixture(scope="module")
def loans(simulated_loans):
	few = simulated_loans.head(1_500)
	features = build_features(few, FEATURE_SETS["application"].features)
	return features, few["is_charged_off"]


@pytest.fixture(scope="module")
def outcome(loans):
	return search(*loans, OPTIONS)


def test_every_candidate_of_the_grid_is_in_the_table_in_its_order(outcome):
	assert list(outcome.candidates["candidate"]) == [c.label for c in OPTIONS.candidates]
	assert len(outcome.candidates) == 3 * 2 * 2
	CANDIDATES.validate(outcome.candidates)


# Standard error of the best, with three folds: sqrt(.0003 / 3) = .01.
@pytest.mark.parametrize(
	("f2", "log_loss_", "chosen"),
	[
		([0.600, 0.591, 0.500], [0.60, 0.45, 0.40], 1),  # .591 is within .01 of .600
		([0.600, 0.589, 0.500], [0.60, 0.45, 0.40], 0),  # .589 is not
		([0.600, 0.600, 0.600], [0.45, 0.45, 0.45], 0),  # all alike: the first
	],
)
def test_a_tie_is_one_standard_error_wide(f2, log_loss_, chosen):
	scores = pd.DataFrame({"mean_f2": f2, "mean_f2_variance": [0.0003, 0.1, 0.1], "mean_log_loss": log_loss_})

	assert choose(scores, 3) == chosen
	assert _within_one_standard_error(scores, 3)[0]


def test_a_candidate_s_figures_are_means_over_the_folds_at_its_own_thresholds(outcome, loans):
	candidate = OPTIONS.candidates[5]  # class weights, L2, C=1
	features, target = loans
	folds = []
	for inside, outside in make_folds(OPTIONS).split(features, target):
		model = fit_candidate(features.iloc[inside], target.iloc[inside], candidate, OPTIONS)
		y, p = target.iloc[outside].to_numpy(), model.predict_proba(features.iloc[outside])[:, 1]
		threshold, f2 = find_best_threshold(y, p)
		(_, fp), (fn, tp) = confusion_matrix(y, p >= threshold)
		folds.append([f2, f2_variance(tp, fn, fp), log_loss(y, p), roc_auc_score(y, p)])

	row = outcome.candidates.set_index("candidate").loc[candidate.label]

	# In the search the features are in single precision.
	names = ["f2", "f2_variance", "log_loss", "roc_auc"]
	assert row[[f"mean_{name}" for name in names]].tolist() == pytest.approx(np.mean(folds, axis=0).tolist(), rel=1e-3)
	assert row["std_f2"] == pytest.approx(np.std(folds, axis=0)[0], abs=1e-3)


@pytest.mark.parametrize("monotone", [True, False])
def test_signs_are_asked_for_by_the_options(*, monotone):
	options = OPTIONS.model_copy(update={"monotone": monotone})

	assert any(make_candidate(OPTIONS.candidates[0], options)["classify"].signs) == monotone


def test_a_candidate_that_hits_the_cap_is_reported_as_not_converged(loans):
	capped = training_options("application", l1_ratios=(0, 1), max_iterations=2)

	# Warnings are errors here: the table says it, once per candidate.
	table = search(*loans, capped).candidates

	assert list(table["converged"]) == [False, False]
	assert list(table["stopped_at"]) == ["2 iterations", "2 iterations"]
	assert list(table["mean_iterations"]) == [2, 2]


def test_the_one_chosen_has_not_converged_if_the_model_that_is_kept_has_not(loans):
	# The search is content with three iterations; the model kept is to be exact.
	narrow = training_options("application", l1_ratios=(0, 1), max_iterations=4, tolerance=1e-12)

	table = search(*loans, narrow).candidates.set_index("chosen")

	assert table["mean_iterations"].max() < 4
	assert (table.loc[True, "converged"], table.loc[True, "stopped_at"]) == (False, "4 iterations")
	assert (table.loc[False, "converged"], table.loc[False, "stopped_at"]) == (True, "")


@pytest.mark.parametrize("charged_off", [0, 8, 1_492])
def test_too_few_loans_of_an_outcome_are_refused(charged_off, loans):
	features, _ = loans
	target = pd.Series(np.arange(1_500) < charged_off, index=features.index).astype("int8")

	with pytest.raises(InputError, match="too few for 3 folds"):
		search(features, target, OPTIONS)
