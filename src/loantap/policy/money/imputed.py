"""What loans of the past earned, imputed from their outcomes.

The portfolio says that a loan was paid back or charged off, but not when, nor what was paid and recovered. So the
scenario says when a loan that was charged off stopped paying and what was recovered, and one that was paid back is
taken to have run to the end of its term (`contractual`), or no longer than from its issue to the last observation
(`capped`). Every figure made of it is called imputed wherever it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.policy.money.cash_flows import default_months, settled_months, value_units
from loantap.policy.money.scenarios import Economics, PaidLife, Scenario
from loantap.portfolio.amortisation import emi, scheduled_balance
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

TERMS = ("loan_amount", "interest_rate_pct", "term_months", "issue_month", "is_charged_off")


@dataclass(frozen=True, slots=True)
class ImputedFlows:
  """Cash flows of loans of known outcome; arrays of one length, in currency.

  Attributes:
      cost: principal and cost of origination, at the start.
      instalment: received at the end of each of `months`.
      last: received besides with the last of them: settlement, or recovery.
  """

  cost: FloatArray
  instalment: FloatArray
  months: FloatArray
  last: FloatArray
  npv: FloatArray
  principal: FloatArray

  def __len__(self) -> int:
    return len(self.npv)

  def take(self, rows: BoolArray | IntArray) -> ImputedFlows:
    """Some of the loans, by mask or by place."""
    return ImputedFlows(*(getattr(self, name)[rows] for name in self.__slots__))


def impute_flows(loans: pd.DataFrame, scenario: Scenario, economics: Economics, paid_life: PaidLife) -> ImputedFlows:
  """Cash flows of resolved loans: one row per loan, with `TERMS`."""
  principal, rate, term = (loans[name].to_numpy(float) for name in TERMS[:3])
  charged_off = loans["is_charged_off"].to_numpy() == 1
  settled = settled_months(term, scenario)
  if paid_life is PaidLife.CAPPED:
    settled = np.minimum(settled, _months_observed(loans["issue_month"], economics))
  values = value_units(rate, term, scenario, settled)
  months = np.where(charged_off, default_months(term, scenario), settled)
  balance = scheduled_balance(principal, rate, term, months)
  return ImputedFlows(
    cost=principal * (1 + scenario.origination_cost_share),
    instalment=emi(principal, rate, term),
    months=months,
    last=np.where(charged_off, 1 - scenario.loss_given_default, 1.0) * balance,
    npv=principal * np.where(charged_off, values.charged_off, values.paid),
    principal=principal,
  )


def _months_observed(issued: pd.Series, economics: Economics) -> FloatArray:
  """Months from issue to the last observation, at least one."""
  last = economics.outcomes_as_of
  months = (last.year - issued.dt.year) * 12 + last.month - issued.dt.month
  observed: FloatArray = np.maximum(months.to_numpy(float), 1)
  return observed


def tabulate_profits(loans: pd.DataFrame, economics: Economics) -> pd.DataFrame:
  """Imputed profit of every loan, a row each, in currency: a column per scenario and paid life (`name_profit`)."""
  profits = {
    name_profit(name, paid_life): impute_flows(loans, scenario, economics, paid_life).npv
    for name, scenario in economics.scenarios.items()
    for paid_life in PaidLife
  }
  columns = {"loan_id": loans["loan_id"], "principal": loans["loan_amount"]}
  return pd.DataFrame(columns | profits)


def name_profit(scenario: str, paid_life: PaidLife) -> str:
  """The column of imputed profits.

  >>> name_profit("mid", PaidLife.CAPPED)
  'npv_mid_capped'
  """
  return f"npv_{scenario}_{paid_life.value}"
