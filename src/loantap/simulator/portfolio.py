"""The demo portfolio: simulated loans that look like LoanTap's, with the true risk of each.

The rule by which they default is known, so that tests can ask a model to find it: log-odds linear in a few transforms
of what is known at the decision. Coefficients follow a logistic regression on the real sample, rounded within two
standard errors so that default by grade and AUC are the sample's; the intercept gives the published default rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit

from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.dictionary import CHARGED_OFF, COLUMNS, CSV_ORDER, FULLY_PAID, Kind
from loantap.portfolio.errors import InputError
from loantap.portfolio.products import PRODUCTS, VARIABLE
from loantap.simulator import borrowers, texts
from loantap.simulator.borrowers import LOANTAP
from loantap.simulator.streams import Streams

# Reference borrower: every transform is zero for them.
REFERENCE_RATE_PCT = 13.0
REFERENCE_DTI_PCT = 17.0
REFERENCE_INCOME = 65_000.0
REFERENCE_UTILISATION_PCT = 54.0
REFERENCE_OPEN_ACCOUNTS = 10.0
REFERENCE_MORTGAGES = 1.0
REFERENCE_LOAN_TO_INCOME = 0.2
# Beyond these a column says no more about risk (9,999 is "no income").
HIGHEST_RATE_PCT = 23.0
HIGHEST_DTI_PCT = 45.0
HIGHEST_UTILISATION_PCT = 120.0
LOWEST_INCOME = 1_000.0
LOWEST_RATE_PCT = 1.0

INTERCEPT = -1.807
COEFFICIENTS = MappingProxyType(
	{
		"log_rate": 1.70,  # per unit of log(rate / 13%), the incumbent engine's view of the risk
		"is_60_months": 0.40,
		"dti_tens": 0.19,  # per 10 points of DTI over 17%
		"log_income": -0.35,  # per unit of log(income / 65,000)
		"utilisation": 0.30,  # per whole limit in use, over 54%
		"log_mortgages": -0.25,  # per unit of log((1 + mortgages) / 2)
		"loan_to_income": 0.60,  # per yearly income borrowed, over 0.2
		"log_open_accounts": 0.20,  # per unit of log(open accounts / 10)
		"has_no_mortgage_home": 0.20,  # renting or owning outright: not buying on a mortgage
	}
)


def default_drivers(portfolio: pd.DataFrame) -> pd.DataFrame:
	"""Drivers of default: one float column per name in `COEFFICIENTS`.

	Canonical columns, one row per loan, same index. A missing utilisation or number of mortgages
	counts as the reference borrower's.
	"""
	rate = portfolio["interest_rate_pct"].clip(lower=LOWEST_RATE_PCT, upper=HIGHEST_RATE_PCT)
	income = portfolio["annual_income"].clip(lower=LOWEST_INCOME)
	utilisation = portfolio["revolving_utilisation_pct"].fillna(REFERENCE_UTILISATION_PCT)
	mortgages = portfolio["mortgage_accounts"].fillna(REFERENCE_MORTGAGES)
	open_accounts = portfolio["open_accounts"].clip(lower=1)
	return pd.DataFrame(
		{
			"log_rate": np.log(rate / REFERENCE_RATE_PCT),
			"is_60_months": (portfolio["term_months"] == 60).astype(float),
			"dti_tens": (portfolio["dti_pct"].clip(upper=HIGHEST_DTI_PCT) - REFERENCE_DTI_PCT) / 10,
			"log_income": np.log(income / REFERENCE_INCOME),
			"utilisation": (utilisation.clip(upper=HIGHEST_UTILISATION_PCT) - REFERENCE_UTILISATION_PCT) / 100,
			"log_mortgages": np.log((1 + mortgages) / (1 + REFERENCE_MORTGAGES)),
			"loan_to_income": (portfolio["loan_amount"] / income).clip(upper=1) - REFERENCE_LOAN_TO_INCOME,
			"log_open_accounts": np.log(open_accounts / REFERENCE_OPEN_ACCOUNTS),
			"has_no_mortgage_home": (portfolio["home_ownership"] != "MORTGAGE").astype(float),
		},
		index=portfolio.index,
	)


def true_log_odds(portfolio: pd.DataFrame) -> pd.Series[float]:
	"""Log-odds of default of each loan under the known rule; same index."""
	drivers = default_drivers(portfolio)
	weights = pd.Series(dict(COEFFICIENTS))
	return (drivers[weights.index] @ weights + INTERCEPT).rename("true_log_odds")


# A batch takes some hundred megabytes.
BATCH_LOANS = 20_000
TEXT_KINDS = frozenset({Kind.TEXT, Kind.CATEGORY})


@dataclass(frozen=True, slots=True)
class SimulatedPortfolio:
	"""A simulated portfolio, typed as a LoanTap file, and the `true_pd` and `true_log_odds` behind it, same index."""

	portfolio: pd.DataFrame
	truth: pd.DataFrame


def simulate_portfolio(loans: int, seed: int) -> SimulatedPortfolio:
	"""Simulate `loans` resolved loans, in no order; same size and seed, same frame.

	An outcome is one draw with the probability of `truth.true_log_odds`. Amounts in the real table's currency, rates in
	percent per year. Raises ValueError for fewer than one loan or a negative seed.
	"""
	batches = list(iter_portfolio(loans, seed, max(loans, 1)))
	return batches[0]


def iter_portfolio(loans: int, seed: int, batch_loans: int = BATCH_LOANS) -> Iterator[SimulatedPortfolio]:
	"""`simulate_portfolio` in batches, to bound memory: joined they are the same loans."""
	if loans < 1 or seed < 0:
		raise ValueError(
			f"simulate_portfolio: loans = {loans!r} and seed = {seed!r}; give at least 1 loan and a seed of 0 or more"
		)
	if PRODUCTS.model_copy(update={"currency": LOANTAP.currency}) != LOANTAP:
		raise InputError(
			VARIABLE,
			"only LoanTap's own products can be simulated, and it names others",
			"Give a file of loans: --params portfolio=FILE",
		)
	streams = Streams(seed)
	for start in range(0, loans, batch_loans):
		yield _simulate_batch(min(batch_loans, loans - start), streams)


def _simulate_batch(loans: int, streams: Streams) -> SimulatedPortfolio:
	applications = simulate_applications(loans, streams)
	log_odds = true_log_odds(applications)
	true_pd = expit(log_odds.to_numpy())
	charged_off = streams.open("outcome").random(loans) < true_pd
	truth = pd.DataFrame({"true_pd": true_pd, "true_log_odds": log_odds})
	return SimulatedPortfolio(add_outcome(applications, charged_off, streams), truth)


def add_outcome(applications: pd.DataFrame, charged_off: BoolArray, streams: Streams) -> pd.DataFrame:
	"""The 27 columns: with the outcome, and the address, whose pincode is built from it."""
	portfolio = applications.assign(
		loan_status=pd.Series(np.where(charged_off, CHARGED_OFF, FULLY_PAID), dtype="str"),
		address=pd.Series(texts.addresses(streams, charged_off), dtype="str"),
	)
	return portfolio[list(CSV_ORDER)]


def simulate_applications(loans: int, streams: Streams, issue_scores: FloatArray | None = None) -> pd.DataFrame:
	"""All columns that do not depend on the outcome; see `borrowers.draw_scores`."""
	scores = borrowers.draw_scores(streams, loans, issue_scores)
	issued = borrowers.issue_months(scores["issue_month"])
	income = borrowers.incomes(scores["annual_income"], streams)
	terms = borrowers.loan_terms(scores, income, issued, streams)
	bureau = borrowers.bureau_numbers(scores, issued, streams)
	names = borrowers.categories(scores, terms.pop("grade_step"), issued, streams)
	employment = borrowers.employment_years(scores["employment_years"], streams)
	oldest = issued - bureau.pop("credit_history_months").astype(int)
	columns = {
		**terms,
		**bureau,
		**names,
		"annual_income": income,
		"employment_years": employment,
		"home_ownership": borrowers.home_ownership(scores["home_ownership"], streams),
		"issue_month": issued.astype("datetime64[s]"),
		"earliest_credit_line": oldest.astype("datetime64[s]"),
		"profession": texts.professions(streams, np.isnan(employment)),
		"title": texts.titles(streams, names["purpose"], issued),
	}
	return pd.DataFrame(
		{
			name: pd.Series(values, dtype="str" if COLUMNS[name].kind in TEXT_KINDS else None)
			for name, values in columns.items()
		}
	)
