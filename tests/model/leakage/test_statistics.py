import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from loantap.model.leakage.readings import cross, fold_by_content, read, read_columns
from loantap.model.leakage.statistics import (
	Bins,
	GroupExcess,
	OutcomeGroups,
	bin_values,
	cross_fitted_auc,
	explained_share,
	group_outcomes,
	in_sample_auc,
	measure_group_excess,
)


def test_numbers_of_more_than_20_values_are_cut_into_20_bins_and_others_are_not():
	few, cut = bin_values(pd.Series([2.0, np.nan, 1.0, 2.0])), bin_values(pd.Series([*range(40), np.nan]))

	assert (few.labels, few.codes.tolist()) == (("1.0", "2.0", "missing"), [1, 2, 0, 1])
	assert np.bincount(cut.codes).tolist() == [2] * 20 + [1]
	assert bin_values(pd.Series(np.arange(20.0))).labels[0] == "0.0"
	assert bin_values(pd.Series(np.arange(21.0))).labels[0] != "0.0"
	assert np.bincount(bin_values(pd.Series([0, *[1] * 4, *range(2, 27)])).codes).min() > 0


def test_the_cross_fitted_area_is_that_of_the_librarys_target_encoder():
	rng = np.random.default_rng(1)
	codes = np.array([*rng.integers(0, 12, 57), 5, 12, 12])
	target = pd.Series((rng.random(60) < 0.1 + 0.05 * codes + np.arange(60) / 120).astype(int))
	# Folds of other rates; loans of the last group are in one fold only.
	folds = [(np.r_[0:a, b:60], np.arange(a, b)) for a, b in ((0, 15), (15, 40), (40, 60))]
	scores = np.empty(60)
	for inside, outside in folds:
		encoder = TargetEncoder(smooth="auto", target_type="binary").fit(codes[inside, None], target[inside])
		scores[outside] = encoder.transform(codes[outside, None])[:, 0]
	bins = Bins(codes, tuple("abcdefghijklm"))

	assert cross_fitted_auc(bins, target, folds) == pytest.approx(roc_auc_score(target, scores), abs=1e-12)
	means = target.groupby(codes).transform("mean")
	assert in_sample_auc(bins, target) == pytest.approx(roc_auc_score(target, means), abs=1e-12)


@pytest.mark.parametrize(
	("values", "codes", "share"),
	[
		# Within groups 5 of 14 squares: 1 - 5/14 x 3/2. Group 1 has no loans.
		([0.1, 0.2, 0.3, 0.6], [0, 0, 2, 2], 13 / 28),
		([1.0, 2.0, 3.0], [0, 0, 1], 0.5),
		([1.0, 2.0, 1.0, 2.0], [0, 0, 1, 1], 0.0),
		([1.0, 1.0, 1.0], [0, 0, 1], 0.0),
		([1.0, 2.0], [0, 1], 0.0),
	],
)
def test_the_share_explained_allows_for_the_number_of_groups(values, codes, share):
	assert explained_share(np.array(values), np.array(codes)) == pytest.approx(share, abs=1e-12)


def test_groups_of_2_to_200_loans_count_where_there_are_30_of_them():
	sizes = [1, 2, 200, 201, *[2] * 28]
	codes = np.array([*np.repeat(np.arange(len(sizes)), sizes), -1, -1])
	target = pd.Series(np.arange(len(codes)) % 2)
	found = group_outcomes(codes, target)

	assert found.loans.tolist() == [*range(1, 203), *range(404, 460)]
	assert np.bincount(found.group).tolist() == [2, 200, *[2] * 28]
	assert set(found.others[2:202]) == {199}
	# One loan of each pair was lost. The neighbour's outcome is the other one.
	assert found.outcome.tolist() == [0.5 if n % 2 else -0.5 for n in found.loans]
	assert found.their_outcome[[0, 2, -1]] == pytest.approx([-0.5, -0.5 / 199, -0.5])
	assert group_outcomes(codes[:-4], target[:-4]) is group_outcomes(np.full(9, -1), target[:9]) is None
	assert len(group_outcomes(np.repeat(np.arange(30), 2), target[:60]).loans) == 60


