from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from loantap.policy.findings.adjustment import Regression
from loantap.policy.findings.evidence import (
  Evidence,
  YearTable,
  follow_driver,
  measure_stability_over_years,
  tabulate_years,
)


def make_table(excess, loans=400, variance=4e-4):
  """Segments x years, with as many loans in each cell."""
  values = np.array(excess, dtype=float)
  counts = np.full(values.shape, loans)
  return YearTable(
    years=np.arange(2011, 2011 + values.shape[1]),
    loans=counts,
    charged_off=np.rint(counts * (0.2 + np.nan_to_num(values))).astype(int),
    excess=values,
    variance=np.full(values.shape, variance),
    is_enough=~np.isnan(values),
  )


def test_excess_is_observed_less_expected_by_hand():
  # A of 2011: 1 of 2 where 2 x .2 are expected; B has no loan in 2012.
  grades = pd.DataFrame({"grade": pd.Categorical(list("AABAB"))})
  outcome = np.array([1.0, 0, 0, 1, 1])
  evidence = Evidence(
    segments=pd.DataFrame({"pincode": pd.Categorical(list("AAABB"))}),
    outcome=outcome,
    years=np.array([2011, 2011, 2012, 2011, 2011]),
    profits={},
    adjusted=Regression(grades, outcome).adjust(["grade"]),
    pd=np.array([0.2, 0.2, 0.5, 0.4, 0.6]),
    min_outcomes=1,
  )

  table = tabulate_years(evidence, "pincode", 1)

  assert table.years.tolist() == [2011, 2012]
  assert table.loans.tolist() == [[2, 1], [2, 0]]
  assert table.charged_off.tolist() == [[1, 0], [2, 0]]
  assert table.excess[0] == pytest.approx([0.3, -0.5])
  assert table.excess[1, 0] == pytest.approx(0.5)
  assert np.isnan(table.excess[1, 1])
  assert table.variance[0] == pytest.approx([2 * 0.16 / 4, 0.25])
  # The rarer outcome has a share of .4: a cell needs 2.5 loans to expect one of each.
  assert not table.is_enough.any()
  assert tabulate_years(evidence, "pincode", 0).is_enough.all()
  assert not tabulate_years(replace(evidence, adjusted={}), "pincode", 0).is_enough.any()


@pytest.mark.parametrize(
  ("excess", "years", "same_sign", "p_value"),
  [
    # Mean .03: (.07^2 + .01^2 + .06^2) / .0004 = 21.5 with 2 degrees of freedom.
    ([0.10, 0.02, -0.03], 3, 2, chi2.sf(21.5, 2)),
    # Years with few loans are left out; of fewer than two nothing is told.
    ([0.10, np.nan, 0.10], 2, 2, 1),
    ([np.nan, np.nan], 0, 0, np.nan),
    ([0.1, np.nan], 1, 1, np.nan),
  ],
)
def test_stability_is_cochrans_test_by_hand(excess, years, same_sign, p_value):
  found = measure_stability_over_years(make_table([excess]), 0)

  assert (found.years, found.same_sign) == (years, same_sign)
  assert found.p_value == pytest.approx(p_value, nan_ok=True)


def test_a_driver_that_is_the_same_every_year_has_its_spread():
  strength, error = follow_driver(make_table([[0.03] * 3, [-0.03] * 3]))

  assert strength == pytest.approx([0.03] * 3)
  assert error == pytest.approx([np.sqrt(2 * 0.5**2 * 4e-4)] * 3)


def test_a_driver_that_turns_round_in_a_year_is_below_zero_there():
  table = make_table([[0.03, 0.03, -0.02], [-0.03, -0.03, 0.02]])

  assert follow_driver(table)[0] == pytest.approx([0.03, 0.03, -0.02])


@pytest.mark.parametrize(
  "excess",
  [
    [[0.1], [-0.1]],  # there is no other year
    [[0.1, 0.1]],  # nor another segment
    [[0.1, np.nan], [np.nan, 0.1]],  # nor a segment in two years
    [[0.1, 0.1], [0.1, 0.1]],  # nor an order
  ],
)
def test_a_driver_is_not_told_where_there_is_nothing_to_follow(excess):
  strength, error = follow_driver(make_table(excess))

  assert np.isnan(strength).all()
  assert np.isnan(error).all()
