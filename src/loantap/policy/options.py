"""Options of insights, scoring and offers; the files of their parameters in `conf/base` explain them."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from loantap.policy.credit_policy import Rules
from loantap.policy.lab.rules import Rule
from loantap.policy.money.cash_flows import PaidLife
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import DatedOptions, Options, Part, Portion, Some


class LabOptions(Options):
	"""Rules that are tested on all judged loans, and how others are searched for."""

	rules: tuple[Rule, ...]
	paid_life: PaidLife
	min_loans: PositiveInt
	edges: Annotated[int, Field(ge=2, le=50)]
	max_found: PositiveInt
	max_overlap: Annotated[float, Field(ge=0, lt=1)]

	@field_validator("rules")
	@classmethod
	def _have_names_of_their_own(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
		ids = [rule.id for rule in rules]
		twice = sorted({name for name in ids if ids.count(name) > 1})
		if twice:
			raise ValueError(f"two rules have the id {twice[0]!r}; rename one")
		taken = [name for name in ids if name.startswith("found_")]
		if taken:
			raise ValueError(f"the id {taken[0]!r} begins like those of the search; rename it")
		return rules


class FindingsOptions(Options):
	"""When a finding is told, and how factors are binned.

	A segment is judged when, at the default rate of the portfolio, at least `min_outcomes` of its loans, and of all
	others, would be charged off and so many paid back. `min_outcomes_per_coefficient` of the adjusting regression: real
	loans have some 90. Where outcomes are random, 1 for each finds what is not there in 23% of portfolios; 3 a segment in
	4% and a factor in 5%.
	"""

	min_outcomes: PositiveInt
	min_outcomes_per_year: PositiveInt
	min_outcomes_per_coefficient: PositiveInt
	false_discovery_rate: Part
	max_bins: Annotated[int, Field(ge=2, le=20)]
	binning_seconds: Annotated[int, Field(ge=1, le=60)]


class FairnessOptions(Options):
	"""The audit of policies, and what a fairer one costs; `target_ratios` rise.

	`four_fifths` is a rule of thumb of employment law (EEOC, Uniform Guidelines, 1978).
	"""

	min_loans: Annotated[int, Field(ge=30)]
	four_fifths: Some
	target_ratios: Annotated[tuple[Some, ...], Field(min_length=1)]


class ComparisonOptions(Options):
	"""The policies that are compared, and the frontier; what is referred counts as declined."""

	caps: tuple[Part, ...] = Field(min_length=1)
	shown_cap: Part
	referred_share: Part
	profit_score_penalty: PositiveFloat
	frontier_points: Annotated[int, Field(ge=2, le=200)]

	@model_validator(mode="after")
	def _is_consistent(self) -> ComparisonOptions:
		if len(set(self.caps)) < len(self.caps):
			raise ValueError("caps: one is given twice")
		if self.shown_cap not in self.caps:
			raise ValueError(f"shown_cap: {self.shown_cap:g} is not one of the caps")
		return self


class InsightsOptions(DatedOptions):
	"""What the portfolio says of policy; segments below `min_loans` are put together."""

	min_loans: PositiveInt
	comparison: ComparisonOptions
	fairness: FairnessOptions
	findings: FindingsOptions
	lab: LabOptions


class ScoringOptions(DatedOptions):
	"""Batch scoring; `recommendations` are ids of the rules of `recommendations.json` that are switched on."""

	max_invalid_share: Portion = 0.05
	recommendations: tuple[str, ...] = ()


# In percent per year.
Rate = Annotated[float, Field(gt=0, le=100)]
OddsRatio = Annotated[float, Field(gt=0, le=100)]


class RateBand(Options):
	"""The rates, nominal, in percent per year, that loans of a range of PDs may have.

	The first band begins at 0; a loan that needs more than `highest_pct` is not offered.
	"""

	above_pd: Portion
	up_to_pd: Portion
	lowest_pct: Rate
	highest_pct: Rate

	@field_validator("lowest_pct", "highest_pct")
	@classmethod
	def _is_quotable(cls, rate: float) -> float:
		if abs(rate * 100 - round(rate * 100)) > 1e-9:
			raise ValueError("rates are quoted in hundredths of a percent")
		return rate

	@model_validator(mode="after")
	def _is_ordered(self) -> RateBand:
		if self.above_pd >= self.up_to_pd:
			raise ValueError(f"a band from PD {self.above_pd:g} to {self.up_to_pd:g} holds none")
		if self.lowest_pct > self.highest_pct:
			raise ValueError(f"the lowest rate, {self.lowest_pct:g}, is above the highest, {self.highest_pct:g}")
		return self


class AmountOptions(Options):
	"""The amounts that are tried, in currency: multiples of `step` at `shares`, which fall, of what is asked for."""

	lowest: PositiveFloat
	step: PositiveFloat
	shares: tuple[Part, ...] = Field(min_length=1)
	smaller_at_most: Part

	@model_validator(mode="after")
	def _is_ordered(self) -> AmountOptions:
		if sorted(set(self.shares), reverse=True) != list(self.shares):
			raise ValueError("shares must fall")
		if self.shares[-1] > self.smaller_at_most:
			raise ValueError(
				f"smaller_at_most: no share is at most {self.smaller_at_most:g}, so that there is no smaller loan"
			)
		return self


class Affordability(Options):
	"""What a borrower can carry.

	`max_instalment_share` is of monthly income, `max_dti_pct` all monthly debt payments in percent of it: existing debt
	in full, since nothing proves that the loan pays it off.
	"""

	max_instalment_share: Some
	max_dti_pct: Annotated[float, Field(gt=0, le=200)]


# Months for which `two_years_longer` applies once.
TWO_YEARS = 24


class Counterfactual(Options):
	"""How the odds of default change with a term of the loan, at the same grade."""

	odds_ratio: OddsRatio
	low: OddsRatio
	high: OddsRatio
	source: str

	@model_validator(mode="after")
	def _is_within(self) -> Counterfactual:
		if not self.low <= self.odds_ratio <= self.high:
			raise ValueError(
				f"odds_ratio {self.odds_ratio:g} is outside of the range from {self.low:g} to {self.high:g} ({self.source})"
			)
		return self


class ConcentrationOptions(Options):
	"""How the portfolio is spread over regions; the policy's `max_concentration` limits each.

	`max_index` is a Herfindahl-Hirschman index of principal (HHI, 0 to 1).
	"""

	max_index: Some
	min_loans: PositiveInt


class OffersOptions(DatedOptions):
	"""Offers to applicants.

	Loans of a PD above the last of `rate_bands` are not offered. Odds ratios, of a term 24 months longer and of twice the
	amount, are at the same grade.
	"""

	margin: Annotated[float, Field(ge=0, le=0.2)]
	rate_bands: tuple[RateBand, ...] = Field(min_length=1)
	amounts: AmountOptions
	affordability: Affordability
	two_years_longer: Counterfactual
	twice_the_amount: Counterfactual
	concentration: ConcentrationOptions
	min_loans: PositiveInt
	max_invalid_share: Portion = 0.05

	@field_validator("rate_bands")
	@classmethod
	def _is_a_table(cls, bands: tuple[RateBand, ...]) -> tuple[RateBand, ...]:
		if bands[0].above_pd != 0:
			raise ValueError(f"a gap: nothing is said of PDs up to {bands[0].above_pd:g}")
		for one, following in pairwise(bands):
			if following.above_pd != one.up_to_pd:
				what = "a gap" if following.above_pd > one.up_to_pd else "two bands"
				raise ValueError(
					f"{what} between PD {min(one.up_to_pd, following.above_pd):g} and "
					f"{max(one.up_to_pd, following.above_pd):g}: each band begins where the one before it ends"
				)
			for name in ("lowest_pct", "highest_pct"):
				lower, higher = getattr(one, name), getattr(following, name)
				if higher < lower:
					raise ValueError(
						f"crossed bands: {name} falls from {lower:g} to {higher:g} above PD "
						f"{one.up_to_pd:g}, so that a riskier loan would be cheaper"
					)
		return bands


def require_an_amount(options: OffersOptions, rules: Rules) -> None:
	"""Refuse a lowest amount above the highest of the policy."""
	lowest, highest = options.amounts.lowest, rules.max_loan_amount
	if lowest <= highest:
		return
	raise InputError(
		"parameter offers.amounts.lowest",
		f"{lowest:g} is above max_loan_amount {highest:g} of the policy, so nothing could be offered",
		"Lower it",
	)
