"""How well PDs discriminate, calibrate and decide, the tables behind the plots of it, and the F2 threshold.

F2 weighs recall twice as much as precision (van Rijsbergen, *Information Retrieval*, 1979). It
compares candidates; it decides on no loan.
"""

from dataclasses import asdict, dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import confusion_matrix_at_thresholds, precision_recall_curve, roc_curve

from loantap.measures.auc import draw_resamples, map_ahead
from loantap.measures.intervals import measure_default_rates, normal_bounds, wilson_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

Counts = TypeVar("Counts", float, FloatArray)


def f2_score(precision: npt.ArrayLike, recall: npt.ArrayLike) -> FloatArray:
	"""F2 of precision and recall; 0 where both are 0."""
	p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
	scale = 4 * p + r
	scores: FloatArray = np.divide(5 * p * r, scale, out=np.zeros_like(scale), where=scale > 0)
	return scores


def f2_variance(tp: Counts, fn: Counts, fp: Counts) -> Counts:
	"""Sampling variance of F2, by the delta method on the counts of the confusion matrix.

	F2 = 5 TP / (5 TP + 4 FN + FP) is homogeneous of degree zero in the counts: the variance is the
	sum of squared derivatives times counts (Agresti, *Categorical Data Analysis*, 16.1).
	"""
	squared = (5 * tp + 4 * fn + fp) ** 2
	# Without their signs, of which squares know nothing.
	by_tp, by_fn, by_fp = 5 * (4 * fn + fp) / squared, 20 * tp / squared, 5 * tp / squared
	return by_tp**2 * tp + by_fn**2 * fn + by_fp**2 * fp


def area_under_curve(false_positives: FloatArray, true_positives: FloatArray) -> float:
	"""AUC from cumulative counts at falling thresholds."""
	true_rate = np.append(0, true_positives / true_positives[-1])
	false_rate = np.append(0, false_positives / false_positives[-1])
	return float(np.trapezoid(true_rate, false_rate))


def f2_decline_all(default_rate: float) -> float:
	"""F2 of declining everybody."""
	return float(f2_score(default_rate, 1.0))


def find_best_threshold(target: IntArray, pd_: FloatArray) -> tuple[float, float]:
	"""PD threshold with the highest F2, and that F2; at or above it loans would be declined."""
	precision, recall, thresholds = precision_recall_curve(target, pd_)
	scores = f2_score(precision[:-1], recall[:-1])
	best = int(np.argmax(scores))
	return float(thresholds[best]), float(scores[best])


def decline_cross_fitted(target: IntArray, pd_: FloatArray, fold: IntArray) -> BoolArray:
	"""Whether each out-of-fold PD reaches the threshold found on the *other* folds.

	F2 on the PDs that its threshold was chosen on is flattered by about .006.
	"""
	declined = np.zeros(len(target), dtype=bool)
	for held_out in np.unique(fold):
		inside = fold == held_out
		threshold, _ = find_best_threshold(target[~inside], pd_[~inside])
		declined[inside] = pd_[inside] >= threshold
	return declined


def tabulate_thresholds(target: IntArray, pd_: FloatArray, points: int = 99) -> pd.DataFrame:
	"""The trade-off at `points` equally spaced quantiles of the PD.

	One row each: `threshold`, `n` (all loans), `f2`, `precision`, `recall`, `approval_rate`, `default_rate_approved`
	with bounds (95%: Wilson of rates, delta method of F2), and `f2_decline_all`, always the same.
	"""
	order = np.argsort(pd_, kind="stable")
	sorted_pd, sorted_target = pd_[order], target[order]
	thresholds = np.unique(np.quantile(sorted_pd, np.linspace(0.01, 0.99, points)))
	approved = np.searchsorted(sorted_pd, thresholds, side="left").astype(float)
	bad_approved = np.concatenate([[0.0], np.cumsum(sorted_target)])[approved.astype(int)]
	loans, bad = float(len(target)), float(sorted_target.sum())
	declined, caught = loans - approved, bad - bad_approved
	rates = {
		"precision": (caught, declined),
		"recall": (caught, np.full_like(approved, bad)),
		"approval_rate": (approved, np.full_like(approved, loans)),
		"default_rate_approved": (bad_approved, approved),
	}
	columns = {"f2": f2_score(_share(*rates["precision"]), _share(*rates["recall"]))}
	spread = np.sqrt(f2_variance(caught, bad_approved, declined - caught))
	columns["f2_low"], columns["f2_high"] = normal_bounds(columns["f2"], spread)
	for name, (hits, of) in rates.items():
		columns[name] = _share(hits, of)
		columns[f"{name}_low"], columns[f"{name}_high"] = wilson_bounds(hits, np.maximum(of, 1))
	return pd.DataFrame(
		{"threshold": thresholds, "n": len(target), **columns, "f2_decline_all": f2_decline_all(bad / loans)}
	)


