"""Figures as JSON has them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loantap.measures.metrics import round_significant


def make_plain(value: Any) -> Any:
  """Tables as lists of rows, numbers with six significant digits, None where there is none.

  Any of these may stand inside another.
  """
  match value:
    case pd.DataFrame():
      return make_plain(value.to_dict("records"))
    case Mapping():
      return {str(name): make_plain(inner) for name, inner in value.items()}
    case str() | bool() | None:
      return value
    case Sequence():
      return [make_plain(inner) for inner in value]
    case np.generic():
      return make_plain(value.item())
    case float():
      return None if math.isnan(value) else round_significant(value)
  return value
