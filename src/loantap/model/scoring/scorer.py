"""The one scoring function of the platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.build import compute_column, make_formula
from loantap.features.definitions import FEATURE_SETS, FEATURES, FeatureSet
from loantap.model.scoring.assessed import (
	ApplicationTally,
	Assessed,
	Problem,
	Scored,
	Support,
	describe_invalid,
	say_problem,
)
from loantap.model.scoring.decompose import UnexplainableError, make_scorecard
from loantap.model.scoring.reasons import REASONS, ReasonGiver, make_reason_giver
from loantap.model.scoring.scorecard import SCALE, Scorecard, TableEffect, to_probabilities, to_probability
from loantap.model.scoring.trained import TrainedModel
from loantap.portfolio.column_reading import Texts, read_column
from loantap.portfolio.contradictions import TERMS, contradict, find_contradictions
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.loantap_format import list_faults, require_columns
from loantap.portfolio.values import Reader, Value, make_reader, show_value, to_days

__all__ = ["REASONS", "NotForLendingError", "Scorer", "check_servable"]


class NotForLendingError(ValueError):
	"""A model that must never decide was asked to score."""


@dataclass(frozen=True, slots=True)
class _Term:
	name: str
	uses: tuple[str, ...]
	compute: Callable[..., float | str]
	weigh: Callable[[float | str], float]


@dataclass(frozen=True, slots=True)
class Scorer:
	"""Scores applications with one registered model.

	Frames and single applications take the same path, so they get the same answer; `score_one` only
	spares what a frame costs. Methods raise InputError where a column that the model needs is missing.
	"""

	trained: TrainedModel
	name: str
	version: str
	scorecard: Scorecard = field(init=False, repr=False, compare=False)
	support: Support = field(init=False, repr=False, compare=False)
	_reasons: ReasonGiver = field(init=False, repr=False, compare=False)
	_readers: tuple[tuple[Column, Reader], ...] = field(init=False, repr=False, compare=False)
	_terms: tuple[_Term, ...] = field(init=False, repr=False, compare=False)
	_is_tied: bool = field(init=False, repr=False, compare=False)
	_seen: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		if self.trained.facts.not_for_lending:
			raise NotForLendingError(
				f"model {self.name} version {self.version} uses features that no lending "
				f"decision may rest on; score with a lending model"
			)
		scorecard = make_scorecard(self.trained.pipeline, self.feature_set, self.trained.facts.reference)
		terms = [
			_Term(name, FEATURES[name].uses, make_formula(name), effect.of_one) for name, effect in scorecard.effects.items()
		]
		compiled = {
			"scorecard": scorecard,
			"support": Support(self.trained.facts.ranges, self.trained.facts.rates),
			"_reasons": make_reason_giver(scorecard),
			"_readers": tuple((column, make_reader(column)) for column in self.columns),
			"_terms": tuple(terms),
			"_seen": {
				FEATURES[name].uses[0]: frozenset(effect.levels)
				for name, effect in scorecard.effects.items()
				if isinstance(effect, TableEffect)
			},
			"_is_tied": {column.name for column in self.columns} >= set(TERMS),
		}
		for attribute, value in compiled.items():
			object.__setattr__(self, attribute, value)

	def __reduce__(self) -> tuple[Any, ...]:
		# What is compiled holds functions, which do not travel to another process; it is made anew.
		return Scorer, (self.trained, self.name, self.version)

	@property
	def feature_set(self) -> FeatureSet:
		"""The features the model takes."""
		return FEATURE_SETS[self.trained.facts.feature_set]

	@property
	def columns(self) -> tuple[Column, ...]:
		"""The application columns the model needs."""
		return tuple(COLUMNS[name] for name in self.feature_set.columns)

	def score(self, applications: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
		"""Score applications in LoanTap format as of a day; further columns are ignored.

		Returns:
			One row per application, same index and order: `probability_of_default`, `score` (both missing where the row
			is invalid) and `reason_1`..`reason_4` (for an invalid row, what is wrong).
		"""
		assessed = self.assess(applications, as_of)
		numbers = pd.DataFrame(
			{
				"probability_of_default": assessed.probability_of_default,
				"score": pd.Series(assessed.score, index=applications.index).astype("Int64"),
			},
			index=applications.index,
		)
		return pd.concat([numbers, assessed.reasons.as_text(applications.index)], axis=1)

	def assess(self, applications: pd.DataFrame, as_of: pd.Timestamp, tally: ApplicationTally | None = None) -> Assessed:
		"""Score like `score` without spelling the reasons out for each row; `tally` counts them."""
		require_columns(applications, self.columns, "applications")
		given = {c.name: applications[c.source_name] for c in self.columns}
		return self._assess(given, list_faults(applications), as_of, tally)

	def assess_columns(self, loans: pd.DataFrame, as_of: pd.Timestamp) -> Assessed:
		"""Score loans with typed canonical columns, to the last bit as `assess`; KeyError where one is missing."""
		given = {column.name: loans[column.name] for column in self.columns}
		return self._assess(given, list_faults(loans), as_of, None)

	def _assess(
		self, given: Mapping[str, pd.Series], faults: pd.Series, as_of: pd.Timestamp, tally: ApplicationTally | None
	) -> Assessed:
		read = {c.name: read_column(given[c.name], c, as_of) for c in self.columns}
		columns = {name: column.values for name, column in read.items()}
		features = {term.name: compute_column(term.name, columns) for term in self._terms}
		contributed = {name: effect.of_column(features[name]) for name, effect in self.scorecard.effects.items()}
		log_odds = sum(contributed.values(), np.full(len(faults), self.scorecard.base))
		assessed = Assessed(
			to_probabilities(log_odds),
			SCALE.of_column(log_odds),
			self._reasons.give(contributed, columns),
			self.support.check_columns(features, columns),
			columns,
		)
		problems: dict[int, str] = {}
		numbers = {n: v for n, v in columns.items() if not isinstance(v, Texts)}
		contradictions = list(find_contradictions(numbers))
		if contradictions or not all(column.is_good for column in read.values()):
			problems = describe_invalid(given, read, contradictions, faults)
		if tally is not None:
			tally.add(columns, list(problems), self._seen)
		return assessed.mark_invalid(problems) if problems else assessed

	def score_one(self, application: Mapping[str, object], as_of: pd.Timestamp) -> Scored:
		"""Score one application in LoanTap format; further values are ignored."""
		columns, problems = self.read_one(application, as_of)
		if problems:
			told = "; ".join(say_problem(*problem) for problem in problems)
			return Scored(None, None, (told, "", "", ""), 0, columns)
		log_odds, features, contributed = self._contribute(columns)
		return Scored(
			to_probability(log_odds),
			SCALE.of_one(log_odds),
			self._reasons.give_one(contributed, columns),
			self.support.check_one(features, columns),
			columns,
		)

	def explain_one(self, application: Mapping[str, object], as_of: pd.Timestamp) -> dict[str, float]:
		"""Contributions to the log-odds of one application; with `scorecard.base` they sum to its PD's. {} if invalid."""
		columns, problems = self.read_one(application, as_of)
		return {} if problems else self._contribute(columns)[2]

	def _contribute(self, columns: Mapping[str, Value]) -> tuple[float, dict[str, float | str], dict[str, float]]:
		log_odds = self.scorecard.base
		features: dict[str, float | str] = {}
		contributed: dict[str, float] = {}
		for term in self._terms:
			value = term.compute(*[columns[used] for used in term.uses])
			effect = term.weigh(value)
			features[term.name], contributed[term.name] = value, effect
			log_odds += effect
		return log_odds, features, contributed

	def read_one(self, application: Mapping[str, object], as_of: pd.Timestamp) -> tuple[dict[str, Value], list[Problem]]:
		"""Typed values by canonical name, and what is wrong with any of them."""
		today = to_days(as_of)
		columns: dict[str, Value] = {}
		problems: list[Problem] = []
		for column, reader in self._readers:
			if column.source_name not in application:
				require_columns(pd.DataFrame([application]), self.columns, "application")
			raw = application[str(column.source_name)]
			columns[column.name], reason = reader(raw, today)
			if reason:
				problems.append(Problem(column, show_value(raw), reason))
		if self._is_tied:
			name, reason = contradict(*[columns[name] for name in TERMS])  # type: ignore[arg-type]
			if name:
				column = COLUMNS[name]
				shown = show_value(application[str(column.source_name)])
				problems.append(Problem(column, shown, reason))
		return columns, problems


def check_servable(trained: TrainedModel) -> None:
	"""Prove before registration, on made-up applications, that a model can be explained.

	Raises:
		UnexplainableError: contributions do not add up to the log-odds of the PD.
	"""
	feature_set = FEATURE_SETS[trained.facts.feature_set]
	scorecard = make_scorecard(trained.pipeline, feature_set, trained.facts.reference)
	changes: list[dict[str, float | str]] = [{}]
	for name, effect in scorecard.effects.items():
		if isinstance(effect, TableEffect):
			changes += [{name: category} for category in (*effect.levels, "never seen")]
		else:
			changes.append({name: np.nan})
	probes = pd.concat([trained.example.assign(**change) for change in changes], ignore_index=True)
	explained = scorecard.log_odds(probes)
	if not np.allclose(explained, trained.pipeline.decision_function(probes), atol=1e-9):
		raise UnexplainableError(f"reasons of {trained.facts.namespace} do not add up to its PD")