def _share(hits: FloatArray, of: FloatArray) -> FloatArray:
	shares: FloatArray = np.divide(hits, of, out=np.zeros_like(hits), where=of > 0)
	return shares


_CONFIDENCE = 0.95
_BIASED_UPWARDS = ["ks", "ece"]


@dataclass(frozen=True, slots=True)
class Metrics:
	"""Figures of one sample of loans; rates and scores are fractions."""

	n: int
	default_rate: float
	roc_auc: float
	average_precision: float
	ks: float
	brier: float
	ece: float
	accuracy: float
	precision: float
	recall: float
	f2: float
	f2_decline_all: float
	approval_rate: float
	default_rate_approved: float

	def as_dict(self) -> dict[str, float]:
		"""Its fields by name."""
		return asdict(self)


def measure(target: IntArray, pd_: FloatArray, declined: BoolArray, bins: int = 10) -> Metrics:
	"""Metrics of PDs and of decisions; both outcomes are present.

	`bins`: of equal counts, for the expected calibration error.
	"""
	default_rate = float(target.mean())
	# One pass gives all ranking metrics; the bootstrap calls this a lot.
	_, false_positives, _, true_positives, _ = confusion_matrix_at_thresholds(target, pd_)
	true_rate = true_positives / true_positives[-1]
	false_rate = false_positives / false_positives[-1]
	precision_at = true_positives / (true_positives + false_positives)
	caught = int(target[declined].sum())
	precision = caught / max(int(declined.sum()), 1)
	recall = caught / int(target.sum())
	approved = target[~declined]
	return Metrics(
		n=len(target),
		default_rate=default_rate,
		roc_auc=area_under_curve(false_positives, true_positives),
		average_precision=float(np.sum(np.diff(true_rate, prepend=0) * precision_at)),
		ks=float(np.max(true_rate - false_rate)),
		brier=float(np.mean((pd_ - target) ** 2)),
		ece=expected_calibration_error(target, pd_, bins),
		accuracy=float((target == declined).mean()),
		precision=precision,
		recall=recall,
		f2=float(f2_score(precision, recall)),
		f2_decline_all=f2_decline_all(default_rate),
		approval_rate=float((~declined).mean()),
		default_rate_approved=float(approved.mean()) if len(approved) else 0.0,
	)


def expected_calibration_error(target: IntArray | BoolArray, pd_: FloatArray, bins: int = 10) -> float:
	"""Mean distance between PD and default rate over equal-count bins, weighted by count (ECE).

	Naeini, Cooper and Hauskrecht, *Obtaining well calibrated probabilities using Bayesian
	binning*, AAAI 2015; equal counts rather than equal widths.
	"""
	order = np.argsort(pd_, kind="stable")
	return _mean_gap(pd_[order] - target[order], _bin_starts(len(order), bins))


def _bin_starts(loans: int, bins: int) -> npt.NDArray[np.intp]:
	edges = np.linspace(0, loans, bins + 1).round().astype(np.intp)
	return edges[:-1][np.diff(edges) > 0]


def _mean_gap(differences: FloatArray, starts: npt.NDArray[np.intp]) -> float:
	return float(np.abs(np.add.reduceat(differences, starts)).sum() / len(differences))


