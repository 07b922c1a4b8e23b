"""The shipped map of the public Lending Club export, on simulated loans written in its form."""

import numpy as np
import pandas as pd

from loantap.portfolio.loantap_format import FAULT, GIVEN_ID, split_address
from loantap.simulator import simulate_portfolio
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.files import TableFile
from tests.conftest import AS_OF, read_portfolio
from tools.benchmarks.lending_club_file import to_lending_club, write_export

LOANS = 2_000


def read(path):
  return TableFile(path, column_map=read_column_map("lending_club")).to_frame()


def clean(export, tmp_path):
  export.to_csv(tmp_path / "export.csv", index=False)
  return read_portfolio(read(tmp_path / "export.csv"), AS_OF, 0).rows


def test_an_export_is_read_into_the_loans_that_it_was_written_from(tmp_path):
  loans = simulate_portfolio(LOANS, seed=7).portfolio
  loans["application_type"] = np.where(loans.index % 10 == 0, "JOINT", "INDIVIDUAL")

  export = to_lending_club(loans)
  export.loc[10, "application_type"] = "JOINT"  # as in older releases

  rows = clean(export, tmp_path)

  assert rows["loan_id"].to_list() == [str(1_000_000 + number) for number in range(LOANS)]
  own = loans.columns.drop("address")
  pd.testing.assert_frame_equal(rows[own], loans[own], atol=0.005)
  place = split_address(rows["address"])
  assert place["state"].equals(split_address(loans["address"])["state"])
  assert place["pincode"].isna().all()


def test_its_notes_are_no_loans(tmp_path):
  export, path = tmp_path / "LoanStats.csv", tmp_path / "joined.csv"
  write_export(export, LOANS)
  lines = export.read_text("utf-8").splitlines()
  # As in the file that joins all quarters, where notes are as wide as rows.
  between = ['"Loans that do not meet the credit policy"', f"Total amount funded in policy code 1: 5{',' * 150}"]
  path.write_text("\n".join([*lines[:500], *between, *lines[500:]]), "utf-8")

  whole, joined = read(export), read(path)

  assert len(whole) == LOANS
  assert FAULT not in joined
  pd.testing.assert_frame_equal(joined, whole)
  assert whole[GIVEN_ID].is_unique


def test_an_older_release_with_fewer_columns_is_read(tmp_path):
  loans = simulate_portfolio(50, seed=7).portfolio
  optional = ["id", "annual_inc_joint", "dti_joint", "mort_acc", "initial_list_status", "zip_code"]

  rows = clean(to_lending_club(loans).drop(columns=optional), tmp_path)

  assert rows[["mortgage_accounts", "listing_status", "address"]].isna().all(axis=None)
  assert rows["loan_id"].is_unique
  assert rows["term_months"].equals(loans["term_months"])
