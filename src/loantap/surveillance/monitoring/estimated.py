"""How well the model ranks and how many it should lose, before any outcome is known."""

from dataclasses import dataclass

import numpy as np

from loantap.measures.auc import area_of_ranks, standard_error_of_counts
from loantap.measures.intervals import Z95
from loantap.portfolio.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Expected:
	"""What calibrated PDs say of themselves; `low` and `high` bound 95% of the AUCs that may be realised.

	Attributes:
		roc_auc: NaN where the PDs expect less than one loan of an outcome.
		default_rate: mean PD.
	"""

	n: int
	default_rate: float
	roc_auc: float
	low: float
	high: float


def expect_performance(probability_of_default: FloatArray) -> Expected:
	"""Confidence-based performance estimation (CBPE) of the AUC; at least one PD, none missing.

	Each loan counts as charged off with its PD and as paid with the rest; a pair of loans counts where the first has
	the higher PD, half where both are equal. It holds as long as the PDs are calibrated: where applicants change, but
	not what a given applicant does (covariate shift). Where that changes too, only outcomes show it.
	"""
	p, n = probability_of_default, len(probability_of_default)
	bad, alone = float(p.sum()), float(p @ (1 - p))
	good, mean = n - bad, bad / n
	# No loan makes a pair with itself, which would count half.
	pairs = bad * good - alone
	if pairs <= 0 or min(bad, good) < 1:
		return Expected(n, mean, np.nan, np.nan, np.nan)
	rank = np.unique(p, return_inverse=True)[1]
	area = (area_of_ranks(rank, p, 1 - p) * bad * good - alone / 2) / pairs
	half = Z95 * standard_error_of_counts(area, bad, good)
	return Expected(n, mean, area, max(area - half, 0.0), min(area + half, 1.0))
