"""Rules that reach a policy's targets on loans of the past."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, partial
from typing import NoReturn

import numpy as np

from loantap.policy.credit_policy import MAX_DEFAULT_PRICE, Rules, Targets
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.errors import InputError

# Sized in steps of a ten-thousandth, so that rules hold as they are printed.
_STEPS = 10_000
_HIGHEST_PRICE = round(MAX_DEFAULT_PRICE * _STEPS)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SizingLoans:
	"""Loans that the model did not see; arrays of one length.

	`margin` is expected NPV per unit of principal, NaN without a term; `amount` is in currency.
	"""

	margin: FloatArray
	probability_of_default: FloatArray
	amount: FloatArray

	def __len__(self) -> int:
		return len(self.margin)

	def keep_known(self) -> SizingLoans:
		"""Those whose margin is known."""
		is_known = ~np.isnan(self.margin)
		return SizingLoans(*(getattr(self, name)[is_known] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Sizes:
	"""Rules that reach the targets, and what is to be expected of them.

	Shares are of the loans, `passed` are approved or referred, `default_rate` is the mean PD of what is approved.
	"""

	min_margin: float
	default_price: float
	review_margin: float
	referred: float
	passed: float
	default_rate: float


def size_rules(loans: SizingLoans, rules: Rules, targets: Targets) -> Sizes:
	"""Find rules that keep the default rate and the approval floor and fill the review capacity.

	What a loan is expected to earn is held against `price * (PD - cap) - discount`. The price is the lowest that keeps
	the default rate, the discount the lowest under which enough is approved or referred: Lagrange multipliers of cap
	and floor. Without review and limits, what is approved is then expected to earn most. The highest PD and amount of
	`rules` stay; larger loans take up review capacity. Targets that cannot be reached together are refused.
	"""
	known = loans.keep_known()
	if not len(known):
		raise InputError("policy", "there are no loans to size its rules on", "Run modeling first")
	_require_room(known, rules, targets)
	bands = _find_bands(known, rules, targets)
	if bands is None:
		_refuse_cap(known, rules, targets)
	approved = known.probability_of_default[bands.approved]
	return Sizes(
		bands.min_margin,
		bands.price,
		bands.review_margin,
		float((bands.passed & ~bands.approved).mean()),
		float(bands.passed.mean()),
		float(approved.mean()) if len(approved) else float("nan"),
	)


@dataclass(frozen=True, slots=True)
class _Bands:
	"""Of one hurdle; `passed`: approved or referred."""

	min_margin: float
	price: float
	review_margin: float
	approved: BoolArray
	passed: BoolArray

	@classmethod
	def at(cls, loans: SizingLoans, price: int, discount: int, rules: Rules, targets: Targets) -> _Bands:
		# As the hurdle is written into the policy.
		min_margin = -math.ceil(price * targets.max_default_rate + discount - _ROUNDING) / _STEPS
		pds = loans.probability_of_default
		excess = loans.margin - price / _STEPS * pds
		accepted = pds <= rules.max_probability_of_default
		is_large = loans.amount > rules.max_loan_amount
		elsewhere = is_large & (excess > min_margin) & accepted
		room = math.floor(targets.review_capacity * len(pds) + _ROUNDING) - int(elsewhere.sum())
		review = _find_review(np.abs(excess - min_margin)[~elsewhere], max(room, 0))
		approved = ~is_large & (excess > min_margin + review) & accepted
		passed = accepted & (excess >= min_margin - review)
		return cls(min_margin, price / _STEPS, review, approved, passed)

	def passes(self, floor: float) -> bool:
		return bool(self.passed.mean() >= floor)

	def keeps(self, cap: float, pds: FloatArray) -> bool:
		return bool((pds[self.approved] - cap).sum() <= _ROUNDING)


def _find_bands(loans: SizingLoans, rules: Rules, targets: Targets) -> _Bands | None:
	"""The lowest discount that reaches the floor, at the lowest price that keeps the cap there.

	As the discount rises, more loans pass at a rising price, until none keeps the cap.
	"""
	pds, cap, floor = (loans.probability_of_default, targets.max_default_rate, targets.min_approval_rate)

	def at(price: int, discount: int) -> _Bands:
		return _Bands.at(loans, price, discount, rules, targets)

	@cache
	def find(discount: int) -> _Bands:
		keeps = cache(partial(at, discount=discount))
		prices = range(_HIGHEST_PRICE)
		return keeps(bisect_left(prices, True, key=lambda price: keeps(price).keeps(cap, pds)))

	discounts = range(_count_discounts(loans))
	breaks = bisect_left(discounts, True, key=lambda of: not at(_HIGHEST_PRICE, of).keeps(cap, pds))
	# Nothing approved keeps every cap; it counts only where nothing would be approved without it.
	may_be_empty = not at(0, 0).approved.any()

	def reaches(discount: int) -> bool:
		bands = find(discount)
		return bands.passes(floor) and (may_be_empty or bool(bands.approved.any()))

	place = bisect_left(range(breaks), True, key=reaches)
	found = find(place) if place < breaks else None
	return found if found is not None and found.keeps(cap, pds) else None


def _count_discounts(loans: SizingLoans) -> int:
	"""Up to one at which every loan clears the hurdle at the highest price."""
	return math.ceil(_HIGHEST_PRICE - min(float(loans.margin.min()), 0.0) * _STEPS) + 2


def _find_review(distances: FloatArray, room: int) -> float:
	"""The greatest within which there is room for all loans."""
	if room >= len(distances):
		return math.ceil(float(distances.max(initial=0)) * _STEPS) / _STEPS
	# The last step below the first loan that is one too many.
	one_too_many = float(np.partition(distances, room)[room])
	return max((math.ceil(one_too_many * _STEPS - _ROUNDING) - 1) / _STEPS, 0.0)


def _require_room(loans: SizingLoans, rules: Rules, targets: Targets) -> None:
	floor, capacity = targets.min_approval_rate, targets.review_capacity
	if floor + capacity > 1:
		raise InputError(
			"policy.targets",
			f"min_approval_rate {floor:g} and review_capacity {capacity:g} are more than all applications",
			"Lower one of them",
		)
	highest_pd = rules.max_probability_of_default
	accepted = float((loans.probability_of_default <= highest_pd).mean())
	if accepted < floor:
		raise InputError(
			"policy.targets",
			f"min_approval_rate {floor:g} cannot be reached: {accepted:.1%} of the loans have a PD "
			f"up to max_probability_of_default {highest_pd:g}",
			"Lower the one, or raise the other",
		)


def _refuse_cap(loans: SizingLoans, rules: Rules, targets: Targets) -> NoReturn:
	bands_at = cache(lambda discount: _Bands.at(loans, _HIGHEST_PRICE, discount, rules, targets))
	discounts = range(-_HIGHEST_PRICE, _count_discounts(loans))

	def is_enough(discount: int) -> bool:
		bands = bands_at(discount)
		return bands.passes(targets.min_approval_rate) and bool(bands.approved.any())

	bands = bands_at(discounts[bisect_left(discounts, True, key=is_enough)])
	lowest = float(loans.probability_of_default[bands.approved].mean())
	allowed = math.ceil(lowest * 1000 - _ROUNDING) / 1000
	raise InputError(
		"policy.targets",
		f"min_approval_rate {targets.min_approval_rate:g} and max_default_rate "
		f"{targets.max_default_rate:g} cannot both be kept: at that floor the default rate to be "
		f"expected of what is approved is {lowest:.2%} at the lowest",
		f"Lower min_approval_rate, or raise max_default_rate to {allowed:g}",
	)
