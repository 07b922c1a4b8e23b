"""What the hazards depend on: the state of a loan in a month, the landmark, and the month looked forward to.

A missing feature counts as the mean of the fitted loans; where some of those lacked it too, an indicator says so.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.features.outcomes import DEFAULT_DAYS
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.options import Options
from loantap.tables.rows import LongTable, read_batches

# Beyond these a value says no more (a DTI of 9999 is "no income").
_BOUNDS: Final = {
	"interest_rate_pct": (0.0, 40.0),
	"annual_income": (1_000.0, 1_000_000.0),
	"balance_share": (0.0, 1.5),
	"instalment": (1.0, 100_000.0),
	"term_months": (1.0, 120.0),
	"max_dpd_3m": (0.0, 90.0),
	"max_dpd_6m": (0.0, 90.0),
	"payment_to_emi": (0.0, 2.0),
	"payment_to_emi_3m": (0.0, 2.0),
	"dti_pct": (0.0, 60.0),
	"dti_change_1m": (-20.0, 20.0),
	"dti_change_3m": (-20.0, 20.0),
	"dti_change_6m": (-20.0, 20.0),
	"utilisation_pct": (0.0, 150.0),
	"utilisation_change_1m": (-60.0, 60.0),
	"utilisation_change_3m": (-60.0, 60.0),
	"utilisation_change_6m": (-60.0, 60.0),
}
FEATURES: Final = tuple(_BOUNDS)
_IN_LOGS: Final = frozenset({"annual_income", "instalment"})
# A rise says the more the larger it is, so its log-odds bend, at these standard deviations over the
# mean; what changed in one month is mostly noise.
_BENT: Final = ("_change_3m", "_change_6m")
_BENDS: Final = (0.5, 2.0)
# Never missing.
STATE: Final = ("days_past_due", "months_on_book", "term_months", "remaining_months")

# Arrears in days, from the first of each bucket.
_ARREARS: Final = (1, 30, 60)
_ARREARS_NAMES: Final = ("not late", "1 to 29", "30 to 59", "60 to 89")
# Up to this lead each month has effects of its own by arrears: a loan 60 days late can default in
# the next month, and one that is not late cannot.
_SINGLE_LEADS: Final = 6
_AGE_KNOTS: Final = (0, 6, 12, 24, 36, 48)
_SHARE_KNOTS: Final = (0.25, 0.5, 0.75, 0.9)
_NEARLY_DUE: Final = 3
_NEVER: Final = 1_000_000
_PANEL: Final = tuple(dict.fromkeys(("loan_id", "month", *STATE, *FEATURES, "origin")))


class Scaled(Options):
	"""A feature as the model takes it; a missing value counts as the mean.

	`mean` and `deviation` (standard) are of the fitted loan-months, within bounds; `has_indicator`: whether a column
	says that it is missing.
	"""

	name: str
	mean: float
	deviation: float
	has_indicator: bool


@dataclass(frozen=True, slots=True)
class Position:
	"""Where loans stand, one value per row, and how many months ahead (one or one per row) is looked.

	Attributes:
		remaining_months: until the last instalment is due; 0 once it is.
	"""

	days_past_due: FloatArray
	months_on_book: FloatArray
	term_months: FloatArray
	remaining_months: FloatArray
	lead: IntArray

	def take(self, rows: npt.NDArray[np.intp] | slice, lead: IntArray) -> "Position":
		"""Some of the rows, with another lead."""
		return Position(
			self.days_past_due[rows], self.months_on_book[rows], self.term_months[rows], self.remaining_months[rows], lead
		)


def scale_features(panel: pd.DataFrame, names: tuple[str, ...]) -> tuple[Scaled, ...]:
	"""Measure the features of loan-months; one that never varies or is all missing is left out."""
	scaled = []
	indicated: list[bytes] = []
	for name in names:
		values = _bounded(panel, name)
		is_missing = np.isnan(values)
		deviation = 0.0 if is_missing.all() else float(np.nanstd(values))
		if deviation == 0:
			continue
		# Features of one history are missing together.
		pattern = is_missing.tobytes()
		is_new = bool(is_missing.any()) and pattern not in indicated
		indicated.append(pattern)
		mean = float(np.nanmean(values))
		scaled.append(Scaled(name=name, mean=mean, deviation=deviation, has_indicator=is_new))
	return tuple(scaled)


def name_state(features: tuple[Scaled, ...]) -> list[str]:
	"""Names of the columns that `state_matrix` makes."""
	bends = [f"{f.name} over {knot:g}" for f in features if f.name.endswith(_BENT) for knot in _BENDS]
	return [f.name for f in features] + bends + [f"{f.name} missing" for f in features if f.has_indicator]


def state_matrix(panel: pd.DataFrame, features: tuple[Scaled, ...]) -> FloatArray:
	"""Features in standard deviations from their means, then bends and indicators; one row per row."""
	columns, bends, indicators = [], [], []
	for feature in features:
		values = _bounded(panel, feature.name)
		is_missing = np.isnan(values)
		columns.append(np.where(is_missing, 0.0, (values - feature.mean) / feature.deviation))
		if feature.name.endswith(_BENT):
			bends += [np.maximum(columns[-1] - knot, 0) for knot in _BENDS]
		if feature.has_indicator:
			indicators.append(is_missing.astype(float))
	if not columns:
		return np.empty((len(panel), 0))
	return np.column_stack(columns + bends + indicators)


def name_lead(first: int, last: int) -> list[str]:
	"""Names of the columns that `lead_matrix` makes for leads from `first` to `last`."""
	cells = [f"{days} days late, {slot}" for slot in _slots(first, last) for days in _ARREARS_NAMES]
	ages = [f"age over {knot}" for knot in _AGE_KNOTS]
	shares = [f"share of term over {knot:g}" for knot in _SHARE_KNOTS]
	return [*cells, "lead", *ages, *shares, "nearly due", "due", "past due date"]


def lead_matrix(position: Position, first: int, last: int) -> FloatArray:
	"""What is known `position.lead` months ahead: one row per row, columns `name_lead`.

	Arrears now by lead, the lead, age then (hinges in months and shares of the term), whether the last instalment is
	due then.
	"""
	lead = np.broadcast_to(position.lead, position.days_past_due.shape)
	bucket = np.searchsorted(_ARREARS, position.days_past_due, side="right")
	slot = np.minimum(lead - first, len(_slots(first, last)) - 1)
	cells = np.zeros((len(lead), len(_slots(first, last)) * len(_ARREARS_NAMES)))
	cells[np.arange(len(lead)), slot * len(_ARREARS_NAMES) + bucket] = 1.0
	age = position.months_on_book + lead
	share = age / position.term_months
	left = position.remaining_months - lead
	hinges = [np.maximum(age - knot, 0) / 12 for knot in _AGE_KNOTS]
	hinges += [np.maximum(share - knot, 0) for knot in _SHARE_KNOTS]
	due = [(left > 0) & (left <= _NEARLY_DUE), left == 0, left < 0]
	return np.column_stack([cells, lead / 12, *hinges, *(is_it.astype(float) for is_it in due)])


def take_position(panel: pd.DataFrame, lead: IntArray) -> Position:
	"""Where the rows of a panel stand, looking `lead` months ahead."""
	days, age, term, remaining = (panel[name].to_numpy(dtype=float) for name in STATE)
	return Position(days, age, term, np.maximum(remaining, 0), lead)


def _slots(first: int, last: int) -> list[str]:
	"""Leads with effects of their own, and one slot for the others."""
	single = [f"lead {lead}" for lead in range(first, min(last, _SINGLE_LEADS) + 1)]
	return single if last <= _SINGLE_LEADS else [*single, "later"]


def _bounded(panel: pd.DataFrame, name: str) -> FloatArray:
	low, high = _BOUNDS[name]
	values: FloatArray = np.clip(panel[name].to_numpy(dtype=float), low, high)
	return np.log(values) if name in _IN_LOGS else values


@dataclass(frozen=True, slots=True)
class Ahead:
	"""Months from each landmark to what happened; larger than any lead where it never did.

	`seen` is to the event, or to the last month seen.
	"""

	default: IntArray
	paid: IntArray
	seen: IntArray

	def __getitem__(self, rows: BoolArray | IntArray) -> "Ahead":
		return Ahead(self.default[rows], self.paid[rows], self.seen[rows])


def draw_shares(loan_ids: pd.Series, seed: int) -> FloatArray:
	"""A number between 0 and 1 for each loan, the same for the same loan and seed."""
	key = f"{seed:016d}"[-16:]
	hashed = pd.util.hash_array(loan_ids.to_numpy(dtype=object), hash_key=key)
	return hashed.astype(np.float64) / 2**64


def sample_landmarks(panel: pd.DataFrame | LongTable, most: int, seed: int, rows: int | None = None) -> pd.DataFrame:
	"""About `most` rows of a panel, drawn by loan and month: in any batches the same.

	Rows 90 days past due are left out. `rows`: how many the panel has, if it is a part.
	"""
	share = most / max(rows or len(panel), 1)
	kept = [_draw(batch, share, seed) for batch in read_batches(panel, _PANEL)]
	return pd.concat(kept, ignore_index=True)


def look_ahead(landmarks: pd.DataFrame, outcomes: pd.DataFrame) -> Ahead:
	"""What came after each landmark (`loan_id` and `month`).

	`seen` is 0 or less where the loan had ended, or is unknown.
	"""
	found = landmarks[["loan_id"]].merge(outcomes, on="loan_id", how="left")
	now = _month_number(landmarks["month"])
	default, paid, last = (_month_number(found[name]) for name in ("default_month", "paid_month", "last_month"))
	until_default = np.where(default == _NEVER, _NEVER, default - now)
	until_paid = np.where(paid == _NEVER, _NEVER, paid - now)
	until_last = np.where(last == _NEVER, 0, last - now)
	event = np.minimum(until_default, until_paid)
	return Ahead(until_default, until_paid, np.where(event == _NEVER, until_last, event))


def expand(ahead: Ahead, first: int, last: int, most: int, seed: int) -> tuple[npt.NDArray[np.intp], IntArray]:
	"""Landmark and lead of months at risk, `first` to `last` ahead; of more than about `most` a random sample."""
	count = np.clip(np.minimum(ahead.seen, last) - first + 1, 0, None).astype(np.int64)
	landmark = np.repeat(np.arange(len(count)), count)
	starts = np.cumsum(count) - count
	lead = np.arange(len(landmark)) - starts[landmark] + first
	if len(landmark) > most:
		kept = np.random.default_rng(seed).random(len(landmark)) < most / len(landmark)
		landmark, lead = landmark[kept], lead[kept]
	return landmark, lead


def _draw(batch: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
	alive = batch[batch["days_past_due"] < DEFAULT_DAYS]
	if share >= 1:
		return alive
	# A golden-ratio step a month spreads a loan's months evenly.
	place = draw_shares(alive["loan_id"], seed) + _month_number(alive["month"]) * 0.6180339887498949
	return alive[place % 1 < share]


def _month_number(months: pd.Series) -> IntArray:
	number = months.dt.year * 12 + months.dt.month
	numbers: IntArray = number.fillna(_NEVER).to_numpy(dtype=np.int64)
	return numbers
