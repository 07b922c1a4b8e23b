"""The assumptions about money, and what a loan is worth under them, paid back or charged off.

A loan pays its EMI month by month. The scenario says when one that is paid back is settled, at the latest with the last
instalment, and when one that is charged off stops paying; what is recovered of its balance comes in that month. Values
are net present values (NPV) at the cost of funds, after the cost of origination, per unit of principal: NPV is linear
in it and in PD.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from loantap.portfolio.amortisation import MONTHS_PER_YEAR, Numbers, annuity_factor, scheduled_balance
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.options import Options, Portion


class PaidLife(StrEnum):
	"""How long a loan that is paid back is taken to have run."""

	CONTRACTUAL = "contractual"
	CAPPED = "capped"


class Range(Options):
	"""The source of an assumption, and its lowest and highest plausible value, in its unit."""

	low: float
	high: float
	source: str

	@model_validator(mode="after")
	def _is_ordered(self) -> Range:
		if self.low > self.high:
			raise ValueError(f"low {self.low:g} is above high {self.high:g}")
		return self


class Scenario(Options):
	"""What lending costs.

	`cost_of_funds_pct` is nominal, yearly, in percent: cash flows are discounted at it, month by month. LGD is the share
	of the balance at default that is never recovered, `origination_cost_share` of the principal. A charged-off loan stops
	paying at `default_at_share_of_term`, a paid one is settled at `paid_share_of_term`: 1 where nobody prepays.
	"""

	cost_of_funds_pct: Annotated[float, Field(ge=0, le=50)]
	loss_given_default: Portion
	default_at_share_of_term: Annotated[float, Field(gt=0, le=1)]
	origination_cost_share: Annotated[float, Field(ge=0, le=0.2)]
	paid_share_of_term: Annotated[float, Field(gt=0, le=1)] = 1.0

	@model_validator(mode="after")
	def _is_settled_after_defaults(self) -> Scenario:
		stops, settled = self.default_at_share_of_term, self.paid_share_of_term
		if stops >= settled:
			raise ValueError(
				f"default_at_share_of_term {stops:g} is not below paid_share_of_term {settled:g}: a loan that is "
				"charged off would not stop paying before one that is paid back is settled, so that a riskier loan "
				"could be worth more. Lower the one or raise the other"
			)
		return self


class Economics(Options):
	"""The scenarios by name, from the mildest to the hardest, and where their assumptions come from.

	No paid loan has run beyond `outcomes_as_of`.
	"""

	scenarios: Mapping[str, Scenario] = Field(min_length=1)
	main: str
	outcomes_as_of: date
	ranges: Mapping[str, Range]

	@model_validator(mode="after")
	def _is_whole(self) -> Economics:
		if self.main not in self.scenarios:
			raise ValueError(f"main: there is no scenario {self.main}; give one of {', '.join(self.scenarios)}")
		unknown = set(self.ranges) ^ set(Scenario.model_fields)
		if unknown:
			raise ValueError(f"ranges: {', '.join(sorted(unknown))} is unknown, or has no range")
		for scenario, assumed in self.scenarios.items():
			for name, allowed in self.ranges.items():
				value = getattr(assumed, name)
				if not allowed.low <= value <= allowed.high:
					raise ValueError(
						f"scenarios.{scenario}.{name}: {value:g} is outside of the range from "
						f"{allowed.low:g} to {allowed.high:g} ({allowed.source})"
					)
		return self

	@property
	def main_scenario(self) -> Scenario:
		"""The scenario that pages speak of first."""
		return self.scenarios[self.main]


# Columns by which `expected_npv` values a loan, in the order of its arguments.
VALUED_BY = ("probability_of_default", "loan_amount", "interest_rate_pct", "term_months")


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

	`paid_months`: when each loan is settled, by default as in the scenario. NaN where a rate or a term is missing,
	infinite, a rate below 0 or a term of 0 or less.
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
