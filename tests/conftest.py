"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import parse

PROJECT = Path(__file__).parents[1]
# The day the tests pretend it is.
AS_OF = pd.Timestamp("2026-11-23")
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
# A made-up borrower: 12,000 over three years at 12% a year, which makes 398.57 a month.
MADE_UP_LOAN = {
    "loan_amnt": "12000.0", "term": " 36 months", "int_rate": "12.0", "installment": "398.57",
    "grade": "B", "sub_grade": "B4", "emp_title": "Clock maker", "emp_length": "4 years",
    "home_ownership": "RENT", "annual_inc": "60000.0", "verification_status": "Verified",
    "issue_d": "Jan-2014", "loan_status": "Fully Paid", "purpose": "debt_consolidation",
    "title": "Debt consolidation", "dti": "18.5", "earliest_cr_line": "Jan-2004",
    "open_acc": "11.0", "pub_rec": "0.0", "revol_bal": "9999.0", "revol_util": "45.5",
    "total_acc": "25.0", "initial_list_status": "w", "application_type": "INDIVIDUAL",
    "mort_acc": "2.0", "pub_rec_bankruptcies": "0.0",
    "address": "12 Nowhere Lane\r\nSampleville, OK 22690",
}  # fmt: skip

settings.register_profile("loantap", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("loantap")


def raw_loans(*changes: dict[str, object]) -> pd.DataFrame:
    """Made-up loans as a CSV file gives them, one per change; without any, the loan as it is."""
    rows = [MADE_UP_LOAN | change for change in changes or ({},)]
    return pd.DataFrame(rows, dtype="str")


def require(condition: bool, reason: str) -> None:
    """Skip a test on a user's machine that lacks what it needs; in CI that is a failure."""
    if condition:
        return
    if IN_CI:
        pytest.fail(f"{reason}, and in CI it must be there")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def sample_csv() -> Path:
    """Path of the real 5,239-row sample, which is never part of the project."""
    folder = Path(os.environ.get("LOANTAP_DATA", PROJECT.parent / "shared" / "data"))
    path = folder / "loantap_sample.csv"
    require(path.is_file(), f"the real sample is not at {folder} (set LOANTAP_DATA)")
    return path


@pytest.fixture(scope="session")
def sample_text(sample_csv: Path) -> pd.DataFrame:
    """The real sample as text, 27 columns as in the file."""
    return pd.read_csv(sample_csv, dtype="str", keep_default_na=False, na_values=[""])


@pytest.fixture(scope="session")
def sample_loans(sample_text: pd.DataFrame) -> pd.DataFrame:
    """The real sample as typed canonical rows."""
    return parse(sample_text, portfolio_columns(), AS_OF).rows
