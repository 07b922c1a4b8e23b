"""The leakage gate: features that tell more about the outcome than an honest one can.

Three questions are asked of each feature, on training loans only: is it known when the loan is
decided; does it alone separate the outcomes better than the domain allows; does one of its
categories default more, or less, often than any honest group of borrowers does. A feature caught
by one of them may be used by `benchmark` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom, false_discovery_control
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURE_SETS, FEATURES, FeatureSet
from loantap.model.options import LeakageOptions

_NUMERIC_BINS = 20
_Z95 = 1.645  # one-sided


class LeakageError(ValueError):
    """A feature set that is to be lent on uses a feature the gate has caught."""


@dataclass(frozen=True, slots=True)
class FeatureFinding:
    """What the gate found about one feature.

    Attributes:
        feature: its name.
        auc: cross-fitted AUC of the feature alone.
        known_at_decision: per the data dictionary.
        categories: those with an implausible default rate: category, loans, default rate,
            adjusted p-value.
        reasons: why it was caught, in words; empty when it passes.
    """

    feature: str
    auc: float
    known_at_decision: bool
    categories: tuple[dict[str, Any], ...]
    reasons: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether the gate stops it."""
        return bool(self.reasons)


def examine_features(
    features: pd.DataFrame, target: pd.Series, options: LeakageOptions
) -> list[FeatureFinding]:
    """Examine every column of `features` (one row per training loan) against `target`."""
    return [examine_feature(features[name], target, options) for name in features.columns]


def examine_feature(
    values: pd.Series, target: pd.Series, options: LeakageOptions
) -> FeatureFinding:
    """Examine one feature; `values.name` tells which."""
    name = str(values.name)
    groups = _group(values)
    area = cross_fitted_auc(groups, target, options)
    flagged = find_implausible_categories(groups, target, options)
    known = FEATURES[name].known_at_decision if name in FEATURES else True
    reasons = []
    if not known:
        reasons.append("not known, or not settled, when the loan is decided")
    least = area - _Z95 * auc_standard_error(area, target)
    if least > options.highest_auc:
        reasons.append(
            f"AUC {area:.3f} on its own, at least {least:.3f}, above {options.highest_auc:.2f}"
        )
    if len(flagged):
        shown = ", ".join(f"{c} ({r:.1%})" for c, r in flagged[["category", "default_rate"]].values)
        reasons.append(f"implausible default rate in {shown}")
    categories = tuple({str(k): v for k, v in row.items()} for row in flagged.to_dict("records"))
    return FeatureFinding(name, area, known, categories, tuple(reasons))


def auc_standard_error(area: float, target: pd.Series) -> float:
    """Standard error of an AUC (Hanley and McNeil, Radiology 1982): few loans prove no leak."""
    bad = float(target.sum())
    good = len(target) - bad
    pair_bad, pair_good = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area)
    variance += (bad - 1) * (pair_bad - area**2) + (good - 1) * (pair_good - area**2)
    return float(np.sqrt(max(variance, 0.0) / (bad * good)))


def cross_fitted_auc(groups: pd.Series, target: pd.Series, options: LeakageOptions) -> float:
    """AUC of the target mean of each group, learned on the other folds.

    Target encoding without cross-fitting would call every long list of categories a leak.
    """
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    # `smooth="auto"` shrinks small categories to the mean (Micci-Barreca, 2001).
    encoder = TargetEncoder(target_type="binary", smooth="auto", cv=folds)
    encoded = encoder.fit_transform(groups.to_frame(), target)
    return float(roc_auc_score(target, encoded[:, 0]))


def find_implausible_categories(
    groups: pd.Series, target: pd.Series, options: LeakageOptions
) -> pd.DataFrame:
    """Categories whose default rate is significantly outside the plausible range.

    One-sided binomial tests against the nearer end of `plausible_default_rates`, with the false
    discovery rate over all categories controlled (Benjamini and Hochberg, 1995).

    Returns one row per category flagged: `category`, `loans`, `default_rate`,
    `adjusted_p_value`.
    """
    lowest, highest = options.plausible_default_rates
    table = target.groupby(groups.to_numpy()).agg(["size", "sum"])
    loans, bad = table["size"].to_numpy(), table["sum"].to_numpy()
    too_high = binom.sf(bad - 1, loans, highest)
    too_low = binom.cdf(bad, loans, lowest)
    adjusted = false_discovery_control(np.minimum(1.0, 2 * np.minimum(too_high, too_low)))
    report = pd.DataFrame(
        {
            "category": table.index.astype("str"),
            "loans": loans,
            "default_rate": bad / loans,
            "adjusted_p_value": adjusted,
        }
    )
    flagged: pd.DataFrame = report[adjusted < options.false_discovery_rate]
    return flagged.reset_index(drop=True)


def report_leakage(findings: list[FeatureFinding]) -> dict[str, Any]:
    """`leakage_report.json`: per feature what was found, and which feature sets use it."""
    return {
        "features": [
            {
                "feature": f.feature,
                "auc": round(f.auc, 4),
                "known_at_decision": f.known_at_decision,
                "caught": f.caught,
                "reasons": list(f.reasons),
                "categories": [
                    {k: round(v, 6) if isinstance(v, float) else v for k, v in c.items()}
                    for c in f.categories
                ],
                "used_by": [s.name for s in FEATURE_SETS.values() if f.feature in s.features],
            }
            for f in findings
        ]
    }


def require_no_leak(feature_set: FeatureSet, report: dict[str, Any]) -> None:
    """Stop a feature set for lending that uses a caught feature.

    Raises:
        LeakageError: naming the features, the reasons and the remedy.
    """
    if not feature_set.for_lending:
        return
    caught = [
        f"{entry['feature']} ({'; '.join(entry['reasons'])})"
        for entry in report["features"]
        if entry["caught"] and entry["feature"] in feature_set.features
    ]
    if caught:
        raise LeakageError(
            f"feature set '{feature_set.name}' uses what the leakage gate caught: "
            f"{', '.join(caught)}. Take it out of the set in features/definitions.py, or prove "
            f"to the gate's owner that it is honest and raise its limits"
        )


def _group(values: pd.Series) -> pd.Series:
    """Text groups: categories as they are, numbers in equal-count bins, missing on its own."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > _NUMERIC_BINS:
        bins = pd.qcut(values, _NUMERIC_BINS, duplicates="drop")
        return bins.astype("str").where(values.notna(), MISSING)
    return values.astype("str").where(values.notna(), MISSING)
