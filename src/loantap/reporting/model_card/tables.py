"""The tables of the model card, and what drives the PD, ranked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.reporting.figures.interval_plot import Axis, make_ratio_axis
from loantap.reporting.formatting import (
	NOTHING,
	capitalize_first,
	count,
	decimal,
	decimal_interval,
	name_sample,
	percent,
	percent_interval,
)

SAMPLES: Final = ("cv", "test", "out_of_time")
_TRADE_OFF_ROWS: Final = 12
_TOP_CANDIDATES: Final = 8
_RATES: Final = frozenset(
	{"default_rate", "threshold", "accuracy", "precision", "recall", "approval_rate", "default_rate_approved"}
)
_METRICS: Final = {
	"default_rate": "Default rate",
	"roc_auc": "AUC",
	"average_precision": "Average precision",
	"ks": "KS",
	"brier": "Brier score",
	"ece": "Expected calibration error (ECE)",
	"threshold": "Threshold",
	"accuracy": "Accuracy",
	"precision": "Precision",
	"recall": "Recall",
	"f2": "F2",
	"f2_decline_all": "F2 of declining everybody",
	"approval_rate": "Approval rate",
	"default_rate_approved": "Default rate among the approved",
}
# The published case study (5-fold mean on all 396,030 loans, threshold 0.45), and the same recipe on a sample of them.
_PUBLISHED: Final = {"accuracy": 0.83, "recall": 0.654, "precision": 0.552, "f2": 0.63}
_TRIED: Final = {"accuracy": 0.81, "recall": 0.77, "precision": 0.50, "f2": 0.695}


@dataclass(frozen=True, slots=True)
class Cell:
	"""A figure, its 95% interval and a remark, all in words; the last two may be empty."""

	value: str
	interval: str = ""
	remark: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
	"""A column of the metrics table; `loans` is empty when the sample was not measured."""

	name: str
	loans: str


@dataclass(frozen=True, slots=True)
class MetricsTable:
	"""Metrics of one namespace: one row per metric, one cell per sample."""

	samples: Sequence[Sample]
	rows: Mapping[str, Sequence[Cell]]

	@property
	def unmeasured(self) -> list[str]:
		"""Names of the samples that had too few loans."""
		return [sample.name for sample in self.samples if not sample.loans]


@dataclass(frozen=True, slots=True)
class CandidatesTable:
	"""Top of a hyperparameter search: the best by F2, and the one chosen wherever it ranks.

	`within` counts those within one standard error of the best F2.
	"""

	tried: int
	not_converged: int
	within: int
	rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
	"""Replica against the published figures; `loans` is empty when it was not measured."""

	loans: str
	threshold: str
	rows: Sequence[tuple[str, str, str, str]]


def tabulate_metrics(blocks: Mapping[str, Any]) -> MetricsTable:
	"""Metrics of one namespace out of `metrics.json`; a sample that is None or absent stays empty."""
	given = [blocks.get(sample) for sample in SAMPLES]
	samples = [
		Sample(name_sample(name), count(block["n"]) if block else "") for name, block in zip(SAMPLES, given, strict=True)
	]
	rows = {label: [make_cell(block, key) for block in given] for key, label in _METRICS.items()}
	return MetricsTable(samples, rows)


def make_cell(block: Mapping[str, Any] | None, key: str) -> Cell:
	"""One figure of a block; a dash where there is no block."""
	if block is None:
		return Cell(NOTHING)
	value, low, high = (block.get(key + suffix) for suffix in ("", "_low", "_high"))
	if key in _RATES:
		return Cell(_word(key, value), percent_interval(low, high))
	perfect = decimal_interval(block.get(f"{key}_perfect_low"), block.get(f"{key}_perfect_high"))
	remark = f"perfect: {perfect}" if perfect else ""
	return Cell(_word(key, value), decimal_interval(low, high), remark)


def _word(key: str, value: float | None) -> str:
	return percent(value) if key in _RATES else decimal(value)


def thin_trade_off(thresholds: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
	"""A dozen rows of the trade-off, evenly spread over the shares approved."""
	last = len(thresholds) - 1
	places = sorted({round(last * row / (_TRADE_OFF_ROWS - 1)) for row in range(_TRADE_OFF_ROWS)})
	return [thresholds[place] for place in places]


def tabulate_candidates(candidates: pd.DataFrame) -> CandidatesTable:
	"""Top of a search by F2, from one row per candidate."""
	ranked = candidates.sort_values(["mean_f2", "mean_log_loss"], ascending=[False, True], kind="stable").assign(
		rank=range(1, len(candidates) + 1)
	)
	shown = ranked[(ranked["rank"] <= _TOP_CANDIDATES) | ranked["chosen"].astype(bool)]
	return CandidatesTable(
		tried=len(candidates),
		not_converged=int((~candidates["converged"].astype(bool)).sum()),
		within=int(candidates["within_one_standard_error"].astype(bool).sum()),
		rows=[{str(k): v for k, v in row.items()} for row in shown.to_dict("records")],
	)


def compare_with_published(blocks: Mapping[str, Any]) -> Comparison:
	"""The replica's out-of-fold figures beside those of the case study's notebook."""
	block = blocks.get("cv")
	return Comparison(
		loans=count(block["n"]) if block else "",
		threshold=percent(block["threshold"]) if block else NOTHING,
		rows=[
			(_METRICS[key], _word(key, published), _word(key, _TRIED[key]), _word(key, block[key]) if block else NOTHING)
			for key, published in _PUBLISHED.items()
		],
	)


_TOP: Final = 12
# Where a category separates the outcomes, the solver's last odds ratio says nothing.
_FURTHEST_RATIO: Final = 10_000.0
_RARE: Final = "infrequent_sklearn"


@dataclass(frozen=True, slots=True)
class Driver:
	"""One input of a model, or one feature of a scorecard, in words; `at` in per cent of the plot's width.

	`side` is `above` where it raises the risk, `below` where it lowers it, `near` where it does neither, or now one and
	now the other.
	"""

	name: str
	label: str
	coefficient: str
	odds_ratio: str
	at: float
	side: str


@dataclass(frozen=True, slots=True)
class DriverChart:
	"""The drivers of one model, furthest from 1 (drawn at `one`) first, and what has no effect.

	Where `is_of_scorecard`, a ratio lies between a feature's riskiest and safest attribute.
	"""

	axis: Axis
	one: float
	drivers: Sequence[Driver]
	idle: Sequence[str]
	idle_features: Sequence[str]
	is_of_scorecard: bool = False

	@property
	def top(self) -> Sequence[Driver]:
		"""Those that are drawn."""
		return self.drivers[:_TOP]


def rank_coefficients(coefficients: pd.DataFrame, phrases: Mapping[str, str]) -> DriverChart:
	"""The coefficients of a model, one row per input, by their size; `phrases` words each feature."""
	ranked = coefficients.sort_values("coefficient", key=abs, ascending=False, kind="stable")
	moving, idle = ranked[ranked["coefficient"].ne(0)], ranked[ranked["coefficient"].eq(0)]
	axis = _make_axis(moving["odds_ratio"].head(_TOP).tolist())
	labels = _name_inputs(moving["feature"].tolist(), phrases)
	drivers = [
		Driver(
			name=str(name),
			label=labels[name],
			coefficient=f"{coefficient:+.3f}",
			odds_ratio=_word_ratio(ratio),
			at=axis.place(ratio),
			side="above" if coefficient > 0 else "below",
		)
		for name, coefficient, ratio in moving[["feature", "coefficient", "odds_ratio"]].itertuples(index=False, name=None)
	]
	used = {_find_feature(name, phrases) for name in moving["feature"]}
	unused = dict.fromkeys(_find_feature(name, phrases) for name in idle["feature"])
	said = {phrases.get(feature, feature) for feature in used}
	idle_features = dict.fromkeys(phrases.get(name, name) for name in unused if name not in used)
	return DriverChart(
		axis,
		axis.place(1),
		drivers,
		[str(name) for name in idle["feature"]],
		[phrase for phrase in idle_features if phrase not in said],
	)


def rank_scorecard(scorecard: Mapping[str, Any]) -> DriverChart:
	"""The features of a scorecard by the odds between their riskiest and safest attribute."""
	to_double = scorecard["scale"]["points_to_double"]
	ratios = {
		feature["feature"]: 2 ** ((feature["most"] - feature["fewest"]) / to_double) for feature in scorecard["features"]
	}
	axis = _make_axis(list(ratios.values())[:_TOP])
	phrases = {feature["feature"]: feature["phrase"] for feature in scorecard["features"]}
	labels = _name_inputs(list(ratios), phrases)
	drivers = [
		Driver(name, labels[name], "", _word_ratio(ratio), axis.place(ratio), "near") for name, ratio in ratios.items()
	]
	return DriverChart(axis, axis.place(1), drivers, [], [], is_of_scorecard=True)


def _make_axis(ratios: Sequence[float]) -> Axis:
	return make_ratio_axis([min(max(r, 1 / _FURTHEST_RATIO), _FURTHEST_RATIO) for r in ratios])


def _name_inputs(names: Sequence[str], phrases: Mapping[str, str]) -> dict[str, str]:
	said = {name: _say(name, phrases) for name in names}
	times = Counter(said.values())
	return {
		name: f"{words} (logarithm)" if times[words] > 1 and name.startswith("log_") else words
		for name, words in said.items()
	}


def _say(name: str, phrases: Mapping[str, str]) -> str:
	feature = _find_feature(name, phrases)
	words = capitalize_first(phrases.get(feature, feature).removeprefix("the "))
	if feature == name:
		return words
	category = name.removeprefix(f"{feature}_")
	return f"{words}: {'a rare one' if category == _RARE else category.replace('_', ' ')}"


def _find_feature(name: str, phrases: Mapping[str, str]) -> str:
	if name in phrases:
		return name
	owners = [feature for feature in phrases if name.startswith(f"{feature}_")]
	return max(owners, key=len, default=name)


def _word_ratio(ratio: float) -> str:
	if ratio > _FURTHEST_RATIO:
		return f"over {_FURTHEST_RATIO:,.0f}"
	return f"{ratio:.3g}" if ratio < 0.1 else f"{ratio:.2f}"
