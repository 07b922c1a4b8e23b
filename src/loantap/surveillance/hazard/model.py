"""The hazard model: plain numbers, which a JSON file keeps and a person can read."""

from typing import Any, Final, Literal

from loantap.portfolio.options import Options
from loantap.surveillance.hazard.design import Scaled

Cause = Literal["default", "paid"]
CAUSES: Final[tuple[Cause, Cause]] = ("default", "paid")
# Log-odds beyond this are as good as it.
CERTAIN: Final = 15.0
# After the last due date, until one that was missed is 90 days old.
OVERRUN_MONTHS: Final = 4


class BandHazard(Options):
  """Log-odds of an event in each month of a band of leads, of a loan that has come so far.

  Attributes:
      intercept: log-odds where every column is 0.
      weights: by the names of the design's columns.
      shift: intercept of the recalibration.
      slope: its factor on the log-odds.
      months: loan-months fitted on.
      events: among them.
  """

  cause: Cause
  first_lead: int
  last_lead: int
  intercept: float
  weights: dict[str, float]
  shift: float
  slope: float
  months: int
  events: int


class HazardModel(Options):
  """A discrete-time model of two competing risks, default and payment in full.

  Attributes:
      origin: whether the loans were real or simulated.
      bands: two of each band of leads, default and paid, leads ascending.
      calibrated_loans: others that the log-odds were recalibrated on.
      landmarks: loan-months that were looked forward from.
  """

  origin: str
  features: tuple[Scaled, ...]
  bands: tuple[BandHazard, ...]
  fitted_loans: int
  calibrated_loans: int
  landmarks: int

  def to_json(self) -> dict[str, Any]:
    """The model as a JSON file keeps it."""
    return self.model_dump(mode="json")

  @classmethod
  def from_json(cls, kept: dict[str, Any]) -> "HazardModel":
    """The model that `to_json` gave; raises ValidationError where that was changed."""
    return cls.model_validate(kept)
