"""A credit policy in words: rules, targets, assumptions, differences; and the form for a new version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st
from pydantic import ValidationError

from loantap.policy.credit_policy import MAX_DEFAULT_PRICE, Rules, Targets
from loantap.policy.money.cash_flows import Economics, Scenario
from loantap.reporting.formatting import count, percent, whole_percent
from loantap.serving.api.service_schemas import ActivePolicy, Policy
from loantap.serving.dashboard.client import ApiError


def _share_of_term(value: float) -> str:
	return f"{whole_percent(value)} of the term"


def _percent_of_number(value: float) -> str:
	return f"{value:g}% a year"


def _fine_percent(value: float) -> str:
	"""Margins are small: 0.26% must not read as 0.3%."""
	return percent(value, 2)


def _per_point(value: float) -> str:
	return f"{percent(value / 100, 2)} of the principal"


# Each field's name, and how its value is written.
RULES: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
	"min_margin": ("Least expected NPV, of the principal", _fine_percent),
	"default_price": ("Least expected NPV rises for each point of PD, by", _per_point),
	"review_margin": ("A person decides within", _fine_percent),
	"max_probability_of_default": ("Highest PD", percent),
	"max_loan_amount": ("Largest loan without a person", count),
}
TARGETS: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
	"review_capacity": ("Applications that people can look at, at most", percent),
	"min_approval_rate": ("Approved or referred, at least", percent),
	"max_default_rate": ("Default rate of what is approved, at most", percent),
	"max_concentration": ("Principal in one state, at most", percent),
}
ASSUMPTIONS: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
	"cost_of_funds_pct": ("Cost of funds", _percent_of_number),
	"loss_given_default": ("LGD: of the balance at default, never recovered", whole_percent),
	"default_at_share_of_term": ("A loan that is charged off stops paying after", _share_of_term),
	"origination_cost_share": ("Cost of making a loan, of its principal", percent),
	"paid_share_of_term": ("A loan that is paid back is settled after", _share_of_term),
}
# Limits and step in per cent, as in `Rules` and `Targets`.
_PERCENT: Final[Mapping[str, tuple[float, float, float]]] = {
	"min_margin": (-500.0, 50.0, 0.1),
	"review_margin": (0.0, 50.0, 0.01),
	"max_probability_of_default": (0.1, 100.0, 1.0),
	**dict.fromkeys(TARGETS, (0.0, 100.0, 1.0)),
}
# In per cent of the principal per point of PD it is the same number.
_PER_POINT: Final = "default_price"
# Of a share typed in per cent.
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Content:
	"""What a policy says: rules, the targets they were to reach, all scenarios."""

	rules: Rules
	targets: Targets
	scenario_name: str
	economics: Economics

	@property
	def scenario(self) -> Scenario:
		"""The assumptions that the policy rests on."""
		return self.economics.scenarios[self.scenario_name]


def read_content(policy: Policy) -> Content:
	"""What a policy says; `ApiError` for another version's form."""
	try:
		content = Content(
			Rules.model_validate(policy.policy["rules"]),
			Targets.model_validate(policy.policy["targets"]),
			str(policy.policy["scenario"]),
			Economics.model_validate(policy.economics),
		)
	except (KeyError, ValidationError) as error:
		raise _unknown_form(policy) from error
	if content.scenario_name not in content.economics.scenarios:
		raise _unknown_form(policy)
	return content


def _unknown_form(policy: Policy) -> ApiError:
	return ApiError(
		200,
		f"Policy {policy.version} is in a form that this dashboard does not know",
		"Run API and dashboard of the same version",
	)


def word_rules(content: Content) -> list[str]:
	"""Rules as sentences, of which, as in `Decider`, the first that fits decides."""
	rules = content.rules
	low, high = rules.min_margin - rules.review_margin, rules.min_margin + rules.review_margin
	price = rules.default_price
	floor = f"{_fine_percent(low)} of its principal"
	near = f"{_fine_percent(low)} to {_fine_percent(high)} of its principal"
	if price:
		floor = (
			f"a floor: {_fine_percent(low + price * 0.1)} of its principal at a PD of 10%, "
			f"{_fine_percent(low + price * 0.3)} at one of 30% ({_fine_percent(low)} and "
			f"{percent(price / 100, 2)} for each point of PD)"
		)
		near = f"up to {_fine_percent(high - low)} of its principal more than that floor"
	return [
		(
			"**Refer to a person** an application that is unlike all loans the model was trained "
			"on, or that lacks amount, rate or term."
		),
		(f"**Decline** where the PD is above {percent(rules.max_probability_of_default)}, whatever the loan is to earn."),
		(f"**Decline** where the loan, over its life and at its own rate and term, is expected to earn less than {floor}."),
		(f"**Refer to a person** a loan of more than {count(rules.max_loan_amount)}, and one expected to earn {near}."),
		"**Approve** all others.",
	]


