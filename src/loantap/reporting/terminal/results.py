"""What a run has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True, slots=True)
class RunResults:
  """What a run made, of all that its summary tells; None or empty where it made nothing of it.

  Reports have the structures of their JSON files. `decisions` and `offering_models` count rows of
  the files of scores and offers (`rows`) by `decision`, `model_name` and `model_version`.
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
