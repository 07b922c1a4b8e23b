"""Out of time, vintages and external sample on the model card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from loantap.reporting.figures.inline import embed_svg
from loantap.reporting.formatting import decimal


@dataclass(frozen=True, slots=True)
class VintageSection:
  """`vintage_analysis.json` and a figure per model, for `templates/vintages.html`."""

  report: Mapping[str, Any]
  figures: Mapping[str, Figure]

  @property
  def images(self) -> dict[str, str]:
    """Per model, its figure as a data URI."""
    return {name: embed_svg(figure) for name, figure in self.figures.items()}

  @property
  def gist(self) -> str:
    """What came of the rolling origin, on one line."""
    pooled = {name: model["rolling_origin"]["pooled"] for name, model in self.report["models"].items()}
    told = [
      f"{name}: AUC {decimal(figures['roc_auc'])}, observed / expected {decimal(figures['observed_to_expected'], 2)}"
      for name, figures in pooled.items()
      if figures
    ]
    return "; ".join(told) or "too few loans"

  @property
  def external_gist(self) -> str:
    """What came of the external sample, on one line."""
    return "; ".join(
      f"{name}: AUC {decimal(row['roc_auc'])}, the interest rate alone {decimal(row['rate_roc_auc'])}"
      for name, row in self.external.items()
    )

  @property
  def external(self) -> dict[str, Mapping[str, Any]]:
    """Per model, its figures on the external sample; empty where none was given."""
    models = self.report["models"].items()
    return {name: model["external"] for name, model in models if "external" in model}
