from dataclasses import replace

import numpy as np
import pytest

from loantap.policy.lab.backtest import MAX_FALSE_RATE, After, FoundBy, JudgedLoans, Sample, backtest, split_in_halves
from loantap.policy.lab.rules import READABLE_COLUMNS, Rule, read_columns
from loantap.policy.lab.search import list_candidates
from loantap.policy.money.cash_flows import PaidLife
from tests.policy.lab.loans import make_loans
from tests.policy.shipped import make_lab

SEEDS = 200
LAB = make_lab()
# Of the amount: what a loan earns if it is paid back, and loses if it is charged off. At a default
# rate of 20% it earns nothing.
EARNS, LOSES = 0.1, 0.4


def simulate(size, seed, *, planted):
  """A portfolio, which of its loans the planted rule declines, and what declining each gains.

  Where a rule is planted, 60-month loans with a DTI above 28 default every second time and all
  others 12 times in 100; else all 20 times in 100, so that no rule gains or loses anything.
  """
  loans, rng = make_loans(size, seed), np.random.default_rng([seed, 1])
  is_planted = (loans["dti_pct"].gt(28) & loans["term_months"].eq(60)).to_numpy() & planted
  pd_ = np.where(is_planted, 0.5, 0.12 if planted else 0.2)
  is_bad, amount = rng.random(size) < pd_, loans["loan_amount"].to_numpy()
  everybody = Sample("all", np.arange(size), {"mid": rng.random(size) < 0.7})
  gains = np.where(is_bad, LOSES, -EARNS) * amount
  judged = JudgedLoans(
    columns=read_columns(loans, READABLE_COLUMNS),
    is_charged_off=is_bad,
    gains={("mid", paid_life): gains for paid_life in PaidLife},
    is_searched=split_in_halves(loans["loan_id"]),
    samples=(everybody,),
  )
  return judged, is_planted, (pd_ * LOSES - (1 - pd_) * EARNS) * amount


@pytest.mark.slow
def test_the_rule_that_pays_is_found_and_no_other_is_recommended():
  found = false = 0
  for seed in range(SEEDS):
    judged, is_planted, true_gains = simulate(3_000, seed, planted=True)
    tests = backtest(list_candidates(judged, "mid", LAB), judged, LAB.min_loans)
    is_found = is_false = False
    for row in tests[tests["holds"]].itertuples():
      declined = Rule.model_validate_json(row.rule).declines(judged.columns)
      if row.after == After.NPV:
        is_false |= true_gains[declined & judged.samples[0].approved["mid"]].sum() <= 0
        continue
      is_false |= true_gains[declined].sum() <= 0
      alike = (declined & is_planted).sum() / (declined | is_planted).sum()
      is_found |= row.found_by == FoundBy.SEARCH and alike > 0.5
    found, false = found + is_found, false + is_false

  assert found >= 0.95 * SEEDS
  assert false <= MAX_FALSE_RATE * SEEDS


@pytest.mark.slow
def test_where_no_rule_pays_hardly_any_is_recommended():
  false = by_search = quoted_where_found = 0
  for seed in range(SEEDS):
    judged, _, _ = simulate(2_000, seed, planted=False)
    candidates = list_candidates(judged, "mid", LAB)
    tests = backtest(candidates, judged, LAB.min_loans)
    false += tests["holds"].any()
    by_search += tests.loc[tests["found_by"].eq("search"), "holds"].any()
    swapped = replace(judged, is_searched=~judged.is_searched)
    flattered = backtest(candidates, swapped, LAB.min_loans)
    quoted_where_found += flattered.loc[flattered["found_by"].eq("search"), "holds"].any()

  assert false <= MAX_FALSE_RATE * SEEDS
  assert by_search <= MAX_FALSE_RATE / 2 * SEEDS
  # Had the rules been quoted on the loans that they were found on:
  assert quoted_where_found > 10 * MAX_FALSE_RATE / 2 * SEEDS
