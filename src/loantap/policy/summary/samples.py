"""What the loans are that policies were judged on."""

from collections.abc import Iterable

import pandas as pd

from loantap.model.training.predictions import OUT_OF_TIME


def count_samples(approvals: pd.DataFrame) -> dict[str, int]:
  """How many loans each sample holds, by its name."""
  counted = approvals["sample"].value_counts(sort=False)
  return {str(name): int(count) for name, count in counted.items()}


def describe_later(approvals: pd.DataFrame, loans: pd.DataFrame) -> str:
  """Which loans were judged out of time, and of which term none was; empty where none was."""
  is_later = approvals["sample"].eq(OUT_OF_TIME)
  known = loans.set_index("loan_id")
  later = known.loc[approvals.loc[is_later, "loan_id"]]
  if later.empty:
    return ""
  terms = later["term_months"].unique()
  others = known.loc[approvals.loc[~is_later, "loan_id"], "term_months"]
  first, last = (f"{month:%B %Y}" for month in later["issue_month"].agg(["min", "max"]))
  told = f"{_join(terms)}-month loans issued {first} to {last}"
  untested = others[~others.isin(terms)].unique()
  if len(untested):
    return f"{told} ({_join(untested)} months are untested)"
  return told


def _join(terms: Iterable[float]) -> str:
  return " and ".join(f"{term:.0f}" for term in sorted(terms))
