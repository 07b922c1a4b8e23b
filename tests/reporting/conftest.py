from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from loantap.reporting.insights_page import PortfolioSummary


@pytest.fixture
def make_summary():
    def make(origin: str = "real", monthly_events_origin: str = "simulated") -> PortfolioSummary:
        return PortfolioSummary(
            loans=1_000,
            charged_off=200,
            default_rate=0.2,
            low=0.176,
            high=0.226,
            origin=origin,
            as_of=date(2017, 3, 1),
            first_issued=date(2007, 6, 1),
            last_issued=date(2016, 12, 1),
            monthly_events_origin=monthly_events_origin,
        )

    return make


@pytest.fixture
def segments() -> pd.DataFrame:
    # fmt: off
    rows = [
        ("grade",   "B",                  1, 600,  90, 0.150, 0.124, 0.181, 0.60, False),
        ("grade",   "A",                  0, 300,  60, 0.200, 0.159, 0.249, 0.30, False),
        ("grade",   "C",                  2, 100,  50, 0.500, 0.404, 0.596, 0.10, False),
        ("purpose", "debt_consolidation", 0, 999, 199, 0.199, 0.176, 0.225, 0.99, False),
        ("purpose", "wedding",            1,   1,   1, 1.000, 0.207, 1.000, 0.01, False),
        ("pincode", "11650",              0, 100, 100, 1.000, 0.963, 1.000, 0.10, True),
        ("pincode", "00813",              1, 900, 100, 0.111, 0.092, 0.133, 0.90, True),
    ]
    # fmt: on
    columns = (
        "segmentation segment order loans charged_off default_rate low high share_of_loans "
        "audit_only"
    )
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture
def recommendation() -> dict[str, object]:
    change = {"value": 22.7, "low": 10.7, "high": 34.7, "adjusted_p_value": 0.00001}
    figures = {
        "n": 1_000,
        "approved": 1_000,
        "approvals_lost": 100,
        "default_rate_declined": 0.5,
        "default_rate_declined_low": 0.404,
        "default_rate_declined_high": 0.596,
        "default_rate_kept": 0.167,
        "profit_change": {"mid": {"capped": change}},
    }
    lost_after = {"approved": 700, "approvals_lost": 40, "default_rate_declined": 0.6}
    return {
        "title": "No loan of grade C",
        "scenario": "mid",
        "paid_life": "capped",
        "holds": True,
        "cause": "risk",
        "quoted_on": "all judged loans",
        **figures,
        "after_npv": figures | lost_after,
    }
