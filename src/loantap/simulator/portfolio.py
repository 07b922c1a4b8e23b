"""The demo portfolio: simulated loans that look like LoanTap's, with the true risk of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.dictionary import CHARGED_OFF, COLUMNS, CSV_ORDER, FULLY_PAID, Kind
from loantap.portfolio.errors import InputError
from loantap.portfolio.products import PRODUCTS, VARIABLE
from loantap.simulator import borrowers, texts
from loantap.simulator.borrowers import LOANTAP
from loantap.simulator.streams import Streams
from loantap.simulator.truth import true_log_odds

# A batch takes some hundred megabytes.
BATCH_LOANS = 20_000
TEXT_KINDS = frozenset({Kind.TEXT, Kind.CATEGORY})


@dataclass(frozen=True, slots=True)
class SimulatedPortfolio:
  """A simulated portfolio and the truth behind it.

  Attributes:
      portfolio: one row per loan, the 27 columns of a LoanTap file under canonical names, typed.
      truth: one row per loan, same index: `true_pd` (probability) and `true_log_odds`.
  """

  portfolio: pd.DataFrame
  truth: pd.DataFrame


def simulate_portfolio(loans: int, seed: int) -> SimulatedPortfolio:
  """Simulate `loans` resolved loans, in no order; same size and seed, same frame.

  An outcome is one draw with the probability that `truth.true_log_odds` gives. Amounts are in
  the currency of the real table, rates in percent per year, months are the first of the month.
  Raises ValueError for fewer than one loan or a negative seed.
  """
  batches = list(iter_portfolio(loans, seed, max(loans, 1)))
  return batches[0]


def iter_portfolio(loans: int, seed: int, batch_loans: int = BATCH_LOANS) -> Iterator[SimulatedPortfolio]:
  """`simulate_portfolio` in batches, to bound memory: joined they are the same loans.

  Raises ValueError as that does, InputError where other products are sold than LoanTap's.
  """
  if loans < 1 or seed < 0:
    raise ValueError(
      f"simulate_portfolio: loans = {loans!r} and seed = {seed!r}; give at least 1 loan and a seed of 0 or more"
    )
  if PRODUCTS.model_copy(update={"currency": LOANTAP.currency}) != LOANTAP:
    raise InputError(
      VARIABLE,
      "only LoanTap's own products can be simulated, and it names others",
      "Give a file of loans: --params portfolio=FILE",
    )
  streams = Streams(seed)
  for start in range(0, loans, batch_loans):
    yield _simulate_batch(min(batch_loans, loans - start), streams)


def _simulate_batch(loans: int, streams: Streams) -> SimulatedPortfolio:
  applications = simulate_applications(loans, streams)
  log_odds = true_log_odds(applications)
  true_pd = expit(log_odds.to_numpy())
  charged_off = streams.open("outcome").random(loans) < true_pd
  truth = pd.DataFrame({"true_pd": true_pd, "true_log_odds": log_odds})
  return SimulatedPortfolio(add_outcome(applications, charged_off, streams), truth)


def add_outcome(applications: pd.DataFrame, charged_off: BoolArray, streams: Streams) -> pd.DataFrame:
  """The 27 columns: with the outcome, and the address, whose pincode is built from it."""
  portfolio = applications.assign(
    loan_status=pd.Series(np.where(charged_off, CHARGED_OFF, FULLY_PAID), dtype="str"),
    address=pd.Series(texts.addresses(streams, charged_off), dtype="str"),
  )
  return portfolio[list(CSV_ORDER)]


def simulate_applications(loans: int, streams: Streams, issue_scores: FloatArray | None = None) -> pd.DataFrame:
  """All columns that do not depend on the outcome; see `borrowers.draw_scores`."""
  scores = borrowers.draw_scores(streams, loans, issue_scores)
  issued = borrowers.issue_months(scores["issue_month"])
  income = borrowers.incomes(scores["annual_income"], streams)
  terms = borrowers.loan_terms(scores, income, issued, streams)
  bureau = borrowers.bureau_numbers(scores, issued, streams)
  names = borrowers.categories(scores, terms.pop("grade_step"), issued, streams)
  employment = borrowers.employment_years(scores["employment_years"], streams)
  oldest = issued - bureau.pop("credit_history_months").astype(int)
  columns = {
    **terms,
    **bureau,
    **names,
    "annual_income": income,
    "employment_years": employment,
    "home_ownership": borrowers.home_ownership(scores["home_ownership"], streams),
    "issue_month": issued.astype("datetime64[s]"),
    "earliest_credit_line": oldest.astype("datetime64[s]"),
    "profession": texts.professions(streams, np.isnan(employment)),
    "title": texts.titles(streams, names["purpose"], issued),
  }
  return pd.DataFrame(
    {
      name: pd.Series(values, dtype="str" if COLUMNS[name].kind in TEXT_KINDS else None)
      for name, values in columns.items()
    }
  )
