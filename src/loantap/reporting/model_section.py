"""What the model card says about one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class ModelSection:
    """Finished material about one model.

    Attributes:
        name: its namespace.
        purpose: what it is for.
        for_lending: whether a decision may rest on it.
        blocks: its part of `metrics.json`.
        candidates: the search, one row per candidate.
        coefficients: one row per input.
        figures: `roc`, `precision_recall`, `calibration`, `thresholds`.
    """

    name: str
    purpose: str
    for_lending: bool
    blocks: Mapping[str, Any]
    candidates: pd.DataFrame
    coefficients: pd.DataFrame
    figures: Mapping[str, Figure]
