import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from loantap.measures.auc import auc_standard_error
from loantap.model.leakage.evidence import (
  Context,
  check_auc,
  check_categories,
  check_gap,
  check_group_means,
  check_outcome_date,
  check_vintage,
  encodable_columns,
  make_context,
  read_signal,
)
from loantap.model.leakage.statistics import Bins, bin_values, group_outcomes, measure_group_excess
from tests.model.leakage.limits import OPTIONS

TARGET = pd.Series([0, 1] * 50)
Z95_ONE_SIDED = 1.6448536269514722


def limit(**changes):
  return OPTIONS.model_copy(update=changes)


def told(evidence):
  return str(evidence.verdict), dict(evidence.figures)


def test_texts_categories_and_months_known_at_the_decision_could_encode_an_outcome():
  names = ["loan_id", "purpose", "profession", "issue_month", "dti_pct", "loan_status", "updated_at", "anything"]

  assert sorted(encodable_columns(pd.DataFrame(columns=names))) == ["issue_month", "profession", "purpose"]


def test_the_context_holds_months_groups_and_days_to_later_dates():
  issued = pd.Series(pd.to_datetime(["2014-01-01"] * 5 + ["2014-02-01"] * 3))
  loans = pd.DataFrame({"is_charged_off": [0, 0, 1, 1, 1, 0, 0, 0], "term_months": 36, "issue_month": issued})
  loans.loc[7, "term_months"] = 60
  days = pd.Series([10, 14, 30, 33, np.nan, 7, 7, 1])
  context = make_context(loans.assign(updated_at=issued + pd.to_timedelta(days, unit="D")), limit(folds=2))

  assert context.months.tolist() == [0] * 5 + [1] * 3
  assert context.groups == {}
  assert context.lags["updated_at"].tolist() == [-2, 2, -1.5, 1.5, 0, 0, 0, 0]
  # A day to either side is the least that counts.
  apart = {d: issued + pd.to_timedelta([0, d, *[0] * 6], unit="D") for d in (1, 2)}
  assert [len(make_context(loans.assign(updated_at=u), limit(folds=2)).lags) for u in apart.values()] == [0, 1]
  named = pd.DataFrame({"is_charged_off": [0, 1] * 30, "state": [*range(30)] * 2, "purpose": "car"})
  assert [*make_context(named, limit(folds=2)).groups] == ["state"]
  unknown = make_context(loans.drop(columns="issue_month").assign(updated_at=issued), limit(folds=2))
  assert (unknown.months, unknown.lags) == (None, {})


def test_an_area_or_a_gap_counts_beyond_chance_above_its_limit():
  error, other = auc_standard_error(0.9, TARGET), auc_standard_error(0.6, TARGET)
  least = 0.9 - Z95_ONE_SIDED * error
  gap = 0.9 - 0.6 - Z95_ONE_SIDED * float(np.hypot(error, other))

  for max_auc, verdict in ((least + 1e-9, "passed"), (least - 1e-9, "caught")):
    assert told(check_auc(0.9, TARGET, limit(max_auc=max_auc))) == (
      verdict,
      pytest.approx({"auc": 0.9, "auc_at_least": least}),
    )
  exact = check_auc(0.9, TARGET, OPTIONS).figures["auc_at_least"]
  assert check_auc(0.9, TARGET, limit(max_auc=exact)).verdict == "passed"
  for most, verdict in ((gap + 1e-9, "passed"), (gap - 1e-9, "caught")):
    figures = {"auc_in_sample": 0.9, "gap": 0.3, "gap_at_least": gap}
    assert told(check_gap(0.9, 0.6, TARGET, most)) == (verdict, pytest.approx(figures))
  figures = check_gap(0.9, 0.4, TARGET, 1).figures
  assert figures["gap"] == pytest.approx(0.4)  # above a half, not above less than chance
  assert check_gap(0.9, 0.4, TARGET, figures["gap_at_least"]).verdict == "passed"


def test_implausible_categories_are_counted_and_shown():
  flagged = pd.DataFrame({"category": ["a", "b"], "default_rate": [1.0, 0.975]})
  found = check_categories(flagged)

  assert told(found) == ("caught", {"categories": 2.0})
  assert "a (100.0%), b (97.5%)" in found.statement
  assert told(check_categories(flagged[:0])) == ("passed", {"categories": 0.0})


