import numpy as np
import pandas as pd

from loantap.policy.options import FindingsOptions, InsightsOptions
from tests.policy.shipped import read_shipped

TITLES = ("Teacher", "Office Manager", "Truck Driver", "Nurse", "Welder", "Pilot", "Sales")


def make_insights_options():
	return InsightsOptions.model_validate(read_shipped("insights", as_of="2026-11-23"))


def make_options(**changed):
	shipped = make_insights_options().findings.model_dump()
	return FindingsOptions.model_validate(shipped | changed)


def draw_loans(loans, seed):
	"""Facts have nothing to do with each other; nobody is charged off."""
	rng = np.random.default_rng(seed)
	grades = rng.choice(list("ABCD"), loans, p=[0.2, 0.3, 0.3, 0.2])
	rank = np.array(["ABCD".index(grade) for grade in grades])
	months = rng.integers(0, 72, loans)
	return pd.DataFrame(
		{
			"loan_id": [f"loan-{number}" for number in range(loans)],
			"loan_amount": rng.uniform(2_000, 35_000, loans).round(),
			"purpose": rng.choice(["car", "medical", "wedding", "debt_consolidation"], loans, p=[0.1, 0.1, 0.1, 0.7]),
			"annual_income": rng.lognormal(11, 0.5, loans).round(),
			"dti_pct": rng.uniform(0, 35, loans).round(2),
			"revolving_utilisation_pct": rng.uniform(0, 99, loans).round(1),
			"home_ownership": rng.choice(["RENT", "OWN", "MORTGAGE"], loans, p=[0.4, 0.1, 0.5]),
			"profession": rng.choice(TITLES, loans),
			"grade": grades,
			"interest_rate_pct": (7 + 4 * rank + rng.uniform(0, 3, loans)).round(2),
			"term_months": rng.choice([36.0, 60.0], loans, p=[0.75, 0.25]),
			"income_verification": rng.choice(["Verified", "Not Verified"], loans),
			"issue_month": pd.Timestamp("2011-01-01").to_period("M") + months,
			"pincode": rng.choice(["11650", "48052", "22690"], loans),
			"state": rng.choice(["OK", "TX", "AE", "NV"], loans),
			"is_charged_off": np.zeros(loans, dtype="int8"),
		}
	).assign(issue_month=lambda table: pd.PeriodIndex(table["issue_month"]).to_timestamp())


def settle(loans, log_odds, seed):
	drawn = np.random.default_rng([seed, 1]).random(len(loans)) < 1 / (1 + np.exp(-log_odds))
	return loans.assign(is_charged_off=drawn.astype("int8"))


def make_profits(loans):
	bad = loans["is_charged_off"] == 1
	profit = loans["loan_amount"] * np.where(bad, -0.5, 0.1)
	return pd.DataFrame(
		{
			"loan_id": loans["loan_id"],
			"principal": loans["loan_amount"],
			"npv_mid_contractual": profit,
			"npv_mid_capped": profit * 0.8,
		}
	)
