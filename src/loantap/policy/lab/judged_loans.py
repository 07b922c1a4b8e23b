"""The loans that rules are tested on, and what declining them would have changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from loantap.features.build import Values
from loantap.model.training.predictions import CROSS_VALIDATION, OUT_OF_TIME, TEST
from loantap.policy.lab.rules import READABLE_COLUMNS, read_columns
from loantap.policy.money.cash_flows import VALUED_BY, expected_npv
from loantap.policy.money.imputed import name_profit
from loantap.policy.money.scenarios import Economics, PaidLife
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError

# All loans once, each with the PD of a model that did not see it.
ALL: Final = "all"
SAMPLES: Final = (ALL, CROSS_VALIDATION, TEST, OUT_OF_TIME)
_OF_ALL: Final = (CROSS_VALIDATION, TEST)

Outlook = tuple[str, PaidLife]


@dataclass(frozen=True, slots=True)
class Sample:
  """Some of the loans, by their places; `approved`: per scenario, for a positive expected NPV."""

  name: str
  places: IntArray
  approved: Mapping[str, BoolArray]


@dataclass(frozen=True, slots=True)
class JudgedLoans:
  """The loans of a portfolio that a model was judged on.

  `columns` are what rules may read, `gains` the imputed profit of declining each loan, in currency. What the search
  finds on loans that are `is_searched` is quoted on the others.
  """

  columns: Values
  is_charged_off: BoolArray
  gains: Mapping[Outlook, FloatArray]
  is_searched: BoolArray
  samples: tuple[Sample, ...]

  def sample(self, name: str) -> Sample:
    """The sample of this name."""
    return next(sample for sample in self.samples if sample.name == name)


def gather_judged_loans(
  loans: pd.DataFrame, profits: pd.DataFrame, predictions: pd.DataFrame, economics: Economics
) -> JudgedLoans:
  """Put resolved loans, imputed profits and PDs (one row per sample and loan) together."""
  at = pd.Index(loans["loan_id"])
  profits_at = _find(pd.Index(profits["loan_id"]), loans["loan_id"], "imputed profits")
  judged_at = _find(at, predictions["loan_id"], "predictions")
  outlooks = [(name, paid_life) for name in economics.scenarios for paid_life in PaidLife]
  return JudgedLoans(
    columns=read_columns(loans, READABLE_COLUMNS),
    is_charged_off=loans["is_charged_off"].to_numpy() == 1,
    gains={outlook: -profits[name_profit(*outlook)].to_numpy(float)[profits_at] for outlook in outlooks},
    is_searched=split_in_halves(loans["loan_id"]),
    samples=_make_samples(loans, predictions, judged_at, economics),
  )


def split_in_halves(loan_ids: pd.Series) -> BoolArray:
  """Which loans the search may look at: about half, by a hash of the id, so that a loan stays on its side."""
  found: BoolArray = pd.util.hash_array(loan_ids.to_numpy(object), categorize=False) % 2 == 0
  return found


def _make_samples(
  loans: pd.DataFrame, predictions: pd.DataFrame, places: IntArray, economics: Economics
) -> tuple[Sample, ...]:
  approved = _approve(loans, predictions, places, economics)
  of_sample = predictions["sample"].to_numpy(object)
  chosen = {name: np.isin(of_sample, _OF_ALL) if name == ALL else of_sample == name for name in SAMPLES}
  return tuple(
    Sample(name, places[rows], {scenario: yes[rows] for scenario, yes in approved.items()})
    for name, rows in chosen.items()
    if rows.any()
  )


def _approve(
  loans: pd.DataFrame, predictions: pd.DataFrame, places: IntArray, economics: Economics
) -> dict[str, BoolArray]:
  pd_ = predictions[VALUED_BY[0]].to_numpy(float)
  amount, rate, term = (loans[name].to_numpy(float)[places] for name in VALUED_BY[1:])
  return {name: expected_npv(pd_, amount, rate, term, scenario) > 0 for name, scenario in economics.scenarios.items()}


def _find(index: pd.Index, wanted: pd.Series, what: str) -> IntArray:
  places = index.get_indexer(pd.Index(wanted))
  if (places < 0).any():
    raise InputError(
      "insights",
      f"{(places < 0).sum():,} of {len(places):,} loans of the {what} do not fit "
      "03_primary/loans: another portfolio was read since",
      "Run `--pipelines training`, which judges the models of that portfolio",
    )
  return places
