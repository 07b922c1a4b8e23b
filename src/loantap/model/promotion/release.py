"""What is registered, and the champion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.trained import TrainedModel
from loantap.model.training.training_digests import TrainingDigests
from loantap.portfolio.target import Target


@dataclass(frozen=True, slots=True)
class Release:
  """A model as it is registered.

  Attributes:
      predictions: what `predict_samples` returned of it; later models are compared on these.
      report: the structure of `training.json`.
      verdicts: of the contest between its kinds, if there was one, and on its promotion, last.
      training: None of a model not for lending.
  """

  trained: TrainedModel
  predictions: pd.DataFrame
  report: Mapping[str, Any]
  verdicts: tuple[Verdict, ...]
  training: TrainingDigests | None = None


@dataclass(frozen=True, slots=True)
class Champion:
  """The champion of a model.

  Attributes:
      label: registered name and version.
      trained: None where it cannot be read.
      predictions: empty where none were kept.
      digest: "" where it is not known.
  """

  label: str
  trained: TrainedModel | None
  predictions: pd.DataFrame
  digest: str = ""

  @property
  def target(self) -> Target:
    """Its target; that of one that cannot be read is the policy's, since it was promoted."""
    return self.trained.facts.target if self.trained else Target.CHARGED_OFF


# For each model a function that loads its champions by origin of their loans, as Kedro's
# PartitionedDataset gives partitions: a model reads its own only.
Champions = Mapping[str, Callable[[], Mapping[str, Champion]]]
