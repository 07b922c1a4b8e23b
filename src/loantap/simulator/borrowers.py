"""Borrowers and loan terms: the numbers and categories of a simulated portfolio.

A Gaussian copula (Nelsen, *An Introduction to Copulas*) ties them together: normal scores,
correlated by `correlation_matrix`, become columns by the quantiles and shares of `calibration`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from loantap.portfolio.amortisation import emi
from loantap.portfolio.arrays import FloatArray, MonthArray, TextArray
from loantap.portfolio.products import read_products
from loantap.simulator import calibration as known
from loantap.simulator.streams import Streams

# Of the standard normal scores, each column with those above it. Fitted so that the Spearman correlations of simulated
# loans, after rounding, caps and missing values, are those of the sample, whose standard error is about 0.014.
_LOWER_TRIANGLE: dict[str, tuple[float, ...]] = {
	"issue_month": (),
	"sub_grade": (0.11,),
	"term_months": (0.08, 0.61),
	"loan_amount": (0.10, 0.17, 0.71),
	"annual_income": (0.08, -0.08, 0.26, 0.50),
	"dti_pct": (0.12, 0.18, 0.11, 0.06, -0.22),
	"open_accounts": (0.06, 0.01, 0.13, 0.21, 0.25, 0.36),
	"total_accounts": (0.06, -0.05, 0.16, 0.24, 0.35, 0.26, 0.69),
	"revolving_balance": (-0.04, 0.02, 0.29, 0.48, 0.41, 0.27, 0.39, 0.32),
	"revolving_utilisation_pct": (-0.11, 0.32, 0.15, 0.11, 0.06, 0.19, -0.15, -0.11, 0.47),
	"mortgage_accounts": (0.03, -0.10, 0.22, 0.26, 0.42, -0.02, 0.18, 0.47, 0.30, 0.05),
	"credit_history_years": (0.07, -0.10, 0.11, 0.19, 0.29, 0.04, 0.18, 0.37, 0.28, 0.01, 0.42),
	"public_records": (0.22, 0.15, -0.14, -0.19, -0.09, -0.08, -0.04, 0.01, -0.37, -0.17, 0.02, 0.13),
	"employment_years": (0.04, -0.01, 0.06, 0.09, 0.16, 0.04, 0.05, 0.14, 0.13, 0.03, 0.30, 0.29, 0.12),
	"home_ownership": (0.01, -0.10, 0.20, 0.22, 0.31, 0.02, 0.19, 0.32, 0.26, 0.05, 0.78, 0.28, -0.01, 0.31),
}

SCORES = tuple(_LOWER_TRIANGLE)


def score_correlations() -> npt.NDArray[np.float64]:
	"""Correlation matrix of the scores, in the order of `SCORES`: symmetric, positive definite."""
	matrix = np.eye(len(SCORES))
	for row, correlations in enumerate(_LOWER_TRIANGLE.values()):
		matrix[row, :row] = correlations
		matrix[:row, row] = correlations
	return matrix


Numbers = dict[str, FloatArray]

# Their quantiles are interpolated on a logarithmic scale.
LOG_SCALED = frozenset({"annual_income", "revolving_balance"})
STEPS_PER_GRADE = 5
# Loans of LoanTap are simulated, whatever else is sold.
LOANTAP = read_products()
GRADES, SUB_GRADES = tuple(LOANTAP.grades), LOANTAP.sub_grades


def draw_scores(streams: Streams, loans: int, issued: FloatArray | None = None) -> Numbers:
	"""Draw the correlated standard normal scores, one array per name; given those of the issue month, if there."""
	draws = [streams.open(f"score {name}").standard_normal(loans) for name in SCORES]
	if issued is not None:
		# The factor below is triangular: the first score is its own draw.
		draws[SCORES.index("issue_month")] = issued
	mixed = np.linalg.cholesky(score_correlations()) @ np.vstack(draws)
	return dict(zip(SCORES, mixed, strict=True))


def choose(rng: np.random.Generator, shares: Mapping[str, float], loans: int) -> TextArray:
	"""Draw `loans` names with the given shares, which need not add up to one."""
	places = share_places(rng.random(loans), list(shares.values()))
	return np.array(list(shares), dtype=object)[places]


def share_places(levels: FloatArray, shares: Sequence[float] | FloatArray) -> npt.NDArray[np.intp]:
	"""Place (0, 1, ...) at which each level in 0..1 lies among the cumulated shares."""
	edges = np.cumsum(shares) / np.sum(shares)
	return np.minimum(np.searchsorted(edges, levels, side="right"), len(shares) - 1)


def value_at(name: str, score: FloatArray) -> FloatArray:
	"""Value of the quantitative column `name` at each standard normal score."""
	quantiles = np.asarray(known.QUANTILES[name], dtype=float)
	is_log_scaled = name in LOG_SCALED
	if is_log_scaled:
		quantiles = np.log1p(quantiles)
	values: FloatArray = np.interp(ndtr(score), known.QUANTILE_LEVELS, quantiles)
	return np.expm1(values) if is_log_scaled else values


def round_like_applicants(
	values: FloatArray, rng: np.random.Generator, steps: Sequence[float], shares: Sequence[float]
) -> FloatArray:
	"""Round each value to a multiple of a step drawn for it: people state round figures."""
	step = np.asarray(steps)[share_places(rng.random(len(values)), shares)]
	# A step larger than the value would round it away.
	step = np.where(step > values, steps[-1], step)
	rounded: FloatArray = np.maximum(np.rint(values / step), 1) * step
	return rounded


def issue_months(score: FloatArray) -> MonthArray:
	"""Month of issue, even within a quarter, by the loans per quarter."""
	edges = np.concatenate([[0], np.cumsum(known.LOANS_PER_QUARTER)])
	months = np.interp(ndtr(score), edges / edges[-1], 3 * np.arange(len(edges)))
	whole = np.minimum(months, 3 * len(known.LOANS_PER_QUARTER) - 1).astype(int)
	issued: MonthArray = np.datetime64(known.FIRST_QUARTER, "M") + whole
	return issued


def loan_terms(scores: Numbers, income: FloatArray, issued: MonthArray, streams: Streams) -> Numbers:
	"""Amount, term, grade step (0 is A1), rate and instalment of each loan.

	Amounts are multiples of 25; rates depend on sub-grade and month alone; the instalment is the
	EMI in cents, less for a part-funded loan of the early years.
	"""
	loans = len(income)
	step = share_places(ndtr(scores["sub_grade"]), known.SUB_GRADE_SHARES).astype(float)
	wish = scores["term_months"] - known.LARGE_LOAN_TERM_SLOPE * np.maximum(
		scores["loan_amount"] - known.LARGE_LOAN_SCORE, 0
	)
	threshold = ndtri(1 - known.SHARE_60_MONTHS)
	long_term = (wish > threshold) & (issued >= known.FIRST_60_MONTH_LOANS)
	term = np.where(long_term, 60.0, 36.0)
	amount = round_like_applicants(
		value_at("loan_amount", scores["loan_amount"]),
		streams.open("loan amount"),
		known.AMOUNT_STEPS,
		known.AMOUNT_STEP_SHARES,
	)
	affordable = np.floor(known.MAX_LOAN_TO_INCOME * income / known.AMOUNT_STEPS[-1])
	amount = np.minimum(amount, affordable * known.AMOUNT_STEPS[-1])
	amount = np.clip(amount, *known.LOAN_AMOUNT_RANGE)
	rate = interest_rates(step, issued)
	funded = streams.open("part-funded share").uniform(*known.PART_FUNDED_RANGE, loans)
	is_part = streams.open("part-funded").random(loans) < known.PART_FUNDED_SHARE
	funded = np.where(is_part & (issued <= known.LAST_PART_FUNDED), funded, 1.0)
	return {
		"loan_amount": amount,
		"term_months": term,
		"grade_step": step,
		"interest_rate_pct": rate,
		"instalment": np.round(emi(amount * funded, rate, term), 2),
	}


def interest_rates(step: FloatArray, issued: MonthArray) -> FloatArray:
	"""Rate in percent per year of each grade step (0 is A1) in its month of issue."""
	year = 1970 + (issued.astype("datetime64[M]").astype(int) + 0.5) / 12
	middles = np.asarray(known.RATE_SHIFT_YEARS) + 0.5
	grade = (step // STEPS_PER_GRADE).astype(int)
	shift = np.zeros(len(step))
	for place, name in enumerate(GRADES):
		mine = grade == place
		shift[mine] = np.interp(year[mine], middles, known.RATE_SHIFTS[name])
	rate: FloatArray = np.asarray(known.SUB_GRADE_RATES)[step.astype(int)] + shift
	return np.round(rate.clip(*known.RATE_RANGE), 2)


def incomes(score: FloatArray, streams: Streams) -> FloatArray:
	"""Yearly income as stated: log-normal, with a heavier tail, mostly round."""
	return round_like_applicants(
		value_at("annual_income", score), streams.open("annual income"), known.INCOME_STEPS, known.INCOME_STEP_SHARES
	)


def bureau_numbers(scores: Numbers, issued: MonthArray, streams: Streams) -> Numbers:
	"""Bureau columns: DTI, accounts, history, records, balance, utilisation, mortgages.

	Missing as published: mortgages up to March 2012, first bankruptcies, a few utilisations. Bankruptcies never exceed
	public records, nor open accounts all accounts.
	"""
	loans = len(issued)
	dti = np.round(value_at("dti_pct", scores["dti_pct"]), 2)
	without_income = streams.open("dti").random(loans) < 1 / known.PUBLISHED_ROWS
	open_accounts = np.maximum(np.rint(value_at("open_accounts", scores["open_accounts"])), 1)
	total = np.rint(value_at("total_accounts", scores["total_accounts"]))
	records = share_places(ndtr(scores["public_records"]), known.PUBLIC_RECORD_SHARES)
	mortgages = share_places(ndtr(scores["mortgage_accounts"]), known.MORTGAGE_SHARES)
	draw = streams.open("mortgage accounts missing").random(loans)
	collected = (issued > known.LAST_WITHOUT_MORTGAGES) | ((issued == known.LAST_WITHOUT_MORTGAGES) & (draw > 0.8))
	utilisation = np.round(value_at("revolving_utilisation_pct", scores["revolving_utilisation_pct"]), 1)
	no_revolving = streams.open("utilisation missing").random(loans) < known.UTILISATION_MISSING
	balance = np.rint(value_at("revolving_balance", scores["revolving_balance"]))
	history = value_at("credit_history_months", scores["credit_history_years"])
	return {
		"dti_pct": np.where(without_income, known.HIGHEST_DTI, dti),
		"open_accounts": open_accounts,
		"total_accounts": np.maximum(total, open_accounts),
		"public_records": records.astype(float),
		"bankruptcies": np.where(issued < known.FIRST_BANKRUPTCIES, np.nan, bankruptcies(records, streams)),
		"mortgage_accounts": np.where(collected, mortgages, np.nan),
		"revolving_utilisation_pct": np.where(no_revolving, np.nan, utilisation),
		# No revolving limit: neither utilisation nor balance.
		"revolving_balance": np.where(no_revolving, 0, balance),
		"credit_history_months": np.rint(history),
	}


def bankruptcies(records: npt.NDArray[np.intp], streams: Streams) -> FloatArray:
	"""Bankruptcies among each borrower's public records."""
	level = streams.open("bankruptcies").random(len(records))
	found = np.zeros(len(records))
	most = len(known.BANKRUPTCY_SHARES)
	for count, shares in enumerate(known.BANKRUPTCY_SHARES, start=1):
		mine = np.minimum(records, most) == count
		found[mine] = share_places(level[mine], shares)
	return found


