"""What the leakage gate found; a caught feature may be used by `benchmark` alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loantap.features.definitions import FEATURE_SETS, FEATURES, FeatureSet
from loantap.measures.intervals import Z95
from loantap.model.leakage.evidence import Evidence, GateVerdict

_SEVERITY: Final = (GateVerdict.PASSED, GateVerdict.WARNED, GateVerdict.CAUGHT)


class LeakageError(ValueError):
	"""A feature set for lending fails the gate."""


@dataclass(frozen=True, slots=True)
class FeatureFinding:
	"""What the gate found about one feature on so many training `loans`.

	`auc` is of the feature alone, cross-fitted; `groups` counts categories or bins; `categories` have an implausible
	default rate.
	"""

	feature: str
	loans: int
	groups: int
	auc: float
	auc_in_sample: float
	standard_error: float
	evidence: tuple[Evidence, ...]
	categories: tuple[dict[str, Any], ...] = ()

	@property
	def verdict(self) -> GateVerdict:
		"""The severest verdict of all tests."""
		return max((e.verdict for e in self.evidence), key=_SEVERITY.index)

	@property
	def caught(self) -> bool:
		"""Whether the gate stops it."""
		return self.verdict is GateVerdict.CAUGHT

	@property
	def reasons(self) -> tuple[str, ...]:
		"""Why it was caught, in words; may be empty."""
		return tuple(e.statement for e in self.evidence if e.verdict is GateVerdict.CAUGHT)

	@property
	def warnings(self) -> tuple[str, ...]:
		"""What is to be known about it though it stops nothing."""
		return tuple(e.statement for e in self.evidence if e.verdict is GateVerdict.WARNED)

	def as_dict(self) -> dict[str, Any]:
		"""Its entry in `leakage_report.json`."""
		return {
			"feature": self.feature,
			"n": self.loans,
			"groups": self.groups,
			"auc": round(self.auc, 6),
			"auc_low": round(max(self.auc - Z95 * self.standard_error, 0.0), 6),
			"auc_high": round(min(self.auc + Z95 * self.standard_error, 1.0), 6),
			"auc_in_sample": round(self.auc_in_sample, 6),
			"known_at_decision": self.feature not in FEATURES or FEATURES[self.feature].known_at_decision,
			"verdict": self.verdict.value,
			"caught": self.caught,
			"reasons": list(self.reasons),
			"warnings": list(self.warnings),
			"remedies": [e.remedy for e in self.evidence if e.verdict is GateVerdict.CAUGHT],
			"categories": [_round(c) for c in self.categories],
			"tests": {e.test: {"verdict": e.verdict.value, **_round(e.figures)} for e in self.evidence},
			"used_by": [s.name for s in FEATURE_SETS.values() if self.feature in s.features],
		}


def report_leakage(
	findings: Sequence[FeatureFinding], checks: Mapping[str, Any] | None = None, impact: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
	"""`leakage_report.json` of these findings."""
	return {"features": [f.as_dict() for f in findings], "checks": dict(checks or {}), "impact": list(impact)}


def require_no_leak(feature_set: FeatureSet, report: Mapping[str, Any]) -> None:
	"""Refuse with LeakageError a feature set for lending that uses a caught feature, or whose test set is known."""
	if not feature_set.for_lending:
		return
	caught = [
		f"{entry['feature']} ({'; '.join(entry['reasons'])}. {'. '.join(entry['remedies'])})"
		for entry in report["features"]
		if entry["caught"] and entry["feature"] in feature_set.features
	]
	if caught:
		raise LeakageError(
			f"feature set '{feature_set.name}' uses what the leakage gate caught: "
			f"{', '.join(caught)}. Take it out of the set in features/definitions.py, or "
			f"prove to the gate's owner that it is no leak and raise the limits"
		)
	for entry in report["checks"].get("feature_sets", {"sets": []})["sets"]:
		if entry["feature_set"] == feature_set.name and not entry["passed"]:
			raise LeakageError(
				f"feature set '{feature_set.name}' tells more than applications can: AUC {entry['auc']:.3f} "
				f"({entry['auc_low']:.3f} to {entry['auc_high']:.3f}, n {entry['n']:,}), above {entry['limit']:.2f}. "
				f"Compare the strongest features with what their sources held on the day of the application"
			)
	borrowers = report["checks"].get("borrowers", {"passed": True})
	if not borrowers["passed"]:
		raise LeakageError(
			f"feature set '{feature_set.name}' cannot be judged: {borrowers['statement']}. {borrowers['remedy']}"
		)


def _round(figures: Mapping[str, Any]) -> dict[str, Any]:
	return {k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}
