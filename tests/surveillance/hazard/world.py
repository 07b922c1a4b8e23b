import numpy as np
import pandas as pd

from loantap.surveillance.hazard.design import FEATURES
from loantap.surveillance.options import HazardOptions

DEFAULTS, PAYMENTS = 0.02, 0.03
START = pd.Timestamp("2015-01-01")
OPTIONS = HazardOptions(
	seed=3, max_landmarks=6_000, calibration_share=0.2, test_share=0.2, inverse_penalty=1.0, min_events=20, resamples=200
)


def month_after(months):
	return pd.Series(
		[pd.NaT if np.isnan(m) else START + pd.DateOffset(months=int(m)) for m in months], dtype="datetime64[s]"
	)


def make_panel(loan_ids, months, **changed):
	"""A panel of loans of 60 months, all alike but for what is changed."""
	months = np.asarray(months, dtype=float)
	given = dict.fromkeys(FEATURES, 0.0) | {
		"annual_income": 50_000.0,
		"instalment": 100.0,
		"interest_rate_pct": 12.0,
		"term_months": 60.0,
		"days_past_due": 0.0,
		"months_on_book": months,
		"remaining_months": 60.0 - months,
		"origin": "simulated",
	}
	frame = pd.DataFrame({"loan_id": np.asarray(loan_ids), "month": month_after(months)})
	return frame.assign(**(given | changed))


def make_outcomes(loan_ids, default, paid, last):
	return pd.DataFrame(
		{
			"loan_id": np.asarray(loan_ids),
			"default_month": month_after(default),
			"prepaid_month": month_after(paid),
			"paid_month": month_after(paid),
			"last_month": month_after(last),
			"contradiction": pd.Series(np.nan, dtype="str"),
		}
	)


def simulate(loans, seed, seen=48):
	"""Panel and outcomes; loans whose `dti_change_3m` is 10 default three times as often."""
	rng = np.random.default_rng(seed)
	is_raised = rng.random(loans) < 0.5
	default = rng.geometric(np.where(is_raised, 1.5, 0.5) * DEFAULTS)
	paid = rng.geometric(PAYMENTS, loans)
	end = np.minimum(default, paid)
	last = np.minimum(end, seen)
	ids = np.array([f"loan-{number:05d}" for number in range(loans)])
	outcomes = make_outcomes(
		ids,
		np.where((default <= paid) & (default <= seen), default, np.nan),
		np.where((paid < default) & (paid <= seen), paid, np.nan),
		last,
	)
	# The month of a default is still in the panel, 90 days past due; that of a payment is not.
	alive = np.where((default <= paid) & (default <= seen), last, np.minimum(last, end - 1))
	of_loan = np.repeat(np.arange(loans), alive)
	month = np.arange(len(of_loan)) - np.repeat(np.cumsum(alive) - alive, alive) + 1
	days = np.where(month == default[of_loan], 90.0, 0.0)
	raised = np.where(is_raised[of_loan], 10.0, 0.0)
	panel = make_panel(ids[of_loan], month, days_past_due=days, dti_change_3m=raised)
	return panel, outcomes


def cumulate(default, paid, months):
	stays = 1 - default - paid
	return default * (1 - stays**months) / (1 - stays)
