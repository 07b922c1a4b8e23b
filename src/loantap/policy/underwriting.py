"""The one function that underwrites: score, decide, say why."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.build import Values
from loantap.model.scoring.assessed import ApplicationTally, Assessed, Scored
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import CAUSES, DECISIONS, Decided, Decider, Decision
from loantap.policy.lab.rules import Rule, RuleTally, apply_rules, apply_rules_to_one, columns_of_rules
from loantap.policy.money.cash_flows import VALUED_BY
from loantap.policy.score_table import APPLICATION_ID, MadeBy, name_applications, name_one, put_first, tabulate_scores
from loantap.portfolio.arrays import BoolArray
from loantap.portfolio.column_reading import read_column
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.values import make_reader, to_days

# What the policy values a loan by, beside its PD.
TERMS = VALUED_BY[1:]
# Decisions that a rule may turn into a decline.
_OPEN = tuple(DECISIONS.index(decision) for decision in (Decision.APPROVE, Decision.REFER))


@dataclass(frozen=True, slots=True)
class Underwritten:
	"""One application, decided; the fields of the scores of a batch, PD, score and NPV None where it is invalid.

	`application_id`: as given; "0" where applications have none, None where this one has none. `score`: 300 to 900
	points, more is better. `reasons`: four texts: what is wrong with an invalid application, or what decided where the
	policy refers or declines; then the features that raise the risk. `expected_npv`: in currency, at the loan's own rate
	and term.
	"""

	application_id: str | None
	probability_of_default: float | None
	score: int | None
	decision: str
	reasons: tuple[str, ...]
	model_name: str
	model_version: str
	expected_npv: float | None
	policy_version: str
	policy_digest: str


@dataclass(frozen=True, slots=True)
class Underwriter:
	"""Underwrites with one model under one policy.

	Where the model does not take the interest rate, every loan is referred: there is nothing to value it by. `rules`,
	those of the policy lab that are switched on, decline what the policy would approve or refer, but not applications
	unlike those of the training.
	"""

	scorer: Scorer
	decider: Decider
	rules: tuple[Rule, ...] = ()
	_causes: tuple[str, ...] = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		broken = (f"it breaks a rule of the credit policy: {rule.title}" for rule in self.rules)
		causes = (*CAUSES, *self.scorer.support.sentences[1:], *broken)
		object.__setattr__(self, "_causes", causes)

	@property
	def policy_version(self) -> str:
		"""Id and version of the policy, and the rules that are switched on."""
		return " + ".join([self.decider.policy.name, *(rule.id for rule in self.rules)])

	@property
	def policy_digest(self) -> str:
		"""First digits of the digest of the policy, and of the rules where any is switched on."""
		digest = self.decider.policy.short_digest
		if not self.rules:
			return digest
		text = "".join([digest, *(rule.model_dump_json() for rule in self.rules)])
		return hashlib.sha256(text.encode()).hexdigest()[: len(digest)]

	@property
	def needed(self) -> tuple[Column, ...]:
		"""The columns that model and rules need."""
		ruled = (COLUMNS[name] for name in columns_of_rules(self.rules))
		return tuple(dict.fromkeys((*self.scorer.columns, *ruled)))

	@property
	def columns(self) -> tuple[str, ...]:
		"""Source names of the columns that are read: those needed, and the identifier."""
		return (APPLICATION_ID, *(str(column.source_name) for column in self.needed))

	def underwrite(self, applications: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
		"""Score and decide applications in LoanTap format: one row each, in order, with `SCORE_COLUMNS`.

		Ids are the row number from 0 without a column of them, and stay missing in one.
		"""
		batch = self.underwrite_batch(applications, 0, as_of)
		texts = batch.columns[batch.dtypes == "category"]
		return batch.astype(dict.fromkeys(texts, "str"))

	def underwrite_batch(
		self,
		applications: pd.DataFrame,
		first_row: int,
		as_of: pd.Timestamp,
		tally: ApplicationTally | None = None,
		rule_tally: RuleTally | None = None,
	) -> pd.DataFrame:
		"""The same for rows of a file from `first_row` on, texts that repeat as categories: written many times faster.

		`tally` counts what is odd without being wrong, `rule_tally` what rules not switched on would have done.
		"""
		rows = applications.reset_index(drop=True)
		assessed = self.scorer.assess(rows, as_of, tally)
		decided = self._decide(assessed, rows, as_of)
		if rule_tally is not None:
			columns = _read_more(rule_tally.rules, assessed, rows, as_of)
			is_valid = ~np.isnan(assessed.probability_of_default)
			rule_tally.add(columns, _is_open(decided, assessed), is_valid)
		reasons = put_first(assessed.reasons, decided.causes, self._causes)
		made_by = MadeBy(self.scorer.name, self.scorer.version, self.policy_version, self.policy_digest)
		identifiers = name_applications(rows, first_row)
		return tabulate_scores(identifiers, assessed, decided, reasons, made_by)

	def underwrite_one(self, application: Mapping[str, object], as_of: pd.Timestamp) -> Underwritten:
		"""Score and decide one application; the same answer as in a frame, sooner."""
		return self.conclude_one(application, self.scorer.score_one(application, as_of), as_of)

	def conclude_one(self, application: Mapping[str, object], scored: Scored, as_of: pd.Timestamp) -> Underwritten:
		"""Decide one application that this scorer has scored, for those who need `scored.columns` too."""
		columns: Mapping[str, Any] = scored.columns
		amount, rate, months = (columns.get(name, math.nan) for name in TERMS)
		pd_ = scored.probability_of_default
		decision, cause, npv = self.decider.decide_one(pd_, amount, rate, months, scored.unlike)
		if decision != Decision.INVALID and not scored.unlike:
			declining = self._declining_rule(application, scored, as_of)
			if declining is not None and decision != Decision.DECLINE:
				decision, cause = Decision.DECLINE.value, self._first_rule + declining
		reasons = (self._causes[cause], *scored.reasons[:-1]) if cause else scored.reasons
		return Underwritten(
			name_one(application),
			scored.probability_of_default,
			scored.score,
			decision,
			reasons,
			self.scorer.name,
			self.scorer.version,
			npv,
			self.policy_version,
			self.policy_digest,
		)

	@property
	def _first_rule(self) -> int:
		return len(self._causes) - len(self.rules)

	def _declining_rule(self, application: Mapping[str, object], scored: Scored, as_of: pd.Timestamp) -> int | None:
		if not self.rules:
			return None
		values = dict(scored.columns)
		for name in columns_of_rules(self.rules):
			if name not in values:
				raw = application.get(str(COLUMNS[name].source_name))
				values[name] = make_reader(COLUMNS[name])(raw, to_days(as_of))[0]
		declines = apply_rules_to_one(self.rules, values)
		return declines.index(True) if any(declines) else None

	def _decide(self, assessed: Assessed, rows: pd.DataFrame, as_of: pd.Timestamp) -> Decided:
		unknown = np.full(len(assessed.unlike), np.nan)
		columns: Mapping[str, Any] = assessed.columns
		amount, rate, months = (columns.get(name, unknown) for name in TERMS)
		decided = self.decider.decide_columns(assessed.probability_of_default, amount, rate, months, assessed.unlike)
		if self.rules and len(rows):
			declines = apply_rules(self.rules, _read_more(self.rules, assessed, rows, as_of))
			is_stopped = _is_open(decided, assessed) & declines.any(axis=1)
			decided.decisions.codes[is_stopped] = DECISIONS.index(Decision.DECLINE)
			decided.causes[is_stopped] = self._first_rule + declines[is_stopped].argmax(axis=1)
		return decided


def _is_open(decided: Decided, assessed: Assessed) -> BoolArray:
	"""Not where the model has seen no such application."""
	is_open: BoolArray = np.isin(decided.decisions.codes, _OPEN) & (assessed.unlike == 0)
	return is_open


def _read_more(rules: Sequence[Rule], assessed: Assessed, rows: pd.DataFrame, as_of: pd.Timestamp) -> Values:
	"""The model's columns, and those that it does not take; missing where unreadable."""
	names = [name for name in columns_of_rules(rules) if name not in assessed.columns]
	read = {name: read_column(rows[COLUMNS[name].source_name], COLUMNS[name], as_of).values for name in names}
	return {**assessed.columns, **read}
