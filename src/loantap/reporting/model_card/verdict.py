"""What the card says first: whether a model may decide, why, and its headline figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loantap.reporting.formatting import (
	capitalize_first,
	count,
	decimal,
	decimal_interval,
	name_sample,
	percent,
	percent_interval,
	signed,
)
from loantap.reporting.model_card import rules_of_figures
from loantap.reporting.model_card.flags import (
	RULES,
	SAME_MODEL,
	Check,
	Evidence,
	Flag,
	Severity,
	apply_rules,
	list_flags,
	quote,
)
from loantap.reporting.model_card.model_section import ModelSection
from loantap.reporting.model_card.tables import SAMPLES, Cell, make_cell

_OF_METRICS: Final = ("default_rate", "roc_auc", "ks", "ece")
_OF_POLICY: Final = ("approval_rate", "default_rate_approved")


@dataclass(frozen=True, slots=True)
class HeadlineRow:
	"""A model in one sample, in words; `loans` is empty where nothing was measured.

	`cells`: default rate, AUC, KS, ECE; approval rate under the policy and default rate among the approved.
	"""

	sample: str
	loans: str
	cells: Sequence[Cell]


def tabulate_headline(
	models: Sequence[ModelSection], metrics: Mapping[str, Any], fairness: Mapping[str, Any]
) -> dict[str, list[HeadlineRow]]:
	"""A row per model and sample, from `metrics.json` and `fairness.json`."""
	return {model.name: _tabulate(metrics[model.name], fairness["models"].get(model.name)) for model in models}


def _tabulate(blocks: Mapping[str, Any], audit: Mapping[str, Any] | None) -> list[HeadlineRow]:
	approvals = {row["sample"]: row for row in audit["approvals"]} if audit else {}
	rows = []
	for sample in SAMPLES:
		block = blocks.get(sample)
		approved = approvals.get(sample) if block else None
		measured = [make_cell(block, figure) for figure in _OF_METRICS]
		# The range of a perfect model says more of an ECE than its own interval, in the table of metrics.
		measured[-1] = replace(measured[-1], interval="")
		rows.append(
			HeadlineRow(
				sample=name_sample(sample),
				loans=count(block["n"]) if block else "",
				cells=[*measured, *(make_cell(approved, figure) for figure in _OF_POLICY)],
			)
		)
	return rows


_RULES: Final = (*RULES, *rules_of_figures.RULES)


@dataclass(frozen=True, slots=True)
class Reports:
	"""The reports of a run that speak of every model that may be lent on, as their JSON files."""

	metrics: Mapping[str, Any]
	vintages: Mapping[str, Any]
	stability: Mapping[str, Any]
	fairness: Mapping[str, Any]
	leakage: Mapping[str, Any]
	phrases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
	"""What the card says of one model that may be lent on, before any evidence.

	`tone` is `idle` where it does not decide, else `red`, `amber` or `clear`. Red flags come first.
	"""

	model: ModelSection
	headline: str
	tone: str
	reasons: Mapping[str, str]
	flags: Sequence[Flag]
	checks: Sequence[Check]

	@property
	def red(self) -> int:
		"""Number of red flags."""
		return sum(flag.severity is Severity.RED for flag in self.flags)

	@property
	def amber(self) -> int:
		"""Number of amber ones."""
		return len(self.flags) - self.red

	@property
	def quiet(self) -> int:
		"""Number of rules that were applied and raised nothing."""
		return sum(check.is_judged and not check.flags for check in self.checks)


def reach_verdict(model: ModelSection, reports: Reports) -> Verdict:
	"""Judge one model by all rules, and say why it decides or does not."""
	evidence = collect_evidence(model, reports)
	checks = apply_rules(_RULES, evidence)
	flags = list_flags(checks)
	return Verdict(
		model=model,
		headline=_tell(model),
		tone=_find_tone(model, flags),
		reasons={
			"Ranking": _tell_ranking(evidence),
			"Promotion": _tell_promotion(model.promotion["champion"]),
			"Policy": _tell_policy(reports.fairness["models"].get(model.name)),
		},
		flags=flags,
		checks=checks,
	)


def collect_evidence(model: ModelSection, reports: Reports) -> Evidence:
	"""What the rules judge one model by."""
	over_time = reports.vintages["models"].get(model.name, {})
	stability = reports.stability["models"].get(model.name, {"populations": []})
	fairness = reports.fairness["models"].get(model.name, {"proxies": {}})
	return Evidence(
		blocks=reports.metrics[model.name],
		tolerated_ece=model.tolerated_ece,
		conditions=model.promotion["champion"]["conditions"],
		rolling_origin=over_time.get("rolling_origin"),
		external=over_time.get("external"),
		populations=stability["populations"],
		proxies=list(fairness["proxies"].values()),
		features=[f for f in reports.leakage["features"] if model.name in f["used_by"]],
		portfolio_checks=list(reports.leakage["checks"].values()),
		phrases=reports.phrases,
	)


def _tell(model: ModelSection) -> str:
	if not model.is_champion:
		return "Does not decide"
	return "Decides on applications" if model.decides else "Champion, but decides on nothing yet"


def _find_tone(model: ModelSection, flags: Sequence[Flag]) -> str:
	if not model.is_champion:
		return "idle"
	return flags[0].severity.value if flags else "clear"


def _tell_ranking(evidence: Evidence) -> str:
	measured = [s for s in ("out_of_time", "test", "cv") if evidence.blocks.get(s)]
	if not measured:
		return "Not measured: too few loans."
	told = [f"{name_sample(sample)} {quote(evidence.blocks[sample], 'roc_auc')}" for sample in measured]
	said = f"AUC {'; '.join(told)}. Chance is 0.5."
	external = evidence.external
	if external:
		bounds = decimal_interval(external["auc_gain_low"], external["auc_gain_high"])
		said += (
			f" On the external sample {decimal(external['roc_auc'])}, the interest rate alone "
			f"{decimal(external['rate_roc_auc'])}: {signed(external['auc_gain'], 3)} ({bounds}), "
			f"n = {count(external['n'])}."
		)
	return said


def _tell_promotion(verdict: Mapping[str, Any]) -> str:
	failed = [c for c in verdict["conditions"] if not c["holds"]]
	headline = verdict["headline"]
	if [condition["name"] for condition in failed] == [SAME_MODEL]:
		others = len(verdict["conditions"]) - 1
		return f"{failed[0]['evidence']}. The other {others} conditions hold."
	if not failed:
		return f"{headline}: all {len(verdict['conditions'])} conditions hold."
	return f"{headline}: " + "; ".join(f"{c['name']} ({c['evidence']})" for c in failed) + "."


def _tell_policy(audit: Mapping[str, Any] | None) -> str:
	if audit is None:
		return "No policy was applied to it."
	told = [
		f"{name_sample(row['sample'])} {_tell_rate(row, 'approval_rate')} approved, n = "
		f"{count(row['n'])}; {_tell_rate(row, 'default_rate_approved')} of these charged off."
		for row in audit["approvals"]
		if row["sample"] != "cv"  # there it approves the share that its bands were cut to
	]
	return " ".join([f"Version {audit['policy']}.", *map(capitalize_first, told)])


def _tell_rate(row: Mapping[str, Any], rate: str) -> str:
	low, high = row[f"{rate}_low"], row[f"{rate}_high"]
	return f"{percent(row[rate])} ({percent_interval(low, high)})"