def employment_years(score: FloatArray, streams: Streams) -> FloatArray:
	"""Years in employment, 0 (under one) to 10 (ten or more); missing as published."""
	years = share_places(ndtr(score), known.EMPLOYMENT_YEARS_SHARES).astype(float)
	missing = streams.open("employment missing").random(len(years)) < known.EMPLOYMENT_MISSING
	return np.where(missing, np.nan, years)


def home_ownership(score: FloatArray, streams: Streams) -> TextArray:
	"""Housing situation; a few rare answers take the place of RENT."""
	names = np.array(list(known.HOME_OWNERSHIP_SHARES), dtype=object)
	home = names[share_places(ndtr(score), list(known.HOME_OWNERSHIP_SHARES.values()))]
	rare = {"RENT": 1 - sum(known.RARE_HOME_OWNERSHIP.values()), **known.RARE_HOME_OWNERSHIP}
	return np.where(home == "RENT", choose(streams.open("rare homes"), rare, len(home)), home)


def categories(scores: Numbers, step: FloatArray, issued: MonthArray, streams: Streams) -> dict[str, TextArray]:
	"""Grade, sub-grade, verification, purpose, listing and type of application of each loan."""
	loans = len(step)
	grade = (step // STEPS_PER_GRADE).astype(int)
	shares = np.array([known.VERIFICATION_SHARES[name] for name in GRADES])
	level = streams.open("verification").random(loans)
	verified = (level[:, None] > np.cumsum(shares, axis=1)[grade, :-1]).sum(axis=1)
	year = issued.astype("datetime64[Y]").astype(int) + 1970
	whole = np.array([known.WHOLE_LISTING_SHARES[y] for y in known.RATE_SHIFT_YEARS])
	is_whole = streams.open("listing").random(loans) < whole[year - known.RATE_SHIFT_YEARS[0]]
	kind = choose(streams.open("application type"), known.APPLICATION_SHARES, loans)
	return {
		"grade": np.array(GRADES, dtype=object)[grade],
		"sub_grade": np.array(SUB_GRADES, dtype=object)[step.astype(int)],
		"income_verification": np.array(known.VERIFICATIONS, dtype=object)[verified],
		"purpose": purposes(scores["sub_grade"], streams),
		"listing_status": np.where(is_whole, "w", "f").astype(object),
		"application_type": np.where(issued >= known.FIRST_JOINT, kind, "INDIVIDUAL"),
	}


def purposes(grade_score: FloatArray, streams: Streams) -> TextArray:
	"""Purpose of each loan: shares tilted by the score of its sub-grade."""
	share, tilt = np.array(list(known.PURPOSES.values())).T
	# exp(t z - t2/2) has a mean of one over a standard normal z: shares stay.
	weights = share * np.exp(np.outer(grade_score, tilt) - tilt**2 / 2)
	edges = np.cumsum(weights, axis=1)
	level = streams.open("purpose").random(len(grade_score)) * edges[:, -1]
	place = (level[:, None] >= edges[:, :-1]).sum(axis=1)
	chosen: TextArray = np.array(list(known.PURPOSES), dtype=object)[place]
	return chosen
