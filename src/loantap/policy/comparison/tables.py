"""The tables of the comparison, slice by slice: flows are imputed once."""

from dataclasses import dataclass

import pandas as pd

from loantap.policy.comparison.comparison import Decided, measure_slice, slice_portfolio
from loantap.policy.comparison.frontier import place_policies, trace_frontier
from loantap.policy.comparison.options import ComparisonOptions
from loantap.policy.money.scenarios import Economics


@dataclass(frozen=True, slots=True)
class Comparison:
  """Policies (`POLICY_COMPARISON`), and the curves with them as points (`FRONTIER`)."""

  policies: pd.DataFrame
  frontier: pd.DataFrame


def compare_policies(decided: Decided, economics: Economics, options: ComparisonOptions, min_loans: int) -> Comparison:
  """Figures of every policy and the frontier, on every slice, for both paid lives."""
  policies, curves = [], []
  for part in slice_portfolio(decided, economics):
    policies.append(measure_slice(part, options, min_loans))
    curves.append(trace_frontier(part, options))
  table = pd.concat(policies, ignore_index=True)
  return Comparison(table, pd.concat([*curves, place_policies(table)], ignore_index=True))
