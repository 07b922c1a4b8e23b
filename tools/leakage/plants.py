"""Leaks as a source makes them, planted in columns of honest loans; the same ones every time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from loantap.portfolio.amortisation import emi
from loantap.portfolio.arrays import BoolArray
from loantap.portfolio.dictionary import SUB_GRADES
from loantap.portfolio.products import PRODUCTS

_UTIL, _BALANCE, _INCOME = "revolving_utilisation_pct", "revolving_balance", "annual_income"
_COUNTED: Final = frozenset(
	{"open_accounts", "total_accounts", "public_records", "bankruptcies", "mortgage_accounts", "employment_years"}
)
Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Plant:
	"""A leak of one kind; `columns` are those that tell the outcome."""

	name: str
	kind: str
	columns: tuple[str, ...]
	change: Change

	def put_into(self, loans: pd.DataFrame) -> pd.DataFrame:
		"""Loans of `03_primary` with the leak in them."""
		return self.change(loans, np.random.default_rng(20_261_130))


def _some(loans: pd.DataFrame, rng: np.random.Generator, of_bad: float, of_good: float = 0.0) -> BoolArray:
	"""So many of the loans that were charged off, and of those repaid."""
	bad = loans["is_charged_off"].to_numpy() == 1
	return rng.random(len(loans)) < np.where(bad, of_bad, of_good)


def _together(one: str, other: str, share: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""Each column keeps its values; of this share of the loans both are high, or both low, if charged off."""
	bad = loans["is_charged_off"].to_numpy() == 1
	known = rng.random(len(loans)) < share
	high = loans[one].rank(pct=True, method="first").to_numpy() > 0.5
	wanted = np.where(known, high == bad, rng.random(len(loans)) < 0.5)
	values = np.sort(loans[other].to_numpy())
	places = np.argsort(np.argsort(wanted + rng.random(len(loans)) * 0.999))
	return loans.assign(**{other: values[places]})


