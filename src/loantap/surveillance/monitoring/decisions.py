"""Which decisions are watched, of which model, and how they are read with their applications."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import pandas as pd

from loantap.features.build import build_features, columns_used
from loantap.model.scoring.profile import TrainingProfile
from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse
from loantap.surveillance.monitoring.options import MonitoringOptions
from loantap.tables.rows import Rows

# Decisions kept at the first time or later and before the second, some thousands at a time.
DecisionReader = Callable[[datetime, datetime], Iterator[pd.DataFrame]]

# What is known of each decision; the columns of its application stand beside these under their source names.
DECISION_COLUMNS: Final = (
	"application_id",
	"decided_at",
	"model",
	"policy_digest",
	"decision",
	"final_decision",
	"probability_of_default",
	"expected_npv",
)
# What is held against the outcome of a loan.
OUTCOME_COLUMNS: Final = ("application_id", "decided_at", "model", "probability_of_default")
# For groups of borrowers, and for what a loan earned.
_ALSO_READ: Final = (
	*("home_ownership", "annual_income", "employment_years", "earliest_credit_line", "issue_month"),
	*("loan_amount", "interest_rate_pct", "term_months"),
)
_SCORES, _OTHER_FILE = "scores", "they are of another file than the applications"
_SCORE_FIRST: Final = "Score it in the same run: --pipelines scoring,monitoring"
_NONE: Final = pd.DataFrame(columns=DECISION_COLUMNS)


@dataclass(frozen=True, slots=True)
class WatchedModel:
	"""The champion: name and version as its decisions name it, origin of its loans, what it was trained on."""

	name: str
	origin: str
	profile: TrainingProfile

	@classmethod
	def of(cls, scorer: Scorer) -> Self:
		"""The model of a scorer; InputError where it was trained before profiles were kept."""
		name, facts = f"{scorer.name} {scorer.version}", scorer.trained.facts
		if facts.profile is None:
			problem = "it does not say what it was trained on, so nothing can be compared with it"
			raise InputError(f"model {name}", problem, "Run `kedro run --pipelines training`: the next version does")
		return cls(name, facts.origin, facts.profile)

	@property
	def features(self) -> list[str]:
		"""The features that it takes."""
		return [each.feature for each in self.profile.features]


@dataclass(frozen=True, slots=True)
class Window:
	"""Times in UTC: earlier decisions begin at `first`, recent ones at `start`; both end at `end`, not included.

	From `oldest` on, what became of a loan is held against its decision.
	"""

	day: pd.Timestamp
	oldest: datetime
	first: datetime
	start: datetime
	end: datetime

	@classmethod
	def ending(cls, options: MonitoringOptions) -> Self:
		"""The window that ends with the day of the run."""
		day = pd.Timestamp(options.as_of)
		end = day.tz_localize("UTC") + pd.Timedelta(days=1)
		start = end - pd.Timedelta(days=options.window_days)
		first = start - pd.Timedelta(days=options.earlier_days)
		return cls(day, min(first, end - pd.Timedelta(days=options.outcome_days)), first, start, end)

	def pick_recent(self, decisions: pd.DataFrame) -> pd.DataFrame:
		"""Those decided in the window."""
		return decisions[decisions["decided_at"].ge(self.start) & decisions["decided_at"].lt(self.end)]

	def pick_earlier(self, decisions: pd.DataFrame) -> pd.DataFrame:
		"""Those decided before it."""
		return decisions[decisions["decided_at"].lt(self.start)]

	def describe(self, decisions: pd.DataFrame, watched: WatchedModel) -> dict[str, Any]:
		"""What is watched, for the report."""
		recent = self.pick_recent(decisions)
		return {
			"model": watched.name,
			"origin": watched.origin,
			"window": {"first": self.start.date().isoformat(), "last": self.day.date().isoformat()},
			"n": len(recent),
			"n_earlier": len(decisions) - len(recent),
			"n_by_other_models": int(recent["model"].ne(watched.name).sum()),
			"n_without_application": int((~recent["is_readable"]).sum()),
		}


def join_applications(scores: pd.DataFrame, applications: Rows, as_of: pd.Timestamp) -> Iterator[pd.DataFrame]:
	"""The decisions of a file of scores, each beside its application; both have the same rows in the same order.

	They count as decided on the day `as_of`, and none by a person.

	Raises:
		InputError: the scores are of another file.
	"""
	told = scores.assign(
		decided_at=as_of.tz_localize("UTC"),
		model=scores["model_name"].astype("str") + " " + scores["model_version"].astype("str"),
		final_decision=scores["decision"].astype("str").where(scores["decision"].ne("refer")),
	)[list(DECISION_COLUMNS)]

	def join(batch: pd.DataFrame, first_row: int) -> pd.DataFrame:
		beside = told.iloc[first_row : first_row + len(batch)].reset_index(drop=True)
		batch = batch.reset_index(drop=True)
		if len(beside) < len(batch) or ("application_id" in batch and (_is_other(beside, batch)).any()):
			raise InputError(_SCORES, _OTHER_FILE, _SCORE_FIRST)
		return pd.concat([beside, batch.drop(columns="application_id", errors="ignore")], axis=1)

	known = {str(COLUMNS[name].source_name) for name in COLUMNS} | {"application_id"}
	joined_rows = 0
	for joined in applications.map(join, [name for name in applications.columns if name in known]):
		if isinstance(joined, pd.DataFrame):
			joined_rows += len(joined)
			yield joined
	if joined_rows < len(told):
		raise InputError(_SCORES, _OTHER_FILE, _SCORE_FIRST)


def _is_other(scored: pd.DataFrame, given: pd.DataFrame) -> pd.Series:
	known = given["application_id"].notna()
	return known & scored["application_id"].astype("str").ne(given["application_id"].astype("str"))


def gather_decisions(batches: Iterable[pd.DataFrame], features: Sequence[str], as_of: pd.Timestamp) -> pd.DataFrame:
	"""Read decisions in batches of any size.

	Returns:
		One row per decision: `DECISION_COLUMNS`, the canonical columns `_ALSO_READ`, and `features`. Of an application
		that was erased, or that could not be read, all but the first are missing, and `is_readable` is False.

	Raises:
		InputError: a column of a decision is missing.
	"""
	read = [_read_batch(batch, features, as_of) for batch in batches]
	return pd.concat(read or [_read_batch(_NONE, features, as_of)], ignore_index=True)


def gather_older(batches: Iterable[pd.DataFrame]) -> pd.DataFrame:
	"""Decisions made before those of `gather_decisions`: `OUTCOME_COLUMNS`, one row each; InputError as there."""
	read = [_read_told(batch) for batch in batches]
	return pd.concat(read or [_read_told(_NONE)], ignore_index=True)[list(OUTCOME_COLUMNS)]


def _read_batch(batch: pd.DataFrame, features: Sequence[str], as_of: pd.Timestamp) -> pd.DataFrame:
	told = _read_told(batch)
	columns = [COLUMNS[name] for name in dict.fromkeys((*columns_used(features), *_ALSO_READ))]
	absent = {str(c.source_name): None for c in columns if c.source_name not in batch}
	loans = parse(batch.assign(**absent), columns, as_of).rows
	is_known = loans[list(columns_used(features))].notna().any(axis=1)
	told["is_readable"] = is_known & told["decision"].ne("invalid")
	further = [name for name in features if name not in _ALSO_READ]
	return pd.concat([told, loans[list(_ALSO_READ)], build_features(loans, further)], axis=1)


def _read_told(batch: pd.DataFrame) -> pd.DataFrame:
	lacking = [name for name in DECISION_COLUMNS if name not in batch]
	if lacking:
		raise InputError("decisions", f"column {lacking[0]} missing", "Give a file that `loantap-audit export` wrote")
	return batch[list(DECISION_COLUMNS)].assign(
		decided_at=pd.to_datetime(batch["decided_at"], utc=True),
		**{name: batch[name].astype("float64") for name in ("probability_of_default", "expected_npv")},
	)