def perfect_ece_bounds(
	pd_: FloatArray, *, seed: int, resamples: int, bins: int = 10, confidence: float = _CONFIDENCE
) -> tuple[float, float]:
	"""Between what bounds the ECE of a perfect model of these PDs lies, as often as `confidence`.

	Outcomes are drawn with the PDs for their probabilities.
	"""
	rng = np.random.default_rng(seed)
	rising = np.sort(pd_)
	starts = _bin_starts(len(rising), bins)
	drawn = [_mean_gap(rising - (rng.random(len(rising)) < rising), starts) for _ in range(resamples)]
	tail = (1 - confidence) / 2
	low, high = np.quantile(drawn, [tail, 1 - tail])
	return float(low), float(high)


def bootstrap_bounds(
	target: IntArray, pd_: FloatArray, declined: BoolArray, *, seed: int, resamples: int, bins: int = 10
) -> tuple[dict[str, float], dict[str, float]]:
	"""Lower and upper 95% bootstrap bound of each metric but `n`: percentile, for KS and ECE basic."""
	# In the order of the PDs, to sort quickly.
	order = np.argsort(pd_, kind="stable")

	def measure_resample(times: IntArray) -> dict[str, float]:
		drawn = np.repeat(order, times[order])
		return measure(target[drawn], pd_[drawn], declined[drawn], bins).as_dict()

	draws = islice(draw_resamples(target, seed), resamples)
	table = pd.DataFrame(map_ahead(measure_resample, draws)).drop(columns="n")
	tail = (1 - _CONFIDENCE) / 2
	low, high = table.quantile(tail), table.quantile(1 - tail)
	# Absolute and largest differences are biased upwards, in a resample once more: the basic
	# interval takes the bias off, the percentile interval would add it.
	point = pd.Series(measure(target, pd_, declined, bins).as_dict())[_BIASED_UPWARDS]
	low_, high_ = 2 * point - high[_BIASED_UPWARDS], 2 * point - low[_BIASED_UPWARDS]
	low = low.mask(low.index.isin(_BIASED_UPWARDS), low_.clip(lower=0))
	high = high.mask(high.index.isin(_BIASED_UPWARDS), high_.clip(lower=point))
	names = [str(name) for name in table.columns]
	return dict(zip(names, low, strict=True)), dict(zip(names, high, strict=True))


def round_significant(value: float) -> float:
	"""`value` at six significant digits, as reports quote it."""
	return float(f"{value:.6g}")


# A screen shows no more.
_POINTS = 400


def trace_roc(target: IntArray, pd_: FloatArray) -> pd.DataFrame:
	"""ROC curve: `false_positive_rate`, `true_positive_rate`, at most about 400 points."""
	false_positive, true_positive, _ = roc_curve(target, pd_)
	return _thin(pd.DataFrame({"false_positive_rate": false_positive, "true_positive_rate": true_positive}))


def trace_precision_recall(target: IntArray, pd_: FloatArray) -> pd.DataFrame:
	"""Precision-recall curve: `recall`, `precision`, at most about 400 points."""
	precision, recall, _ = precision_recall_curve(target, pd_, drop_intermediate=True)
	return _thin(pd.DataFrame({"recall": recall, "precision": precision}))


def tabulate_reliability(target: IntArray, pd_: FloatArray, bins: int = 10) -> pd.DataFrame:
	"""One row per equal-count bin of the PD: `mean_pd`, `observed_rate`, `low`, `high` (95% Wilson), `loans`."""
	groups = np.array_split(np.argsort(pd_, kind="stable"), min(bins, len(pd_)))
	loans = np.array([len(group) for group in groups])
	charged_off = np.array([target[group].sum() for group in groups])
	default = measure_default_rates(charged_off, loans)
	return pd.DataFrame(
		{
			"mean_pd": [pd_[group].mean() for group in groups],
			"observed_rate": default.rate,
			"low": default.low,
			"high": default.high,
			"loans": loans,
		}
	)


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
	kept = np.unique(np.linspace(0, len(curve) - 1, _POINTS).round().astype(int))
	return curve.iloc[kept].reset_index(drop=True)
