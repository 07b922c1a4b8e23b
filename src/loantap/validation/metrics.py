"""Metrics and their bounds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from loantap.validation.check import Check, Material, compare

_SEED, _RESAMPLES = 7_003, 1_000  # not the run's
# Standard error of a 2.5% quantile of normal draws, in standard deviations / sqrt(draws).
_OF_QUANTILE = 2.67
_JUDGED = ("is_charged_off", "probability_of_default", "declined")


def measure(bad: Any, pd_: Any, declined: Any, times: Any = 1, bins: int = 10) -> dict[str, float]:
  """Figures of PDs in rising order, each counted `times`: AUC from mid-ranks, the rest from counts."""
  count = np.ones(len(bad)) * times
  starts = np.flatnonzero(np.append(True, np.diff(pd_) > 0))
  loans, bads = np.add.reduceat(count, starts), np.add.reduceat(count * bad, starts)
  n, defaults = loans.sum(), bads.sum()
  flagged, caught = np.cumsum(loans[::-1]), np.cumsum(bads[::-1])
  gaps = np.append(0, np.cumsum(np.repeat(pd_ - bad, count.astype(int))))
  hits, flags = (count * bad)[declined].sum(), count[declined].sum()
  ranks = bads @ (np.cumsum(loans) - (loans - 1) / 2)
  return {
    "default_rate": defaults / n,
    "roc_auc": (ranks - defaults * (defaults + 1) / 2) / (defaults * (n - defaults)),
    "average_precision": bads[::-1] @ (caught / np.maximum(flagged, 1)) / defaults,
    "ks": (caught / defaults - (flagged - caught) / (n - defaults)).max(),
    "brier": count @ (pd_ - bad) ** 2 / n,
    "ece": np.abs(np.diff(gaps[np.linspace(0, n, bins + 1).round().astype(int)])).sum() / n,
    "accuracy": (n - defaults - flags + 2 * hits) / n,
    "precision": hits / max(flags, 1),
    "recall": hits / defaults,
    "f2": 5 * hits / (4 * defaults + flags),
    "f2_decline_all": 5 * defaults / (4 * defaults + n),
    "approval_rate": 1 - flags / n,
    "default_rate_approved": (defaults - hits) / max(n - flags, 1),
  }


def check_metrics(given: Material) -> Iterator[Check]:
  """Figures of every sample, their bounds, and decisions at the threshold."""
  bins, theirs = (int(given.parameters[f"evaluation.{name}"]) for name in ("calibration_bins", "resamples"))
  for sample in ("cv", "test", "out_of_time"):
    block, rows = given.files["metrics.json"][sample] or {"n": 0}, given.sample(sample)
    n = len(rows)
    yield compare(f"{sample}: loans too many", n, block["n"] - n, 0)
    if not n:
      continue
    rising = rows.sort_values("probability_of_default", kind="stable")
    bad, pd_, declined = (rising[name].to_numpy() for name in _JUDGED)
    found = measure(bad, pd_, declined, bins=bins) | {"threshold": rows["threshold"].mean()}
    yield from (compare(f"{sample}: {name}", n, block[name], value) for name, value in found.items())
    rng, ours, drawn = np.random.default_rng(_SEED), int(np.clip(5e7 // n, 200, _RESAMPLES)), pd.DataFrame()
    if sample != "cv":  # its folds share loans, and have thresholds of their own
      wrong = rows["declined"] != (rows["probability_of_default"] >= rows["threshold"])
      yield compare(f"{sample}: decisions off the threshold", n, wrong.sum(), 0)
      times = (np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(ours))
      drawn = pd.DataFrame([measure(bad, pd_, declined, each, bins) for each in times])
    perfect = (rng.random(n) < pd_ for _ in range(ours))
    drawn["ece_perfect"] = [measure(outcomes, pd_, declined, bins=bins)["ece"] for outcomes in perfect]
    for name, values in drawn.items():
      low, high = values.quantile([0.025, 0.975])
      if name in {"ks", "ece"}:  # biased upwards: basic intervals
        low, high = max(2 * found[name] - high, 0), max(2 * found[name] - low, found[name])
      error = 4 * _OF_QUANTILE * values.std() * (1 / ours + 1 / theirs) ** 0.5
      for key, value in ((f"{name}_low", low), (f"{name}_high", high)):
        yield compare(f"{sample}: {key}", n, block[key], value, error, "4 Monte-Carlo standard errors")
