"""What the model card says of the leakage gate, of groups of borrowers, and of how models age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from matplotlib.figure import Figure

from loantap.reporting.figures.frame import embed_svg
from loantap.reporting.figures.interval_plot import Axis, Dot, Tick
from loantap.reporting.formatting import NOTHING, count, decimal, decimal_interval, signed

_SEVERITY: Final = ("caught", "warned", "passed")
_CHECKS: Final = {
	"borrowers": "The same borrower in training and test",
	"time_travel": "Dates after the decision",
	"lineage": "Features computed from the outcome",
	"last_training": "Against the champion's training",
	"feature_sets": "All features of a model together",
	"audited_columns": "Columns that no model uses",
}
_METRICS: Final = {"roc_auc": "AUC", "log_loss": "Log-loss", "f2": "F2"}
_DIGITS: Final = 4
# From where the picture of AUCs alone runs.
_LEAST: Final = 0.4
_MOST: Final = 0.9


@dataclass(frozen=True, slots=True)
class FeatureLine:
	"""One feature, or audited column, before the gate.

	`groups` are categories, or bins of a number; `auc` is cross-fitted, alone, with its 95% `interval`; `in_sample` is
	not.
	"""

	name: str
	groups: str
	auc: str
	interval: str
	in_sample: str
	verdict: str
	remarks: str
	used_by: str


@dataclass(frozen=True, slots=True)
class StrengthDot(Dot):
	"""AUC of a feature alone; `reference` is where a column of its name honestly ends."""

	reference: float


@dataclass(frozen=True, slots=True)
class StrengthChart:
	"""Features of the lending models against what is expected of each."""

	axis: Axis
	dots: Sequence[StrengthDot]


@dataclass(frozen=True, slots=True)
class ImpactCell:
	"""One metric with and without a feature, and the difference with its paired interval."""

	with_: str
	without: str
	difference: str
	interval: str


@dataclass(frozen=True, slots=True)
class ImpactLine:
	"""What one suspicious feature does to a plain model."""

	name: str
	cells: Sequence[ImpactCell]


@dataclass(frozen=True, slots=True)
class CheckLine:
	"""One check of the whole portfolio."""

	name: str
	passed: bool
	finding: str


@dataclass(frozen=True, slots=True)
class LeakageSection:
	"""The leakage part of the card, the worst features first, in words.

	`audited`: columns that no model uses; `impact`: metrics with and without each suspicious feature, on the loans
	`drawn`.
	"""

	loans: str
	caught: Sequence[str]
	features: Sequence[FeatureLine]
	audited: Sequence[FeatureLine]
	checks: Sequence[CheckLine]
	metrics: Sequence[str]
	impact: Sequence[ImpactLine]
	drawn: str
	strengths: StrengthChart

	@property
	def gist(self) -> str:
		"""What came of the gate, on one line."""
		failed = sum(not check.passed for check in self.checks)
		told = f"{len(self.caught)} of {len(self.features)} features caught"
		return f"{told}; {failed or 'no'} check{'s' if failed > 1 else ''} of the portfolio failed"


def make_leakage_section(report: Mapping[str, Any]) -> LeakageSection:
	"""Word the structure of `leakage_report.json`."""
	features = sorted(report["features"], key=lambda f: (_SEVERITY.index(f["verdict"]), -float(f["auc"])))
	impact = report["impact"]
	audited = report["checks"].get("audited_columns", {"columns": []})["columns"]
	return LeakageSection(
		loans=count(features[0]["n"]) if features else NOTHING,
		caught=[f["feature"] for f in features if f["caught"]],
		features=[_word_feature(entry) for entry in features],
		audited=[_word_feature(entry) for entry in audited],
		checks=[
			CheckLine(_CHECKS.get(name, name), check["passed"], check["statement"])
			for name, check in report["checks"].items()
		],
		metrics=list(_METRICS.values()),
		impact=[_word_impact(entry) for entry in impact],
		drawn=f"{count(impact[0]['n'])} of {count(impact[0]['drawn_from'])}" if impact else "",
		strengths=_draw_strengths(features),
	)


def _draw_strengths(features: Sequence[Mapping[str, Any]]) -> StrengthChart:
	axis = Axis(_LEAST, _MOST, ())
	axis = replace(axis, ticks=tuple(Tick(axis.place(at / 10), f"{at / 10:.1f}") for at in range(4, 10)))
	shown = [f for f in features if "strength" in f.get("tests", {}) and f["used_by"] != ["benchmark"]]
	return StrengthChart(axis, [_place_strength(f, axis) for f in shown])


def _place_strength(entry: Mapping[str, Any], axis: Axis) -> StrengthDot:
	found = entry["tests"]["strength"]
	interval = decimal_interval(entry["auc_low"], entry["auc_high"])
	note = f"expected {decimal(found['auc_expected'])}"
	return StrengthDot(
		label=entry["feature"],
		value=decimal(entry["auc"]),
		note=note,
		hover=f"{entry['feature']}: {decimal(entry['auc'])}, 95% interval {interval}, n {count(entry['n'])}; {note}",
		at=axis.place(entry["auc"]),
		low=axis.place(entry["auc_low"]),
		high=axis.place(entry["auc_high"]),
		position="above" if found["verdict"] == "caught" else "near",
		is_cut=entry["auc_high"] > _MOST,
		is_outside=entry["auc"] > _MOST,
		reference=axis.place(found["auc_expected"]),
	)


def _word_feature(entry: Mapping[str, Any]) -> FeatureLine:
	return FeatureLine(
		name=entry["feature"],
		groups=count(entry["groups"]),
		auc=decimal(entry["auc"]),
		interval=decimal_interval(entry["auc_low"], entry["auc_high"]),
		in_sample=decimal(entry["auc_in_sample"]),
		verdict=entry["verdict"],
		remarks="; ".join([*entry["reasons"], *entry["warnings"]]),
		used_by=", ".join(entry["used_by"]) or "none",
	)


def _word_impact(entry: Mapping[str, Any]) -> ImpactLine:
	difference = entry["difference"]
	return ImpactLine(
		name=entry["feature"],
		cells=[
			ImpactCell(
				decimal(entry["with"][metric]),
				decimal(entry["without"][metric]),
				signed(difference[metric], _DIGITS),
				decimal_interval(difference[f"{metric}_low"], difference[f"{metric}_high"], _DIGITS),
			)
			for metric in _METRICS
		],
	)


_RULES: Final = {"f2": "F2 threshold", "policy": "policy"}


@dataclass(frozen=True, slots=True)
class RuleLine:
	"""How far apart groups lie under one rule, in words.

	`favoured` is approved most often, a dash for nobody; `ratio` the approval rate of the `least` one as a share of its,
	with its 95% `interval`.
	"""

	key: str
	name: str
	favoured: str
	least: str
	ratio: str
	interval: str


@dataclass(frozen=True, slots=True)
class ProxyLine:
	"""One way to group borrowers, with a line per rule."""

	phrase: str
	audit_only: bool
	rules: Sequence[RuleLine]
	groups: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class FairnessLine:
	"""The audit of one model."""

	n: int
	policy: str
	proxies: Sequence[ProxyLine]


def word_fairness(report: Mapping[str, Any]) -> dict[str, FairnessLine]:
	"""The structure of `fairness.json`, model by model."""
	return {
		name: FairnessLine(model["n"], model["policy"], [_word_proxy(p) for p in model["proxies"].values()])
		for name, model in report["models"].items()
	}


def _word_proxy(proxy: Mapping[str, Any]) -> ProxyLine:
	rules = [_word_rule(proxy, key, name) for key, name in _RULES.items() if key in proxy["favoured"]]
	return ProxyLine(proxy["phrase"], proxy["audit_only"], rules, proxy["groups"])


def _word_rule(proxy: Mapping[str, Any], key: str, name: str) -> RuleLine:
	ratio, favoured = f"{key}_approval_ratio", proxy["favoured"][key] or NOTHING
	others = [g for g in proxy["groups"] if g[ratio] is not None and g["group"] != favoured]
	if not others:
		return RuleLine(key, name, favoured, NOTHING, NOTHING, "")
	least = min(others, key=lambda group: float(group[ratio]))
	interval = decimal_interval(least[f"{ratio}_low"], least[f"{ratio}_high"], 2)
	return RuleLine(key, name, favoured, least["group"], decimal(least[ratio], 2), interval)


@dataclass(frozen=True, slots=True)
class VintageSection:
	"""`vintage_analysis.json` and a figure per model, for `templates/vintages.html`."""

	report: Mapping[str, Any]
	figures: Mapping[str, Figure]

	@property
	def images(self) -> dict[str, str]:
		"""Per model, its figure as a data URI."""
		return {name: embed_svg(figure) for name, figure in self.figures.items()}

	@property
	def gist(self) -> str:
		"""What came of the rolling origin, on one line."""
		pooled = {name: model["rolling_origin"]["pooled"] for name, model in self.report["models"].items()}
		told = [
			f"{name}: AUC {decimal(figures['roc_auc'])}, observed / expected {decimal(figures['observed_to_expected'], 2)}"
			for name, figures in pooled.items()
			if figures
		]
		return "; ".join(told) or "too few loans"

	@property
	def external_gist(self) -> str:
		"""What came of the external sample, on one line."""
		return "; ".join(
			f"{name}: AUC {decimal(row['roc_auc'])}, the interest rate alone {decimal(row['rate_roc_auc'])}"
			for name, row in self.external.items()
		)

	@property
	def external(self) -> dict[str, Mapping[str, Any]]:
		"""Per model, its figures on the external sample; empty where none was given."""
		models = self.report["models"].items()
		return {name: model["external"] for name, model in models if "external" in model}
