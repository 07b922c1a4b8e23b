"""All findings about a portfolio."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from loantap.measures.intervals import Z95, measure_default_rates
from loantap.policy.findings.claims import judge_claims
from loantap.policy.findings.drivers import tabulate_drivers
from loantap.policy.findings.effects import tabulate_findings
from loantap.policy.findings.evidence import Evidence, gather_evidence
from loantap.policy.findings.options import FindingsOptions
from loantap.policy.findings.segmentations import SEGMENTATIONS
from loantap.policy.findings.years import YearTable, tabulate_years

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Findings:
  """What the loans say: a row per segment, per segment and issue year, per driver and year, per claim."""

  segments: pd.DataFrame
  years: pd.DataFrame
  drivers: pd.DataFrame
  claims: pd.DataFrame


def find_all(loans: pd.DataFrame, profits: pd.DataFrame, scenario: str, options: FindingsOptions) -> Findings:
  """Everything that is found of a portfolio, from one regression; see `gather_evidence`."""
  evidence = gather_evidence(loans, profits, scenario, options)
  tables = {name: tabulate_years(evidence, name, options.min_outcomes_per_year) for name in SEGMENTATIONS}
  return Findings(
    segments=tabulate_findings(evidence, tables, options),
    years=pd.concat([_list_years(evidence, name, table) for name, table in tables.items()], ignore_index=True),
    drivers=tabulate_drivers(evidence, tables, options),
    claims=judge_claims(evidence, options),
  )


def _list_years(evidence: Evidence, name: str, table: YearTable) -> pd.DataFrame:
  """An effect is the excess of charge-offs, beside that of all other loans of the year."""
  others = table.loans.sum(axis=0) - table.loans
  segment, year = np.nonzero(table.is_enough & (others > 0))
  loans, charged_off = table.loans[segment, year], table.charged_off[segment, year]
  to_others = _PERCENT * (loans / others[segment, year] + 1)
  effect = table.excess[segment, year] * to_others
  half = Z95 * np.sqrt(table.variance[segment, year]) * to_others
  return pd.DataFrame(
    {
      "segmentation": name,
      "segment": evidence.segments[name].cat.categories.astype("str")[segment],
      "year": table.years[year].astype(np.int64),
      "loans": loans,
      "charged_off": charged_off,
      **measure_default_rates(charged_off, loans).columns,
      "effect": effect,
      "effect_low": effect - half,
      "effect_high": effect + half,
    }
  ).astype({"segmentation": "str", "segment": "str"})
