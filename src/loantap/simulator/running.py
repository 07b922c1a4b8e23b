"""Loans that still run when the resolved ones are all that a table holds.

Under the law of `courses` each resolved loan stands for a known number of running ones of its
vintage, by term, months on book and outcome. They have streams of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtri

from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import TERMS_MONTHS
from loantap.simulator import calibration as known
from loantap.simulator.borrowers import share_places
from loantap.simulator.courses import AS_OF_MONTH, PREPAID_SHARE, Courses, Draws, draw_running_courses, ended_share
from loantap.simulator.portfolio import BATCH_LOANS, add_outcome, simulate_applications
from loantap.simulator.streams import Streams
from loantap.simulator.truth import true_log_odds

# Next to nothing has ended by then under the law, yet the table holds some such loans: they stand
# for no more than they would had this share ended.
LEAST_ENDED_SHARE: Final = 0.05
_MONTH_SHARES: Final = np.repeat(known.LOANS_PER_QUARTER, 3) / (3 * sum(known.LOANS_PER_QUARTER))


@dataclass(frozen=True, slots=True)
class RunningLoans:
  """Loans that run in `AS_OF_MONTH`.

  Attributes:
      portfolio: as that of `SimulatedPortfolio`; the status is how each loan will end.
      truth: one row per loan: `true_pd`, that of a loan that runs then, and `true_log_odds`.
      courses: to its end.
  """

  portfolio: pd.DataFrame
  truth: pd.DataFrame
  courses: Courses


def iter_running(loans: int, seed: int, batch_loans: int = BATCH_LOANS) -> Iterator[RunningLoans]:
  """The running loans beside `loans` resolved ones of `simulate_portfolio`, in batches.

  About 1.2 for each resolved loan; how many is drawn too. Batches do not change the loans.
  """
  streams = Streams(seed, "running ")
  most = _most_per_resolved()
  candidates = round(loans * float(_MONTH_SHARES @ most))
  for start in range(0, candidates, batch_loans):
    level = streams.open("issue month").random(min(batch_loans, candidates - start))
    yield _simulate_batch(share_places(level, _MONTH_SHARES * most), most, streams)


def running_per_resolved(term: IntArray, seen: IntArray) -> tuple[FloatArray, FloatArray]:
  """How many running loans each resolved one stands for: a paid one, and a charged-off one.

  F is the share of a vintage's loans that ended so within `seen` months: each stands for (1 - F) / F that will.
  """
  ended = ended_share(term, seen)
  counted = np.maximum(ended, LEAST_ENDED_SHARE)
  prepaid = PREPAID_SHARE * counted
  return np.where(seen < term, (1 - prepaid) / prepaid, 0.0), (1 - ended) / counted


def _most_per_resolved() -> FloatArray:
  issued = np.datetime64(known.FIRST_QUARTER, "M") + np.arange(len(_MONTH_SHARES))
  seen = (AS_OF_MONTH - issued).astype(np.int64)
  per_term = [running_per_resolved(np.full_like(seen, term), seen) for term in TERMS_MONTHS]
  return np.asarray(np.max([each for pair in per_term for each in pair], axis=0))


def _simulate_batch(place: npt.NDArray[np.intp], most: FloatArray, streams: Streams) -> RunningLoans:
  upper = np.cumsum(_MONTH_SHARES)
  within = streams.open("within the month").random(len(place))
  level = upper[place] - _MONTH_SHARES[place] * (1 - within)
  applications = simulate_applications(len(place), streams, ndtri(np.clip(level, 1e-9, 1 - 1e-9)))
  log_odds = true_log_odds(applications).to_numpy()
  charged_off = streams.open("outcome").random(len(place)) < expit(log_odds)
  term = applications["term_months"].to_numpy().astype(np.int64)
  issued = applications["issue_month"].to_numpy().astype("datetime64[M]")
  paid, lost = running_per_resolved(term, (AS_OF_MONTH - issued).astype(np.int64))
  chance = np.where(charged_off, lost, paid) / most[place]
  portfolio = add_outcome(applications, charged_off, streams)
  kept: BoolArray = streams.open("kept").random(len(place)) < chance
  portfolio = portfolio[kept].reset_index(drop=True)
  # Bayes: the odds of a running loan changed as the two kinds ended. Past the last instalment
  # only those are left that will be charged off: the log-odds are infinite.
  with np.errstate(divide="ignore"):
    shift = np.log(lost[kept]) - np.log(paid[kept])
  truth = pd.DataFrame({"true_log_odds": log_odds[kept] + shift})
  truth.insert(0, "true_pd", expit(truth["true_log_odds"]))
  courses = draw_running_courses(portfolio, charged_off[kept], Draws(streams))
  return RunningLoans(portfolio, truth, courses)
