"""The exploration page: every column of a table, its values, gaps and associations."""

from __future__ import annotations

from datetime import date

import pandas as pd
from skrub import TableReport

from loantap.portfolio.dictionary import SIMULATED


def render_eda(loans: pd.DataFrame, origin: str, as_of: date) -> str:
    """One self-contained HTML page about `loans` (any columns; leave personal ones out)."""
    label = "SIMULATED DATA" if origin == SIMULATED else "real data"
    report = TableReport(
        loans,
        n_rows=1,  # the fewest it takes: the page is about columns, not about borrowers
        title=f"LoanTap portfolio, {len(loans):,} resolved loans, {label}, {as_of:%Y-%m-%d}",
        plot_distributions=True,
        compute_associations=True,
        open_tab="stats",
        verbose=0,
    )
    html: str = report.html()
    return html
