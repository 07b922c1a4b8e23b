"""Numbers of a loan that tie each other, and exceptions that go with its outcome."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.model.leakage.additive import CrossFitted
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.expected import Z
from loantap.model.leakage.options import LeakageOptions
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.contradictions import TERMS, is_off


@dataclass(frozen=True, slots=True)
class Exceptions:
	"""Loans whose `column` is not what the others make it, as the `rule` says."""

	column: str
	rule: str
	found: BoolArray


def find_exceptions(loans: pd.DataFrame, options: LeakageOptions) -> Iterator[Exceptions]:
	"""Exceptions to the arithmetic of a loan; nothing where a column is not there.

	A sub-grade of another grade is refused before (`portfolio/contradictions.py`).
	"""
	if set(TERMS) <= set(loans):
		found = is_off({name: loans[name].to_numpy() for name in TERMS})
		yield Exceptions("instalment", "not the EMI of amount, rate and term", found)
	if {"interest_rate_pct", "sub_grade", "issue_month"} <= set(loans):
		rate = loans["interest_rate_pct"]
		usual = rate.groupby([loans["sub_grade"], loans["issue_month"]]).transform("median")
		# Half a point and no more is an honest change of prices; a float's last digit is not.
		off = (rate - usual).abs().to_numpy() > options.rate_tolerance + 1e-9
		rule = f"more than {options.rate_tolerance:g} points off that of its sub-grade in the month of issue"
		yield Exceptions("interest_rate_pct", rule, off)


def check_exceptions(found: Exceptions, model: CrossFitted, options: LeakageOptions) -> Evidence:
	"""Whether exceptions are charged off far more, or less, often than such borrowers are."""
	seen, expected, _ = model.excess(found.found.astype(np.int64))
	count = int(found.found.sum())
	figures = {"exceptions": float(count), "share": count / len(found.found)}
	if not count or count == len(found.found):
		return Evidence("arithmetic", figures=figures)
	low, high = _bound_odds_ratio(float(seen[1]), float(expected[1]), count)
	figures |= {"default_rate": float(seen[1]) / count, "default_rate_expected": float(expected[1]) / count}
	if 1 / options.max_odds_ratio <= high and low <= options.max_odds_ratio:
		return Evidence("arithmetic", figures=figures)
	return Evidence(
		"arithmetic",
		GateVerdict.CAUGHT,
		f"changed after the decision: {found.column} is {found.rule} in {count:,} loans "
		f"({figures['share']:.1%}), and {figures['default_rate']:.0%} of these were charged off where "
		f"{figures['default_rate_expected']:.0%} of such borrowers are; honest exceptions do not know the outcome",
		f"Ask the source whether {found.column} is the contract's, or that of a later restructuring, fee or penalty",
		figures,
	)


def _bound_odds_ratio(seen: float, expected: float, count: int) -> tuple[float, float]:
	"""Bounds of the odds ratio of charge-off (Woolf, 1955, with Haldane's half)."""
	bad, good = seen + 0.5, count - seen + 0.5
	ratio = np.log(bad / good) - np.log(expected / (count - expected))
	half = Z * np.sqrt(1 / bad + 1 / good)
	bounds: FloatArray = np.exp([ratio - half, ratio + half])
	return float(bounds[0]), float(bounds[1])