def list_targets(content: Content) -> list[tuple[str, str]]:
	"""Each target and its value, in words."""
	return [(name, word(getattr(content.targets, of))) for of, (name, word) in TARGETS.items()]


def list_assumptions(content: Content) -> list[tuple[str, str, str, str]]:
	"""Each assumption of the scenario: name, value, range, and who says so."""
	listed = []
	for of, (name, word) in ASSUMPTIONS.items():
		allowed = content.economics.ranges[of]
		listed.append(
			(name, word(getattr(content.scenario, of)), f"{word(allowed.low)} to {word(allowed.high)}", allowed.source)
		)
	return listed


def list_differences(before: Content, after: Content) -> list[tuple[str, str, str]]:
	"""What differs between two policies, with both values."""
	rows = [("Scenario", before.scenario_name, after.scenario_name)]
	parts: list[tuple[Any, Any, Mapping[str, tuple[str, Callable[[float], str]]]]] = [
		(before.rules, after.rules, RULES),
		(before.targets, after.targets, TARGETS),
		(before.scenario, after.scenario, ASSUMPTIONS),
	]
	unequal = [row for row in rows if row[1] != row[2]]
	for old, new, fields in parts:
		for of, (name, word) in fields.items():
			was, becomes = getattr(old, of), getattr(new, of)
			if was != becomes:
				unequal.append((name, *_tell_apart(was, becomes, word)))
	return unequal


def _tell_apart(was: float, becomes: float, word: Callable[[float], str]) -> tuple[str, str]:
	told = word(was), word(becomes)
	return told if told[0] != told[1] else (f"{was:.10g}", f"{becomes:.10g}")


def ask_policy(in_force: ActivePolicy, content: Content) -> dict[str, Any] | None:
	"""Draw the form, which starts from the policy in force.

	Returns the policy as the API takes it, without author, once it was sent off.
	"""
	# Another policy in force is another start.
	key = f"propose:{in_force.id}:{in_force.digest}"
	with st.form(key):
		left, right = st.columns(2)
		version = left.text_input("New version", key=f"{key}:version", max_chars=50, placeholder="such as 2026-12")
		day = right.date_input("Takes effect on", datetime.now(UTC).date(), key=f"{key}:day")
		names = list(content.economics.scenarios)
		scenario = st.selectbox(
			"Scenario of expected NPV", names, key=f"{key}:scenario", index=names.index(content.scenario_name)
		)
		left, right = st.columns(2)
		with left:
			st.markdown("**Rules**")
			rules = {of: _ask(of, RULES[of][0], content.rules, key) for of in RULES}
		with right:
			st.markdown("**Targets**")
			targets = {of: _ask(of, TARGETS[of][0], content.targets, key) for of in TARGETS}
		if not st.form_submit_button("Propose", type="primary"):
			return None
	if not version.strip():
		st.warning("Give the new version a name.")
		return None
	return {
		"id": in_force.policy["id"],
		"version": version.strip(),
		"effective_from": str(day),
		"scenario": scenario,
		"rules": rules,
		"targets": targets,
	}


def _ask(of: str, label: str, group: Any, key: str) -> float:
	value = float(getattr(group, of))
	if of == _PER_POINT:
		price = st.number_input(f"{label} (%)", 0.0, MAX_DEFAULT_PRICE, value, 0.01, format="%.4g", key=f"{key}:{of}")
		return value if price == value else round(float(price), _DIGITS + 2)
	if of not in _PERCENT:
		return float(st.number_input(label, 1.0, None, value, 500.0, format="%.0f", key=f"{key}:{of}"))
	low, high, step = _PERCENT[of]
	shown = round(100 * value, _DIGITS)
	given = st.number_input(f"{label} (%)", low, high, shown, step, format="%.4g", key=f"{key}:{of}")
	# What nobody touched stays the same to the last digit.
	return value if given == shown else round(float(given) / 100, _DIGITS + 2)
