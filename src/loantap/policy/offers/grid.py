"""The loans that could be offered to each applicant, and which limits each of them breaks.

The amount asked for and smaller ones, at each term. The PD as asked for is the model's; of others
it is a counterfactual: its odds changed by what term and amount change at the same grade. The model
itself would change them too much: it knows no grade, and worse grades took the longer terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from scipy.special import expit, logit

from loantap.policy.credit_policy import Rules
from loantap.policy.offers.options import TWO_YEARS, OffersOptions
from loantap.policy.offers.prices import PriceList, Prices
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

  The PD is the model's as asked for, NaN where the application is invalid; income is yearly; `dti_pct` is existing
  debt payments in percent of it.
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

  The columns are those of each term of `TERMS_MONTHS` in turn, and of a term the amount asked for, the highest one
  where more was asked for, then the smaller ones, falling. The rate is nominal and yearly, the `instalment` (EMI)
  monthly; the PD is the model's where `is_as_asked`, else counterfactual; `broken` are the limits broken (`Limit`).
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
  """The limits that a loan breaks by what the borrower can carry; a missing number breaks them."""
  limits = options.affordability
  income = _keep_finite(applicants.annual_income)[:, np.newaxis]
  yearly = instalment * MONTHS_PER_YEAR
  debt = applicants.dti_pct[:, np.newaxis] / 100 * income + yearly
  broken = np.where(yearly <= limits.max_instalment_share * income, 0, Limit.INSTALMENT)
  broken |= np.where(debt <= limits.max_dti_pct / 100 * income, 0, Limit.DTI)
  return np.where(income > 0, broken, Limit.INCOME)


def _keep_finite(numbers: FloatArray) -> FloatArray:
  return np.where(np.isfinite(numbers), numbers, np.nan)
