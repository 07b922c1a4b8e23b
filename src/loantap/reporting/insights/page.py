"""The insights page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from loantap.portfolio.dictionary import SIMULATED
from loantap.portfolio.target import Target
from loantap.reporting.charts.inline import bundle_vega
from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.insights.policy_tables import tabulate_scenarios
from loantap.reporting.insights.sections import PageSection
from loantap.reporting.shell import read_script, render_page


@dataclass(frozen=True, slots=True)
class PortfolioSummary:
  """The resolved loans of an insights page; `low` and `high` bound the default rate at 95%."""

  loans: int
  charged_off: int
  default_rate: float
  low: float
  high: float
  origin: str
  as_of: date
  first_issued: date
  last_issued: date
  monthly_events_origin: str


def render_insights(
  summary: Mapping[str, Any], sections: Sequence[PageSection], portfolio: PortfolioSummary, economics: Mapping[str, Any]
) -> str:
  """Render the insights page as one HTML document: `summary.json`, then the sections in order.

  `economics` holds `scenarios` by name, and `ranges` of what they assume, with their `source`.
  """
  return render_page(
    "insights.html",
    origin=portfolio.origin,
    scripts=[bundle_vega(), read_script("charts.js"), read_script("unfold.js")],
    title="Credit policy: what the loans say",
    portfolio=portfolio,
    target=Target.CHARGED_OFF,  # money is reckoned with no other
    summary=summary,
    sections=sections,
    scenarios=tabulate_scenarios(economics),
    are_events_simulated=portfolio.monthly_events_origin == SIMULATED,
    few_loans=FEW_LOANS,
  )
