"""All checks of a run together: how many alarms, and whether to train anew."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import pandas as pd

from loantap.portfolio.options import Options
from loantap.surveillance.monitoring.checks import Check, Verdict

_SHIFTS = ("psi", "mean")
_LATE = ("unread_days", "days_behind", "rows")
_FAULTS = ("missing", "new_category", *_LATE)
_SERVICE = ("error_share", "p99_seconds")
_WRONG = ("roc_auc", "calibration")
# So many features that moved are more than one source or one campaign.
_MANY = 3


class Action(StrEnum):
	"""What is recommended; a person decides."""

	NONE = "none"
	LOOK = "look"
	MEND_DATA = "mend_data"
	RETRAIN = "retrain"
	CANNOT_TELL = "cannot_tell"


class Recommendation(Options):
	"""What to do, and the checks that speak for it."""

	action: Action
	words: str
	reasons: tuple[str, ...]


def recommend(checks: Sequence[Check]) -> Recommendation:
	"""Whether to train anew. The first of these that holds counts.

	1. outcomes say that the model ranks or counts worse: train;
	2. values are missing, new or late: mend the data first, since a model trained on them would learn the fault;
	3. the PDs expect to rank worse, or the PD or three features and more have moved: train, and compare;
	4. anything else raised an alarm: look at it;
	5. of model, applicants and decisions nothing could be judged: cannot tell.
	"""
	alarms = [check for check in checks if check.verdict is Verdict.ALARM]
	wrong = _of(alarms, _WRONG)
	faults = _of(alarms, _FAULTS)
	moved = _of(alarms, (*_SHIFTS, "expected_auc"))
	if wrong:
		return _tell(Action.RETRAIN, "The model is no longer right. Train a challenger and compare", wrong)
	if faults:
		return _tell(Action.MEND_DATA, "Mend the data first: a model trained on it would learn the fault", faults)
	if (
		any(check.subject == "score" or check.what == "expected_auc" for check in moved)
		or len({check.subject for check in moved}) >= _MANY
	):
		return _tell(Action.RETRAIN, "The applicants are no longer those of the training. Train and compare", moved)
	if alarms:
		return _tell(Action.LOOK, "Look at what has changed; training anew is not called for by it", alarms)
	of_model = [check for check in checks if check.what not in (*_LATE, *_SERVICE, "expected_default_rate")]
	if all(check.verdict is Verdict.CANNOT_TELL for check in of_model):
		return _tell(Action.CANNOT_TELL, "There are too few decisions to judge the model by yet", ())
	return _tell(Action.NONE, "Nothing calls for training anew", ())


def report_monitoring(
	checks: Sequence[Check],
	months: Sequence[Mapping[str, Any]],
	counts: Mapping[str, Any],
	service: Sequence[Mapping[str, Any]],
	as_of: date,
) -> dict[str, Any]:
	"""`monitoring.json`: what was watched, each check, what is recommended, and what the API had counted."""
	return {
		"as_of": as_of.isoformat(),
		**counts,
		"alarms": sum(check.verdict is Verdict.ALARM for check in checks),
		"recommendation": recommend(checks).model_dump(mode="json"),
		"checks": [check.model_dump(mode="json") for check in checks],
		"months": [dict(month) for month in months],
		"service": [dict(each) for each in service],
	}


def extend_history(history: pd.DataFrame | None, checks: Iterable[Check], as_of: date) -> pd.DataFrame:
	"""The checks of all runs, a row each; a run of the same day takes the place of the one before."""
	rows = pd.DataFrame([{"as_of": pd.Timestamp(as_of), **check.model_dump(mode="json")} for check in checks])
	numbers = ["value", "low", "high", "limit"]
	rows = rows.astype({"as_of": "datetime64[s]", **dict.fromkeys(numbers, "float64")})
	if history is None:
		return rows
	before = history[history["as_of"].ne(pd.Timestamp(as_of))]
	return pd.concat([before, rows], ignore_index=True).sort_values("as_of", kind="stable", ignore_index=True)


def find_rows_before(history: pd.DataFrame | None, as_of: date) -> dict[str, int]:
	"""Most rows of each source at runs of the three months before this day: what is lost stays told for as long."""
	if history is None:
		return {}
	told = history[history["what"].eq("unread_days") & history["as_of"].lt(pd.Timestamp(as_of)) & history["n"].gt(0)]
	told = told[told["as_of"].ge(pd.Timestamp(as_of) - pd.DateOffset(months=3))]
	return {str(k): int(v) for k, v in told.groupby("subject")["n"].max().items()}


def _of(checks: Iterable[Check], kinds: Sequence[str]) -> list[Check]:
	return [check for check in checks if check.what in kinds]


def _tell(action: Action, words: str, checks: Iterable[Check]) -> Recommendation:
	return Recommendation(action=action, words=words, reasons=tuple(check.words for check in checks))
