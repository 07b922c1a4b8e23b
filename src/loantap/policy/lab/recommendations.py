"""`recommendations.json`: rules that would have raised profit."""

import json
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pandas as pd
from pydantic import ValidationError

from loantap.measures.metrics import round_significant
from loantap.policy.lab.backtest import ALL, MAX_FALSE_RATE, After, FoundBy, select_rows
from loantap.policy.lab.rules import Rule
from loantap.policy.money.cash_flows import Economics
from loantap.policy.money.returns import name_bounds
from loantap.policy.options import LabOptions
from loantap.portfolio.errors import InputError

_FILE = "recommendations.json"
_AGAIN = "Run `--pipelines insights`, which writes it"
_COUNTED = (
	"n",
	"approved",
	"approvals_lost",
	"charge_offs_avoided",
	"approvals_lost_share",
	"charge_offs_avoided_share",
	*name_bounds("default_rate_declined"),
	"default_rate_kept",
)
_QUOTED_ON = {
	FoundBy.HAND.value: "all judged loans",
	FoundBy.SEARCH.value: "the half of the judged loans that the search did not look at",
}


def report_rules(tests: pd.DataFrame, origin: str, economics: Economics, options: LabOptions) -> dict[str, Any]:
	"""The structure of `recommendations.json`, from what `backtest` returned.

	Recommended, the surest first, is a rule whose profit change in the main scenario is above zero beyond what the number
	of rules tried explains, alone or after the NPV policy; `tested` are the others.
	"""
	outlook = {"scenario": economics.main, "paid_life": options.paid_life.value}
	alone, after = (select_rows(tests, after=which, **outlook) for which in After)
	of_rule = dict(tuple(tests.groupby("rule_id")))
	surest_first = alone.sort_values("profit_change_low", ascending=False, kind="stable").index
	described = [_describe(of_rule[name], alone.loc[name], after.loc[name]) for name in surest_first]
	return {
		"origin": origin,
		**outlook,
		"profit": "imputed from outcomes; per application",
		"max_false_rate": MAX_FALSE_RATE,
		"recommendations": [r for r in described if r["holds"] or r["holds_after_npv"]],
		"tested": [r for r in described if not (r["holds"] or r["holds_after_npv"])],
	}


def read_rules(recommendations: Mapping[str, Any], ids: Sequence[str], *, origin: str) -> tuple[Rule, ...]:
	"""The recommended rules of these ids, in their order, each once.

	Refused are another form of file, rules tested on loans of another `origin` than the model's, and ids unknown or of
	rules that did not hold.
	"""
	known, tested = _read_rules_of_file(recommendations)
	if recommendations["origin"] != origin:
		raise InputError(
			_FILE,
			f"its rules were tested on {recommendations['origin']} loans, and the model in use learnt from {origin} ones",
			f"Run `--pipelines insights` on {origin} loans, or leave scoring.recommendations empty",
		)
	for rule_id in ids:
		if rule_id in known:
			continue
		if rule_id in tested:
			problem = f"rule {rule_id!r} was tested and did not hold"
		else:
			near = get_close_matches(rule_id, known)
			problem = f"there is no rule {rule_id!r}"
			problem += f"; did you mean {near[0]!r}?" if near else ""
		listed = ", ".join(known) or "none, since no rule held"
		raise InputError(_FILE, problem, f"Recommended are: {listed}")
	return tuple(known[rule_id] for rule_id in dict.fromkeys(ids))


def choose_rules(
	recommendations: Mapping[str, Any] | None, ids: Sequence[str], *, origin: str
) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
	"""The recommended rules that are switched on by `ids`, and the others; refused as by `read_rules`."""
	if recommendations is None:
		if ids:
			raise InputError(_FILE, "it does not exist yet, and rules of it are switched on", _AGAIN)
		return (), ()
	chosen = read_rules(recommendations, ids, origin=origin) if ids else ()
	if recommendations.get("origin") != origin:
		return chosen, ()
	known, _ = _read_rules_of_file(recommendations)
	return chosen, tuple(rule for rule_id, rule in known.items() if rule_id not in ids)


