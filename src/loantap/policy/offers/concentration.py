"""How much of the portfolio lies in one region: limits of the whole, never a score of a person.

A region that suffers (a plant that closes, a storm) takes its loans with it: no reason to decline a person who lives
there.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from loantap.measures.intervals import Z95
from loantap.model.training.predictions import OUT_OF_TIME
from loantap.policy.money.cash_flows import VALUED_BY, Scenario, expected_loss
from loantap.policy.money.returns import Estimate
from loantap.policy.offers.products import TOO_FEW
from loantap.policy.options import ConcentrationOptions
from loantap.portfolio.arrays import FloatArray, IntArray

ALL_REGIONS = "all regions"
NOT_STATED = "not stated"
ABOVE = "above the limit"
WITHIN = "within the limit"
MAY_EXCEED = "may be above the limit"


def measure_portfolio(
	loans: pd.DataFrame, predictions: pd.DataFrame, scenario: Scenario, max_share: float, options: ConcentrationOptions
) -> pd.DataFrame:
	"""Concentration by state of loans with a PD of a model that did not see them."""
	judged = predictions[predictions["sample"] != OUT_OF_TIME]
	rows = loans[["loan_id", "state", *VALUED_BY[1:]]].merge(judged[["loan_id", VALUED_BY[0]]], on="loan_id")
	pd_, amount, rate, term = (rows[name] for name in VALUED_BY)
	loss = expected_loss(pd_, amount, rate, term, scenario)
	return measure_concentration(rows["state"], amount, loss, max_share, options)


def measure_concentration(
	regions: pd.Series, principal: npt.ArrayLike, losses: npt.ArrayLike, max_share: float, options: ConcentrationOptions
) -> pd.DataFrame:
	"""Share of principal and of expected loss (in currency) in each region, held against the limits.

	One row per region and measure, by falling share, and one of `all regions` per measure; see `CONCENTRATION`. Bounds
	are 95% (delta method); the share of `all regions` is the Herfindahl-Hirschman index, HHI, less what chance adds;
	`finding` is corrected for the number of regions (Bonferroni).
	"""
	named = regions.astype("str").fillna(NOT_STATED)
	codes, names = pd.factorize(named, sort=True)
	measures = {"principal": principal, "expected loss": losses}
	tables = [
		_measure(codes, names, np.asarray(amounts, dtype=float), max_share, options).assign(measure=measure)
		for measure, amounts in measures.items()
	]
	columns = ["measure", "region", "n", "share", "share_low", "share_high", "limit", "finding"]
	return pd.concat(tables, ignore_index=True)[columns]


def find_largest(regions: pd.Series, amounts: npt.ArrayLike) -> Estimate | None:
	"""The region with most of an amount: its share, 95% interval for all at once; None where nothing is known."""
	values = np.asarray(amounts, dtype=float)
	codes, names = pd.factorize(regions.astype("str").fillna(NOT_STATED), sort=True)
	is_stated = names != NOT_STATED
	if not (is_stated.any() and values.sum() > 0):
		return None
	shares, errors = _share_out(codes, len(names), values)
	largest = int(np.argmax(np.where(is_stated, shares, -1)))
	half = _half_width(errors, int(is_stated.sum()))
	low, high = np.clip(shares - half, 0, 1), np.clip(shares + half, 0, 1)
	return Estimate(*(float(of[largest]) for of in (shares, low, high)))


def _share_out(codes: IntArray, count: int, amounts: FloatArray) -> tuple[FloatArray, FloatArray]:
	"""Standard errors by linearisation."""
	total = amounts.sum()
	share = np.bincount(codes, amounts, count) / total
	square = amounts**2
	within = np.bincount(codes, square, count)
	variance = (within * (1 - 2 * share) + square.sum() * share**2) / total**2
	return share, np.sqrt(variance)


def _half_width(error: FloatArray, regions: int) -> FloatArray:
	"""Of 95% intervals that hold for so many regions at once (Bonferroni)."""
	return float(norm.ppf(1 - 0.025 / max(regions, 1))) * error


def _measure(
	codes: IntArray, names: pd.Index, amounts: FloatArray, limit: float, options: ConcentrationOptions
) -> pd.DataFrame:
	count = len(names)
	loans = np.bincount(codes, minlength=count)
	total = amounts.sum()
	if not total > 0:  # no loans, or nothing to lose
		empty = np.full(count, np.nan)
		return _tabulate(names, loans, empty, empty, limit, options)
	share, error = _share_out(codes, count, amounts)
	order = np.argsort(-share, kind="stable")
	table = _tabulate(names, loans, share, error, limit, options).iloc[order]
	# Chance alone adds the variances of shares to the sum of squares.
	index = float((share**2).sum() - (error**2).sum())
	pull = 2 * amounts * (share[codes] - (share**2).sum()) / total
	whole = _tabulate(
		pd.Index([ALL_REGIONS]),
		np.array([len(codes)]),
		np.array([max(index, 0.0)]),
		np.array([np.sqrt((pull**2).sum())]),
		options.max_index,
		options,
	)
	return pd.concat([whole, table], ignore_index=True)


def _tabulate(
	names: pd.Index, loans: IntArray, share: FloatArray, error: FloatArray, limit: float, options: ConcentrationOptions
) -> pd.DataFrame:
	half = _half_width(error, len(names))
	known = (loans >= options.min_loans) & np.isfinite(share)
	above, below = share - half > limit, share + half <= limit
	finding = np.select([~known, above, below], [TOO_FEW, ABOVE, WITHIN], MAY_EXCEED)
	return pd.DataFrame(
		{
			"region": pd.Series(names, dtype="str"),
			"n": loans.astype("int64"),
			"share": share,
			"share_low": np.clip(share - Z95 * error, 0, 1),
			"share_high": np.clip(share + Z95 * error, 0, 1),
			"limit": limit,
			"finding": pd.Series(finding, dtype="str"),
		}
	)
