"""`vintage_analysis.json`: models out of time, by vintage, and elsewhere."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from loantap.measures.metrics import round_significant
from loantap.model.training.options import OutOfTimeOptions
from loantap.model.validation.external import ExternalResult
from loantap.model.validation.vintages import VintageAnalysis

# What must be read beside the figures, wherever they show.
CAVEATS: Final = MappingProxyType(
  {
    "rolling_origin": (
      "The outcomes of loans issued before an origin are taken as known, though some were "
      "settled only after it. So the figures are a little better than a lender would have "
      "seen at the time. Beside each origin stands how many loans were settled by then."
    ),
    "rolling_origin_settled": (
      "Models are trained on loans whose contract had ended before the origin, so nothing "
      "is taken as known that was not; their loans are one term older than in models in use."
    ),
    "vintages": (
      "Predicted by models that did not see the loan but saw others of its year. Of a "
      "vintage whose contracts had not ended when the portfolio was extracted, the table "
      "holds only the loans that ended early: resolved only, level not interpretable."
    ),
    "external": (
      "Another population: only the ranking can be compared. Default rate, calibration "
      "error and observed to expected reflect that population's level, and raise no alarm."
    ),
  }
)
# In place of that on vintages, where loans have the target whatever became of them since.
COMPLETE: Final = "Every loan counts whose window has closed: levels of all vintages can be read."


def report_vintages(
  analysis: Mapping[str, VintageAnalysis],
  external: Mapping[str, Iterable[ExternalResult]],
  window: OutOfTimeOptions,
  origin: str,
) -> dict[str, Any]:
  """The report as JSON: six significant digits, None where there are too few loans."""
  caveats = dict(CAVEATS)
  settled = caveats.pop("rolling_origin_settled")
  if window.settled_only:
    caveats["rolling_origin"] = settled
  if not any(list(results) for results in external.values()):
    caveats.pop("external")
  return {
    "origin": origin,
    "definition": window.model_dump(mode="json"),
    "caveats": caveats,
    "models": {name: _report(one, list(external[name])) for name, one in analysis.items()},
  }


def _report(analysis: VintageAnalysis, external: list[ExternalResult]) -> dict[str, Any]:
  report: dict[str, Any] = {
    "rolling_origin": {
      "pooled": None if analysis.pooled is None else _plain(asdict(analysis.pooled)),
      "origins": _records(analysis.origins),
    },
    "vintages": _records(analysis.vintages),
  }
  for result in external:
    report["external"] = _plain(result.as_dict())
  return report


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
  return [_plain({str(k): v for k, v in row.items()}) for row in table.to_dict("records")]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
  return {name: _plain_value(name, value) for name, value in row.items()}


def _plain_value(name: str, value: Any) -> Any:
  if isinstance(value, date):
    return f"{value:%Y-%m}"
  if isinstance(value, float):
    if math.isnan(value):
      return None
    return int(value) if name in {"n", "charged_off"} else round_significant(value)
  return value
