import pytest
from pydantic import ValidationError

from loantap.policy.offers.options import require_an_amount
from loantap.portfolio.errors import InputError
from tests.policy.offers.options import bands, options
from tests.policy.policies import make_policy


@pytest.mark.parametrize(
  ("changes", "said"),
  [
    ({"rate_bands": bands((0.1, 0.2, 5, 9))}, "a gap: nothing is said of PDs up to 0.1"),
    ({"rate_bands": bands((0, 0.1, 5, 9), (0.2, 0.3, 5, 9))}, "a gap between PD 0.1 and 0.2"),
    ({"rate_bands": bands((0, 0.2, 5, 9), (0.1, 0.3, 5, 9))}, "two bands between PD 0.1 and 0.2"),
    (
      {"rate_bands": bands((0, 0.1, 8, 12), (0.1, 0.3, 7, 15))},
      "crossed bands: lowest_pct falls from 8 to 7 above PD 0.1",
    ),
    (
      {"rate_bands": bands((0, 0.1, 8, 12), (0.1, 0.3, 8, 11))},
      "crossed bands: highest_pct falls from 12 to 11 above PD 0.1",
    ),
    ({"rate_bands": bands((0, 0.1, 12, 8))}, "lowest rate, 12, is above the highest, 8"),
    ({"rate_bands": bands((0.2, 0.2, 8, 9))}, "a band from PD 0.2 to 0.2 holds none"),
    ({"rate_bands": bands((0, 0.1, 8.005, 9))}, "hundredths of a percent"),
    ({"amounts": {"shares": [0.5, 0.7]}}, "shares must fall"),
    ({"amounts": {"shares": [0.9, 0.9]}}, "shares must fall"),
    ({"amounts": {"shares": [0.9, 0.8]}}, "no share is at most 0.7"),
    ({"two_years_longer": {"odds_ratio": 2.67}}, "2.67 is outside of the range from 1.3 to 1.91"),
    ({"twice_the_amount": {"odds_ratio": 0.9}}, "0.9 is outside of the range from 0.95"),
  ],
  ids=str,
)
def test_what_cannot_be_used_is_refused(changes, said):
  with pytest.raises(ValidationError, match=said):
    options(**changes)


def test_a_lowest_amount_above_the_highest_of_the_policy_is_refused():
  rules = make_policy(max_loan_amount=3_000).rules

  with pytest.raises(InputError, match="3001 is above max_loan_amount 3000 of the policy"):
    require_an_amount(options(amounts={"lowest": 3_001}), rules)
  require_an_amount(options(amounts={"lowest": 3_000}), rules)


def test_bands_may_touch_and_be_of_one_rate():
  assert options(rate_bands=bands((0, 0.1, 9, 9), (0.1, 1, 9, 30))).rate_bands[0].highest_pct == 9
