"""What a model foresees: the target of a run, which every report names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from loantap.portfolio.errors import InputError


class Target(StrEnum):
	"""What counts as a default, and by when."""

	CHARGED_OFF = "charged_off"
	DPD_90_WITHIN_12 = "dpd_90_within_12"
	DPD_90_WITHIN_18 = "dpd_90_within_18"
	DPD_90_WITHIN_24 = "dpd_90_within_24"

	@property
	def window_months(self) -> int:
		"""Months after that of issue within which a default counts; 0: over the life."""
		return 0 if self is Target.CHARGED_OFF else int(self[-2:])

	@property
	def definition(self) -> str:
		"""In words."""
		last = self.window_months
		return f"90 days past due or charged off by month {last}" if last else "charged off, against fully paid"

	@property
	def obstacle(self) -> str:
		"""Why no money is reckoned with its PDs; "" where it is."""
		return f"its target is {self}; the policy reckons with charge-offs over the life" if self.window_months else ""


def find_target(training_report: Mapping[str, Any]) -> Target:
	"""The target in a `training.json`; earlier releases knew one."""
	return Target(training_report.get("promotion", {}).get("target", {}).get("name", Target.CHARGED_OFF))


def require_lifetime(target: Target, where: str) -> None:
	"""Stop what reckons with charge-offs over the life (InputError)."""
	if target.window_months:
		raise InputError(where, target.obstacle, "Run `--pipelines training` without `target`")
