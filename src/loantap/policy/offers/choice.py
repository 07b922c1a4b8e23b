"""The loans that could be offered to each applicant, which limits they break, and which are offered, and why.

The grid holds the amount asked for and smaller ones, at each term. The PD as asked for is the model's; of others it is
a counterfactual: its odds changed by what term and amount change at the same grade. The model itself would change them
too much: it knows no grade, and worse grades took the longer terms.

At most three loans are offered: the loan as asked for; a smaller one of the same term; one of the other term, the
nearest shorter one, where there is one. A longer loan costs the borrower more, so it is offered only where the amount
cannot be had in the term asked for. The last two have the largest amount that keeps all limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from functools import reduce
from operator import or_

import numpy as np
from scipy.special import expit, logit

from loantap.policy.credit_policy import Rules
from loantap.policy.offers.prices import PriceList, Prices
from loantap.policy.options import TWO_YEARS, OffersOptions
from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import TERMS_MONTHS

# Of steps of an amount, and of currency.
_ROUNDING = 1e-9


class Limit(IntFlag):
	"""What keeps a loan from being offered; several may at once."""

	AMOUNT = 1
	RISK = 2
	RATE = 4
	INCOME = 8
	INSTALMENT = 16
	DTI = 32


@dataclass(frozen=True, slots=True)
class Applicants:
	"""What offers depend on; arrays of one length, numbers NaN where they cannot be read.

	The PD is the model's as asked for, NaN for an invalid one; income is yearly; `dti_pct` is existing debt payments in
	percent of it.
	"""

	probability_of_default: FloatArray
	amount: FloatArray
	term_months: FloatArray
	annual_income: FloatArray
	dti_pct: FloatArray

	def __len__(self) -> int:
		return len(self.probability_of_default)


@dataclass(frozen=True, slots=True)
class Grid:
	"""Loans that could be offered: arrays of one row per applicant and one column per loan.

	Columns: each term of `TERMS_MONTHS` in turn, of a term the amount asked for, or the highest one, then the smaller
	ones, falling. The rate is nominal and yearly, the `instalment` (EMI) monthly; the PD is the model's where
	`is_as_asked`, else counterfactual; `broken` are limits (`Limit`).
	"""

	amount: FloatArray
	term_months: IntArray
	rate_pct: FloatArray
	instalment: FloatArray
	probability_of_default: FloatArray
	expected_npv: FloatArray
	broken: IntArray
	is_as_asked: BoolArray


def make_grid(applicants: Applicants, prices: Sequence[PriceList], options: OffersOptions, rules: Rules) -> Grid:
	"""Every loan of the grid, priced by the price list of its term and held against the limits."""
	asked = _keep_finite(applicants.amount)[:, np.newaxis]
	step, shares = options.amounts.step, np.array(options.amounts.shares)
	highest = rules.max_loan_amount
	most = np.minimum(asked, highest)
	# No highest amount where that is not exceeded.
	tried = np.hstack([np.where(asked > highest, highest, 0.0), most * shares])
	amounts = np.hstack([asked, np.floor(tried / step + _ROUNDING) * step])
	parts = [
		_price_term(amounts, term, price_list, applicants, options)
		for term, price_list in zip(TERMS_MONTHS, prices, strict=True)
	]
	amount = np.hstack([amounts] * len(parts))
	pds = np.hstack([pd_ for pd_, _ in parts])
	rates, instalments, npvs, lendable, payable = (
		np.hstack([getattr(priced, name) for _, priced in parts])
		for name in ("rate_pct", "instalment", "npv", "is_lendable", "is_payable")
	)
	terms = np.repeat(TERMS_MONTHS, amounts.shape[1])
	is_asked_term = terms == applicants.term_months[:, np.newaxis]
	instalment = instalments * amount
	broken = _find_broken_by_borrower(applicants, instalment, options)
	is_accepted = lendable & (pds <= rules.find_highest_pd(options.margin))
	broken |= np.where(is_accepted, np.where(payable, 0, Limit.RATE), Limit.RISK)
	is_possible = (amount >= options.amounts.lowest) & (amount <= highest)
	broken |= np.where(is_possible, 0, Limit.AMOUNT)
	is_first = np.arange(len(terms)) % amounts.shape[1] == 0
	return Grid(amount, terms, rates, instalment, pds, npvs * amount, broken, is_asked_term & is_first)


def _price_term(
	amounts: FloatArray, term: int, prices: PriceList, applicants: Applicants, options: OffersOptions
) -> tuple[FloatArray, Prices]:
	asked_pd = applicants.probability_of_default[:, np.newaxis]
	longer = (term - applicants.term_months) / TWO_YEARS
	# An amount rounded down to nothing is not lent.
	doublings = np.log2(np.maximum(amounts, _ROUNDING) / amounts[:, :1])
	shift = (
		np.log(options.two_years_longer.odds_ratio) * longer[:, np.newaxis]
		+ np.log(options.twice_the_amount.odds_ratio) * doublings
	)
	# The PD as asked stays what it is, to the last bit.
	pds = np.where(shift == 0, asked_pd, expit(logit(asked_pd) + shift))
	return pds, prices.price(pds)


def _find_broken_by_borrower(applicants: Applicants, instalment: FloatArray, options: OffersOptions) -> IntArray:
	"""A missing number breaks the limits."""
	limits = options.affordability
	income = _keep_finite(applicants.annual_income)[:, np.newaxis]
	yearly = instalment * MONTHS_PER_YEAR
	debt = applicants.dti_pct[:, np.newaxis] / 100 * income + yearly
	broken = np.where(yearly <= limits.max_instalment_share * income, 0, Limit.INSTALMENT)
	broken |= np.where(debt <= limits.max_dti_pct / 100 * income, 0, Limit.DTI)
	return np.where(income > 0, broken, Limit.INCOME)


def _keep_finite(numbers: FloatArray) -> FloatArray:
	return np.where(np.isfinite(numbers), numbers, np.nan)


class Kind(StrEnum):
	"""What an offer is, compared with what was asked for."""

	AS_ASKED = "as asked"
	SMALLER = "smaller"
	SHORTER = "shorter"
	LONGER = "longer"
	NONE = "none"


KINDS = tuple(kind.value for kind in Kind)
# A place without an offer.
EMPTY = -1
_ALL = int(reduce(or_, Limit))
_COUNTERFACTUAL = "the PD of these terms is a model's estimate, not the result of an experiment: a person decides"


@dataclass(frozen=True, slots=True)
class Choice:
	"""What is offered: one row per applicant, three places for offers.

	`column` of the grid is `EMPTY` without one; `kind` and `reason` are places in `KINDS` and in `make_sentences`.
	"""

	column: IntArray
	kind: IntArray
	reason: IntArray


def choose(grid: Grid, options: OffersOptions) -> Choice:
	"""Choose at most three offers for each applicant, or the reason why there is none."""
	can = grid.broken == 0
	asked = np.argmax(grid.is_as_asked, axis=1)
	rows = np.arange(len(asked))
	# Where the grid has no loan of the term asked for, `asked` is the first of all.
	as_asked = (can & grid.is_as_asked)[rows, asked]
	away = grid.term_months - grid.term_months[asked][:, np.newaxis]
	same_term = away == 0
	shares = np.tile([1.0, 1.0, *options.amounts.shares], len(TERMS_MONTHS))
	# Beside a loan as asked for, a plainly smaller one.
	is_plainly_smaller = shares <= options.amounts.smaller_at_most
	is_smaller = same_term & (is_plainly_smaller | ~as_asked[:, np.newaxis])
	other = can & ~same_term
	# No longer term where what was asked for can be had.
	other &= (away < 0) | ~as_asked[:, np.newaxis]
	places = [
		np.where(as_asked, asked, EMPTY),
		_find_first(can & is_smaller),
		elsewhere := _find_largest(other, grid.amount, np.abs(away)),
	]
	kinds = [
		np.zeros_like(asked),
		np.full_like(asked, KINDS.index(Kind.SMALLER)),
		np.where(away[rows, elsewhere] < 0, KINDS.index(Kind.SHORTER), KINDS.index(Kind.LONGER)),
	]
	column, kind = np.stack(places, axis=1), np.stack(kinds, axis=1)
	why_not_asked = grid.broken[rows, asked]
	reason = np.repeat(why_not_asked[:, np.newaxis], column.shape[1], axis=1) + _ALL + 1
	reason[:, 0] = 0
	none = (column == EMPTY).all(axis=1)
	kind[none, 0] = KINDS.index(Kind.NONE)
	reason[none, 0] = 2 * (_ALL + 1) + _find_common(grid.broken[none])
	return Choice(column, kind, reason)


def _find_first(can: BoolArray) -> IntArray:
	return np.where(can.any(axis=1), np.argmax(can, axis=1), EMPTY)


def _find_largest(can: BoolArray, amount: FloatArray, months_away: IntArray) -> IntArray:
	available = np.where(can, amount, -np.inf)
	is_largest = available == available.max(axis=1, keepdims=True)
	nearest = np.where(can & is_largest, months_away, np.iinfo(months_away.dtype).max)
	return np.where(can.any(axis=1), np.argmin(nearest, axis=1), EMPTY)


def _find_common(broken: IntArray) -> IntArray:
	"""The limits that every possible amount breaks, at every term; 0 where they differ."""
	is_amount = broken & Limit.AMOUNT
	common = np.bitwise_and.reduce(np.where(is_amount, _ALL, broken), axis=1)
	found: IntArray = np.where(common == _ALL, int(Limit.AMOUNT), common)
	return found


def make_sentences(options: OffersOptions, rules: Rules) -> tuple[str, ...]:
	"""Every reason: of a loan as asked for, of other offers, of no offer."""
	limits, lowest = options.affordability, options.amounts.lowest
	highest_pd = min(options.rate_bands[-1].up_to_pd, rules.find_highest_pd(options.margin))
	said = {
		Limit.AMOUNT: f"the amount is not between {lowest:,g} and {rules.max_loan_amount:,g}",
		Limit.RISK: f"the PD is above {100 * highest_pd:.4g}%",
		Limit.RATE: "the rate that pays for the risk is above the band",
		Limit.INCOME: "no income is stated",
		Limit.INSTALMENT: (f"the instalment would take more than {limits.max_instalment_share:.0%} of the income"),
		Limit.DTI: f"all debt payments would take more than {limits.max_dti_pct:g}% of the income",
	}

	def name(broken: int) -> str:
		return " and ".join(said[limit] for limit in Limit if limit & broken)

	asked = "As asked for, at the rate that pays for funds, expected loss, costs and margin"
	others = [f"{f'As asked for, {name(broken)}; ' if broken else ''}{_COUNTERFACTUAL}" for broken in range(_ALL + 1)]
	none = [
		f"Whatever the amount and the term, {name(broken)}"
		if broken
		else "No amount and term keep all limits of rate, PD, instalment and debt at once"
		for broken in range(_ALL + 1)
	]
	others = [text[:1].upper() + text[1:] for text in others]
	return (asked, *[""] * _ALL, *others, *none)


def decide(column: IntArray, kind: IntArray) -> IntArray:
	"""Place in `DECISIONS`: only a loan as asked for is approved, others are referred."""
	is_as_asked = kind == KINDS.index(Kind.AS_ASKED)
	return np.where(column == EMPTY, 2, np.where(is_as_asked, 0, 1))
