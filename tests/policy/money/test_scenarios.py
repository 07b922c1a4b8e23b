import pytest
from pydantic import ValidationError

from loantap.policy.money.cash_flows import Economics
from tests.policy.money.economics import make_economics, read_economics


def test_the_shipped_scenarios_grow_harder():
  mild, mid, hard = make_economics().scenarios.values()

  for name in ("cost_of_funds_pct", "loss_given_default", "origination_cost_share"):
    assert getattr(mild, name) < getattr(mid, name) < getattr(hard, name)
  assert make_economics().main_scenario == mid


def change(scenario, **changed):
  scenarios = read_economics()["scenarios"]
  return read_economics(scenarios=scenarios | {scenario: scenarios[scenario] | changed})


@pytest.mark.parametrize(
  ("group", "said"),
  [
    (
      change("mild", loss_given_default=0.2),
      r"scenarios\.mild\.loss_given_default: 0\.2 is outside of the range from 0\.3 to 1 \(",
    ),
    (
      change("mid", paid_share_of_term=0.4),
      r"scenarios\.mid\n.*default_at_share_of_term 0\.4 is not below paid_share_of_term 0\.4",
    ),
    (
      change("hard", default_at_share_of_term=0.7, paid_share_of_term=0.5),
      r"scenarios\.hard\n.*so that a riskier loan could be worth more",
    ),
    (read_economics(scenarios={}), r"scenarios\n.*at least 1"),
    (read_economics(main="gentle"), r"no scenario gentle; give one of mild, mid, hard"),
    (read_economics(ranges={}), r"has no range"),
  ],
)
def test_an_assumption_out_of_range_is_refused(group, said):
  with pytest.raises(ValidationError, match=said):
    Economics.model_validate(group)


def test_a_loan_may_be_settled_soon_after_others_stop_paying():
  Economics.model_validate(change("mid", paid_share_of_term=0.41))


def test_one_scenario_at_the_bounds_of_its_ranges_is_enough():
  mid = read_economics()["scenarios"]["mid"]
  ranges = {name: {"low": value, "high": value, "source": "agreed"} for name, value in mid.items()}

  Economics.model_validate(read_economics(scenarios={"mid": mid}, ranges=ranges))


def test_a_range_that_is_crossed_is_refused():
  crossed = read_economics()["ranges"] | {"loss_given_default": {"low": 0.9, "high": 0.3, "source": "nobody"}}

  with pytest.raises(ValidationError, match=r"low 0\.9 is above high 0\.3"):
    Economics.model_validate(read_economics(ranges=crossed))