def test_the_excess_of_a_group_is_what_its_neighbours_values_tell_beyond_their_outcomes():
	group, outcome = np.array([0, 0, 1, 1, 1]), np.array([0.6, -0.4, 0.6, -0.4, -0.4])
	theirs = np.array([-0.4, 0.6, -0.4, 0.1, 0.1])
	groups = OutcomeGroups(np.array([5, 4, 3, 2, 1]), group, np.array([1.0, 1, 2, 2, 2]), outcome, theirs)
	ranks = np.array([9.0, 0.1, 0.3, 0.2, 0.9, 0.5])
	# By loan: the neighbours' mean value, less the mean of these.
	told = np.array([0.9, 0.5, 0.2, 0.15, 0.25]) - 0.4
	slope = sum(outcome * told) / sum(told**2)
	each = 2 * slope * outcome * told - (slope * told) ** 2
	off = each - each.mean()
	error = (off[0] + off[1]) ** 2 + (off[2] + off[3] + off[4]) ** 2 + (1.2 / 5) ** 2 * (4 / 1 + 6 / 2)
	excess = sum(each) - sum(outcome * theirs)

	found = measure_group_excess(ranks, groups)
	assert (found.share, found.z, found.loans) == pytest.approx((excess / 1.2, excess / error**0.5, 5))
	small = OutcomeGroups(groups.loans, group, groups.others, outcome / 2, theirs / 2)
	assert measure_group_excess(ranks / 2, small).z == pytest.approx(found.z)
	assert measure_group_excess(ranks * 0, groups) == GroupExcess(0.0, 0.0, 5)


def test_the_columns_of_features_are_read_and_the_age_of_a_date_as_its_feature_is():
	loans = pd.DataFrame({"loan_amount": [1.0, 2.0], "annual_income": [3.0, 4.0], "dti_pct": [np.nan] * 2})
	ages = pd.DataFrame({"credit_history_years": [9.0, 8.0]})
	found = read_columns(loans, ages, ["credit_history_years", "loan_to_income", "log_annual_income", "dti_pct"])

	assert {r.name: r.features for r in found.values()} == {
		"credit_history_years": ("credit_history_years",),
		"loan_amount": ("loan_to_income",),
		"annual_income": ("loan_to_income", "log_annual_income"),
	}
	assert found["credit_history_years"].score[0] > 0 > found["annual_income"].score[0]


def test_a_number_is_scored_by_its_rank_and_nothing_by_the_middle():
	found, many = read(pd.Series([30.0, 10.0, np.nan, 20.0, 40.0]), "x"), read(pd.Series(np.arange(10_000.0)), "x")

	assert found.score.tolist() == pytest.approx([*norm.ppf([0.65, 0.15]), 0, *norm.ppf([0.4, 0.9])])
	assert (many.score.min(), many.score.max()) == pytest.approx((norm.ppf(1e-4), -norm.ppf(1e-4)))
	assert found.is_missing.tolist() == [0, 0, 1, 0, 0]
	assert np.bincount(read(pd.Series(np.arange(80.0)), "x").coarse).tolist() == [10] * 8


@pytest.mark.parametrize(
	("values", "counts", "first", "last"),
	[
		# Ten values are ten bins, however often they are there; eleven are cut by tenths.
		([*range(10), *[9] * 90], [1] * 9 + [91], "up to 0", "over 8"),
		([*range(11), *[10] * 9], [2] * 5 + [10], "up to 1.9", "over 10"),
		([5, 5], [2], "5", "5"),
	],
)
def test_few_values_are_bins_of_their_own(values, counts, first, last):
	found = read(pd.Series(values, dtype=float), "x")

	assert np.bincount(found.codes).tolist() == counts
	assert (found.labels[0], found.labels[-2]) == (first, last)


@pytest.mark.parametrize(("kept", "loans"), [(20, 1_000), (40, 10_000)])
def test_a_category_is_read_from_20_loans_on_that_are_4_of_1000(kept, loans):
	sizes = {"c": kept, "b": kept - 1, "a": loans - 2 * kept, None: 1}
	found = read(pd.Series(np.repeat([*sizes], [*sizes.values()])), "x")

	assert (found.labels, found.is_category) == (("a", "c", "missing"), True)
	assert np.bincount(found.codes).tolist() == [loans - 2 * kept, kept, kept]
	assert found.score[-2] == pytest.approx(norm.ppf((loans / 2 - kept) / loans))


def test_equal_loans_are_dealt_to_folds_in_turn():
	values = read(pd.Series(np.repeat(np.arange(10.0), range(1, 11))), "x")
	folds = fold_by_content({"x": values}, values.codes % 2, 5)

	# One value of each outcome in each fold.
	assert [sorted(c % 2 for c in set(values.codes[outside])) for _, outside in folds] == [[0, 1]] * 5
	assert all(len(inside) + len(outside) == 55 for inside, outside in folds)
	assert cross(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1])).tolist() == [0, 1, 2, 3, 3]
