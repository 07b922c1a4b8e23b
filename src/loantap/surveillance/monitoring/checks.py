"""What each figure that is watched says, in one form for reports and alerts."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
	"""What a check found.

	`cannot_tell`: with so few rows even a large change would look like chance.
	"""

	QUIET = "quiet"
	ALARM = "alarm"
	CANNOT_TELL = "cannot_tell"


class Check(BaseModel):
	"""One figure against its limit.

	Attributes:
		subject: what it is of, such as `dti`, `score` or `vintage 2013, 36 months`.
		what: kind of figure, such as `psi` or `roc_auc`; alert rules name it.
		value: None where there is none.
		low: with `high` its 95% bounds, or None.
		limit: the value from which on it is an alarm; None where none is set.
		n: rows that it is measured on.
		against_n: rows that it is compared with; 0 for none.
		words: what was seen, for a reader who knows no statistics.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	subject: str
	what: str
	verdict: Verdict
	value: float | None
	n: int
	words: str
	low: float | None = None
	high: float | None = None
	limit: float | None = None
	against_n: int = 0


# Checks of features are so many that each gets a share of the false alarms that all may raise.
FEATURE_CHECKS: Final = ("psi", "missing", "new_category")
