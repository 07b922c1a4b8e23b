import numpy as np
import pandas as pd

from loantap.portfolio.dictionary import GRADES, PURPOSES


def make_loans(size, seed):
	rng = np.random.default_rng(seed)
	grade = rng.integers(0, len(GRADES), size)
	return pd.DataFrame(
		{
			"loan_id": [f"{seed}-{number}" for number in range(size)],
			"loan_amount": rng.uniform(2_000, 35_000, size).round(-2),
			"term_months": rng.choice([36.0, 60.0], size),
			"interest_rate_pct": 6 + 3 * grade + rng.uniform(0, 3, size),
			"instalment": rng.uniform(100, 900, size),
			"grade": np.array(GRADES)[grade],
			"sub_grade": [f"{GRADES[place]}{step}" for place, step in zip(grade, rng.integers(1, 6, size), strict=True)],
			"issue_month": pd.to_datetime(rng.choice(["2012-01-01", "2014-06-01"], size)),
			"annual_income": rng.lognormal(11, 0.5, size),
			"employment_years": rng.integers(0, 11, size).astype(float),
			"purpose": rng.choice(PURPOSES[:5], size),
			"dti_pct": rng.uniform(0, 40, size),
			"open_accounts": rng.poisson(11, size).astype(float),
			"public_records": rng.poisson(0.2, size).astype(float),
			"revolving_balance": rng.lognormal(9, 1, size),
			"revolving_utilisation_pct": rng.uniform(0, 100, size),
			"total_accounts": rng.poisson(25, size).astype(float),
			"bankruptcies": rng.poisson(0.1, size).astype(float),
			"is_charged_off": rng.binomial(1, 0.2, size),
		}
	)


def make_predictions(loans, seed=0, late=100):
	"""PDs of all loans, nine in ten in cross-validation, and once more out of time of the first."""
	rng = np.random.default_rng(seed)
	samples = np.where(np.arange(len(loans)) % 10 == 0, "test", "cv")
	ids = loans["loan_id"]
	return pd.DataFrame(
		{
			"loan_id": pd.concat([ids, ids[:late]], ignore_index=True),
			"sample": [*samples, *["out_of_time"] * late],
			"probability_of_default": rng.uniform(0.02, 0.5, len(loans) + late),
		}
	)
