"""What scores have meant."""

from collections.abc import Mapping, Sequence
from typing import Any

from loantap.reporting.figures.interval_plot import FEW_LOANS


def fill_bands(bands: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
  """The bands of `scorecard.json` without a gap: one without loans has no rates, one of few `is_few`."""
  if not bands:
    return []
  known = {band["lowest"]: band for band in bands}
  step = bands[0]["highest"] - bands[0]["lowest"] + 1
  nothing = dict.fromkeys(bands[0]) | {"n": 0, "charged_off": 0}
  filled = []
  for lowest in range(min(known), max(known) + 1, step):
    band = known.get(lowest, nothing | {"lowest": lowest, "highest": lowest + step - 1})
    filled.append({**band, "is_few": 0 < band["n"] < FEW_LOANS})
  return filled
