"""Nodes of the `early_warning` pipeline."""

from collections.abc import Iterator

import pandas as pd

from loantap.surveillance.options import EarlyWarningOptions
from loantap.surveillance.panel.build import build_panel_in_groups
from loantap.tables.loan_groups import SomeTable


def build_loan_panel(
    loan_months: SomeTable,
    loans: pd.DataFrame,
    running_loans: pd.DataFrame,
    options: EarlyWarningOptions,
) -> Iterator[pd.DataFrame]:
    """What is known of each loan at the end of each month, from that month and earlier ones."""
    everyone = pd.concat([loans, running_loans])
    yield from build_panel_in_groups(loan_months, everyone, options.panel)