def doubt_rules(recommendations: Mapping[str, Any] | None, ids: Sequence[str]) -> list[str]:
	"""A sentence for each rule that is switched on and is not shown to gain after expected NPV above 0."""
	if recommendations is None or not ids:
		return []
	told = []
	for entry in recommendations["recommendations"]:
		if entry["id"] not in ids or entry["holds_after_npv"]:
			continue
		after = entry["after_npv"]["profit_change"][entry["scenario"]][entry["paid_life"]]
		figure = (
			"too few loans say what it changes there"
			if after["value"] is None
			else f"there it changes imputed profit by {after['value']:+,.1f} per application "
			f"({after['low']:+,.1f} to {after['high']:+,.1f})"
		)
		told.append(
			f"Rule {entry['id']} gains against approving everybody, and is not shown to gain after "
			f"expected NPV above 0: {figure}"
		)
	return told


def _read_rules_of_file(recommendations: Mapping[str, Any]) -> tuple[dict[str, Rule], set[str]]:
	try:
		rules = [Rule.model_validate(entry["rule"]) for entry in recommendations["recommendations"]]
		tested = {str(entry["id"]) for entry in recommendations["tested"]}
		_ = recommendations["origin"]
	except (KeyError, TypeError, ValidationError) as error:
		raise InputError(_FILE, f"it is not in the form of this version ({_say(error)})", _AGAIN) from error
	return {rule.id: rule for rule in rules}, tested


def _say(error: KeyError | TypeError | ValidationError) -> str:
	if isinstance(error, ValidationError):
		first = error.errors()[0]
		return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
	return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _describe(tests: pd.DataFrame, alone: pd.Series, after: pd.Series) -> dict[str, Any]:
	rule, outlook = json.loads(alone["rule"]), {name: alone[name] for name in ("scenario", "paid_life")}
	return {
		"id": rule["id"],
		"title": rule["title"],
		"rule": rule,
		"action": "decline",
		"found_by": alone["found_by"],
		"quoted_on": _QUOTED_ON[alone["found_by"]],
		**outlook,
		"holds": bool(alone["holds"]),
		"holds_after_npv": bool(after["holds"]),
		"is_enough_after_npv": bool(after["is_enough"]),
		"cause": _cause(alone) if alone["holds"] else _cause(after) if after["holds"] else None,
		**_count(alone),
		**_measure(tests, After.APPROVE_ALL, ALL),
		"after_npv": _count(after) | _measure(tests, After.NPV, ALL),
		"samples": {
			name: _count(select_rows(tests, **outlook, after=After.APPROVE_ALL, sample=name).loc[rule["id"]])
			| _measure(tests, After.APPROVE_ALL, name)
			for name in tests["sample"].unique()
			if name != ALL
		},
	}


def _cause(row: pd.Series) -> str:
	return "risk" if row["default_rate_declined_low"] > row["default_rate_kept"] else "price"


def _count(row: pd.Series) -> dict[str, Any]:
	return {name: _to_json(row[name]) for name in _COUNTED}


def _measure(tests: pd.DataFrame, after: After, sample: str) -> dict[str, Any]:
	rows = tests[tests["after"].eq(after.value) & tests["sample"].eq(sample)]
	changes: dict[str, dict[str, Any]] = {}
	for row in rows.to_dict("records"):
		changes.setdefault(row["scenario"], {})[row["paid_life"]] = {
			name: _to_json(row[column])
			for name, column in zip(
				("value", "low", "high", "adjusted_p_value"), (*name_bounds("profit_change"), "adjusted_p_value"), strict=True
			)
		}
	return {"profit_change": changes}


def _to_json(value: Any) -> float | int | None:
	"""Counts whole, figures at six significant digits."""
	if isinstance(value, float):
		return None if math.isnan(value) else round_significant(value)
	return int(value)
