"""SIMULATED loans in the form of the public Lending Club export: 151 columns, notes around them.

python -m tools.benchmarks.lending_club_file --rows 1000000 --to export.csv
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render, split_address
from loantap.simulator import AS_OF_MONTH, iter_book

_COLUMNS: Final = """
id member_id loan_amnt funded_amnt funded_amnt_inv term int_rate installment grade sub_grade emp_title emp_length
home_ownership annual_inc verification_status issue_d loan_status pymnt_plan url desc purpose title zip_code addr_state
dti delinq_2yrs earliest_cr_line fico_range_low fico_range_high inq_last_6mths mths_since_last_delinq
mths_since_last_record open_acc pub_rec revol_bal revol_util total_acc initial_list_status out_prncp out_prncp_inv
total_pymnt total_pymnt_inv total_rec_prncp total_rec_int total_rec_late_fee recoveries collection_recovery_fee
last_pymnt_d last_pymnt_amnt next_pymnt_d last_credit_pull_d last_fico_range_high last_fico_range_low
collections_12_mths_ex_med mths_since_last_major_derog policy_code application_type annual_inc_joint dti_joint
verification_status_joint acc_now_delinq tot_coll_amt tot_cur_bal open_acc_6m open_act_il open_il_12m open_il_24m
mths_since_rcnt_il total_bal_il il_util open_rv_12m open_rv_24m max_bal_bc all_util total_rev_hi_lim inq_fi total_cu_tl
inq_last_12m acc_open_past_24mths avg_cur_bal bc_open_to_buy bc_util chargeoff_within_12_mths delinq_amnt
mo_sin_old_il_acct mo_sin_old_rev_tl_op mo_sin_rcnt_rev_tl_op mo_sin_rcnt_tl mort_acc mths_since_recent_bc
mths_since_recent_bc_dlq mths_since_recent_inq mths_since_recent_revol_delinq num_accts_ever_120_pd num_actv_bc_tl
num_actv_rev_tl num_bc_sats num_bc_tl num_il_tl num_op_rev_tl num_rev_accts num_rev_tl_bal_gt_0 num_sats
num_tl_120dpd_2m num_tl_30dpd num_tl_90g_dpd_24m num_tl_op_past_12m pct_tl_nvr_dlq percent_bc_gt_75
pub_rec_bankruptcies tax_liens tot_hi_cred_lim total_bal_ex_mort total_bc_limit total_il_high_credit_limit
revol_bal_joint sec_app_fico_range_low sec_app_fico_range_high sec_app_earliest_cr_line sec_app_inq_last_6mths
sec_app_mort_acc sec_app_open_acc sec_app_revol_util sec_app_open_act_il sec_app_num_rev_accts
sec_app_chargeoff_within_12_mths sec_app_collections_12_mths_ex_med sec_app_mths_since_last_major_derog hardship_flag
hardship_type hardship_reason hardship_status deferral_term hardship_amount hardship_start_date hardship_end_date
payment_plan_start_date hardship_length hardship_dpd hardship_loan_status orig_projected_additional_accrued_interest
hardship_payoff_balance_amount hardship_last_payment_amount disbursement_method debt_settlement_flag
debt_settlement_flag_date settlement_status settlement_date settlement_amount settlement_percentage settlement_term
""".split()
# From here on, and up to what the second applicant adds, all loans have numbers.
_FILLED: Final = slice(_COLUMNS.index("acc_now_delinq"), _COLUMNS.index("revol_bal_joint"))
_ABOVE: Final = "Notes offered by Prospectus (https://www.lendingclub.com/info/prospectus.action)\n"
_BELOW: Final = "\nTotal amount funded in policy code 1: 1\nTotal amount funded in policy code 2: 0\n"
# Resolved loans of a book, of which about 1.2 times as many run.
_RESOLVED: Final = 0.47


def write_export(path: Path, rows: int, seed: int = 42) -> None:
    """Write that many loans, resolved and running ones as of March 2017."""
    with path.open("wb") as file:
        file.write(_ABOVE.encode())
        schema = pa.schema([pa.field(name, pa.string()) for name in _COLUMNS])
        options = csv.WriteOptions(quoting_style="all_valid")
        with csv.CSVWriter(file, schema, write_options=options) as writer:
            for frame in _iter_frames(rows, seed):
                writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))
        file.write(_BELOW.encode())


def _iter_frames(rows: int, seed: int) -> Iterator[pd.DataFrame]:
    written = 0
    for book in iter_book(max(int(rows * _RESOLVED), 1_000), seed, AS_OF_MONTH):
        frame = to_lending_club(book.portfolio.head(rows - written), written)
        written += len(frame)
        yield frame
        if written == rows:
            return


def to_lending_club(portfolio: pd.DataFrame, first: int = 0) -> pd.DataFrame:
    """Typed loans in Lending Club's columns, all as text; ids count on from `first`."""
    loantap = render(portfolio, portfolio_columns()).drop(columns="address")
    place = split_address(portfolio["address"])
    is_joint = portfolio["application_type"].eq("JOINT")
    own = {
        "id": pd.Series(np.arange(first, first + len(portfolio)) + 1_000_000, index=portfolio.index),
        "int_rate": portfolio["interest_rate_pct"].map("{:.2f}%".format),
        "revol_util": portfolio["revolving_utilisation_pct"].map("{:.1f}%".format, na_action="ignore"),
        "zip_code": place["pincode"].str[:3] + "xx",
        "addr_state": place["state"],
        "application_type": is_joint.map({True: "Joint App", False: "Individual"}),
        # The first borrower's income is half of what both earn.
        "annual_inc": portfolio["annual_income"].where(~is_joint, portfolio["annual_income"] / 2),
        "annual_inc_joint": portfolio["annual_income"].where(is_joint),
        "dti": portfolio["dti_pct"].where(~is_joint),
        "dti_joint": portfolio["dti_pct"].where(is_joint),
        "funded_amnt": portfolio["loan_amount"],
    }
    given = {name: loantap[name] for name in loantap} | own
    nothing = pd.Series(None, index=portfolio.index, dtype="str")
    filling = dict.fromkeys(_COLUMNS[_FILLED], pd.Series("0.0", index=portfolio.index, dtype="str"))
    return pd.DataFrame({name: given.get(name, filling.get(name, nothing)) for name in _COLUMNS}).astype("str")


def main() -> None:
    """Write an export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    write_export(given.to, given.rows)


if __name__ == "__main__":
    main()
