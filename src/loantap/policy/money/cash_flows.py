"""Cash flows of a loan that is paid back and of one that is charged off, and what they are worth.

A loan pays its EMI month by month. The scenario says when a loan that is paid back is settled by
the balance, at the latest with the last instalment, and when one that is charged off stops paying;
what is recovered of its balance comes in that month. Values are net present values (NPV) at the
cost of funds, after the cost of origination, per unit of principal: NPV is linear in it and in PD.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from loantap.policy.money.scenarios import Scenario
from loantap.portfolio.amortisation import MONTHS_PER_YEAR, Numbers, annuity_factor, scheduled_balance
from loantap.portfolio.arrays import FloatArray

# Columns by which `expected_npv` values a loan, in the order of its arguments.
VALUED_BY: Final = ("probability_of_default", "loan_amount", "interest_rate_pct", "term_months")


@dataclass(frozen=True, slots=True)
class UnitValues:
  """NPV per unit of principal, if the loan is paid back and if it is charged off."""

  paid: Any
  charged_off: Any

  def margin(self, probability_of_default: Any) -> Any:
    """Expected NPV per unit of principal."""
    return self.paid + (self.charged_off - self.paid) * probability_of_default


def value_units(
  rate_pct: Numbers, term_months: Numbers, scenario: Scenario, paid_months: Numbers | None = None
) -> UnitValues:
  """NPV per unit of principal of loans of any rate (nominal, yearly, in percent) and term; arrays of one shape.

  `paid_months`: when each loan is settled if it is paid back; by default as in the scenario. NaN where a rate or a
  term is missing, infinite, a rate below 0 or a term of 0 or less.
  """
  rate, term = np.asarray(rate_pct, dtype=float), np.asarray(term_months, dtype=float)
  rate = np.where((rate >= 0) & (rate < np.inf), rate, np.nan)
  term = np.where((term > 0) & (term < np.inf), term, np.nan)
  settled = None if paid_months is None else np.asarray(paid_months, dtype=float)
  return _value(rate, term, scenario, settled, annuity_factor, np.rint, _power)


def value_unit(rate_pct: float, term_months: float, scenario: Scenario) -> UnitValues:
  """The same of one loan, without what arrays cost."""
  if not (0 <= rate_pct < math.inf and 0 < term_months < math.inf):
    return UnitValues(math.nan, math.nan)
  return _value(rate_pct, term_months, scenario, None, _annuity_of_one, _round, _power_of_one)


def default_months(term_months: Numbers, scenario: Scenario) -> FloatArray:
  """Instalments that a loan pays before it defaults, at least none."""
  return np.rint(scenario.default_at_share_of_term * np.asarray(term_months, dtype=float))


def settled_months(term_months: Numbers, scenario: Scenario) -> FloatArray:
  """Instalments after which a loan that is paid back is settled, at least one."""
  months = scenario.paid_share_of_term * np.asarray(term_months, dtype=float)
  settled: FloatArray = np.maximum(np.rint(months), 1)
  return settled


def exposure_at_default(principal: Numbers, rate_pct: Numbers, term_months: Numbers, scenario: Scenario) -> FloatArray:
  """EAD: the balance when the loan stops paying, in the currency of the principal."""
  return scheduled_balance(principal, rate_pct, term_months, default_months(term_months, scenario))


def expected_loss(
  probability_of_default: Numbers, principal: Numbers, rate_pct: Numbers, term_months: Numbers, scenario: Scenario
) -> FloatArray:
  """PD x LGD x EAD, in the currency of the principal, not discounted."""
  exposure = exposure_at_default(principal, rate_pct, term_months, scenario)
  pd_ = np.asarray(probability_of_default, dtype=float)
  return pd_ * scenario.loss_given_default * exposure


def expected_npv(
  probability_of_default: Numbers, principal: Numbers, rate_pct: Numbers, term_months: Numbers, scenario: Scenario
) -> FloatArray:
  """Expected NPV at the loans' own rate and term, in the currency of the principal."""
  values = value_units(rate_pct, term_months, scenario)
  margin = values.margin(np.asarray(probability_of_default, dtype=float))
  npv: FloatArray = margin * np.asarray(principal, dtype=float)
  return npv


def _value(
  rate: Any,
  term: Any,
  scenario: Scenario,
  settled: Any,
  annuity: Callable[[Any, Any], Any],
  rounded: Callable[[Any], Any],
  power: Callable[[float, Any], Any],
) -> UnitValues:
  """The one formula, with the functions of arrays or of single numbers."""
  if settled is None:
    # Rounding alone could make it none.
    settled = rounded(scenario.paid_share_of_term * term)
    settled = settled + (settled < 1)
  instalment = 1 / annuity(rate, term)
  monthly = scenario.cost_of_funds_pct / (100 * MONTHS_PER_YEAR)
  cost = 1 + scenario.origination_cost_share

  def until(months: Any, share_of_balance: float) -> Any:
    balance = instalment * annuity(rate, term - months)
    paid = instalment * annuity(scenario.cost_of_funds_pct, months)
    return paid + share_of_balance * balance * power(1 + monthly, -months) - cost

  stops = rounded(scenario.default_at_share_of_term * term)
  return UnitValues(until(settled, 1.0), until(stops, 1 - scenario.loss_given_default))


def _power(base: float, exponent: Any) -> Any:
  return np.exp(np.log(base) * exponent)


def _power_of_one(base: float, exponent: float) -> float:
  return math.exp(math.log(base) * exponent)


def _annuity_of_one(rate_pct: float, months: float) -> float:
  rate = rate_pct / (100 * MONTHS_PER_YEAR)
  if rate == 0:
    return months
  return -math.expm1(-months * math.log1p(rate)) / rate


def _round(value: float) -> float:
  return float(round(value))
