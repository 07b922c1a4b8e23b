"""A trend as a small line."""

from typing import Final

_WIDTH, _HEIGHT, _EDGE = 96, 24, 2
TRENDS: Final = {"trend_utilisation": "Utilisation", "trend_dti": "DTI", "trend_dpd": "Days late"}


def draw_line(trend: str) -> list[list[str]]:
  """Points of a line per unbroken run of a trend, in a box of 96 by 24; none for one value.

  >>> draw_line("0 10")
  [['2.0,22.0', '94.0,2.0']]
  """
  values = [float(value) for value in trend.split()]
  known = [value for value in values if value == value]  # noqa: PLR0124 (NaN is not itself)
  if len(known) < 2:
    return []
  low, span = min(known), (max(known) - min(known)) or 1.0
  step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
  lines: list[list[str]] = [[]]
  for place, value in enumerate(values):
    if value != value:  # noqa: PLR0124
      lines.append([])
      continue
    height = _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE)
    lines[-1].append(f"{_EDGE + place * step:.1f},{height:.1f}")
  return [line for line in lines if line]
