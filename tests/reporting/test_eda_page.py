"""The exploration page is one file, and says whose data it shows."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from loantap.reporting.eda_page import render_eda

AS_OF = date(2017, 3, 1)


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    grade = pd.Series(rng.choice(list("ABC"), 1_200), dtype="str")
    return pd.DataFrame(
        {
            "grade": grade,
            "interest_rate_pct": rng.normal(13, 4, 1_200).round(2),
            "mortgage_accounts": pd.Series(rng.integers(0, 6, 1_200), dtype="float64").where(
                grade != "C"
            ),
        }
    )


@pytest.fixture(scope="module")
def page(loans: pd.DataFrame) -> str:
    return render_eda(loans, "real", AS_OF)


def test_the_page_tells_size_origin_and_day(page: str) -> None:
    assert "LoanTap portfolio, 1,200 resolved loans, real data, 2017-03-01" in page
    assert "SIMULATED" not in page


def test_simulated_data_is_called_simulated(loans: pd.DataFrame) -> None:
    page = render_eda(loans, "simulated", AS_OF)

    assert "LoanTap portfolio, 1,200 resolved loans, SIMULATED DATA, 2017-03-01" in page


@pytest.mark.parametrize("name", ["grade", "interest_rate_pct", "mortgage_accounts"])
def test_every_column_is_shown(name: str, page: str) -> None:
    assert name in page


def test_the_page_opens_without_a_network(page: str) -> None:
    loaded = re.findall(
        r"""<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*["']([^"']+)""", page
    )

    assert [address for address in loaded if not address.startswith("data:")] == []
    assert "<script" in page


def test_rendering_does_not_touch_the_loans(loans: pd.DataFrame) -> None:
    before = loans.copy(deep=True)

    render_eda(loans, "real", AS_OF)

    pd.testing.assert_frame_equal(loans, before)
