"""A point of the hyperparameter grid, without what trains."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# Of the fits of a search: a gradient this small moves F2 in the fifth digit.
SEARCH_TOLERANCE = 1e-4


class Balancing(StrEnum):
  """How the minority class is given weight in training."""

  SMOTE = "smote"
  CLASS_WEIGHTS = "class_weights"
  NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
  """One point of the hyperparameter grid.

  Attributes:
      l1_ratio: 0 is an L2 penalty, 1 an L1 penalty.
      inverse_penalty: scikit-learn's C; smaller is a stronger penalty.
  """

  balancing: Balancing
  l1_ratio: float
  inverse_penalty: float

  @property
  def label(self) -> str:
    """Short name for tables and plots.

    >>> Candidate(Balancing.SMOTE, l1_ratio=1, inverse_penalty=100).label
    'smote L1 C=100'
    """
    return f"{self.balancing} L{1 if self.l1_ratio else 2} C={self.inverse_penalty:g}"

  def as_dict(self) -> dict[str, Any]:
    """Its fields, for a record."""
    return asdict(self) | {"balancing": self.balancing.value}
