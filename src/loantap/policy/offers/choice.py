"""Which loans of the grid are offered, at most three to an applicant, and why.

The loan as asked for; a smaller one of the same term; one of the other term, the nearest shorter one, where there is
one. A longer loan costs the borrower more, so it is offered only where the amount cannot be had in the term asked for.
The last two have the largest amount that keeps all limits.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Final

import numpy as np

from loantap.policy.credit_policy import Rules
from loantap.policy.decisions import Decision
from loantap.policy.offers.grid import Grid, Limit
from loantap.policy.offers.options import OffersOptions
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import TERMS_MONTHS


class Kind(StrEnum):
  """What an offer is, compared with what was asked for."""

  AS_ASKED = "as asked"
  SMALLER = "smaller"
  SHORTER = "shorter"
  LONGER = "longer"
  NONE = "none"


KINDS: Final = tuple(kind.value for kind in Kind)
# A place without an offer.
EMPTY: Final = -1
_ALL: Final = int(reduce(or_, Limit))
_COUNTERFACTUAL: Final = (
  "the PD of these terms is a model's estimate, not the result of an experiment: a person decides"
)


@dataclass(frozen=True, slots=True)
class Choice:
  """What is offered: one row per applicant, three places for offers.

  `column` of the grid is `EMPTY` where a place has no offer; `kind` and `reason` are places in
  `KINDS` and in the sentences of `make_sentences`.
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
  """The first column of each row that can be had: amounts fall."""
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


DECISIONS: Final = tuple(
  decision.value for decision in (Decision.APPROVE, Decision.REFER, Decision.DECLINE, Decision.INVALID)
)
