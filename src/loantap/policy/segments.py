"""Default rates by segment, with counts and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from loantap.measures.intervals import measure_default_rates
from loantap.portfolio.dictionary import COLUMNS

# Bands a credit officer would recognise; edges are lower bounds, inclusive.
BANDS: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "loan_amount": (0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000),
        "annual_income": (0, 30_000, 45_000, 60_000, 75_000, 100_000, 150_000),
        "dti_pct": (0, 5, 10, 15, 20, 25, 30, 35),
        "revolving_utilisation_pct": (0, 20, 40, 60, 80, 100),
        "interest_rate_pct": (0, 8, 11, 14, 17, 20, 24),
    }
)
CATEGORIES: Final = ("grade", "term_months", "purpose", "home_ownership", "profession", "pincode")
AUDIT_ONLY: Final = ("pincode",)

# Words of a job title that put it into a group; the first match in this order wins.
_PROFESSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "project or programme manager": r"pro(?:ject|gram)\s+manager",
        "director or executive": r"director|vice president|\bvp\b|\bceo\b|\bcfo\b|president|chief",
        "manager": r"manager|\bmgr\b",
        "supervisor": r"supervisor|foreman|lead\b",
        "teacher": r"teacher|professor|instructor|educator",
        "nurse": r"nurse|\brn\b|\blpn\b|\bcna\b",
        "driver": r"\bdriver",
        "engineer": r"engineer",
        "sales": r"sales|account executive",
        "technician or mechanic": r"technician|mechanic|electrician",
        "office or administration": r"admin|secretary|clerk|assistant|receptionist",
        "analyst or accountant": r"analyst|accountant|auditor",
        "owner": r"owner|self.?employed|proprietor",
        "police, fire or military": (
            r"police|sheriff|fire ?fight|correction|\barmy\b|\bnavy\b|military"
        ),
    }
)


def group_profession(profession: pd.Series) -> pd.Series:
    """Group free-text job titles by their words; `not stated` and `other` for the rest."""
    lowered = profession.astype("str").str.lower()
    groups = pd.Series("other", index=profession.index, dtype="str")
    for name, pattern in reversed(list(_PROFESSIONS.items())):
        groups = groups.mask(lowered.str.contains(pattern, regex=True, na=False), name)
    return groups.mask(profession.isna(), "not stated")


def summarise_segments(loans: pd.DataFrame, min_loans: int) -> pd.DataFrame:
    """Default rate of every segment of every segmentation.

    Args:
        loans: one row per resolved loan, canonical columns.
        min_loans: segments with fewer loans are put together as `fewer than N loans each`.

    Returns:
        One row per segment: `segmentation`, `segment`, `order`, `loans`, `charged_off`,
        `default_rate`, `low`, `high` (95% Wilson interval), `share_of_loans`, `audit_only`.
    """
    target = loans["is_charged_off"]
    tables = [_summarise(_band(loans[name], edges, COLUMNS[name].unit), target, name, min_loans)
              for name, edges in BANDS.items()]  # fmt: skip
    tables += [_summarise(_categories(loans, name), target, name, min_loans) for name in CATEGORIES]
    return pd.concat(tables, ignore_index=True)


def _summarise(
    segment: pd.Series, target: pd.Series, segmentation: str, min_loans: int
) -> pd.DataFrame:
    if isinstance(segment.dtype, pd.CategoricalDtype):
        labels = list(segment.cat.categories)
    else:
        labels = sorted(segment.unique())
    counts = segment.value_counts()
    small = [label for label in labels if 0 < counts.get(label, 0) < min_loans]
    if len(small) > 1:
        rest = f"fewer than {min_loans} loans each"
        segment = segment.astype("str").replace(dict.fromkeys(small, rest))
        labels = [label for label in labels if label not in small] + [rest]
    table = target.groupby(segment.astype("str").to_numpy()).agg(["size", "sum"])
    table = table.reindex([label for label in labels if label in table.index])
    loans, bad = table["size"].to_numpy(), table["sum"].to_numpy("int64")
    default = measure_default_rates(bad, loans)
    return pd.DataFrame(
        {
            "segmentation": segmentation,
            "segment": table.index.astype("str"),
            "order": np.arange(len(table)),
            "loans": loans,
            "charged_off": bad,
            "default_rate": default.rate,
            "low": default.low,
            "high": default.high,
            "share_of_loans": loans / len(target),
            "audit_only": segmentation in AUDIT_ONLY,
        }
    )


def _band(values: pd.Series, edges: tuple[float, ...], unit: str) -> pd.Series:
    sign = "%" if unit.startswith("percent") else ""
    labels = [f"{low:,g} to {high:,g}{sign}" for low, high in pairwise(edges)]
    labels.append(f"{edges[-1]:,g}{sign} and more")
    bands = pd.cut(values, [*edges, np.inf], right=False, labels=labels)
    return bands.cat.add_categories("not stated").fillna("not stated")


def _categories(loans: pd.DataFrame, name: str) -> pd.Series:
    match name:
        case "profession":
            return group_profession(loans[name])
        case "term_months":
            return loans[name].map("{:.0f} months".format)
        case _:
            return loans[name].astype("str").fillna("not stated")
