"""Recent decisions with their applications, as the audit log exports them and monitoring reads them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pandas as pd

from loantap.features.build import build_features, columns_used
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse
from loantap.tables.rows import Rows

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
# For groups of borrowers, and for what a loan earned.
_ALSO_READ: Final = (
	*("home_ownership", "annual_income", "employment_years", "earliest_credit_line", "issue_month"),
	*("loan_amount", "interest_rate_pct", "term_months"),
)


def join_applications(scores: pd.DataFrame, applications: Rows, as_of: pd.Timestamp) -> Iterator[pd.DataFrame]:
	"""The decisions of a file of scores, each beside its application; both have the same rows in the same order.

	They count as decided on the day `as_of`, and none by a person.
	"""
	told = scores.assign(
		decided_at=as_of.tz_localize("UTC"),
		model=scores["model_name"].astype("str") + " " + scores["model_version"].astype("str"),
		final_decision=scores["decision"].astype("str").where(scores["decision"].ne("refer")),
	)[list(DECISION_COLUMNS)]

	def join(batch: pd.DataFrame, first_row: int) -> pd.DataFrame:
		beside = told.iloc[first_row : first_row + len(batch)].reset_index(drop=True)
		return pd.concat([beside, batch.reset_index(drop=True).drop(columns="application_id", errors="ignore")], axis=1)

	columns = [str(COLUMNS[name].source_name) for name in COLUMNS if COLUMNS[name].source_name in applications.columns]
	for joined in applications.map(join, columns):
		if isinstance(joined, pd.DataFrame):
			yield joined


def gather_decisions(batches: Iterable[pd.DataFrame], features: Sequence[str], as_of: pd.Timestamp) -> pd.DataFrame:
	"""Read decisions in batches of any size.

	Returns:
		One row per decision: `DECISION_COLUMNS`, the canonical columns `_ALSO_READ`, and `features`. Of an application
		that was erased, or that could not be read, all but the first are missing, and `is_readable` is False.

	Raises:
		InputError: a column of a decision is missing.
	"""
	read = [_read_batch(batch, features, as_of) for batch in batches]
	if not read:
		return _read_batch(pd.DataFrame(columns=DECISION_COLUMNS), features, as_of)
	return pd.concat(read, ignore_index=True)


def _read_batch(batch: pd.DataFrame, features: Sequence[str], as_of: pd.Timestamp) -> pd.DataFrame:
	lacking = [name for name in DECISION_COLUMNS if name not in batch]
	if lacking:
		raise InputError("decisions", f"column {lacking[0]} missing", "Give a file that `loantap-audit export` wrote")
	columns = [COLUMNS[name] for name in dict.fromkeys((*columns_used(features), *_ALSO_READ))]
	absent = {str(c.source_name): None for c in columns if c.source_name not in batch}
	loans = parse(batch.assign(**absent), columns, as_of).rows
	is_known = loans[list(columns_used(features))].notna().any(axis=1)
	told = batch[list(DECISION_COLUMNS)].assign(
		decided_at=pd.to_datetime(batch["decided_at"], utc=True),
		is_readable=is_known & batch["decision"].ne("invalid"),
		**{name: batch[name].astype("float64") for name in ("probability_of_default", "expected_npv")},
	)
	further = [name for name in features if name not in _ALSO_READ]
	return pd.concat([told, loans[list(_ALSO_READ)], build_features(loans, further)], axis=1)
