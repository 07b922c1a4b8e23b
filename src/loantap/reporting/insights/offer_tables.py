"""Products, counterfactuals and concentration, in tables."""

import pandas as pd

from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import NOTHING, count, decimal, percent, two_decimals
from loantap.reporting.page_table import PageTable, list_rows, pair, with_interval


def tabulate_products(products: pd.DataFrame) -> PageTable:
  """Who would get which amount, term and rate."""
  rows = [
    [
      pair(row, "segmentation", "segment"),
      count(row["n"]),
      with_interval(row, "as_asked", percent) if row["n"] >= FEW_LOANS else NOTHING,
      f"{count(row['amount_low'])} to {count(row['amount_high'])}",
      decimal(row["mean_term_months"], 0),
      f"{decimal(row['rate_pct_low'], 1)} to {decimal(row['rate_pct_high'], 1)}%",
      percent(row["margin_expected"]),
      with_interval(row, "margin_imputed", percent) if row["n"] >= FEW_LOANS else NOTHING,
      str(row["finding"]),
    ]
    for row in list_rows(products)
  ]
  headers = (
    "Segment",
    "n",
    "Offered as asked for",
    "Amount",
    "Mean term, months",
    "Rate",
    "Margin priced, of principal",
    "Margin earned",
    "Against the price",
  )
  note = (
    "Amount and rate: from the lowest to the highest tenth of first offers. Margin earned: "
    "imputed, at the rate of the offer. The verdict allows for the number of segments, so it "
    "asks for more than the 95% interval shows. Of fewer than 30 loans no share is told."
  )
  return PageTable("Products by segment", headers, rows, note, is_folded=True)


def tabulate_counterfactuals(effects: pd.DataFrame) -> PageTable:
  """How far a shorter or smaller loan lowers the odds of default."""
  rows = [
    [
      str(row["effect"]),
      with_interval(row, "unadjusted", two_decimals),
      with_interval(row, "adjusted", two_decimals),
      decimal(row["in_force"], 2),
      str(row["finding"]),
    ]
    for row in list_rows(effects)
  ]
  headers = ("Effect", "Odds of default, all loans", "Given the sub-grade", "Used in offers", "Check")
  note = "A model's estimates, not an experiment's: a person decides on every offer that rests on them."
  loans = int(effects["n"].max()) if len(effects) else 0
  return PageTable(f"Odds ratios of default by term and amount, n = {count(loans)} loans", headers, rows, note)


def tabulate_concentration(concentration: pd.DataFrame, most: int = 5) -> PageTable:
  """The regions that hold most of the principal and of the expected loss."""
  top = concentration.groupby("measure", sort=False).head(most + 1)
  rows = [
    [
      pair(row, "measure", "region"),
      count(row["n"]),
      with_interval(row, "share", percent),
      percent(row["limit"]),
      str(row["finding"]),
    ]
    for row in list_rows(top)
  ]
  headers = ("Region", "n", "Share, or Herfindahl index", "Limit", "Finding")
  note = (
    "LoanTap's addresses are made up, so nothing follows from these shares. The limit is one "
    "of the portfolio, never of a person's score."
  )
  return PageTable("Concentration by state", headers, rows, note, is_folded=True)
