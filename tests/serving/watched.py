import json

import pandas as pd

MONTH = pd.Timestamp("2017-03-01")
_STEPS = {"emi_new": 250.0, "emi_later": 430.0, "step_months": 12.0, "months_left_new": 40}
# By rank: loan, queue, level, action of the plan.
LOANS = (
	("L-1", "restructuring", "critical", "step_up"),
	("L-2", "restructuring", "serious", "term_extension"),
	("L-3", "reminders", "watch", "reminder"),
	("L-4", "recoveries", "critical", "none"),
	("L-5", "reminders", "watch", "due_date_shift"),
)
_TERMS = {"L-1": _STEPS, "L-2": {"emi_new": 331.5, "months_left_new": 40, "dti_new": 36.0}, "L-5": {"shift_days": 9}}


def make_watchlist(origin="simulated"):
	rows = [
		{
			"loan_id": loan_id,
			"as_of_month": MONTH,
			"rank": rank,
			"queue": queue,
			"level": level,
			"reason": f"Reason {rank}.",
			"triggers": "arrears",
			"sma": "SMA-0",
			"days_past_due": 12.0,
			"outstanding_balance": 9_000.0,
			"pd_12m": 0.31,
			"expected_loss": 1_953.0,
			"expected_loss_avoidable": 640.0 - rank,
			"first_seen": pd.Timestamp("2017-01-01"),
			"escalated_in": MONTH if level == "critical" else pd.NaT,
			"trend_utilisation": "40 nan 61.5",
			"trend_dti": "30 31 33",
			"trend_dpd": "0 0 12",
			"origin": origin,
			"events_origin": origin,
		}
		for rank, (loan_id, queue, level, _) in enumerate(LOANS, 1)
	]
	return pd.DataFrame(rows).astype(dict.fromkeys(("as_of_month", "first_seen", "escalated_in"), "datetime64[s]"))


def make_plans(origin="simulated", month=MONTH):
	rows = [
		{
			"loan_id": loan_id,
			"as_of_month": month,
			"action": action,
			"why": f"Why {action}.",
			"emi_now": 412.0,
			**dict.fromkeys(("emi_new", "emi_later", "step_months"), float("nan")),
			"months_left": 28,
			"months_left_new": 28,
			"shift_days": 0,
			"dti_now": 44.0,
			"dti_new": float("nan"),
			"cost": 210.0,
			"loss_avoided": 640.0,
			"net_benefit": 430.0,
			"origin": origin,
			"events_origin": origin,
			**_TERMS.get(loan_id, {}),
		}
		for loan_id, _, _, action in LOANS
	]
	return pd.DataFrame(rows).astype({"as_of_month": "datetime64[s]"})


def write_watchlist(folder, origin="simulated"):
	folder.mkdir(parents=True, exist_ok=True)
	make_watchlist(origin).to_parquet(folder / "watchlist.parquet")
	make_plans(origin).to_parquet(folder / "help_plans.parquet")


def make_check(what, verdict="quiet", subject="dti_pct"):
	figures = {"value": 0.25, "low": 0.2, "high": 0.3, "limit": 0.1, "n": 2_000, "against_n": 18_000}
	return {"subject": subject, "what": what, "verdict": verdict, "words": f"the {subject} moved by {what}", **figures}


REPORT = {
	"as_of": "2026-11-30",
	"model": "loantap-lending-demo 4",
	"origin": "simulated",
	"window": {"first": "2026-11-01", "last": "2026-11-30"},
	"n": 2_000,
	"n_earlier": 7_000,
	"alarms": 2,
	"recommendation": {"action": "retrain", "words": "Train and compare", "reasons": []},
	"checks": [
		make_check("psi", "alarm"),
		make_check("mean", "alarm"),
		make_check("missing"),
		make_check("rows", subject="loans"),
	],
	"months": [
		{"month": month, "n": 9, "approve": 4, "refer": 1, "decline": 3, "invalid": 1, "mean_pd": 0.2}
		for month in ("2026-10", "2026-11")
	],
}


def write_monitoring(folder, content=None):
	folder.mkdir(parents=True, exist_ok=True)
	(folder / "monitoring.json").write_text(json.dumps(REPORT) if content is None else content)
