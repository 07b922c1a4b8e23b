import pandas as pd


def make_loans(*ids, **changed):
	"""Loans of 36 months that pay 100 a month for 3,000."""
	given = {
		"loan_id": list(ids),
		"term_months": 36.0,
		"instalment": 100.0,
		"interest_rate_pct": 12.0,
		"annual_income": 50_000.0,
		"funded_principal": 3_000.0,
		"origin": "real",
	}
	return pd.DataFrame(given | changed)


def make_months(loan_id, first="2016-01", /, count=None, missing=(), **columns):
	"""Months of a loan from the first on; of each column one value a month, or one for all."""
	lengths = [len(values) for values in columns.values() if isinstance(values, list)]
	count = count or max(lengths, default=1)
	given = {
		"outstanding_balance": 2_000.0,
		"days_past_due": 0.0,
		"payment": 100.0,
		"current_dti_pct": 20.0,
		"current_utilisation_pct": 50.0,
		"origin": "real",
	}
	months = pd.date_range(first, periods=count, freq="MS").astype("datetime64[s]")
	rows = pd.DataFrame({"month": months, "months_on_book": range(1, count + 1)})
	rows = rows.assign(loan_id=loan_id, updated_at=months, **(given | columns))
	return rows[~rows["months_on_book"].isin(missing)].reset_index(drop=True)
