"""Which alarms somebody is told of, by rules in configuration."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from loantap.portfolio.options import Options
from loantap.surveillance.monitoring.checks import Check, Verdict


class Severity(StrEnum):
	"""How urgent an alert is, the least first."""

	INFO = "info"
	WARNING = "warning"
	CRITICAL = "critical"


class AlertRule(Options):
	"""Who is told of what.

	Attributes:
		what: kinds of figures, such as `psi`.
		subjects: what they are of, such as `dti_pct`; empty for all.
		limit: smallest absolute value that is told; None for every alarm.
		silence_days: days before somebody is told again of an alert that goes on.
		owner: who answers for it.
		channels: by which names of channels; see docs/monitoring.md.
	"""

	what: tuple[str, ...]
	subjects: tuple[str, ...] = ()
	limit: float | None = None
	severity: Severity
	silence_days: Annotated[int, Field(ge=0)]
	owner: str
	channels: tuple[str, ...]

	def takes(self, check: Check) -> bool:
		"""Whether a check is an alarm that this rule is about."""
		is_large = self.limit is None or check.value is None or abs(check.value) >= self.limit
		is_about = check.what in self.what and (not self.subjects or check.subject in self.subjects)
		return check.verdict is Verdict.ALARM and is_about and is_large


class Finding(BaseModel):
	"""An alarm that a rule is about; there is one per rule and subject."""

	model_config = ConfigDict(frozen=True, extra="forbid")

	rule: str
	subject: str
	severity: Severity
	silence_days: int
	owner: str
	channels: tuple[str, ...]
	words: str


def match_rules(checks: Iterable[Check], rules: Mapping[str, AlertRule]) -> list[Finding]:
	"""What is to be told: each alarm by the first rule that takes it, one finding per rule and subject."""
	found: dict[tuple[str, str], Finding] = {}
	for check in checks:
		name = next((name for name, rule in rules.items() if rule.takes(check)), None)
		if name is None or (name, check.subject) in found:
			continue
		rule = rules[name]
		found[name, check.subject] = Finding(
			rule=name,
			subject=check.subject,
			words=check.words,
			**rule.model_dump(include={"severity", "silence_days", "owner", "channels"}),
		)
	return list(found.values())
