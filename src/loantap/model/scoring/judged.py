"""The version that an evaluation speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.model.scoring.scorer import Scorer
from loantap.model.training.training_digests import TrainingDigests
from loantap.portfolio.target import Target, find_target, require_lifetime


@dataclass(frozen=True, slots=True)
class JudgedModel:
  """The version whose predictions are evaluated: this run's, or that of the last training.

  Attributes:
      champion: which version decides now; empty where none does.
      scorer: None of a model that must not be lent on.
      training: None where the version does not carry the loans it was trained on.
  """

  name: str
  version: str
  is_new: bool
  champion: str
  predictions: pd.DataFrame
  training_report: Mapping[str, Any]
  scorer: Scorer | None = None
  training: TrainingDigests | None = None

  def __str__(self) -> str:
    return f"{self.name} version {self.version}"

  @property
  def lending_scorer(self) -> Scorer:
    """The scorer of a model that may be lent on."""
    if self.scorer is None:
      raise ValueError(f"{self} is not for lending")
    return self.scorer

  @property
  def target(self) -> Target:
    """Its target."""
    return find_target(self.training_report)

  @property
  def lifetime_predictions(self) -> pd.DataFrame:
    """Its predictions; InputError where its PDs are none over the life."""
    require_lifetime(self.target, f"model {self}")
    return self.predictions

  def tell_standing(self, *, promoted: bool) -> str:
    """Whether it decides, or else which version does; `promoted` is what the rule said."""
    from_real = self.champion and not self.champion.split()[0].endswith("-demo")
    if from_real and self.name.endswith("-demo"):
      return f"Not champion: {self.champion}, which learnt from real loans, decides. This page is not about it"
    if self.is_new and promoted:
      return "Champion from the end of this run on"
    if self.champion == str(self):
      return "Champion"
    if self.champion:
      return f"Not champion: {self.champion} decides. This page is not about it"
    return "Not champion, and no other version is"
