"""How simulated loans go: when each misses its first instalment, and when and how it ends."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, betaincinv

from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import (
	CURRENT,
	DEFAULT,
	FULLY_PAID,
	GRACE_PERIOD,
	LATE_16_30,
	LATE_31_120,
	RESOLVED,
	RUNNING,
	TERMS_MONTHS,
)
from loantap.simulator.streams import Streams

# When the real table was drawn: every loan in it had ended.
AS_OF_MONTH = np.datetime64("2017-03", "M")

# Unsecured loans are charged off at 120 days or, mostly, once an instalment is 150 days old.
MONTHS_FROM_MISSED_TO_CHARGE_OFF = (3, 4)
CHARGE_OFF_AT_150_DAYS_SHARE = 0.6
_LAG_SHARES = (1 - CHARGE_OFF_AT_150_DAYS_SHARE, CHARGE_OFF_AT_150_DAYS_SHARE)
# First missed instalment as a share of the term: a mean of 0.4, between the scenarios' 0.35-0.45.
DEFAULT_TIMING_BETA = (2.0, 3.0)
# Share of loans that end well which are paid early, by the law of charge-offs: so the resolved
# loans of a young vintage hold nearly as many defaults as the vintage will in the end.
PREPAID_SHARE = 0.8
# Of a running loan in its last month; less than one in its grace period.
INSTALMENTS_BEHIND = MappingProxyType({CURRENT: 0, GRACE_PERIOD: 0, LATE_16_30: 1, DEFAULT: 5})
# Of one 31 to 120 days late, by chance: at 120 days only those still run that go on to 150.
_LATE_INSTALMENTS = (2, 3, 4)
_LATE_SHARES = np.array([1, 1, CHARGE_OFF_AT_150_DAYS_SHARE]) / (2 + CHARGE_OFF_AT_150_DAYS_SHARE)
# Share of loans that miss one instalment and pay it a month later.
ARREARS_SHARE_FULLY_PAID = 0.10
ARREARS_SHARE_CHARGED_OFF = 0.20

PREPAID = "prepaid"
MATURED = "matured"
CHARGED_OFF_END = "charged_off"


@dataclass(frozen=True, slots=True)
class Draws:
	"""The streams of events, read on by every chunk."""

	streams: Streams

	def __getitem__(self, name: str) -> np.random.Generator:
		return self.streams.open(f"events {name}")


@dataclass(frozen=True, slots=True)
class Courses:
	"""How each loan goes: one value per loan, months counted from 1, the month after issue.

	Attributes:
		last: last month with a row.
		missed: first instalment missed for good; beyond `last` for a loan that is paid or current.
		arrears: instalment missed and paid one month later; 0 is none.
		is_paid: whether the loan is paid in full in its last month.
		has_ended: whether it is paid or charged off in its last month; else nobody knows its end.
		strain: how far DTI and utilisation rise before the first missed month, as a multiple of
			the average borrower's; exponential.
	"""

	last: IntArray
	missed: IntArray
	arrears: IntArray
	is_paid: npt.NDArray[np.bool_]
	has_ended: npt.NDArray[np.bool_]
	strain: FloatArray


def true_courses(loans: pd.DataFrame, seed: int, drift_strength: float = 1.0) -> pd.DataFrame:
	"""The truth behind `simulate_events` of the same arguments: one row per loan with months.

	`loan_id`; `first_missed_month` (months on book, missing if never); `end_months_on_book` and `end` (`prepaid`,
	`matured`, `charged_off`; missing where nobody has drawn it); `strain` (of the average borrower); `drift_strength`;
	`arrears_month`, of an instalment paid one month late (0: none).
	"""
	followed = loans[can_be_followed(loans)]
	return describe_courses(followed, draw_courses(followed, Draws(Streams(seed))), drift_strength)


def describe_courses(loans: pd.DataFrame, courses: Courses, drift_strength: float) -> pd.DataFrame:
	"""`true_courses` of loans whose courses were drawn."""
	term = loans["term_months"].to_numpy()
	paid = np.where(courses.last < term, PREPAID, MATURED)
	end = pd.Series(np.where(courses.is_paid, paid, CHARGED_OFF_END), dtype="str")
	missed = courses.missed.astype(float)
	return pd.DataFrame(
		{
			"loan_id": loans["loan_id"].reset_index(drop=True),
			"first_missed_month": np.where(courses.missed <= courses.last, missed, np.nan),
			"end_months_on_book": np.where(courses.has_ended, courses.last.astype(float), np.nan),
			"end": end.where(courses.has_ended),
			"strain": courses.strain,
			"drift_strength": drift_strength,
			"arrears_month": courses.arrears.astype(float),
		}
	)


def read_courses(truth: pd.DataFrame) -> Courses:
	"""The courses of loans that were described, and whose arrears were kept as `arrears_month`."""
	last = truth["end_months_on_book"].to_numpy().astype(np.int64)
	missed = truth["first_missed_month"].fillna(pd.Series(last + 1.0, truth.index))
	return Courses(
		last=last,
		missed=missed.to_numpy().astype(np.int64),
		arrears=truth["arrears_month"].to_numpy().astype(np.int64),
		is_paid=(truth["end"] != CHARGED_OFF_END).to_numpy(),
		has_ended=np.ones(len(truth), dtype=bool),
		strain=truth["strain"].to_numpy(),
	)


def can_be_followed(loans: pd.DataFrame) -> npt.NDArray[np.bool_]:
	"""Whether the months of each loan can be made up from its terms and status."""
	issued = loans["issue_month"].to_numpy().astype("datetime64[M]")
	positive = (loans[["loan_amount", "instalment"]] > 0).all(axis=1)
	return np.asarray(
		positive
		& (loans["interest_rate_pct"] >= 0)
		& loans["term_months"].isin(TERMS_MONTHS)
		& loans["loan_status"].isin((*RESOLVED, *RUNNING))
		& (issued < AS_OF_MONTH)
	)


def draw_courses(loans: pd.DataFrame, draws: Draws) -> Courses:
	"""Draw prepayment, default and passing arrears of loans whose status is that of `AS_OF_MONTH`."""
	term, seen = _months(loans)
	status = loans["loan_status"].to_numpy()
	is_paid, is_running = status == FULLY_PAID, np.isin(status, RUNNING)
	chance = np.where(seen >= term, PREPAID_SHARE, 1.0)
	until = np.where(is_paid & (seen >= term), np.inf, seen)
	missed, lag = _draw_default(term, np.zeros(len(term)), until, draws)
	last = _draw_last(missed + lag, term, is_paid, chance, draws)
	# Young vintages cannot have ended yet under that law.
	last = np.minimum(last, np.maximum(seen, 1))
	late = draws["instalments behind"].choice(_LATE_INSTALMENTS, len(term), p=_LATE_SHARES)
	if is_running.any():
		behind = loans["loan_status"].map(INSTALMENTS_BEHIND).fillna(0).to_numpy(np.int64)
		behind = np.where(status == LATE_31_120, late, behind)
		# One that should have ended is seen until the month before that.
		last = np.where(is_running, np.maximum(np.minimum(term - 1, seen), 1), last)
		missed = np.where(is_running, np.maximum(last - behind + 1, 1), missed)
	return _with_arrears(last, np.where(is_paid, last + 1, missed), is_paid, ~is_running, draws)


def draw_running_courses(loans: pd.DataFrame, charged_off: npt.NDArray[np.bool_], draws: Draws) -> Courses:
	"""Draw the same of loans that still run in `AS_OF_MONTH`, given how each will end."""
	term, seen = _months(loans)
	ended = PREPAID_SHARE * ended_share(term, seen)
	# Bayes: those neither prepaid nor matured so far prepay later with this chance.
	chance = (PREPAID_SHARE - ended) / (1 - ended)
	missed, lag = _draw_default(term, seen.astype(float), np.full(len(term), np.inf), draws)
	last = _draw_last(missed + lag, term, ~charged_off, chance, draws)
	missed = np.where(charged_off, missed, last + 1)
	return _with_arrears(last, missed, ~charged_off, np.ones(len(term), dtype=bool), draws)


def ended_share(term: IntArray, months: IntArray) -> FloatArray:
	"""Share of charge-offs, and of early payments, that lie within so many months on book."""
	shares = zip(_LAG_SHARES, MONTHS_FROM_MISSED_TO_CHARGE_OFF, strict=True)
	return np.asarray(sum(share * _missed_share(term, months - lag) for share, lag in shares))


def _missed_share(term: IntArray, months: FloatArray | IntArray) -> FloatArray:
	return np.asarray(betainc(*DEFAULT_TIMING_BETA, np.clip(months / term, 0, 1)))


def _draw_default(term: IntArray, after: FloatArray, until: FloatArray, draws: Draws) -> tuple[IntArray, IntArray]:
	bounds = [
		(_missed_share(term, after - lag), _missed_share(term, until - lag)) for lag in MONTHS_FROM_MISSED_TO_CHARGE_OFF
	]
	chances = [s * (high - low) for s, (low, high) in zip(_LAG_SHARES, bounds, strict=True)]
	total = sum(chances)
	chance = np.divide(chances[1], total, out=np.full(len(term), _LAG_SHARES[1]), where=total > 0)
	is_late = draws["charge-off age"].random(len(term)) < chance
	low, high = (np.where(is_late, late, early) for early, late in zip(*bounds, strict=True))
	level = low + draws["first missed month"].random(len(term)) * (high - low)
	early, late = MONTHS_FROM_MISSED_TO_CHARGE_OFF
	missed = _month_at(betaincinv(*DEFAULT_TIMING_BETA, level), term)
	return missed, np.where(is_late, late, early)


def _draw_last(
	ends: IntArray, term: IntArray, is_paid: npt.NDArray[np.bool_], chance: FloatArray, draws: Draws
) -> IntArray:
	"""Of a charge-off, of an early payment (by `chance`), or of the contract."""
	prepays = draws["prepays"].random(len(term)) < chance
	return np.where(is_paid, np.where(prepays, np.minimum(ends, term), term), ends)


def _with_arrears(
	last: IntArray, missed: IntArray, is_paid: npt.NDArray[np.bool_], has_ended: npt.NDArray[np.bool_], draws: Draws
) -> Courses:
	stops = missed <= last
	chance = np.where(stops, ARREARS_SHARE_CHARGED_OFF, ARREARS_SHARE_FULLY_PAID)
	has_arrears = draws["has arrears"].random(len(last)) < chance
	# Cured before the end: at the latest two months before it.
	candidates = np.minimum(last, missed - 1) - 1
	arrears = _month_at(draws["arrears month"].random(len(last)), np.maximum(candidates, 1))
	return Courses(
		last=last,
		missed=missed,
		arrears=np.where(has_arrears & (candidates >= 1), arrears, 0),
		is_paid=is_paid,
		has_ended=has_ended,
		strain=draws["strain"].exponential(size=len(last)),
	)


def _months(loans: pd.DataFrame) -> tuple[IntArray, IntArray]:
	issued = loans["issue_month"].to_numpy().astype("datetime64[M]")
	term = loans["term_months"].to_numpy().astype(np.int64)
	return term, (AS_OF_MONTH - issued).astype(np.int64)


def _month_at(share: FloatArray, months: IntArray) -> IntArray:
	return np.clip(np.ceil(share * months), 1, months).astype(np.int64)
