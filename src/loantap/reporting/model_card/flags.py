"""What a flag against a model is, how rules raise it, and the rules that are not about its figures.

A flag is a figure beyond what chance gives at its number of loans, and large enough to matter: red where a use that the
card allows would go wrong, or a threshold does no better than nothing; otherwise amber.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from loantap.reporting.formatting import count, decimal, decimal_interval


class Severity(StrEnum):
	"""How much a flag weighs."""

	RED = "red"
	AMBER = "amber"


@dataclass(frozen=True, slots=True)
class Flag:
	"""One finding against a model, the figure that shows it, and what it means for its users."""

	severity: Severity
	finding: str
	figure: str
	meaning: str


@dataclass(frozen=True, slots=True)
class Evidence:
	"""What a model is judged by: its parts of the reports, all of it finished figures.

	`external` and `rolling_origin` are None where there was none. `tolerated_ece` is what promotion calls immaterial;
	`phrases` are the features in words.
	"""

	blocks: Mapping[str, Any]
	tolerated_ece: float
	conditions: Sequence[Mapping[str, Any]]
	rolling_origin: Mapping[str, Any] | None
	external: Mapping[str, Any] | None
	populations: Sequence[Mapping[str, Any]]
	proxies: Sequence[Mapping[str, Any]]
	features: Sequence[Mapping[str, Any]]
	portfolio_checks: Sequence[Mapping[str, Any]]
	phrases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
	"""A rule; `find` gives the flags it raises, None where its figures were not measured."""

	name: str
	words: str
	find: Callable[[Evidence], list[Flag] | None]


@dataclass(frozen=True, slots=True)
class Check:
	"""A rule applied to one model; `is_judged` where the figures it needs were measured."""

	name: str
	words: str
	flags: Sequence[Flag]
	is_judged: bool


def apply_rules(rules: Sequence[Rule], evidence: Evidence) -> list[Check]:
	"""One check per rule, in their order."""
	found = [(rule, rule.find(evidence)) for rule in rules]
	return [Check(rule.name, rule.words, flags or [], flags is not None) for rule, flags in found]


def list_flags(checks: Sequence[Check]) -> list[Flag]:
	"""All flags of some checks, red ones first."""
	flags = [flag for check in checks for flag in check.flags]
	return sorted(flags, key=lambda flag: flag.severity is not Severity.RED)


def quote(row: Mapping[str, Any], figure: str, digits: int = 3) -> str:
	"""A figure of a row with its interval and number of loans.

	>>> quote({"n": 1357, "f2": 0.4036, "f2_low": 0.36, "f2_high": 0.4449}, "f2")
	'0.404 (0.360 to 0.445), n = 1,357'
	"""
	interval = decimal_interval(row.get(f"{figure}_low"), row.get(f"{figure}_high"), digits)
	bounds = f" ({interval})" if interval else ""
	return f"{decimal(row[figure], digits)}{bounds}, n = {count(row['n'])}"


# Siddiqi, Credit Risk Scorecards, 2006.
_PSI_MOVED: Final = 0.1
_PSI_SHIFTED: Final = 0.25
# The four-fifths rule: Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D.
_FOUR_FIFTHS: Final = 0.8
# To be the same model as the champion says nothing against it.
SAME_MODEL: Final = "a new model"


def _find_promotion(evidence: Evidence) -> list[Flag]:
	return [
		Flag(
			Severity.RED,
			f"It fails a condition of promotion: {condition['name']}",
			condition["evidence"],
			"The newly trained model does not become champion.",
		)
		for condition in evidence.conditions
		if not condition["holds"] and condition["name"] != SAME_MODEL
	]


def _find_leakage(evidence: Evidence) -> list[Flag]:
	flags = [
		Flag(
			Severity.RED,
			"The portfolio fails a check of the leakage gate",
			check["statement"],
			"Every figure here may be too good.",
		)
		for check in evidence.portfolio_checks
		if not check["passed"]
	]
	caught, warned = (_name_features(evidence, verdict) for verdict in ("caught", "warned"))
	if caught:
		finding, meaning = "It uses what gives the outcome away", "Do not lend on it."
		flags.append(Flag(Severity.RED, finding, caught, meaning))
	if warned:
		finding = "The leakage gate warns about features of this model"
		meaning = "A warning stops nothing. Look here first when new loans score oddly."
		flags.append(Flag(Severity.AMBER, finding, warned, meaning))
	return flags


def _name_features(evidence: Evidence, verdict: str) -> str:
	found = [feature for feature in evidence.features if feature["verdict"] == verdict]
	if not found:
		return ""
	told = "; ".join(
		f"{evidence.phrases.get(feature['feature'], feature['feature'])}: "
		f"{', '.join([*feature['reasons'], *feature['warnings']])}"
		for feature in found
	)
	return f"{told} (n = {count(found[0]['n'])})"


def _find_groups(evidence: Evidence) -> list[Flag] | None:
	if not any("policy" in proxy["favoured"] for proxy in evidence.proxies):
		return None
	flags = []
	for proxy in evidence.proxies:
		measured = [g for g in proxy["groups"] if g["policy_approval_ratio"] is not None]
		if proxy["audit_only"] or not measured:
			continue
		below = [g for g in measured if g["policy_approval_ratio"] < _FOUR_FIFTHS]
		if not below:
			continue
		# A small group may be lower, and less certain, than a large one.
		sure = [g for g in below if g["policy_approval_ratio_high"] < _FOUR_FIFTHS]
		least = min(sure or below, key=lambda group: float(group["policy_approval_ratio"]))
		severity = Severity.RED if sure else Severity.AMBER
		finding = "The policy approves a group less than four-fifths as often as another"
		figure = (
			f"{proxy['phrase']}: {least['group']} against {proxy['favoured']['policy']}, ratio "
			f"{quote(least, 'policy_approval_ratio', 2)}"
		)
		meaning = "Equal treatment is in doubt: let compliance decide before the policy is used."
		flags.append(Flag(severity, finding, figure, meaning))
	return flags


def _find_populations(evidence: Evidence) -> list[Flag] | None:
	if not evidence.populations:
		return None
	moved = [row for row in evidence.populations if row["psi"] > max(_PSI_MOVED, row["psi_chance"])]
	if not moved:
		return []
	shifted = [row for row in moved if row["psi_low"] > _PSI_SHIFTED]
	worst = max(shifted or moved, key=lambda row: float(row["psi"]))
	severity = Severity.RED if shifted else Severity.AMBER
	others = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
	finding = f"Its PDs for some loans differ from those for the others: {worst['population']}{others}"
	figure = (
		f"PSI {quote(worst, 'psi')} against {count(worst['against_n'])}; chance gives up to {decimal(worst['psi_chance'])}"
	)
	meaning = "The mix of borrowers moves over time: watch the PSI of new applications."
	return [Flag(severity, finding, figure, meaning)]


RULES: Final[Sequence[Rule]] = (
	Rule("Promotion", "Red for each condition of promotion that fails.", _find_promotion),
	Rule(
		"Leakage",
		"Red where the leakage gate catches a feature of the model, or a check of the portfolio "
		"fails; amber where it warns of a feature.",
		_find_leakage,
	),
	Rule(
		"Fairness",
		"Approval rate of a group under the policy as a share of that of the group approved most "
		f"often. Amber where it is below {_FOUR_FIFTHS:g} (the four-fifths rule), red where its "
		"whole 95% interval is. Pincodes are left out: they were built from the outcome.",
		_find_groups,
	),
	Rule(
		"Stability",
		"PSI of the test split and of each issue year, where it is more than chance gives. Amber "
		f"above {_PSI_MOVED:g}, red where its whole 95% interval is above {_PSI_SHIFTED:g}.",
		_find_populations,
	),
)
