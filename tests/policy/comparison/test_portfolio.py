import pandas as pd
import pytest

from loantap.policy.comparison.portfolio import value_loans
from loantap.policy.money.cash_flows import Scenario


# 1,000 at 12% over 12 months earn 22.33 if they are paid back and lose 286.22 if they are charged
# off after half of the term, of which .6 is lost; funds cost 6%, origination 1%. At a PD of .25
# 22.33 - .25 x 308.55 = -54.81 are to be expected.
def test_a_loan_is_worth_what_its_pd_says_and_was_worth_what_its_outcome_says():
  scenario = Scenario(
    cost_of_funds_pct=6, loss_given_default=0.6, default_at_share_of_term=0.5, origination_cost_share=0.01
  )
  portfolio = pd.DataFrame(
    {
      "probability_of_default": [0.25, 0.0],
      "loan_amount": [1_000.0, 2_000.0],
      "interest_rate_pct": 12.0,
      "term_months": 12.0,
      "grade": ["A", "B"],
      "is_charged_off": [0, 1],
      "declined": [True, False],
    }
  )

  values = value_loans(portfolio, scenario)

  assert len(values) == 2
  assert values.margin == pytest.approx([-0.05481, 0.02233], abs=2e-5)
  assert values.expected == pytest.approx([-54.81, 44.66], abs=0.03)
  assert values.realised == pytest.approx([22.33, -572.44], abs=0.03)
  assert values.probability_of_default.tolist() == [0.25, 0.0]
  assert values.declined.tolist() == [True, False]
  assert values.grade_term.tolist() == [0, 1]
