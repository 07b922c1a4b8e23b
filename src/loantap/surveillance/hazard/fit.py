"""Fit the hazard model: one logistic regression per cause and band of leads.

Forward hazards (van Houwelingen and Putter, *Dynamic Prediction in Clinical Survival Analysis*, 2011): each month a
loan is at risk, k months after the one looked from, is a row of what was known then, and k. Bands keep apart the next
quarter and the next year.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_expit

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError
from loantap.surveillance.hazard.design import (
	FEATURES,
	Ahead,
	Scaled,
	draw_shares,
	expand,
	lead_matrix,
	look_ahead,
	name_lead,
	name_state,
	sample_landmarks,
	scale_features,
	state_matrix,
	take_position,
)
from loantap.surveillance.hazard.forecast import CAUSES, CERTAIN, BandHazard, Cause, HazardModel
from loantap.surveillance.options import HazardOptions
from loantap.tables.rows import LongTable

# First leads: the horizons that PDs are told for end with a band.
BANDS: Final = (1, 4, 7, 13, 25)
_LONGEST: Final = 120
_MOST_ROWS: Final = 600_000
# Nearly without a penalty: a recalibration only shifts and stretches.
_FREE: Final = 1e4
# 5% of a chi-squared with the two degrees of freedom of shift and slope.
_CONTRADICTS: Final = 5.99


def split_loans(loan_ids: pd.Series, options: HazardOptions) -> tuple[BoolArray, BoolArray]:
	"""Which rows are of loans for recalibration, and which of loans for the test."""
	share = draw_shares(loan_ids, options.seed + 1)
	is_test = share < options.test_share
	return ~is_test & (share < options.test_share + options.calibration_share), is_test


def fit_hazard(
	panel: pd.DataFrame | LongTable, outcomes: pd.DataFrame, options: HazardOptions, features: tuple[str, ...] = FEATURES
) -> HazardModel:
	"""Fit on a sample of the panel's loan-months, by some features or all.

	`panel`: one row per loan and month alive, any size; `outcomes` from `find_outcomes`.

	Raises:
		InputError: too few loans default or are paid.
	"""
	landmarks = sample_landmarks(panel, options.max_landmarks, options.seed)
	ahead = look_ahead(landmarks, outcomes)
	is_calibration, is_test = split_loans(landmarks["loan_id"], options)
	is_used = (ahead.seen > 0) & ~is_test
	landmarks, ahead = landmarks[is_used], ahead[is_used]
	is_calibration = is_calibration[is_used]
	scaled = scale_features(landmarks[~is_calibration], features)
	study = _Study(landmarks, ahead, is_calibration, scaled, options)
	bands = study.choose_bands()
	loans = landmarks["loan_id"]
	return HazardModel(
		origin=_find_origin(landmarks["origin"]),
		features=scaled,
		bands=tuple(
			hazard
			for first, last in zip(bands, [*(b - 1 for b in bands[1:]), _LONGEST], strict=True)
			for hazard in study.fit_band(first, last)
		),
		fitted_loans=int(loans[~is_calibration].nunique()),
		calibrated_loans=int(loans[is_calibration].nunique()),
		landmarks=len(landmarks),
	)


def _find_origin(origins: pd.Series) -> str:
	"""Real when all are, else the others' word, or simulated."""
	found = set(origins.unique()) - {REAL}
	return found.pop() if len(found) == 1 else SIMULATED if found else REAL


