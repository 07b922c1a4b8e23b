"""What loans of the past earned, imputed from their outcomes; profit and yearly return, with their intervals.

The portfolio does not say when a loan was paid back or charged off, nor what was paid and recovered. So the scenario
says when a charged-off one stopped paying and what was recovered, and one that was paid back is taken to have run to
the end of its term (`contractual`), or no longer than from its issue to the last observation (`capped`). Every figure
made of it is called imputed wherever it shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from loantap.measures.intervals import Z95, wilson_bounds
from loantap.policy.money.cash_flows import Economics, PaidLife, Scenario, default_months, settled_months, value_units
from loantap.portfolio.amortisation import MONTHS_PER_YEAR, annuity_factor, emi, scheduled_balance
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

TERMS = ("loan_amount", "interest_rate_pct", "term_months", "issue_month", "is_charged_off")
# Monthly rates between which a return is looked for.
_LOWEST, _HIGHEST = -0.5, 1.0


@dataclass(frozen=True, slots=True)
class ImputedFlows:
	"""Cash flows of loans of known outcome; arrays of one length, in currency.

	At the start `cost`, with that of origination; an `instalment` at the end of each of `months`; `last`, settlement or
	recovery, with the last of them.
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


@dataclass(frozen=True, slots=True)
class Estimate:
	"""A figure with the bounds of its 95% interval."""

	value: float
	low: float
	high: float

	def named(self, name: str) -> dict[str, float]:
		"""As three columns, see `name_bounds`."""
		return dict(zip(name_bounds(name), (self.value, self.low, self.high), strict=True))


def name_bounds(*names: str) -> tuple[str, ...]:
	"""Each name, with `_low` and with `_high`."""
	return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


NO_ESTIMATE = Estimate(math.nan, math.nan, math.nan)


def estimate_share(hits: int, of: int) -> Estimate:
	"""A share with its 95% interval (Wilson); not a number of none."""
	if not of:
		return NO_ESTIMATE
	low, high = wilson_bounds(hits, of)
	return Estimate(hits / of, float(low), float(high))


def estimate_mean(values: FloatArray) -> Estimate:
	"""Mean of independent loans, with its 95% interval (normal); not a number of none."""
	if not len(values):
		return NO_ESTIMATE
	mean = float(values.mean())
	if len(values) == 1:
		return Estimate(mean, math.nan, math.nan)
	half = Z95 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
	return Estimate(mean, mean - half, mean + half)


def yearly_return(flows: ImputedFlows) -> Estimate:
	"""Internal rate of return of all loans together, effective per year, as a fraction.

	Its interval follows from the spread of NPVs at that rate (delta method). Not a number where less than half of what
	was lent comes back in a month.
	"""
	if not len(flows):
		return NO_ESTIMATE
	paid, cost = pool_flows(flows), float(flows.cost.sum())
	months = np.arange(len(paid))

	def excess(rate: float) -> float:
		return float(paid @ (1 + rate) ** -months) - cost

	if excess(_LOWEST) < 0 or excess(_HIGHEST) > 0:
		return NO_ESTIMATE
	rate = float(brentq(excess, _LOWEST, _HIGHEST))
	# By how much the NPV of all falls as the rate rises.
	fall = float(paid @ (months * (1 + rate) ** -(months + 1.0)))
	half = Z95 * float(_npv_at(flows, rate).std()) * np.sqrt(len(flows)) / fall
	return Estimate(*(_per_year(monthly) for monthly in (rate, rate - half, rate + half)))


def pool_flows(flows: ImputedFlows) -> FloatArray:
	"""What all loans pay in each month, from issue (0) on; at least one loan."""
	months = flows.months.astype(int)
	# Instalments are paid from the first month up to the last.
	paid: FloatArray = np.bincount(months, flows.instalment)[::-1].cumsum()[::-1]
	paid[0] = 0
	return paid + np.bincount(months, flows.last)


def _npv_at(flows: ImputedFlows, rate: float) -> FloatArray:
	# Found up to rounding: an annuity must be exact next to 0 too.
	instalments = flows.instalment * annuity_factor(100 * MONTHS_PER_YEAR * rate, flows.months)
	return instalments + flows.last * (1 + rate) ** -flows.months - flows.cost


def _per_year(monthly: float) -> float:
	# Nobody loses more than everything.
	return float((1 + max(monthly, -1.0)) ** MONTHS_PER_YEAR - 1)
