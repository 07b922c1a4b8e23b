"""Which loans train the model and which judge it."""

import math
from enum import StrEnum

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from loantap.model.training.options import SplitOptions, TrainingOptions
from loantap.model.training.rolling_origin import date_loans
from loantap.portfolio.errors import InputError


class Split(StrEnum):
  """Random split."""

  TRAIN = "train"
  TEST = "test"


def require_enough(loans: pd.DataFrame, min_outcomes: int) -> None:
  """Stop where the loans have fewer than `min_outcomes` charge-offs, or paid loans, to train on.

  Raises:
      InputError: they do.
  """
  charged_off = int(loans["is_charged_off"].sum())
  paid = len(loans) - charged_off
  if min(charged_off, paid) >= min_outcomes:
    return
  needed = math.ceil(min_outcomes * len(loans) / max(min(charged_off, paid), 1))
  raise InputError(
    "portfolio",
    f"it has {len(loans):,} loans, {charged_off:,} of them charged off and {paid:,} paid: too "
    f"few to train a model, which needs {min_outcomes} of each",
    f"Give about {needed:,} loans, if the rarer outcome is as frequent in them as here"
    if min(charged_off, paid)
    else "Give a portfolio that holds loans of both outcomes",
  )


def split_loans(loans: pd.DataFrame, options: SplitOptions) -> pd.DataFrame:
  """Assign each loan to the random split and to its place in the rolling origin.

  Takes what `date_loans` takes, and `loan_id`. Returns one row per loan, same order: `loan_id`,
  `split`, `known_from`, `judged_at`.

  Raises:
      InputError: an outcome has too few loans to be on both sides of the split.
  """
  target = loans["is_charged_off"]
  is_tested = np.zeros(len(loans), bool)
  tested = math.ceil(len(loans) * options.test_share)
  counts = target.value_counts()
  # Fewer than this, and a stratified split cannot even be tried.
  if counts.size == 2 <= min(counts.min(), tested, len(loans) - tested):
    _, test = train_test_split(
      np.arange(len(loans)), test_size=options.test_share, stratify=target, random_state=options.seed
    )
    is_tested[test] = True
  if any(target[side].nunique() < 2 for side in (is_tested, ~is_tested)):
    raise InputError(
      "loans",
      f"{len(loans)} loans with outcomes {counts.to_dict()} cannot be split into training "
      f"and test with both outcomes on each side",
      "Give a portfolio with more loans of the rarer outcome",
    )
  split = pd.Series(Split.TRAIN.value, index=loans.index, dtype="str")
  split[is_tested] = Split.TEST.value
  assigned = pd.DataFrame({"loan_id": loans["loan_id"], "split": split})
  return assigned.join(date_loans(loans, options.out_of_time))


def make_folds(options: TrainingOptions) -> StratifiedKFold:
  """The stratified folds that search, out-of-fold predictions and thresholds share."""
  return StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
