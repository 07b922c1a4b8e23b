"""Loans with PDs of models that did not see them, what may be learnt from them, and a score that learns their return.

Serrano-Cinca and Gutierrez-Nieto (Decision Support Systems 2016) and Lyocsa et al. (Financial Innovation 2022) select
loans by predicted return. Here the return is imputed: given rate and term, its expectation is linear in the PD, so that
a good PD leaves nothing to learn. The score adds to the NPV of the PD what a ridge regression finds in the features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.estimator import make_preprocessor
from loantap.model.training.predictions import CROSS_VALIDATION, OUT_OF_TIME, TEST
from loantap.policy.money.cash_flows import VALUED_BY, Scenario, value_units
from loantap.policy.money.returns import TERMS
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError

_JUDGED = ("loan_id", "sample", "fold", "is_charged_off", "probability_of_default", "declined")
_OWN = tuple(name for name in TERMS if name != "is_charged_off")
_WHERE = "comparison of policies"
_REMEDY = "Run `--pipelines training`, which evaluates the models of that portfolio"


@dataclass(frozen=True, slots=True)
class Lesson:
	"""Places of the loans that a rule learns from (of the cross-validation), and then decides."""

	past: IntArray
	decided: IntArray


@dataclass(frozen=True, slots=True)
class LoanValues:
	"""What a rule may know of loans, and how they turned out; arrays of one length.

	PDs are by models that did not see the loan, NPVs at its own rate and term: `margin` (expected) and `profit_score`
	(learnt from other loans) per unit of principal, `expected` and `realised` (imputed, over the contractual life) in
	currency. `declined`: the PD reaches the F2 threshold.
	"""

	probability_of_default: FloatArray
	declined: BoolArray
	grade_term: IntArray
	margin: FloatArray
	expected: FloatArray
	realised: FloatArray
	profit_score: FloatArray

	def __len__(self) -> int:
		return len(self.realised)

	def take(self, rows: IntArray | BoolArray) -> LoanValues:
		"""Some of the loans, by place or by mask."""
		return LoanValues(*(getattr(self, name)[rows] for name in self.__slots__))

	def with_profit_score(self, score: FloatArray) -> LoanValues:
		"""The same loans with this score."""
		return replace(self, profit_score=score)


def join_portfolio(predictions: pd.DataFrame, loans: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
	"""Loans of every sample with their PDs, terms and when they were judged.

	One row per sample and loan, in the order of the predictions; `place` is the row in `loans`.
	"""
	place = pd.Index(loans["loan_id"]).get_indexer(predictions["loan_id"])
	of_split = pd.Index(splits["loan_id"]).get_indexer(predictions["loan_id"])
	for places, name in ((place, "03_primary/loans"), (of_split, "05_model_input/splits")):
		missing = int((places < 0).sum())
		if missing:
			problem = f"{missing:,} of {len(predictions):,} loans of the predictions are not in {name}"
			raise InputError(_WHERE, f"{problem}: another portfolio was read since", _REMEDY)
	terms = loans[[*_OWN, "grade"]].take(place).reset_index(drop=True)
	dates = splits[["known_from", "judged_at"]].take(of_split).reset_index(drop=True)
	judged = predictions[list(_JUDGED)].reset_index(drop=True)
	portfolio = pd.concat([judged, terms, dates], axis=1).assign(place=place)
	undated = int((portfolio["sample"].eq(OUT_OF_TIME) & portfolio["judged_at"].isna()).sum())
	if undated:
		raise InputError(
			_WHERE,
			f"{undated:,} loans were judged out of time, but 05_model_input/splits gives no month "
			"for that: they were split anew since",
			_REMEDY,
		)
	return portfolio


def plan_lessons(portfolio: pd.DataFrame) -> list[Lesson]:
	"""What each loan's decision may be learnt from.

	In cross-validation the other folds, for the test sample all of them, and for a loan judged out of time those whose
	outcome counted as known at that month.
	"""
	sample = portfolio["sample"].to_numpy()
	fold = portfolio["fold"].to_numpy()
	judged_at, known_from = (portfolio[n].to_numpy() for n in ("judged_at", "known_from"))
	is_cv, is_test, is_later = (sample == name for name in (CROSS_VALIDATION, TEST, OUT_OF_TIME))
	masks = [(is_cv & (fold != k), is_cv & (fold == k)) for k in np.unique(fold[is_cv])]
	masks.append((is_cv, is_test))
	masks += [
		(is_cv & (known_from <= origin), is_later & (judged_at == origin)) for origin in np.unique(judged_at[is_later])
	]
	return [Lesson(np.flatnonzero(past), np.flatnonzero(new)) for past, new in masks if new.any()]


def value_loans(portfolio: pd.DataFrame, scenario: Scenario) -> LoanValues:
	"""What judged loans are worth in a scenario; no profit score yet."""
	pd_, principal, rate, term = (portfolio[name].to_numpy(float) for name in VALUED_BY)
	values = value_units(rate, term, scenario)
	margin = values.margin(pd_)
	is_charged_off = portfolio["is_charged_off"].to_numpy() == 1
	return LoanValues(
		probability_of_default=pd_,
		declined=portfolio["declined"].to_numpy(bool),
		grade_term=number_cells(portfolio),
		margin=margin,
		expected=principal * margin,
		realised=principal * np.where(is_charged_off, values.charged_off, values.paid),
		profit_score=np.full(len(portfolio), np.nan),
	)


def number_cells(portfolio: pd.DataFrame) -> IntArray:
	"""Each loan's cell of grade and term, from 0; loans without a grade share one."""
	cells = [portfolio["grade"].astype("str"), portfolio["term_months"]]
	numbers: IntArray = portfolio.groupby(cells, dropna=False).ngroup().to_numpy()
	return numbers


_FEATURES = FEATURE_SETS["lending"]


def prepare_features(loans: pd.DataFrame) -> FloatArray:
	"""The features of `lending`, imputed, scaled and one-hot encoded, one row per loan."""
	features = build_features(loans, list(_FEATURES.features))
	prepared: FloatArray = make_preprocessor(_FEATURES).fit_transform(features)
	return np.asarray(prepared, dtype=float)


def score_profits(
	features: FloatArray, principal: FloatArray, values: Mapping[str, LoanValues], lessons: list[Lesson], penalty: float
) -> dict[str, FloatArray]:
	"""Predicted NPV per unit of principal of each loan in each scenario.

	Learnt: what the lesson's loans returned beyond the NPV of their PD. `principal` is in currency, `penalty` in loans.
	"""
	margins = np.column_stack([of_scenario.margin for of_scenario in values.values()])
	returns = np.column_stack([v.realised / principal for v in values.values()])
	scores = margins.copy()
	for lesson in lessons:
		if not len(lesson.past):
			continue
		beyond = returns[lesson.past] - margins[lesson.past]
		model = Ridge(penalty, solver="cholesky").fit(features[lesson.past], beyond)
		# A single scenario comes back without its axis.
		learnt = model.predict(features[lesson.decided]).reshape(len(lesson.decided), -1)
		scores[lesson.decided] += learnt
	return dict(zip(values, scores.T, strict=True))
