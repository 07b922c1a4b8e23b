"""Loan arithmetic: instalment (EMI), implied principal and scheduled balance.

Level payments, compounded monthly at a twelfth of the yearly rate (Brealey, Myers and Allen,
*Principles of Corporate Finance*, annuities). Scalars or arrays of one shape; exact at rate zero.
"""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.arrays import FloatArray

Numbers = npt.ArrayLike | pd.Series

MONTHS_PER_YEAR = 12
# Of an instalment, in currency: lenders round it.
_TOLERANCE = 0.05


def monthly_rate(rate_pct: Numbers) -> FloatArray:
	"""Monthly rate as a fraction, from a nominal yearly rate in percent.

	>>> float(monthly_rate(12))
	0.01
	"""
	return np.asarray(rate_pct, dtype=float) / (100 * MONTHS_PER_YEAR)


def annuity_factor(rate_pct: Numbers, months: Numbers) -> FloatArray:
	"""Present value of one unit paid at the end of each month; `rate_pct` is per year."""
	rate = monthly_rate(rate_pct)
	count = np.asarray(months, dtype=float)
	# expm1/log1p keep small rates exact.
	discount = -np.expm1(-count * np.log1p(rate))
	with np.errstate(invalid="ignore"):
		return np.where(rate == 0, count, discount / rate)


def emi(principal: Numbers, rate_pct: Numbers, term_months: Numbers) -> FloatArray:
	"""Equated monthly instalment, in the currency of `principal` per month (not rounded)."""
	return np.asarray(principal, dtype=float) / annuity_factor(rate_pct, term_months)


def emi_of_one(principal: float, rate_pct: float, term_months: float) -> float:
	"""The same of one loan, without what arrays cost; NaN where an argument is NaN."""
	rate = rate_pct / (100 * MONTHS_PER_YEAR)
	if rate == 0:
		return principal / term_months
	return principal * rate / -math.expm1(-term_months * math.log1p(rate))


def implied_principal(instalment: Numbers, rate_pct: Numbers, term_months: Numbers) -> FloatArray:
	"""Principal that `instalment` repays over the term: the amount in fact funded."""
	return np.asarray(instalment, dtype=float) * annuity_factor(rate_pct, term_months)


def months_to_repay(principal: Numbers, rate_pct: Numbers, instalment: Numbers) -> FloatArray:
	"""Months, whole or not, in which `instalment` repays the principal; infinite or NaN where it never does."""
	rate, paid = monthly_rate(rate_pct), np.asarray(instalment, dtype=float)
	with np.errstate(divide="ignore", invalid="ignore"):
		count = np.asarray(principal, dtype=float) / paid
		months = np.where(rate == 0, count, -np.log1p(-rate * count) / np.log1p(rate))
		return np.where(paid > 0, months, np.nan)


def scheduled_balance(principal: Numbers, rate_pct: Numbers, term_months: Numbers, months_paid: Numbers) -> FloatArray:
	"""Principal owed after `months_paid` instalments: the present value of those to come."""
	remaining = np.asarray(term_months, dtype=float) - np.asarray(months_paid)
	ahead = annuity_factor(rate_pct, np.maximum(remaining, 0))
	return emi(principal, rate_pct, term_months) * ahead


def list_instalment_exceptions(loans: pd.DataFrame) -> pd.DataFrame:
	"""Loans whose instalment is more than 5 cents off the EMI of amount, rate and term.

	One row each: `loan_id`, the terms, `emi`, `difference` (instalment less EMI), `funded_principal` that it implies.
	"""
	terms = (loans["interest_rate_pct"], loans["term_months"])
	expected = emi(loans["loan_amount"], *terms)
	difference = loans["instalment"].to_numpy() - expected
	columns = ["loan_id", "loan_amount", "interest_rate_pct", "term_months", "instalment"]
	report = loans[columns].assign(
		emi=expected, difference=difference, funded_principal=implied_principal(loans["instalment"], *terms)
	)
	return report[np.abs(difference) > _TOLERANCE].reset_index(drop=True)