def test_a_number_is_read_by_its_rank_and_a_category_by_its_default_rate():
  numbers, words = pd.Series([3.0, np.nan, 1.0]), pd.Series(["a", "b", "b", "a", None])
  target = pd.Series([1, 0, 1, 1, 0])

  assert read_signal(numbers, bin_values(numbers), target[:3]).tolist() == [1, 0.5, 0.5]
  assert read_signal(words, bin_values(words), target).tolist() == [1, 0.5, 0.5, 1, 0]


MONTHS = np.repeat([0, 1], 50)
FLAG = pd.Series(MONTHS.astype(float))
SOME = pd.Series(np.where(MONTHS, "Missing", "some"))


@pytest.mark.parametrize(
  ("values", "target", "verdict", "what"),
  [
    (FLAG, MONTHS, "caught", "its values mark"),
    (FLAG, TARGET, "warned", "its values mark"),
    (FLAG.where(MONTHS == 1), MONTHS, "warned", "its missing values mark"),
    (SOME.str.replace("Missing", "missing"), MONTHS, "caught", "its missing values mark"),
    (FLAG[::-1].reset_index(drop=True) * 0 + np.arange(100) % 2, TARGET, "passed", ""),
  ],
)
def test_what_marks_a_vintage_is_caught_where_a_model_can_read_it_and_rates_differ(values, target, verdict, what):
  context = Context(pd.Series(target), [], MONTHS)
  found = check_vintage(values, np.zeros(100) if "missing" in what else values.to_numpy(), context, OPTIONS)

  assert found.verdict == verdict
  assert found.statement.startswith(what)
  assert ("default rates differ" in found.statement) == (target is MONTHS and bool(what))
  assert check_vintage(values, values, Context(context.target, []), OPTIONS).figures == {}


def test_a_vintage_is_marked_from_the_limit_on_by_rates_that_differ_below_the_limit():
  signal = np.where(np.arange(100) < 5, 1 - MONTHS, MONTHS).astype(float)
  values, context = pd.Series(signal), Context(pd.Series([1] * 60 + [0] * 40), [], MONTHS)
  chance = pearsonr(signal, context.target).pvalue
  found = check_vintage(values, signal, context, limit(vintage_share=0.99))
  share = found.figures["values_explained_by_month"]

  assert found.figures == {"missing_share": 0, "values_explained_by_month": share, "missing_explained_by_month": 0}
  assert (found.verdict, 0.8 < share < 0.9) == ("passed", True)
  for rate, verdict in ((chance * 1.001, "caught"), (chance, "warned")):
    options = limit(vintage_share=share, false_discovery_rate=rate)
    assert check_vintage(values, signal, context, options).verdict == verdict


def test_the_grouping_that_gives_most_of_an_outcome_away_is_named():
  rng = np.random.default_rng(0)
  outcome = pd.Series(rng.integers(0, 2, 400))
  pairs, other = np.repeat(np.arange(200), 2), rng.permutation(np.repeat(np.arange(200), 2))
  signal = outcome.groupby(pairs).transform("mean").to_numpy()
  groups = {n: group_outcomes(g, outcome) for n, g in (("state", other), ("profession", pairs), ("title", other))}
  excess = measure_group_excess(signal, groups["profession"])
  context = Context(outcome, [], groups=groups)
  found = check_group_means(signal, context, OPTIONS)

  assert told(found) == ("caught", {"z": excess.z, "excess_share": excess.share, "loans": 400.0})
  assert f"same profession it tells {excess.share:.1%} more" in found.statement
  assert told(check_group_means(signal, context, limit(max_group_z=excess.z))) == ("passed", found.figures)
  assert told(check_group_means(signal, Context(outcome, []), OPTIONS)) == ("passed", {})


def test_a_feature_may_go_with_a_later_date_up_to_the_limit():
  lags = {"updated_at": np.array([-1.0, 0, 0, 1]), "closed_at": np.zeros(4)}
  bins, context = Bins(np.array([0, 0, 1, 1]), ("a", "b")), Context(TARGET, [], lags=lags)
  # Of 2 squares 1 within the bins: 1 - 1/2 x 3/2.
  for most, verdict in ((0.25, "passed"), (0.2499, "caught")):
    found = check_outcome_date(bins, context, limit(max_outcome_date_share=most))
    assert told(found) == (verdict, {"updated_at": 0.25, "closed_at": 0})
  assert "25% of the variance of updated_at among" in found.statement
