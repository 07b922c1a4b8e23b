"""The shipped map of the public Lending Club export, on simulated loans written in its form."""

import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import FAULT, GIVEN_ID, render, split_address
from loantap.simulator import simulate_portfolio
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.files import TableFile
from tests.conftest import AS_OF, read_portfolio
from tools.benchmarks.lending_club_file import to_lending_club, write_export

LOANS = 2_000
NUMBERS = [
    "loan_amount",
    "term_months",
    "interest_rate_pct",
    "instalment",
    "annual_income",
    "dti_pct",
    "total_accounts",
]
MONTHS = ["issue_month", "earliest_credit_line"]
TEXTS = ["grade", "sub_grade", "loan_status", "home_ownership", "purpose", "application_type", "profession"]


def read(path):
    return TableFile(path, column_map=read_column_map("lending_club")).to_frame()


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "LoanStats.csv"
    write_export(path, LOANS)
    return path


def test_an_export_is_read_into_the_loans_that_it_was_written_from(tmp_path):
    loans = simulate_portfolio(LOANS, seed=7).portfolio
    loans["application_type"] = np.where(loans.index % 10 == 0, "JOINT", "INDIVIDUAL")
    path = tmp_path / "export.csv"
    to_lending_club(loans).to_csv(path, index=False)

    rows = read_portfolio(read(path), AS_OF, 0).rows

    assert rows["loan_id"].to_list() == [str(1_000_000 + number) for number in range(LOANS)]
    pd.testing.assert_frame_equal(rows[NUMBERS], loans[NUMBERS], atol=0.005)
    assert (rows[TEXTS].fillna("") == loans[TEXTS].fillna("")).all(axis=None)
    assert (rows[["issue_month", "earliest_credit_line"]] == loans[["issue_month", "earliest_credit_line"]]).all(
        axis=None
    )
    place = split_address(rows["address"])
    assert place["state"].equals(split_address(loans["address"])["state"])
    assert place["pincode"].isna().all()


def test_its_notes_are_no_loans(export, tmp_path):
    lines = export.read_text("utf-8").splitlines()
    commas = "," * 150
    # As in the file that joins all quarters, where notes are as wide as rows.
    between = ["Loans that do not meet the credit policy", f"Total amount funded in policy code 1: 5{commas}"]
    path = tmp_path / "joined.csv"
    path.write_text("\n".join([*lines[:500], *between, *lines[500:]]), "utf-8")

    whole, joined = read(export), read(path)

    assert len(whole) == LOANS
    assert FAULT not in joined
    pd.testing.assert_frame_equal(joined, whole)
    assert whole[GIVEN_ID].is_unique


def test_an_older_release_with_fewer_columns_is_read(tmp_path):
    loans = simulate_portfolio(50, seed=7).portfolio
    optional = ["id", "annual_inc_joint", "dti_joint", "mort_acc", "initial_list_status", "zip_code"]
    path = tmp_path / "export.csv"
    to_lending_club(loans).drop(columns=optional).to_csv(path, index=False)

    rows = read_portfolio(read(path), AS_OF, 0).rows

    assert rows[["mortgage_accounts", "listing_status", "address"]].isna().all(axis=None)
    assert rows["loan_id"].is_unique
    written = render(rows, portfolio_columns())
    assert written["term"].equals(render(loans, portfolio_columns())["term"])
