"""Monthly events of loans, simulated from each loan's outcome, in closed form.

They are made to agree with amount, rate, term and outcome: what is measured on them says how a method works, not how
borrowers behave.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.amortisation import emi, scheduled_balance
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import COLUMNS
from loantap.simulator.courses import AS_OF_MONTH, Courses, Draws, can_be_followed, draw_courses, read_courses
from loantap.simulator.streams import Streams, normal_at

DAYS_PER_INSTALMENT = 30

# Percentage points added over the months before the first missed payment by a borrower of average
# strain. Strength 0 leaves noise alone.
DRIFT_MONTHS = 6
DTI_DRIFT_POINTS = 4.0
UTILISATION_DRIFT_POINTS = 12.0
# A random walk (points a month) and an error of reporting.
DTI_WALK_POINTS = 0.5
DTI_NOISE_POINTS = 0.8
UTILISATION_WALK_POINTS = 2.0
UTILISATION_NOISE_POINTS = 4.0
HUNDREDTHS = 100

CHUNK_LOANS = 5_000

EVENT_COLUMNS = (
	"loan_id",
	"month",
	"outstanding_balance",
	"days_past_due",
	"payment",
	"current_dti_pct",
	"current_utilisation_pct",
)


def simulate_events(loans: pd.DataFrame, seed: int, drift_strength: float = 1.0) -> pd.DataFrame:
	"""Simulate the months of each loan up to its end: one row per loan and month.

	DTI and utilisation may be missing in all months; `drift_strength` is a factor on their drift before default. Same
	loans and `seed` (non-negative), same events.

	Returns `EVENT_COLUMNS`, loans as given, months ascending, none after `AS_OF_MONTH`. Balance = previous balance x (1
	+ rate / 12) - payment, to the cent: at last 0 of a paid loan, the loss of a charged-off one, 120 or 150 days past
	due, or less in `AS_OF_MONTH`. A running loan goes on until then, or until the month before its last instalment. A
	loan whose months cannot be made up has none (`can_be_followed`).
	"""
	chunks = list(iter_events([loans], seed, max(len(loans), 1), drift_strength))
	return chunks[0]


def iter_events(
	batches: Iterable[pd.DataFrame], seed: int, chunk_loans: int = CHUNK_LOANS, drift_strength: float = 1.0
) -> Iterator[pd.DataFrame]:
	"""Yield `simulate_events` of all the loans, at most `chunk_loans` at a time, to bound memory.

	Joined they equal `simulate_events` of the joined loans. A batch without loans yields one empty frame. Raises
	ValueError for `chunk_loans` below 1.
	"""
	if chunk_loans < 1:
		raise ValueError(f"iter_events: chunk_loans = {chunk_loans!r}; give at least 1")
	draws = Draws(Streams(seed))
	for loans in batches:
		followed = loans[can_be_followed(loans)]
		for start in range(0, max(len(followed), 1), chunk_loans):
			chunk = followed.iloc[start : start + chunk_loans]
			courses = draw_courses(chunk, draws)
			yield simulate_months(chunk, courses, seed, AS_OF_MONTH, drift_strength)


def iter_months(
	batches: Iterable[tuple[pd.DataFrame, pd.DataFrame]], seed: int, until: np.datetime64, chunk_loans: int = CHUNK_LOANS
) -> Iterator[pd.DataFrame]:
	"""Yield the months of the loans of a simulated book, at most `chunk_loans` of them at a time.

	Batches are loans, each issued before the snapshot `until`, and their truth in the same order
	(`portfolio.truth_columns`).
	"""
	for loans, truth in batches:
		for start in range(0, max(len(loans), 1), chunk_loans):
			chunk = slice(start, start + chunk_loans)
			courses = read_courses(truth.iloc[chunk])
			strength = float(truth["drift_strength"].iloc[0]) if len(truth) else 1.0
			yield simulate_months(loans.iloc[chunk], courses, seed, until, strength)


def simulate_months(
	loans: pd.DataFrame, courses: Courses, seed: int, until: np.datetime64, drift_strength: float = 1.0
) -> pd.DataFrame:
	"""`simulate_events` of loans whose courses are known, up to the month `until`.

	A month depends on its loan, course and seed alone: a later `until` adds months and changes none.
	"""
	issued = loans["issue_month"].to_numpy().astype("datetime64[M]")
	shown = np.minimum(courses.last, (until - issued).astype(np.int64))
	of_loan = np.repeat(np.arange(len(loans)), shown)
	first_row = np.cumsum(shown) - shown
	month = np.arange(len(of_loan)) - first_row[of_loan] + 1
	behind = _instalments_behind(courses, of_loan, month)
	balance, payment = _balances(loans, courses, of_loan, month, behind)
	ramp = np.clip((month - courses.missed[of_loan] + DRIFT_MONTHS) / DRIFT_MONTHS, 0, 1)
	stops = courses.missed <= courses.last
	drift = np.where(stops[of_loan], ramp * courses.strain[of_loan], 0.0) * drift_strength
	walk = _Walk(
		seed=seed,
		keys=pd.util.hash_array(loans["loan_id"].to_numpy(dtype=object))[of_loan],
		month=month,
		starts=first_row[of_loan],
	)
	dti, utilisation = (loans[name].to_numpy()[of_loan] for name in ("dti_pct", "revolving_utilisation_pct"))
	frame = pd.DataFrame(
		{
			"month": (issued[of_loan] + month).astype("datetime64[s]"),
			"outstanding_balance": balance,
			"days_past_due": behind * float(DAYS_PER_INSTALMENT),
			"payment": payment,
			"current_dti_pct": walk.wander(
				"current_dti_pct", dti + drift * DTI_DRIFT_POINTS, (DTI_WALK_POINTS, DTI_NOISE_POINTS)
			),
			"current_utilisation_pct": walk.wander(
				"current_utilisation_pct",
				utilisation + drift * UTILISATION_DRIFT_POINTS,
				(UTILISATION_WALK_POINTS, UTILISATION_NOISE_POINTS),
			),
		}
	)
	identifiers = loans["loan_id"].take(of_loan).reset_index(drop=True)
	return frame.assign(loan_id=identifiers)[list(EVENT_COLUMNS)]


def _instalments_behind(course: Courses, of_loan: IntArray, month: IntArray) -> IntArray:
	unpaid = np.maximum(month - course.missed[of_loan] + 1, 0)
	behind: IntArray = unpaid + (month == course.arrears[of_loan])
	return behind


def _balances(
	loans: pd.DataFrame, course: Courses, of_loan: IntArray, month: IntArray, behind: IntArray
) -> tuple[FloatArray, FloatArray]:
	"""Balance at the end of each row's month and the payment in it, in cents.

	With n instalments behind, the balance is the scheduled one of n months ago grown by n months
	of interest. The payment makes balance follow from balance: the instalment, twice that and
	interest where arrears are cured, nothing while payments stop, all that is owed at the end.
	"""
	amount, instalment, rate, term = (
		loans[name].to_numpy(dtype=float) for name in ("loan_amount", "instalment", "interest_rate_pct", "term_months")
	)
	agreed = emi(amount, rate, term)
	# What was paid out, which the instalment of a part-funded loan implies.
	principal = np.where(np.abs(instalment - agreed) > 0.05, amount * instalment / agreed, amount)
	growth = 1 + rate / 1200
	balance = scheduled_balance(principal[of_loan], rate[of_loan], term[of_loan], np.maximum(month - behind, 0))
	balance = np.round(balance * growth[of_loan] ** behind, 2)
	is_last = month == course.last[of_loan]
	balance = np.where(is_last & course.is_paid[of_loan], 0.0, balance)
	previous = np.empty_like(balance)
	previous[1:] = balance[:-1]
	opens = month == 1
	previous[opens] = np.round(principal[of_loan[opens]], 2)
	# Rounding of half a cent: nothing was paid in it.
	payment = np.where(behind > 0, 0.0, np.round(previous * growth[of_loan] - balance, 2))
	return balance, payment


@dataclass(frozen=True, slots=True)
class _Walk:
	"""One value per row, a loan's rows together: what tells it apart, the month from its issue, its first row."""

	seed: int
	keys: npt.NDArray[np.uint64]
	month: IntArray
	starts: IntArray

	def wander(self, name: str, level: FloatArray, points: tuple[float, float]) -> FloatArray:
		"""Add to each row's level a random walk from its loan's start and noise; two decimals.

		`points` are the standard deviations of a step of the walk and of the noise. Whole
		hundredths make the running sum exact, whatever loans stand before.
		"""
		walk, noise = points
		column = COLUMNS[name]
		steps = self._normal(f"{name} walk") * (walk * HUNDREDTHS)
		total = np.cumsum(np.rint(steps).astype(np.int64))
		moved = (total - total[self.starts]) / HUNDREDTHS
		noisy = level + moved + noise * self._normal(f"{name} noise")
		within: FloatArray = np.clip(noisy, column.minimum, column.maximum)
		return within.round(2)

	def _normal(self, name: str) -> FloatArray:
		return normal_at(self.seed, f"events {name}", self.keys, self.month)
