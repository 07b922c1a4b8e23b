"""How well the hazard model forecasts loans that it has not seen."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.features.outcomes import DEFAULT_DAYS
from loantap.measures.auc import resample_auc
from loantap.measures.intervals import measure_default_rate
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds, tabulate_reliability
from loantap.model.validation.evaluation import make_plain
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.surveillance.hazard.design import Ahead, draw_shares, look_ahead
from loantap.surveillance.hazard.fit import split_loans
from loantap.surveillance.hazard.forecast import HORIZONS, HazardModel, forecast
from loantap.surveillance.options import HazardOptions
from loantap.tables.rows import LongTable, read_batches

# Landmarks lie a year apart: no default counts twice.
_YEAR: Final = 12
_LANDMARKS: Final = 5


@dataclass(frozen=True, slots=True)
class HazardFigures:
	"""Forecasts of loans, each once, against what came; rates are fractions.

	Attributes:
		defaults: 90 days past due within the horizon.
		unknown: further loans, of which nobody knows.
		default_rate: with its 95% interval (Wilson) as `default_rate_low` and `_high`.
		roc_auc: with its 95% bootstrap interval, if there are enough of both.
		ece: expected calibration error in deciles; a perfect model's lies between
			`ece_perfect_low` and `ece_perfect_high` with 95%.
		deciles: of the PD: mean PD, default rate with its 95% interval, loans.
	"""

	loans: int
	defaults: int
	unknown: int
	mean_pd: float
	default_rate: float
	default_rate_low: float
	default_rate_high: float
	roc_auc: float
	roc_auc_low: float
	roc_auc_high: float
	ece: float
	ece_perfect_low: float
	ece_perfect_high: float
	deciles: list[dict[str, float]]


def judge_hazard(
	model: HazardModel, panel: pd.DataFrame | LongTable, outcomes: pd.DataFrame, options: HazardOptions
) -> dict[str, Any]:
	"""Judge PDs on loans that the model has not seen, given what `fit_hazard` was given.

	Each loan is looked at once, in a month drawn from its term: one drawn from those that it lived would favour loans
	that end soon. The same by landmark, all test loans alive in one calendar month, in each of up to five years.

	Returns:
		`origin`, loans and months fitted on, `drawn_month` and `drawn_month_not_in_arrears` (by horizon in months),
		`by_landmark` (12 months); see `HazardFigures`. A part without both outcomes is missing.
	"""
	last_month = outcomes["last_month"].max()
	landmarks = [last_month - pd.DateOffset(years=years) for years in range(1, _LANDMARKS + 1)]
	rows = pd.concat(_select(panel, landmarks, options), ignore_index=True)
	pds = forecast(model, rows)
	ahead = look_ahead(rows, outcomes)
	drawn = _is_drawn(rows, options)
	is_current = rows["days_past_due"].to_numpy() == 0

	def figures(chosen: BoolArray, months: int) -> Any:
		# Later months would be known of ended loans only.
		is_due = (rows["month"] <= last_month - pd.DateOffset(months=months)).to_numpy()
		kept = chosen & is_due
		return _measure(pds[f"pd_{months}m"].to_numpy()[kept], ahead[kept], months, options)

	return {
		"origin": model.origin,
		"fitted_loans": model.fitted_loans,
		"calibrated_loans": model.calibrated_loans,
		"landmarks": model.landmarks,
		"drawn_month": {f"{months}": figures(drawn, months) for months in HORIZONS},
		"drawn_month_not_in_arrears": {f"{months}": figures(drawn & is_current, months) for months in HORIZONS},
		"by_landmark": {f"{month:%Y-%m}": figures((rows["month"] == month).to_numpy(), _YEAR) for month in landmarks},
	}


def is_default_known(ahead: Ahead, months: int) -> BoolArray:
	"""Whether it is known if each loan defaulted within so many months."""
	ended = (ahead.seen == ahead.default) | (ahead.seen == ahead.paid)
	return np.asarray((ahead.seen >= months) | ended)


def defaults_within(ahead: Ahead, months: int) -> IntArray:
	"""1 where a loan defaults within so many months."""
	found: IntArray = ((ahead.default <= months) & (ahead.default == ahead.seen)).astype(np.int64)
	return found


def _select(
	panel: pd.DataFrame | LongTable, landmarks: list[pd.Timestamp], options: HazardOptions
) -> Iterator[pd.DataFrame]:
	for batch in read_batches(panel):
		_, is_test = split_loans(batch["loan_id"], options)
		alive = batch[is_test & (batch["days_past_due"] < DEFAULT_DAYS)]
		yield alive[alive["month"].isin(landmarks) | _is_drawn(alive, options)]


def _is_drawn(rows: pd.DataFrame, options: HazardOptions) -> BoolArray:
	share = draw_shares(rows["loan_id"], options.seed + 2)
	drawn = 1 + np.floor(share * rows["term_months"].to_numpy())
	return np.asarray(rows["months_on_book"].to_numpy() == drawn)


def _measure(pds: FloatArray, ahead: Ahead, months: int, options: HazardOptions) -> Any:
	"""As JSON keeps them; None without both outcomes."""
	is_known = (ahead.seen > 0) & is_default_known(ahead, months)
	target, pd_ = defaults_within(ahead, months)[is_known], pds[is_known]
	bad = int(target.sum())
	if min(bad, len(target) - bad) < 1:
		return None
	rate = measure_default_rate(bad, len(target))
	area, area_low, area_high = resample_auc(target, pd_, seed=options.seed, resamples=options.resamples)
	perfect = perfect_ece_bounds(pd_, seed=options.seed, resamples=options.resamples)
	deciles = tabulate_reliability(target, pd_)
	found = HazardFigures(
		loans=len(target),
		defaults=bad,
		unknown=len(pds) - len(target),
		mean_pd=float(pd_.mean()),
		default_rate=rate.rate,
		default_rate_low=rate.low,
		default_rate_high=rate.high,
		roc_auc=area,
		roc_auc_low=area_low,
		roc_auc_high=area_high,
		ece=expected_calibration_error(target, pd_),
		ece_perfect_low=perfect[0],
		ece_perfect_high=perfect[1],
		deciles=[{str(n): float(v) for n, v in row.items()} for _, row in deciles.iterrows()],
	)
	return make_plain(asdict(found))
