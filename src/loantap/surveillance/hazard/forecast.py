"""The model of hazards, and what it says of loans as they stand: PDs, and expected life."""

import logging
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from scipy.special import expit

from loantap.features.outcomes import DEFAULT_DAYS
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.options import Options
from loantap.surveillance.hazard.design import (
	Position,
	Scaled,
	lead_matrix,
	name_lead,
	name_state,
	state_matrix,
	take_position,
)

Cause = Literal["default", "paid"]
CAUSES: Final[tuple[Cause, Cause]] = ("default", "paid")
# Log-odds beyond this are as good as it.
CERTAIN: Final = 15.0
# After the last due date, until one that was missed is 90 days old.
OVERRUN_MONTHS: Final = 4
logger = logging.getLogger(__name__)
HORIZONS: Final = (3, 6, 12)
FORECASTS: Final = ("pd_3m", "pd_6m", "pd_12m", "pd_life", "expected_life_months")
_BLOCK: Final = 32_768


class BandHazard(Options):
	"""Log-odds of an event in each month of a band of leads, of a loan that has come so far.

	`weights` are by the design's columns; the recalibration adds `shift` and multiplies by `slope`. Fitted on `months`,
	loan-months with so many `events`.
	"""

	cause: Cause
	first_lead: int
	last_lead: int
	intercept: float
	weights: dict[str, float]
	shift: float
	slope: float
	months: int
	events: int


class HazardModel(Options):
	"""A discrete-time model of two competing risks, default and payment in full.

	Attributes:
		bands: two of each, default and paid, leads ascending.
		calibrated_loans: others that the log-odds were recalibrated on.
		landmarks: loan-months that were looked forward from.
	"""

	origin: str
	features: tuple[Scaled, ...]
	bands: tuple[BandHazard, ...]
	fitted_loans: int
	calibrated_loans: int
	landmarks: int

	def to_json(self) -> dict[str, Any]:
		"""The model as a JSON file keeps it."""
		return self.model_dump(mode="json")

	@classmethod
	def from_json(cls, kept: dict[str, Any]) -> "HazardModel":
		"""The model that `to_json` gave; raises ValidationError where that was changed."""
		return cls.model_validate(kept)


def forecast(model: HazardModel, panel: pd.DataFrame, months: int | None = None) -> pd.DataFrame:
	"""Forecast what becomes of loans, one row per loan and month of the panel, same index.

	With `months`, one of `HORIZONS`, no further ahead.

	Returns:
		`pd_3m`, `pd_6m`, `pd_12m`, `pd_life` (probability of being 90 days past due within so many months, or ever),
		`expected_life_months` (until default or payment in full). A loan 90 days past due has PDs of 1, a life of 0.
	"""
	_tell_missing(model, panel)
	starts = range(0, max(len(panel), 1), _BLOCK)
	blocks = [_forecast_block(model, panel.iloc[start : start + _BLOCK], months) for start in starts]
	told = len(FORECASTS) if months is None else HORIZONS.index(months) + 1
	return pd.DataFrame(np.vstack(blocks)[:, :told], index=panel.index, columns=list(FORECASTS[:told]))


@dataclass(frozen=True, slots=True)
class _Band:
	"""Both hazards of a band as matrices: columns default and paid."""

	first: int
	last: int
	state: FloatArray
	lead: FloatArray
	intercept: FloatArray
	shift: FloatArray
	slope: FloatArray

	def hazards(self, of_state: FloatArray, position: Position) -> tuple[FloatArray, FloatArray]:
		"""Probability of default and of payment in the month, of loans that come so far."""
		log_odds = of_state + lead_matrix(position, self.first, self.last) @ self.lead
		raised = self.shift + self.slope * np.clip(log_odds, -CERTAIN, CERTAIN)
		default, paid = expit(raised).T
		# Fitted each on its own; together at most certain.
		return default, np.minimum(paid, 1 - default)


def _forecast_block(model: HazardModel, rows: pd.DataFrame, months: int | None) -> FloatArray:
	left = np.maximum(rows["remaining_months"].to_numpy(dtype=float), 0).astype(np.int64)
	# Longest lives first: those still followed come first.
	order = np.argsort(-left, kind="stable")
	horizon = left[order] + OVERRUN_MONTHS
	state = state_matrix(rows.iloc[order], model.features)
	position = take_position(rows.iloc[order], np.zeros(len(rows), dtype=np.int64))
	alive, defaulted, life = np.ones(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
	found = np.zeros((len(rows), len(FORECASTS)))
	bands = _read_bands(model)
	of_state = state @ bands[0].state + bands[0].intercept
	last = int(horizon.max(initial=0)) if months is None else min(months, int(horizon.max(initial=0)))
	for lead in range(1, last + 1):
		if len(bands) > 1 and lead == bands[1].first:
			bands = bands[1:]
			of_state = state @ bands[0].state + bands[0].intercept
		count = int(np.searchsorted(-horizon, -lead, side="right"))
		ahead = position.take(slice(count), np.array(lead))
		default, paid = bands[0].hazards(of_state[:count], ahead)
		life[:count] += alive[:count]
		defaulted[:count] += alive[:count] * default
		alive[:count] *= 1 - default - paid
		if lead in HORIZONS:
			found[:, HORIZONS.index(lead)] = defaulted
	for place, until in enumerate(HORIZONS):
		if until > last:
			found[:, place] = defaulted
	found[:, -2], found[:, -1] = defaulted, life
	is_late = rows["days_past_due"].to_numpy()[order] >= DEFAULT_DAYS
	found[is_late] = [1.0, 1.0, 1.0, 1.0, 0.0]
	given = np.empty_like(found)
	given[order] = found
	return given


def _read_bands(model: HazardModel) -> list[_Band]:
	names = name_state(model.features)
	bands = []
	for default, paid in zip(model.bands[::2], model.bands[1::2], strict=True):
		both: tuple[BandHazard, BandHazard] = (default, paid)
		first, last = default.first_lead, default.last_lead
		bands.append(
			_Band(
				first,
				last,
				_columns(both, names),
				_columns(both, name_lead(first, last)),
				np.array([band.intercept for band in both]),
				np.array([band.shift for band in both]),
				np.array([band.slope for band in both]),
			)
		)
	return bands


def _columns(both: tuple[BandHazard, BandHazard], names: list[str]) -> FloatArray:
	return np.array([[band.weights[name] for band in both] for name in names]).reshape(-1, 2)


def _tell_missing(model: HazardModel, panel: pd.DataFrame) -> None:
	empty = [f.name for f in model.features if len(panel) and panel[f.name].isna().all()]
	if empty:
		logger.warning("%s is missing in all %s rows to be forecast: its mean counts", ", ".join(empty), f"{len(panel):,}")
