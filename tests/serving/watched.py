"""A made-up watch-list with plans, as the pipeline `early_warning` leaves both files."""

from pathlib import Path
from typing import Any

import pandas as pd

MONTH = pd.Timestamp("2017-03-01").as_unit("s")
NOTHING = float("nan")
# By rank: loan, queue, level, action of the plan, its terms.
LOANS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("L-1", "restructuring", "critical", "step_up", {
        "emi_new": 250.0, "emi_later": 430.0, "step_months": 12.0, "months_left_new": 40}),
    ("L-2", "restructuring", "serious", "term_extension", {"emi_new": 331.5, "months_left_new": 40, "dti_new": 36.0}),
    ("L-3", "reminders", "watch", "reminder", {}),
    ("L-4", "recoveries", "critical", "none", {}),
    ("L-5", "reminders", "watch", "due_date_shift", {"shift_days": 9}),
)  # fmt: skip


def make_watchlist(origin: str = "simulated", month: pd.Timestamp = MONTH) -> pd.DataFrame:
    rows = []
    for rank, (loan_id, queue, level, _, _) in enumerate(LOANS, 1):
        numbers = {"days_past_due": 12.0, "outstanding_balance": 9_000.0, "pd_12m": 0.31}
        losses = {"expected_loss": 1_953.0, "expected_loss_avoidable": 640.0 - rank}
        trends = {"trend_utilisation": "40 nan 61.5", "trend_dti": "30 31 33", "trend_dpd": "0 0 12"}
        rows.append(
            {
                "loan_id": loan_id, "as_of_month": month, "rank": rank, "queue": queue, "level": level,
                "reason": f"Reason {rank}.", "triggers": "arrears", "sma": "SMA-0", **numbers, **losses,
                "first_seen": pd.Timestamp("2017-01-01"), "escalated_in": month if level == "critical" else pd.NaT,
                **trends, "origin": origin, "events_origin": origin,
            }
        )  # fmt: skip
    months = dict.fromkeys(("as_of_month", "first_seen", "escalated_in"), "datetime64[s]")
    return pd.DataFrame(rows).astype(months)


def make_plans(origin: str = "simulated", month: pd.Timestamp = MONTH) -> pd.DataFrame:
    nothing = {"emi_new": NOTHING, "emi_later": NOTHING, "step_months": NOTHING, "dti_new": NOTHING}
    same = {"emi_now": 412.0, "months_left": 28, "months_left_new": 28, "shift_days": 0, "dti_now": 44.0}
    rows = [
        {"loan_id": loan_id, "as_of_month": month, "action": action, "why": f"Why {action}.",
         **same, **nothing, **terms,
         "cost": 210.0, "loss_avoided": 640.0, "net_benefit": 430.0, "origin": origin, "events_origin": origin}
        for loan_id, _, _, action, terms in LOANS
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"as_of_month": "datetime64[s]"})


def write_watchlist(folder: Path, origin: str = "simulated") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    make_watchlist(origin).to_parquet(folder / "watchlist.parquet")
    make_plans(origin).to_parquet(folder / "help_plans.parquet")
