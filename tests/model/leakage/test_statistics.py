import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from loantap.model.leakage.statistics import (
  Bins,
  GroupExcess,
  OutcomeGroups,
  bin_values,
  cross_fitted_auc,
  explained_share,
  find_implausible_categories,
  group_outcomes,
  in_sample_auc,
  measure_group_excess,
  split_folds,
)
from tests.model.leakage.limits import OPTIONS


def test_numbers_of_more_than_20_values_are_cut_into_20_bins_and_others_are_not():
  as_they_are, cut = bin_values(pd.Series(np.arange(20.0))), bin_values(pd.Series([*range(40), np.nan]))
  words = bin_values(pd.Series([f"{n:02d}" for n in range(40)]))

  assert as_they_are.labels[:2] == ("0.0", "1.0")
  assert np.bincount(cut.codes).tolist() == [2] * 20 + [1]
  assert (len(bin_values(pd.Series(np.arange(21.0))).labels), len(words.labels)) == (20, 40)
  assert np.bincount(bin_values(pd.Series([0, *[1] * 4, *range(2, 27)])).codes).min() > 0
  assert len(bin_values(pd.Series([0] * 80 + [*range(1, 21)])).labels) == 5


def test_folds_are_stratified_and_drawn_by_the_seed():
  target = pd.Series([1] * 20 + [0] * 80)
  folds = [split_folds(target, OPTIONS.model_copy(update={"seed": seed})) for seed in (1, 1, 2)]
  held_out = [[outside.tolist() for _, outside in split] for split in folds]

  assert held_out[0] == held_out[1] != held_out[2]
  assert [int(target[rows].sum()) for rows in held_out[0]] == [4] * 5


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


def test_an_implausible_category_comes_with_its_loans_rate_and_chance():
  values = pd.Series(["run"] * 30 + ["others"] * 1_000)
  target = pd.Series([1] * 29 + [0] + [1] * 190 + [0] * 810)
  [found] = find_implausible_categories(bin_values(values), target, OPTIONS).to_dict("records")
  chance = 4 * (0.7**30 + 30 * 0.7**29 * 0.3)
  exact = OPTIONS.model_copy(update={"false_discovery_rate": found["adjusted_p_value"]})

  assert (found["category"], found["loans"], found["default_rate"]) == ("run", 30, 29 / 30)
  assert found["adjusted_p_value"] == pytest.approx(chance)
  assert find_implausible_categories(bin_values(values), target, exact).empty


@pytest.mark.parametrize(
  ("values", "codes", "share"),
  [
    # Within groups 5 of 14 squares: 1 - 5/14 x 3/2. Group 1 has no loans.
    ([0.1, 0.2, 0.3, 0.6], [0, 0, 2, 2], 13 / 28),
    # 0.5 of 2: 1 - 1/4 x 2/1; one loan is a group too.
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
  assert found.others.tolist() == [1.0] * 2 + [199.0] * 200 + [1.0] * 56
  # One loan of each pair was lost: of 258 loans the half. The neighbour's outcome is the other one.
  assert found.outcome.tolist() == [0.5 if n % 2 else -0.5 for n in found.loans]
  assert found.their_outcome[[0, 1, -1]].tolist() == [-0.5, 0.5, -0.5]
  assert found.their_outcome[2] == pytest.approx(-0.5 / 199)
  assert group_outcomes(codes[:-4], target[:-4]) is None
  assert len(group_outcomes(np.repeat(np.arange(30), 2), target[:60]).loans) == 60


def test_the_excess_of_a_group_is_what_its_neighbours_values_tell_beyond_their_outcomes():
  group, outcome = np.array([0, 0, 1, 1, 1]), np.array([0.6, -0.4, 0.6, -0.4, -0.4])
  others = np.array([1.0, 1, 2, 2, 2])
  theirs = np.array([-0.4, 0.6, -0.4, 0.1, 0.1])
  groups = OutcomeGroups(np.array([5, 4, 3, 2, 1]), group, others, outcome, theirs)
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
  small = OutcomeGroups(groups.loans, group, others, outcome / 2, theirs / 2)
  assert measure_group_excess(ranks / 2, small).z == pytest.approx(found.z)
  assert measure_group_excess(ranks * 0, groups) == GroupExcess(0.0, 0.0, 5)