class _Study:
	"""The landmarks of a fit, and what is fitted on them band by band."""

	def __init__(
		self,
		landmarks: pd.DataFrame,
		ahead: Ahead,
		is_calibration: BoolArray,
		scaled: tuple[Scaled, ...],
		options: HazardOptions,
	) -> None:
		self._ahead, self._is_calibration, self._options = ahead, is_calibration, options
		self._loans = pd.factorize(landmarks["loan_id"])[0]
		self._state = state_matrix(landmarks, scaled)
		self._names = name_state(scaled)
		self._position = take_position(landmarks, np.zeros(len(landmarks), dtype=np.int64))

	def choose_bands(self) -> list[int]:
		"""First leads of the bands, joined where events are few; InputError for too few in all."""
		least, kept = self._options.min_events, [_LONGEST + 1]
		fitted = self._ahead[~self._is_calibration]
		for first in reversed(BANDS):
			in_band = (fitted.seen >= first) & (fitted.seen < kept[0])
			counts = [int((in_band & (of == fitted.seen)).sum()) for of in (fitted.default, fitted.paid)]
			if min(counts) >= least:
				kept.insert(0, first)
		if len(kept) == 1:
			raise InputError(
				"loan_months",
				f"fewer than {least} of the {len(fitted.seen):,} loan-months looked forward from "
				"end in default, or in payment in full",
				"Take a larger portfolio, or lower early_warning.hazard.min_events",
			)
		return [1, *kept[1:-1]]

	def fit_band(self, first: int, last: int) -> list[BandHazard]:
		"""The hazards of both causes, leads from `first` to `last`."""
		rows, leads = expand(self._ahead, first, last, _MOST_ROWS, self._options.seed)
		matrix = self._make_matrix(rows, leads, first, last)
		is_held = self._is_calibration[rows]
		happened = {"default": self._ahead.default[rows] == leads, "paid": self._ahead.paid[rows] == leads}
		names = [*self._names, *name_lead(first, last)]
		loans = self._loans[rows[is_held]]
		return [self._fit_cause(cause, matrix, happened[cause], is_held, loans, names, (first, last)) for cause in CAUSES]

	def _make_matrix(self, rows: npt.NDArray[np.intp], leads: IntArray, first: int, last: int) -> FloatArray:
		ahead_of = lead_matrix(self._position.take(rows, leads), first, last)
		return np.hstack([self._state[rows], ahead_of])

	def _fit_cause(
		self,
		cause: Cause,
		matrix: FloatArray,
		happened: BoolArray,
		is_held: BoolArray,
		held_loans: IntArray,
		names: list[str],
		leads: tuple[int, int],
	) -> BandHazard:
		fitted = BoundedLogisticRegression(C=self._options.inverse_penalty)
		fitted.fit(matrix[~is_held], happened[~is_held])
		weights = np.asarray(fitted.coef_[0], dtype=float)
		log_odds = matrix[is_held] @ weights + float(fitted.intercept_[0])
		shift, slope = self._recalibrate(log_odds, happened[is_held], held_loans)
		return BandHazard(
			cause=cause,
			first_lead=leads[0],
			last_lead=leads[1],
			intercept=float(fitted.intercept_[0]),
			weights=dict(zip(names, weights.tolist(), strict=True)),
			shift=shift,
			slope=slope,
			months=int((~is_held).sum()),
			events=int(happened[~is_held].sum()),
		)

	def _recalibrate(self, log_odds: FloatArray, happened: BoolArray, loans: IntArray) -> tuple[float, float]:
		"""Platt's shift and slope, where enough events were held back and contradict the fit (closed test).

		The fit knows its level from more loans. However many months look forward to it, an event is one.
		"""
		if min(happened.sum(), (~happened).sum()) < self._options.min_events:
			return 0.0, 1.0
		known = np.clip(log_odds, -CERTAIN, CERTAIN)
		held = BoundedLogisticRegression(C=_FREE, signs=(1,))
		held.fit(known[:, None], happened)
		shift, slope = float(held.intercept_[0]), float(held.coef_[0, 0])
		gain = 2 * (_log_likelihood(shift + slope * known, happened) - _log_likelihood(known, happened))
		repeats = happened.sum() / len(np.unique(loans[happened]))
		return (shift, slope) if gain / repeats > _CONTRADICTS else (0.0, 1.0)


def _log_likelihood(log_odds: FloatArray, happened: BoolArray) -> float:
	return float(log_expit(np.where(happened, log_odds, -log_odds)).sum())
