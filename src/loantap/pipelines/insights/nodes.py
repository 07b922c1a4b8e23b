"""Nodes of the `insights` pipeline."""

import pandas as pd

from loantap.policy.exploration import SAME_BY_DEFINITION, explore_outcomes, list_explored
from loantap.policy.money.imputed import tabulate_profits
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import InsightsOptions
from loantap.portfolio.assembly import portfolio_origin
from loantap.reporting.eda_page import render_eda as render_exploration


def impute_profits(loans: pd.DataFrame, economics: Economics) -> pd.DataFrame:
    """Profit of every loan, imputed from its outcome, in every scenario."""
    return tabulate_profits(loans, economics)


def render_eda(loans: pd.DataFrame, reconciliation: pd.DataFrame, options: InsightsOptions) -> str:
    """Every column of the portfolio but personal ones, by outcome and as skrub reports it."""
    found = explore_outcomes(loans)
    return render_exploration(
        loans[list_explored(loans)],
        found.numbers,
        found.levels,
        SAME_BY_DEFINITION,
        origin=portfolio_origin(reconciliation),
        as_of=options.as_of,
    )
