"""One model on the model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from loantap.reporting.figures.frame import embed_svg
from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.model_card.tables import (
	CandidatesTable,
	Comparison,
	DriverChart,
	MetricsTable,
	compare_with_published,
	rank_coefficients,
	rank_scorecard,
	tabulate_candidates,
	tabulate_metrics,
	thin_trade_off,
)


def fill_bands(bands: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
	"""The bands of `scorecard.json` without a gap: one without loans has no rates, one of few `is_few`."""
	if not bands:
		return []
	known = {band["lowest"]: band for band in bands}
	step = bands[0]["highest"] - bands[0]["lowest"] + 1
	nothing = dict.fromkeys(bands[0]) | {"n": 0, "charged_off": 0}
	filled = []
	for lowest in range(min(known), max(known) + 1, step):
		band = known.get(lowest, nothing | {"lowest": lowest, "highest": lowest + step - 1})
		filled.append({**band, "is_few": 0 < band["n"] < FEW_LOANS})
	return filled


_REPLICA: Final = "published_replica"
_CAPTIONS: Final = {
	"roc": "ROC curve: how well the model ranks loans",
	"precision_recall": "Precision and recall",
	"calibration": "Calibration as served: what was predicted against what happened",
	"before_and_after": "Calibration out of fold, before and after",
	"thresholds": "What each threshold would mean",
}


@dataclass(frozen=True, slots=True)
class ModelSection:
	"""Finished material about one model; its reports have the structures of their JSON files.

	`name` is its namespace, `version` a registered name and version; `standing`: whether it is champion, and which is
	where it is not. `decides`: its champion decides on applications; `for_lending`: one may rest on it. `coefficients`:
	one row per input: `feature`, `coefficient`, `odds_ratio`. `figures`: `roc`, `precision_recall`, `calibration`,
	`before_and_after`, `thresholds`.
	"""

	name: str
	version: str
	standing: str
	purpose: str
	decides: bool
	for_lending: bool
	candidates: pd.DataFrame
	coefficients: pd.DataFrame
	figures: Mapping[str, Figure]
	training: Mapping[str, Any]
	calibration: Mapping[str, Any]
	trade_off: Mapping[str, Any]
	promotion: Mapping[str, Any]

	@property
	def is_champion(self) -> bool:
		"""Whether this version is champion, now or from the end of its run on."""
		return self.standing.startswith("Champion")

	@property
	def tolerated_ece(self) -> float:
		"""Calibration error that the rule of promotion calls immaterial."""
		tolerated: float = self.training["promotion"]["tolerated_ece"]
		return tolerated

	@property
	def is_boosted(self) -> bool:
		"""Whether the challenger went forward."""
		challenger = self.promotion["challenger"]
		return challenger is not None and challenger["promoted"]

	@property
	def is_recalibrated(self) -> bool:
		"""Whether calibration changes any PD of the logistic regression."""
		return bool(self.calibration["before"] != self.calibration["after"])


@dataclass(frozen=True, slots=True)
class CardFigure:
	"""An evaluation figure as the page embeds it."""

	source: str
	caption: str


@dataclass(frozen=True, slots=True)
class WordedSection:
	"""A model as the card shows it; `coefficients` are the logistic regression's, not served where it was beaten."""

	model: ModelSection
	anchor: str
	metrics: MetricsTable
	trade_off: Sequence[Mapping[str, Any]]
	candidates: CandidatesTable
	drivers: DriverChart
	coefficients: DriverChart
	figures: Mapping[str, CardFigure]
	comparison: Comparison | None
	scorecard: Mapping[str, Any] | None
	bands: Sequence[Mapping[str, Any]]


def word_section(
	model: ModelSection, blocks: Mapping[str, Any], scorecard: Mapping[str, Any] | None, phrases: Mapping[str, str]
) -> WordedSection:
	"""Word, order and thin what is said about one model; `blocks` are its part of `metrics.json`."""
	coefficients = rank_coefficients(model.coefficients, phrases)
	shown = [
		kind
		for kind in model.figures
		# Points that lie where they lay are in the figure of calibration already.
		if kind != "before_and_after" or model.is_recalibrated
	]
	return WordedSection(
		model=model,
		anchor="model-" + model.name.replace("_", "-"),
		metrics=tabulate_metrics(blocks),
		trade_off=thin_trade_off(model.trade_off["thresholds"]),
		candidates=tabulate_candidates(model.candidates),
		drivers=rank_scorecard(scorecard) if scorecard and model.is_boosted else coefficients,
		coefficients=coefficients,
		figures={kind: CardFigure(embed_svg(model.figures[kind]), _CAPTIONS[kind]) for kind in shown},
		comparison=compare_with_published(blocks) if model.name == _REPLICA else None,
		scorecard=scorecard,
		bands=fill_bands(scorecard["bands"]) if scorecard else [],
	)
