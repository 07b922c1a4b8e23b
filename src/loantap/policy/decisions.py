"""From a PD and the terms of a loan to a decision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from loantap.policy.credit_policy import CreditPolicy, require_as_approved
from loantap.policy.money.cash_flows import Economics, Scenario, value_unit, value_units
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.column_reading import Texts


class Decision(StrEnum):
	"""What becomes of an application."""

	APPROVE = "approve"
	REFER = "refer"
	DECLINE = "decline"
	INVALID = "invalid"


DECISIONS = tuple(decision.value for decision in Decision)
_APPROVE, _REFER, _DECLINE, _INVALID = range(4)
# What decided, where the features alone do not say it.
CAUSES = (
	"",
	"the interest rate does not cover the expected loss",
	"the loan is expected to earn about nothing, so a person decides",
	"the amount is above the highest that is approved without a person",
	"the risk is above the highest that the policy accepts",
	"amount, interest rate or term is missing, so a person decides",
	"the loan is expected to earn less than the policy asks for at its risk",
	"the loan is expected to earn about what the policy asks for at its risk, so a person decides",
)
_PRICE, _REVIEW, _AMOUNT, _RISK, _TERMS, _HURDLE, _NEAR_HURDLE = range(1, 8)


@dataclass(frozen=True, slots=True)
class Decided:
	"""Decisions on many applications; `expected_npv` in currency, NaN where it is not known.

	`causes` are places in `CAUSES`, and behind them in the sentences of `Support` but the first.
	"""

	decisions: Texts
	causes: IntArray
	expected_npv: FloatArray

	@property
	def approves(self) -> BoolArray:
		"""Whether each application is approved without a person."""
		is_approved: BoolArray = self.decisions.codes == _APPROVE
		return is_approved

	def count(self, decision: Decision) -> int:
		"""How many applications get a decision."""
		return int((self.decisions.codes == DECISIONS.index(decision)).sum())


@dataclass(frozen=True, slots=True)
class Decider:
	"""Decides by a credit policy, in a scenario of what lending costs.

	A loan is approved where its expected NPV at its own rate and term is above the hurdle for its PD (see `Rules`), and
	declined below. A person decides near it, on applications unlike any that the model has seen, and on amounts above the
	highest. Every application is decided by itself: alike in a file, alone and on a cluster.
	"""

	policy: CreditPolicy
	scenario: Scenario

	@property
	def _low(self) -> float:
		return self.policy.rules.min_margin - self.policy.rules.review_margin

	@property
	def _high(self) -> float:
		return self.policy.rules.min_margin + self.policy.rules.review_margin

	def decide_columns(
		self,
		probability_of_default: FloatArray,
		amount: FloatArray,
		rate_pct: FloatArray,
		term_months: FloatArray,
		unlike: IntArray | None = None,
	) -> Decided:
		"""Decide on applications, one element each; the PD is NaN where one is invalid.

		The rate is yearly and in percent; `unlike` says how it differs from the training (see `Support`).
		"""
		rules, pd_ = self.policy.rules, probability_of_default
		margin = value_units(rate_pct, term_months, self.scenario).margin(pd_)
		margin = np.where((amount > 0) & (amount < np.inf), margin, np.nan)
		excess = margin - rules.default_price * pd_ if rules.default_price else margin
		codes, causes = np.zeros(len(pd_), dtype="int8"), np.zeros(len(pd_), dtype="int16")

		def give(rows: BoolArray, decision: int, cause: int) -> None:
			codes[rows], causes[rows] = decision, cause

		# Later conditions outweigh earlier ones.
		is_near, is_below = excess <= self._high, excess < self._low
		give(is_near, _REFER, _NEAR_HURDLE)
		give(is_near & (np.abs(margin) <= rules.review_margin), _REFER, _REVIEW)
		give(amount > rules.max_loan_amount, _REFER, _AMOUNT)
		give(is_below, _DECLINE, _HURDLE)
		give(is_below & (margin < 0), _DECLINE, _PRICE)
		give(pd_ > rules.max_probability_of_default, _DECLINE, _RISK)
		give(np.isnan(margin), _REFER, _TERMS)
		if unlike is not None and unlike.any():
			rows = np.flatnonzero(unlike)
			codes[rows], causes[rows] = _REFER, unlike[rows] + (len(CAUSES) - 1)
		give(np.isnan(pd_), _INVALID, 0)
		return Decided(Texts(codes, DECISIONS), causes, margin * amount)

	def decide_one(
		self, probability_of_default: float | None, amount: float, rate_pct: float, term_months: float, unlike: int = 0
	) -> tuple[str, int, float | None]:
		"""The same of one application: decision, place of the cause, expected NPV."""
		pd_, rules = probability_of_default, self.policy.rules
		if pd_ is None:
			return DECISIONS[_INVALID], 0, None
		margin = float(value_unit(rate_pct, term_months, self.scenario).margin(pd_))
		npv = margin * amount if 0 < amount < math.inf and not math.isnan(margin) else None
		if unlike:
			code, cause = _REFER, unlike + len(CAUSES) - 1
		elif npv is None:
			code, cause = _REFER, _TERMS
		elif pd_ > rules.max_probability_of_default:
			code, cause = _DECLINE, _RISK
		elif margin - rules.default_price * pd_ < self._low:
			code, cause = _DECLINE, _PRICE if margin < 0 else _HURDLE
		elif amount > rules.max_loan_amount:
			code, cause = _REFER, _AMOUNT
		elif margin - rules.default_price * pd_ <= self._high:
			code, cause = _REFER, _REVIEW if abs(margin) <= rules.review_margin else _NEAR_HURDLE
		else:
			code, cause = _APPROVE, 0
		return DECISIONS[code], cause, npv

	def limit(self, rate_pct: float, term_months: float) -> PdLimits:
		"""Where the decision changes for loans of a rate and term."""
		values = value_unit(rate_pct, term_months, self.scenario)
		rules = self.policy.rules
		falls_by = values.paid - values.charged_off + rules.default_price
		highest = rules.max_probability_of_default
		approve, decline = (min(max((values.paid - excess) / falls_by, 0.0), highest) for excess in (self._high, self._low))
		return PdLimits(rate_pct, term_months, approve, decline)


@dataclass(frozen=True, slots=True)
class PdLimits:
	"""The PDs between which a person decides on loans of one rate (nominal, yearly, in percent) and term."""

	rate_pct: float
	term_months: float
	approve_below: float
	decline_above: float


def make_decider(policy: CreditPolicy, economics: Economics) -> Decider:
	"""The policy with its scenario; refused unless it is as it was approved."""
	require_as_approved(policy, economics)
	return Decider(policy, policy.find_scenario(economics))
