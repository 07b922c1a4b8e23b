"""Whether a feature tells much more of the outcome than when the champion was trained."""

from collections.abc import Callable, Mapping

import numpy as np
from pydantic import BaseModel, FiniteFloat, PositiveInt

from loantap.measures.intervals import Z95
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.expected import Z
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.options import LeakageOptions
from loantap.portfolio.target import Target


class Strength(BaseModel, frozen=True):
	"""AUC of a feature alone, cross-fitted with its lower 95% bound, and in-sample."""

	feature: str
	n: PositiveInt
	auc: FiniteFloat
	auc_low: FiniteFloat
	auc_in_sample: FiniteFloat

	@property
	def standard_error(self) -> float:
		"""Of the AUC."""
		return (self.auc - self.auc_low) / Z95

	@property
	def unbiased(self) -> float:
		"""Between both AUCs: bins of few loans understate the one and overstate the other."""
		return (self.auc + self.auc_in_sample) / 2


class ReportedTarget(BaseModel, frozen=True):
	"""What the loans were labelled with."""

	name: Target


class LastTraining(BaseModel, frozen=True):
	"""What `leakage_report.json` holds of a champion's training; `label`: its name and version."""

	target: ReportedTarget
	features: tuple[Strength, ...]
	label: str = ""


# For each origin of loans a function that asks the registry, so that no other is asked.
LastTrainings = Mapping[str, Callable[[], LastTraining | None]]


def check_against_last_training(
	finding: FeatureFinding, last: LastTraining | None, copies: float, options: LeakageOptions
) -> Evidence:
	"""Whether a feature is stronger than at the `last` training, beyond drift and chance.

	Both AUCs count as independent, which errs on the wide side. `copies`: as `check_strength`.
	"""
	then = next((s for s in last.features if s.feature == finding.feature), None) if last else None
	if last is None or then is None:
		return Evidence("last_training")
	# Below a half is chance; what a person has declared since is no surprise.
	before = max(then.unbiased, options.expected_auc.get(finding.feature, 0.5))
	error = float(np.hypot(finding.standard_error, then.standard_error)) * copies**0.5
	least = finding.auc - before - Z * error
	figures = {"auc_then": then.auc, "n_then": then.n, "rise_at_least": least}
	if least <= options.drift_tolerance:
		return Evidence("last_training", figures=figures)
	return Evidence(
		"last_training",
		GateVerdict.CAUGHT,
		f"much stronger than at the last training: AUC {finding.auc:.3f} alone (n {finding.loans:,}), where "
		f"{last.label} was trained with {then.auc:.3f} (n {then.n:,}); it rose by at least {least:.3f}, and an honest "
		f"column drifts by {options.drift_tolerance:.2f} at most",
		"Ask the source what has written the value since, and whether after the outcome; an honest new source is "
		"declared in expected_auc",
		figures,
	)