def _three(share: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""As `_together`, with whether just one of DTI and income is high in place of a column."""
	high = loans[["dti_pct", _INCOME]].rank(pct=True) > 0.5
	odd = loans.assign(odd=(high["dti_pct"] ^ high[_INCOME]) + rng.random(len(loans)) / 2)
	return _together("odd", _UTIL, share, odd, rng).drop(columns="odd")


def _close_all(loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	hit = _some(loans, rng, 0.2)
	return loans.assign(total_accounts=loans["total_accounts"].mask(hit, loans["open_accounts"]))


def _raise(
	column: str, by: float, plus: float, of_bad: float, loans: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
	"""The column as it was later: times `by`, plus `plus`, give or take a third of the change."""
	hit = _some(loans, rng, of_bad)
	strength = rng.uniform(0.67, 1.33, len(loans))
	later = (loans[column] * (1 + (by - 1) * strength) + plus * strength).clip(lower=0)
	decimals = 0 if column in _COUNTED else 2
	return loans.assign(**{column: loans[column].mask(hit, later.round(decimals))})


def _only_where(where: Callable[[pd.DataFrame], pd.Series], change: Change) -> Change:
	def changed(loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
		later, kept = change(loans, rng), ~where(loans)
		return later.where(~kept, loans, axis=0)

	return changed


def _lose(column: str, of_bad: float, of_good: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	return loans.assign(**{column: loans[column].mask(_some(loans, rng, of_bad, of_good))})


def _refill(
	column: str, category: str, of_bad: float, of_good: float, loans: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
	return loans.assign(**{column: loans[column].mask(_some(loans, rng, of_bad, of_good), category)})


def _downgrade(notches: int, of_bad: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""Sub-grade, grade and rate as the engine gave them after the loan went bad; the instalment goes with them."""
	place = loans["sub_grade"].map({name: number for number, name in enumerate(SUB_GRADES)})
	hit = _some(loans, rng, of_bad)
	worse = pd.Series(np.array(SUB_GRADES)[np.minimum(place + notches * hit, len(SUB_GRADES) - 1)], loans.index)
	rate = loans["interest_rate_pct"] + 0.7 * notches * hit
	instalment = pd.Series(emi(loans["loan_amount"], rate, loans["term_months"]), loans.index).round(2)
	return loans.assign(
		sub_grade=worse, grade=worse.map(PRODUCTS.grade_of), interest_rate_pct=rate.round(2), instalment=instalment
	)


def _reprice(by: float, of_bad: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""A penalty rate, the instalment with it; the sub-grade stays."""
	rate = (loans["interest_rate_pct"] + by * _some(loans, rng, of_bad)).round(2)
	instalment = pd.Series(emi(loans["loan_amount"], rate, loans["term_months"]), loans.index).round(2)
	return loans.assign(interest_rate_pct=rate, instalment=instalment)


def _verify_income(by: float, of_bad: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""Income looked at again after the loan went bad, and DTI with it."""
	hit = _some(loans, rng, of_bad)
	return loans.assign(
		annual_income=loans[_INCOME].mask(hit, (loans[_INCOME] * by).round()),
		dti_pct=loans["dti_pct"].mask(hit, (loans["dti_pct"] / by).round(2)),
	)


def _resize(by: float, of_bad: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""The amount as restructured, the instalment with it."""
	amount = loans["loan_amount"].mask(_some(loans, rng, of_bad), (loans["loan_amount"] * by).round())
	instalment = pd.Series(emi(amount, loans["interest_rate_pct"], loans["term_months"]), loans.index).round(2)
	return loans.assign(loan_amount=amount, instalment=instalment)


def _shift_months(of_bad: float, loans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
	"""The oldest credit line as a later, thinner bureau file has it."""
	younger = loans["earliest_credit_line"] + (loans["issue_month"] - loans["earliest_credit_line"]) * 0.7
	month = younger.dt.to_period("M").dt.to_timestamp().astype(loans["earliest_credit_line"].dtype)
	return loans.assign(earliest_credit_line=loans["earliest_credit_line"].mask(_some(loans, rng, of_bad), month))


def _issued(*years: int) -> Callable[[pd.DataFrame], pd.Series]:
	return lambda loans: loans["issue_month"].dt.year.isin(years)


def _is(column: str, *values: object) -> Callable[[pd.DataFrame], pd.Series]:
	return lambda loans: loans[column].isin(values)


COMBINATION, REFRESHED, SLICE = "combination", "refreshed", "slice"
MISSING, CATEGORY, ARITHMETIC = "missing", "category", "arithmetic"


def _plant(kind: str, name: str, columns: str | tuple[str, ...], change: Change) -> Plant:
	return Plant(name, kind, (columns,) if isinstance(columns, str) else columns, change)


PLANTS: Final = (
	*(
		_plant(COMBINATION, f"{one} with {other}, in {share:.0%}", (one, other), partial(_together, one, other, share))
		for one, other, share in (
			("dti_pct", _UTIL, 0.95),
			(_UTIL, _BALANCE, 0.5),
			(_INCOME, "loan_amount", 0.4),
			("open_accounts", "total_accounts", 0.8),
			("employment_years", "dti_pct", 0.35),
			(_BALANCE, "open_accounts", 0.35),
		)
	),
	*(
		_plant(REFRESHED, f"{column} x{by:g} +{plus:g} in {of_bad:.0%}", column, partial(_raise, column, by, plus, of_bad))
		for column, by, plus, of_bad in (
			(_UTIL, 1, 30, 0.6),
			(_UTIL, 0.3, 0, 0.4),
			("dti_pct", 1.5, 0, 0.7),
			(_INCOME, 0.6, 0, 0.7),
			(_BALANCE, 2.5, 1_000, 0.6),
			("open_accounts", 0.5, 0, 0.6),
			("total_accounts", 1.3, 5, 0.6),
			("public_records", 1, 1, 0.3),
			("bankruptcies", 1, 1, 0.2),
			("mortgage_accounts", 0, 0, 0.6),
			("employment_years", 0, 0, 0.4),
		)
	),
	_plant(REFRESHED, "downgraded by 5 in 50%", ("sub_grade", "grade", "interest_rate_pct"), partial(_downgrade, 5, 0.5)),
	_plant(REFRESHED, "oldest line younger in 60%", "earliest_credit_line", partial(_shift_months, 0.6)),
	*(
		_plant(SLICE, f"{column} in {where}", column, _only_where(mask, partial(_raise, column, by, plus, of_bad)))
		for column, by, plus, of_bad, where, mask in (
			(_UTIL, 1, 60, 0.9, "2015", _issued(2015)),
			("dti_pct", 2.2, 0, 0.95, "60 months", _is("term_months", 60)),
			(_INCOME, 0.4, 0, 0.95, "2013", _issued(2013)),
			("open_accounts", 0.3, 0, 0.95, "2014", _issued(2014)),
			(_BALANCE, 0.1, 0, 0.9, "grade C", _is("grade", "C")),
			("total_accounts", 3, 10, 0.95, "2016 and 2012", _issued(2012, 2016)),
		)
	),
	*(
		_plant(MISSING, f"{column}, {of_bad:.0%} against {of_good:.0%}", column, partial(_lose, column, of_bad, of_good))
		for column, of_bad, of_good in (
			("employment_years", 0.3, 0.05),
			(_UTIL, 0.25, 0.02),
			("mortgage_accounts", 0.45, 0.1),
			("bankruptcies", 0.3, 0.03),
		)
	),
	*(
		_plant(
			CATEGORY,
			f"{column} {name}, {of_bad:.0%} against {of_good:.0%}",
			column,
			partial(_refill, column, name, of_bad, of_good),
		)
		for column, name, of_bad, of_good in (
			("purpose", "other", 0.3, 0.05),
			("purpose", "small_business", 0.25, 0.03),
			("purpose", "moving", 0.2, 0.02),
			("home_ownership", "OTHER", 0.25, 0.03),
			("application_type", "DIRECT_PAY", 0.25, 0.04),
		)
	),
	_plant(COMBINATION, "three columns, in 70%", ("dti_pct", _INCOME, _UTIL), partial(_three, 0.7)),
	_plant(REFRESHED, "total accounts as the open ones in 20%", "total_accounts", _close_all),
	*(
		_plant(
			REFRESHED,
			f"income x{by:g} and DTI with it in {of_bad:.0%}",
			(_INCOME, "dti_pct"),
			partial(_verify_income, by, of_bad),
		)
		for by, of_bad in ((0.8, 0.5), (0.85, 0.6))
	),
	*(
		_plant(
			REFRESHED,
			f"amount x{by:g} and instalment with it in 50%",
			("loan_amount", "instalment"),
			partial(_resize, by, 0.5),
		)
		for by in (1.3, 0.7)
	),
	_plant(ARITHMETIC, "instalment halved in 25%", "instalment", partial(_raise, "instalment", 0.5, 0, 0.25)),
	_plant(
		ARITHMETIC, "instalment with a third of fees in 45%", "instalment", partial(_raise, "instalment", 1.35, 0, 0.45)
	),
	_plant(ARITHMETIC, "penalty rate of 2 points in 40%", "interest_rate_pct", partial(_reprice, 2, 0.4)),
	_plant(ARITHMETIC, "penalty rate of 1.2 points in 60%", "interest_rate_pct", partial(_reprice, 1.2, 0.6)),
)
