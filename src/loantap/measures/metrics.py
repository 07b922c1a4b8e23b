"""How well PDs discriminate, calibrate and decide, and the tables behind the plots of it."""

from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import confusion_matrix_at_thresholds, precision_recall_curve, roc_curve

from loantap.measures.auc import draw_resamples, map_ahead
from loantap.measures.intervals import measure_default_rates
from loantap.measures.threshold import area_under_curve, f2_decline_all, f2_score
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

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

  Outcomes are drawn with the PDs for their probabilities. An ECE above the upper bound is more
  than chance.
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
  """Lower and upper 95% bootstrap bound of each metric but `n`: percentile, for KS and ECE basic.

  As in `bootstrap_aucs`, all resamples have both outcomes.
  """
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
  """Reliability table: one row per equal-count bin of the PD.

  Columns `mean_pd`, `observed_rate`, `low`, `high` (95% Wilson interval), `loans`.
  """
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
