"""What a run has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True, slots=True)
class RunResults:
    """What a run made, of all that its summary tells; None or empty where it made nothing of it.

    Attributes:
        reconciliation: account of rows per source.
        metrics: `metrics.json`, or as much of it as the run has.
        promotions: `promotion.json` of each model that was made.
        vintages: `vintage_analysis.json`.
        reports: pages and files in the folder of reports.
        scores: file of scores.
        decisions: how many rows of that file (`rows`) hold each `decision`, `model_name` and
            `model_version`.
        offers: file of offers.
        offering_models: how many rows of that file (`rows`) are of each `model_name` and
            `model_version`.
        next_steps: commands that work where the run was started.
    """

    reconciliation: pd.DataFrame | None = None
    metrics: Mapping[str, Any] | None = None
    promotions: Mapping[str, Any] = field(default_factory=dict)
    vintages: Mapping[str, Any] | None = None
    reports: Sequence[Path] = ()
    scores: Path | None = None
    decisions: pd.DataFrame | None = None
    scoring_account: Mapping[str, Any] | None = None
    offers: Path | None = None
    offers_account: Mapping[str, Any] | None = None
    offering_models: pd.DataFrame | None = None
    next_steps: str = ""

    def external(self) -> dict[str, Mapping[str, Any]]:
        """What was found on an external sample, by model; empty where none was given."""
        models = (self.vintages or {"models": {}})["models"]
        return {name: found["external"] for name, found in models.items() if "external" in found}
