"""The rule by which one model takes the place of another (docs/adr/0008).

A model is promoted when all of these hold:

1. it learned from enough charge-offs;
2. the leakage gate lets all its features pass;
3. it is calibrated: out of fold its ECE is within the range of a perfect model, or immaterial;
4. it is better on loans that neither model has seen: the intervals of the differences in log-loss
   and in AUC, by a paired bootstrap, both lie above zero;
5. it is not worse on matured loans out of time: the interval of the difference in AUC does not lie
   below zero.

The last two need a champion; the first to come needs the first three alone. None is promoted whose
target is not that of the money policy, or of the champion.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from loantap.measures.auc import bootstrap_aucs, map_ahead
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.model.training.options import PromotionOptions
from loantap.model.training.predictions import CROSS_VALIDATION, OUT_OF_TIME, TEST
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.target import Target

# Fewer of an outcome, and a comparison out of time says nothing either way.
_MIN_OUT_OF_TIME = 30


@dataclass(frozen=True, slots=True)
class Difference:
	"""By how much the new model is better on the same loans, with a bootstrap interval."""

	n: int
	charged_off: int
	gain: float
	low: float
	high: float

	def __str__(self) -> str:
		return f"{self.gain:+.5f} [{self.low:+.5f}, {self.high:+.5f}] on {self.n:,} loans, {self.charged_off:,} charged off"


@dataclass(frozen=True, slots=True)
class Condition:
	"""One condition of the rule: whether it holds, and what shows it."""

	name: str
	holds: bool
	evidence: str


@dataclass(frozen=True, slots=True)
class Verdict:
	"""Whether a model is promoted, and why; `incumbent` is empty where there is none."""

	candidate: str
	incumbent: str
	promoted: bool
	conditions: tuple[Condition, ...]

	def as_dict(self) -> dict[str, Any]:
		"""As JSON has it."""
		conditions = [asdict(condition) for condition in self.conditions]
		return asdict(self) | {"conditions": conditions, "headline": self.headline}

	@property
	def headline(self) -> str:
		"""What becomes of the candidate."""
		if not self.incumbent:
			return f"{self.candidate} {'becomes' if self.promoted else 'does not become'} champion"
		takes = "takes" if self.promoted else "does not take"
		return f"{self.candidate} {takes} the place of {self.incumbent}"

	@property
	def reason(self) -> str:
		"""What becomes of the candidate, and why."""
		if self.promoted:
			return f"{self.headline}: every condition holds"
		failed = "; ".join(f"{c.name}: {c.evidence}" for c in self.conditions if not c.holds)
		return f"{self.headline} ({failed})"


# What is still missing of a model that would be promoted, where a person has to sign for it.
SIGNED: Final = "signed"


def await_signature(verdict: Verdict) -> Verdict:
	"""The same verdict, and no promotion until a person signs."""
	missing = Condition(SIGNED, False, "a person who has read the comparison signs with `loantap-models sign`")
	return replace(verdict, promoted=False, conditions=(*verdict.conditions, missing))


def compare_log_loss(
	target: IntArray, new: FloatArray, old: FloatArray, options: PromotionOptions, seed: int
) -> Difference:
	"""Fall of the mean log-loss from old PDs to new ones, by a paired bootstrap."""
	gains = _loss(target, old) - _loss(target, new)
	rng = np.random.default_rng(seed)
	draws = (rng.integers(0, len(gains), len(gains)) for _ in range(options.resamples))
	drawn = np.array(list(map_ahead(lambda loans: gains[loans].mean(), draws)))
	return _summarise(target, float(gains.mean()), drawn, options)


def compare_auc(target: IntArray, new: FloatArray, old: FloatArray, options: PromotionOptions, seed: int) -> Difference:
	"""Rise of the AUC from old PDs to new ones, by a paired bootstrap."""
	scores = np.stack([new, old])
	drawn = bootstrap_aucs(target, scores, seed=seed, resamples=options.resamples)
	new_auc, old_auc = (roc_auc_score(target, score) for score in scores)
	return _summarise(target, new_auc - old_auc, drawn[:, 0] - drawn[:, 1], options)


def judge_alone(
	predictions: pd.DataFrame, caught: list[str] | None, options: PromotionOptions, seed: int
) -> list[Condition]:
	"""The conditions a model meets or not by itself, judged in cross-validation.

	`caught`: features of it that the leakage gate caught; None of a model not for lending.
	"""
	rows = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
	target = rows["is_charged_off"].to_numpy("int64")
	pd_ = rows["probability_of_default"].to_numpy()
	charged_off = int(target.sum())
	ece = expected_calibration_error(target, pd_)
	_, highest = perfect_ece_bounds(
		pd_, seed=seed, resamples=options.resamples, confidence=options.calibration_confidence
	)
	allowed = max(highest, options.tolerated_ece)
	return [
		Condition(
			"enough charge-offs",
			charged_off >= options.min_charge_offs,
			f"{charged_off:,} in training, {options.min_charge_offs:,} required",
		),
		Condition("leakage gate", not caught, _tell_caught(caught)),
		Condition(
			"calibrated",
			ece <= allowed,
			f"ECE {ece:.4f} out of fold on {len(rows):,} loans, at most {allowed:.4f} allowed: "
			f"a perfect model exceeds {highest:.4f} once in "
			f"{2 / (1 - options.calibration_confidence):,.0f} samples, and "
			f"up to {options.tolerated_ece:.4f} counts as immaterial",
		),
	]


def judge_against(new: pd.DataFrame, old: pd.DataFrame, options: PromotionOptions, seed: int) -> list[Condition]:
	"""The conditions that need a champion.

	Tables hold `loan_id`, `sample`, `is_charged_off`, `probability_of_default` by a model that had not seen the loan.
	"""
	columns = ["loan_id", "sample", "probability_of_default"]
	both = new[[*columns, "is_charged_off"]].merge(old[columns], on=columns[:2], suffixes=("", "_"))
	unseen = both[both["sample"].isin([CROSS_VALIDATION, TEST])]
	conditions = []
	if not _has_outcomes(unseen, options.min_charge_offs):
		return [Condition("better", False, f"{len(unseen):,} loans are too few to compare on")]
	for name, compare in (("log-loss", compare_log_loss), ("AUC", compare_auc)):
		difference = compare(*_arrays(unseen), options, seed)
		conditions.append(Condition(f"better {name}", difference.low > 0, str(difference)))
	matured = both[both["sample"].eq(OUT_OF_TIME)]
	if _has_outcomes(matured, _MIN_OUT_OF_TIME):
		difference = compare_auc(*_arrays(matured), options, seed)
		holds, evidence = difference.high >= 0, f"AUC {difference}"
	else:
		holds, evidence = True, f"{len(matured):,} matured loans are too few to tell"
	return [*conditions, Condition("not worse out of time", holds, evidence)]


def judge_target(target: Target, incumbent: Target | None) -> list[Condition]:
	"""Nothing where the policy, and the champion if there is one, have its target."""
	told = [target.obstacle] if target.obstacle else []
	if incumbent not in {None, target}:
		told.append(f"that of the champion is {incumbent}: their PDs cannot be compared")
	return [Condition("target", False, "; ".join(told))] if told else []


def reach_verdict(candidate: str, incumbent: str, conditions: list[Condition]) -> Verdict:
	"""Promote when every condition holds."""
	return Verdict(candidate, incumbent, all(c.holds for c in conditions), tuple(conditions))


def _tell_caught(caught: list[str] | None) -> str:
	if caught is None:
		return "not asked: the model is not for lending"
	return f"caught: {', '.join(caught)}" if caught else "no feature of it is caught"


def _loss(target: IntArray, pd_: FloatArray) -> FloatArray:
	least = np.finfo("float64").eps
	likelihood: FloatArray = np.where(target == 1, pd_, 1 - pd_)
	return -np.log(np.clip(likelihood, least, None))


def _summarise(target: IntArray, gain: float, drawn: FloatArray, options: PromotionOptions) -> Difference:
	tail = (1 - options.confidence) / 2
	low, high = np.quantile(drawn, [tail, 1 - tail])
	return Difference(len(target), int(target.sum()), float(gain), float(low), float(high))


def _has_outcomes(rows: pd.DataFrame, least: int) -> bool:
	bad = int(rows["is_charged_off"].sum())
	return min(bad, len(rows) - bad) >= least


def _arrays(rows: pd.DataFrame) -> tuple[IntArray, FloatArray, FloatArray]:
	return (
		rows["is_charged_off"].to_numpy("int64"),
		rows["probability_of_default"].to_numpy(),
		rows["probability_of_default_"].to_numpy(),
	)
