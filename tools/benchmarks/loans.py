"""Simulated loans as a LoanTap file has them."""

import pandas as pd

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio


def simulate_loans(number: int, seed: int) -> pd.DataFrame:
    """So many, typed."""
    return render(simulate_portfolio(number, seed=seed).portfolio, portfolio_columns())
