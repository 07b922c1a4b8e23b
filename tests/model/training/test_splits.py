import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loantap.model.schemas import SPLITS
from loantap.model.training.options import SplitOptions
from loantap.model.training.rolling_origin import date_loans
from loantap.model.training.splits import require_enough, split_loans
from loantap.portfolio.errors import InputError
from tests.conftest import OUT_OF_TIME


def options(seed=42, test_share=0.1):
  return SplitOptions.model_validate({"seed": seed, "test_share": test_share, "out_of_time": OUT_OF_TIME})


def make_loans(outcomes, issued="2014-01-01", term=36):
  return pd.DataFrame(
    {
      "loan_id": pd.Series([str(n) for n in range(len(outcomes))], dtype="str"),
      "is_charged_off": np.array(outcomes, dtype="int8"),
      "issue_month": pd.Series(pd.Timestamp(issued), range(len(outcomes))).astype("datetime64[s]"),
      "term_months": term,
    }
  )


@pytest.fixture
def thousand_loans():
  return make_loans([1, 0, 0, 0, 0] * 200)


def test_the_seed_decides(thousand_loans):
  one, again, other = (split_loans(thousand_loans, options(seed)) for seed in (1, 1, 2))

  pd.testing.assert_frame_equal(one, again)
  assert not one["split"].equals(other["split"])


@given(charged_off=st.integers(0, 60), paid=st.integers(0, 60), test_share=st.floats(0.05, 0.95))
@example(charged_off=2, paid=2, test_share=0.7)  # one loan would be left to train on
@example(charged_off=7, paid=36, test_share=0.921875)  # three would, all of them paid
def test_both_outcomes_are_on_both_sides_or_the_split_is_refused(charged_off, paid, test_share):
  loans = make_loans([1] * charged_off + [0] * paid)
  try:
    split = split_loans(loans, options(test_share=test_share))["split"]
  except InputError:
    tested = math.ceil(len(loans) * test_share)
    smaller = min(tested, len(loans) - tested)
    assert smaller < 2 or min(charged_off, paid) * smaller / len(loans) <= 0.5 + 1e-9
    return
  counts = loans["is_charged_off"].groupby(split).agg(["sum", "size"])
  assert sorted(counts.index) == ["test", "train"]
  assert (counts["sum"] > 0).all()
  assert (counts["sum"] < counts["size"]).all()


@pytest.mark.parametrize("outcomes", [[0] * 50, [1] * 50, [1] * 5 + [0] * 95])
def test_a_portfolio_too_small_to_split_is_refused_with_its_outcomes(outcomes):
  with pytest.raises(InputError, match=r"loans: \d+ loans with outcomes .* cannot be split"):
    split_loans(make_loans(outcomes), options())


def test_each_loan_gets_its_place_in_the_rolling_origin(simulated_loans):
  split = split_loans(simulated_loans, options())

  dated = date_loans(simulated_loans, options().out_of_time)
  pd.testing.assert_frame_equal(split[["known_from", "judged_at"]], dated)
  judged = simulated_loans[split["judged_at"].notna()]
  assert len(judged)
  assert judged["term_months"].eq(36).all()
  assert judged["issue_month"].max() <= pd.Timestamp("2013-12-01")
  SPLITS.validate(split)


@pytest.mark.parametrize(
  ("charged_off", "paid", "said"),
  [
    (50, 50, ""),
    (49, 196, "it has 245 loans, 49 of them charged off and 196 paid: too few to train a model"),
    (12, 48, "which needs 50 of each. Give about 250 loans"),
    (200, 49, "which needs 50 of each. Give about 255 loans"),
    (0, 500, "Give a portfolio that holds loans of both outcomes"),
  ],
)
def test_a_portfolio_too_small_to_train_on_is_told_how_many_loans_it_needs(charged_off, paid, said):
  loans = pd.DataFrame({"is_charged_off": [1] * charged_off + [0] * paid})

  if not said:
    require_enough(loans, 50)
  else:
    with pytest.raises(InputError, match=re.escape(said)):
      require_enough(loans, 50)
