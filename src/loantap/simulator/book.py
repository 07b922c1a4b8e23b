"""The simulated book as of a snapshot: loans that have ended, loans that run, and the truth.

A snapshot is a cut through one simulated world, so forecasts can be held against what comes. Under the law of
`courses` each resolved loan stands for a known number of running ones of its vintage, by term, months on book and
outcome, with streams of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtri

from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import (
	CHARGED_OFF,
	CSV_ORDER,
	CURRENT,
	FULLY_PAID,
	LATE_16_30,
	LATE_31_120,
	TERMS_MONTHS,
)
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import ContentIds
from loantap.portfolio.truth_columns import TRUTH_COLUMNS
from loantap.simulator import calibration as known
from loantap.simulator.borrowers import share_places
from loantap.simulator.courses import (
	AS_OF_MONTH,
	PREPAID_SHARE,
	Courses,
	Draws,
	describe_courses,
	draw_courses,
	draw_running_courses,
	ended_share,
)
from loantap.simulator.portfolio import BATCH_LOANS, add_outcome, iter_portfolio, simulate_applications, true_log_odds
from loantap.simulator.streams import Streams
from loantap.simulator.texts import give_shared_pincodes

# Next to nothing has ended by then under the law, yet the table holds some such loans: they stand
# for no more than they would had this share ended.
LEAST_ENDED_SHARE = 0.05
_MONTH_SHARES = np.repeat(known.LOANS_PER_QUARTER, 3) / (3 * sum(known.LOANS_PER_QUARTER))


@dataclass(frozen=True, slots=True)
class RunningLoans:
	"""Loans that run in `AS_OF_MONTH`.

	Attributes:
		portfolio: as `SimulatedPortfolio`; the status is how each will end.
		truth: `true_pd`, that of a loan that runs then, and `true_log_odds`.
	"""

	portfolio: pd.DataFrame
	truth: pd.DataFrame
	courses: Courses


def iter_running(loans: int, seed: int, batch_loans: int = BATCH_LOANS) -> Iterator[RunningLoans]:
	"""The running loans beside `loans` resolved ones of `simulate_portfolio`, in batches.

	About 1.2 for each resolved one, the number drawn too. Batches do not change the loans.
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


_STABLE = [name for name in CSV_ORDER if name != "loan_status"]
_TEXTS = ("loan_id", "end")


@dataclass(frozen=True, slots=True)
class SimulatedBook:
	"""Loans of a book as of a snapshot, one row each in the same order.

	Attributes:
		portfolio: `loan_id` and the 27 columns of a LoanTap file, typed.
		truth: `TRUTH_COLUMNS`: see `courses.true_courses`; `true_pd` and `true_log_odds` of being charged off, given
			that the loan is resolved in March 2017, or else still runs then.
	"""

	portfolio: pd.DataFrame
	truth: pd.DataFrame


def snapshot_month(day: date) -> np.datetime64:
	"""The last month with simulated events, at most March 2017; InputError before the first."""
	month = min(np.datetime64(day, "M"), AS_OF_MONTH)
	if month < np.datetime64("2008-01", "M"):
		raise InputError(
			"--params as_of",
			f"the simulated book begins in 2007, and hardly had a loan by {day:%Y-%m}",
			"Give a month from 2008-01 on",
		)
	return month


def iter_book(loans: int, seed: int, month: np.datetime64, batch_loans: int = BATCH_LOANS) -> Iterator[SimulatedBook]:
	"""The book as of the snapshot `month` (see `snapshot_month`), in batches of so many loans before the cut.

	`loans` resolved ones as of March 2017 come first, about 1.2 running ones each follow. No loan is issued from
	`month` on; those that end later run.
	"""
	identifiers = ContentIds(_STABLE)
	draws, pins = Draws(Streams(seed)), Streams(seed, "running ")
	for batch in iter_portfolio(loans, seed, batch_loans):
		courses = draw_courses(batch.portfolio, draws)
		yield _cut(batch.portfolio, batch.truth, courses, identifiers, pins, month)
	for more in iter_running(loans, seed, batch_loans):
		yield _cut(more.portfolio, more.truth, more.courses, identifiers, pins, month)


def no_truth() -> pd.DataFrame:
	"""The truth of a portfolio that nobody simulated: no rows."""
	kinds = {name: "str" if name in _TEXTS else "float64" for name in TRUTH_COLUMNS}
	return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _cut(
	portfolio: pd.DataFrame,
	risk: pd.DataFrame,
	courses: Courses,
	identifiers: ContentIds,
	pins: Streams,
	month: np.datetime64,
) -> SimulatedBook:
	# From what never changes, hence the same at each snapshot.
	known = portfolio.assign(loan_id=identifiers.number(portfolio))
	issued = portfolio["issue_month"].to_numpy().astype("datetime64[M]")
	seen = (month - issued).astype(np.int64)
	runs = courses.last > seen
	status = pd.Series(np.where(courses.is_paid, FULLY_PAID, CHARGED_OFF), dtype="str")
	behind = np.maximum(seen - courses.missed + 1, 0) + (seen == courses.arrears)
	arrears = np.select([behind == 0, behind == 1], [CURRENT, LATE_16_30], LATE_31_120)
	# The pincode of a running loan must not tell how it ends.
	shared = give_shared_pincodes(pins, portfolio["address"])
	shown = known.assign(
		loan_status=status.where(~runs, pd.Series(arrears, dtype="str")), address=portfolio["address"].where(~runs, shared)
	)
	truth = describe_courses(known, courses, 1.0).assign(
		true_pd=risk["true_pd"].to_numpy(), true_log_odds=risk["true_log_odds"].to_numpy()
	)
	exists = seen > 0
	return SimulatedBook(
		portfolio=shown[exists].reset_index(drop=True), truth=truth.loc[exists, list(TRUTH_COLUMNS)].reset_index(drop=True)
	)
