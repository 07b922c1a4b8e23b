"""What each figure that is watched says, in one form for reports and alerts; and who is told of which alarm."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from loantap.portfolio.options import Options


class Verdict(StrEnum):
	"""What a check found.

	`cannot_tell`: with so few rows even a large change would look like chance.
	"""

	QUIET = "quiet"
	ALARM = "alarm"
	CANNOT_TELL = "cannot_tell"


def judge(n: int = 1, least: int = 1, *, is_alarm: bool) -> Verdict:
	"""The verdict on a figure of `n` rows; there is none below `least`."""
	if n < least:
		return Verdict.CANNOT_TELL
	return Verdict.ALARM if is_alarm else Verdict.QUIET


class Check(Options):
	"""One figure against its limit.

	Attributes:
		subject: what it is of, such as `dti`, `score` or `issued 2013`.
		what: kind of figure, such as `psi` or `roc_auc`; alert rules name it.
		value: None where there is none.
		low: with `high` its 95% bounds, or None.
		limit: the value from which on it is an alarm; None where none is set.
		n: rows that it is measured on.
		against_n: rows that it is compared with; 0 for none.
		words: what was seen, for a reader who knows no statistics.
	"""

	subject: str
	what: str
	verdict: Verdict = Verdict.CANNOT_TELL
	value: float | None = None
	n: int
	words: str
	low: float | None = None
	high: float | None = None
	limit: float | None = None
	against_n: int = 0


class Severity(StrEnum):
	"""How urgent an alert is, the least first."""

	INFO = "info"
	WARNING = "warning"
	CRITICAL = "critical"


class Told(Options):
	"""How somebody is told.

	Attributes:
		silence_days: days before somebody is told again of an alert that goes on.
		owner: who answers for it.
		channels: by which names of channels; see docs/monitoring.md.
	"""

	severity: Severity
	silence_days: Annotated[int, Field(ge=0)]
	owner: str
	channels: Annotated[tuple[str, ...], Field(min_length=1)]


Kind = Literal[
	"psi",
	"mean",
	"missing",
	"new_category",
	"expected_auc",
	"expected_default_rate",
	"roc_auc",
	"calibration",
	"profit",
	"approval_rate",
	"referral_rate",
	"invalid_share",
	"override_rate",
	"approval_ratio",
	"unread_days",
	"days_behind",
	"rows",
	"error_share",
	"p99_seconds",
]


class AlertRule(Told):
	"""Who is told of what.

	Attributes:
		what: kinds of figures, such as `psi`.
		subjects: what they are of, such as `dti_pct`; empty for all.
		limit: smallest absolute value that is told; None for every alarm.
	"""

	what: Annotated[tuple[Kind, ...], Field(min_length=1)]
	subjects: tuple[str, ...] = ()
	limit: float | None = None

	def is_about(self, check: Check) -> bool:
		"""Whether it names the figure, whatever that says."""
		return check.what in self.what and (not self.subjects or check.subject in self.subjects)

	def takes(self, check: Check) -> bool:
		"""Whether a check is an alarm that this rule is about."""
		is_large = self.limit is None or check.value is None or abs(check.value) >= self.limit
		return check.verdict is Verdict.ALARM and self.is_about(check) and is_large


class Finding(Told):
	"""An alarm that a rule is about; there is one per rule and subject."""

	rule: str
	subject: str
	words: str


class AlertReport(Options):
	"""`alerts.json`, which `loantap-alerts` delivers.

	Attributes:
		quiet: rules and subjects of which all that is watched was judged, and nothing is to be told. What could not be
			judged is in neither list.
	"""

	as_of: date
	findings: tuple[Finding, ...] = ()
	quiet: tuple[tuple[str, str], ...] = ()


def match_rules(checks: Collection[Check], rules: Mapping[str, AlertRule], as_of: date) -> AlertReport:
	"""What is to be told: each alarm by the first rule that takes it, one finding per rule and subject."""
	found: dict[tuple[str, str], Finding] = {}
	for check in checks:
		name = next((name for name, rule in rules.items() if rule.takes(check)), None)
		if name is not None and (name, check.subject) not in found:
			told = rules[name].model_dump(include=set(Told.model_fields))
			found[name, check.subject] = Finding(rule=name, subject=check.subject, words=check.words, **told)
	about = [(name, check) for name, rule in rules.items() for check in checks if rule.is_about(check)]
	judged = dict.fromkeys((name, check.subject) for name, check in about)
	unknown = {(name, check.subject) for name, check in about if check.verdict is Verdict.CANNOT_TELL}
	quiet = tuple(key for key in judged if key not in found and key not in unknown)
	return AlertReport(as_of=as_of, findings=tuple(found.values()), quiet=quiet)
