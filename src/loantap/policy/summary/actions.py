"""The three actions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from loantap.policy.findings.effects import tell_rate
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import name_bounds
from loantap.policy.summary.headlines import (
	EVERYBODY,
	NPV,
	PER_APPLICATION,
	PREPAID,
	Headline,
	Money,
	find_policy,
	join_names,
	read_gain,
	rename_approved,
	select_policies,
	tell_fairness,
)

_CAPS = "capped_default_rate"
_HOW_KEPT = (
	"The policy file keeps the cap by a price of default per unit of principal (see loantap-policy size); here the "
	"price is per loan; loantap-policy try says what a policy in the file earns."
)


def propose_actions(
	policies: pd.DataFrame,
	report: Mapping[str, Any],
	fairness: pd.DataFrame,
	targets: pd.DataFrame,
	stressed: pd.DataFrame,
	scenario: str,
	later: str,
) -> list[Headline]:
	"""Three actions: how to decide, how to lower the default rate, which rule to add.

	`stressed`: what expected NPV, decided at the costs of `scenario`, earns in each; `later`: which loans were judged out
	of time.
	"""
	judged = select_policies(policies, "cv", scenario)
	return [
		_propose_policy(judged, policies, fairness, targets, stressed, scenario, later),
		_propose_cap(judged, policies, fairness, scenario),
		_propose_rule(report),
	]


def _propose_policy(
	judged: pd.DataFrame,
	policies: pd.DataFrame,
	fairness: pd.DataFrame,
	targets: pd.DataFrame,
	stressed: pd.DataFrame,
	scenario: str,
	told_later: str,
) -> Headline:
	npv, everybody = find_policy(judged, "npv"), find_policy(judged, "approve_all")
	money = read_gain(npv)
	later = read_gain(_find_later(policies, "npv", scenario))
	if money is None or not money.is_gain:
		title = "Expected NPV is not shown to beat approving everybody"
	elif later is None or later.is_gain:
		title = "Decide by expected NPV"
	elif later.is_loss:
		title = "Do not decide by expected NPV yet: out of time it loses"
	else:
		title = "Decide by expected NPV, and watch it: out of time no gain is shown"
	text = (
		f"Approve a loan that is expected to earn at its own rate and term: {npv['approval_rate']:.0%} are approved. "
		f"Profit per application goes from {everybody['profit']:+,.0f} to {npv['profit']:+,.0f}, the default rate from "
		f"{everybody['default_rate_approved']:.1%} to {tell_rate(rename_approved(npv))}"
	)
	if npv["default_rate_approved"] > everybody["default_rate_approved"]:
		text += ": the loans declined are safer, but their rate does not pay"
	text += f".{_tell_in_force(targets)}"
	held_out = find_policy(select_policies(policies, "test", scenario), "npv")
	held_out_gain = read_gain(held_out)
	points = (
		_tell_later(policies, "npv", scenario, told_later),
		f"On {int(held_out['n']):,} loans held out from training: {held_out_gain}." if held_out_gain else "",
		_tell_scenarios(policies, stressed, scenario),
		tell_fairness(fairness, "npv"),
	)
	return Headline(title, text, money, int(npv["n"]), tuple(filter(None, points)))


def _propose_cap(judged: pd.DataFrame, policies: pd.DataFrame, fairness: pd.DataFrame, scenario: str) -> Headline:
	"""The lowest cap that is shown to lower the default rate and to gain.

	Without any, the highest one that lowers it and is not shown to lose money.
	"""
	capped = judged[judged["policy"].str.startswith(_CAPS)].sort_values("cap")
	capped = capped[capped["approved"] > 0]
	if capped.empty:
		return Headline("No cap on the default rate approves a loan", "", None, 0)
	lowering = capped[capped["default_rate_change_high"] < 0]
	gaining = lowering[lowering["gain_to_approve_all_low"] > 0]
	harmless = lowering[lowering["gain_to_approve_all_high"] >= 0]
	if len(gaining):
		row = gaining.iloc[0]
		title = f"Where the default rate must fall, cap it at {row['cap']:.0%}"
	elif len(harmless):
		row = harmless.iloc[-1]
		title = (
			f"Where the default rate must fall, cap it at {row['cap']:.0%}: no loss against approving everybody is shown"
		)
	else:
		row = capped.iloc[-1]
		title = "No cap is shown to lower the default rate without losing money"
	npv = find_policy(judged, "npv")
	if row["approved"] == npv["approved"] and row["profit"] == npv["profit"]:
		title = f"Expected NPV keeps the default rate at {row['cap']:.0%} without a cap"
	text = f"{_tell_change(row)} Against expected NPV, profit changes by {read_gain(row, NPV)}."
	text += _tell_looser(capped[capped["cap"] > row["cap"]], npv)
	lower = capped[capped["cap"] < row["cap"]]
	if len(lower):
		strict = lower.iloc[-1]
		text += (
			f" At {strict['cap']:.0%}, {strict['charge_offs_avoided']:.0%} of charge-offs are avoided, for "
			f"{read_gain(strict) or 'too few loans to say what'} against approving everybody."
		)
	points = (_tell_later(policies, str(row["policy"]), scenario), tell_fairness(fairness, str(row["policy"])), _HOW_KEPT)
	return Headline(title, text, read_gain(row), int(row["n"]), tuple(filter(None, points)))


def _propose_rule(report: Mapping[str, Any]) -> Headline:
	held: Sequence[Mapping[str, Any]] = report["recommendations"]
	tried = len(held) + len(report["tested"])
	after = [rule for rule in held if rule["holds_after_npv"]]
	if after:
		best = max(after, key=lambda rule: _change(rule["after_npv"], report, NPV).low)
		return Headline(
			f"Add a rule: {best['title']}",
			f"It earns more after expected NPV as well, beyond what {tried} rules tried explain. "
			f"Switch it on with --params scoring.recommendations=[{best['id']}].",
			_change(best["after_npv"], report, NPV),
			int(best["after_npv"]["n"]),
		)
	if not held:
		text = f"{tried} rules were tried; none earned more beyond what chance explains."
		loans = max((int(rule["n"]) for rule in report["tested"]), default=0)
		return Headline("Add no rule", text, None, loans)
	best = max(held, key=lambda rule: _change(rule, report, EVERYBODY).low)
	beside_npv, later = (
		_change(best["after_npv"], report, NPV),
		_change(best["samples"]["out_of_time"], report, EVERYBODY),
	)
	title = "Add no rule to expected NPV"
	alone = _change(best, report, EVERYBODY)
	money, loans = alone, int(best["n"])
	text = (
		f"{len(held)} of {tried} rules tried earn more than approving everybody; the surest is "
		f"“{best['title']}”, which by itself changes profit by {alone}."
	)
	if not math.isnan(beside_npv.value):
		money, loans = beside_npv, int(best["after_npv"]["n"])
		text += (
			f" After expected NPV it changes profit by {beside_npv}: not shown to gain, given how many rules were tried."
		)
	if not later.is_gain:
		text += " Out of time its own gain is not confirmed."
	if best["cause"] == "price":
		title += "; test a higher rate for cheap loans"
		low, high = best["default_rate_declined_low"], best["default_rate_declined_high"]
		text += (
			f" Of the loans that it declines {best['default_rate_declined']:.1%} ({low * 100:.1f} to {high:.1%}) "
			"default; they lose money because their rate does not pay for that and for the costs. How many customers "
			"would stay at a higher rate is not known."
		)
	return Headline(title, text, money, loans)


def _find_later(policies: pd.DataFrame, policy: str, scenario: str) -> pd.Series:
	return find_policy(select_policies(policies, "out_of_time", scenario), policy)


def _tell_later(policies: pd.DataFrame, policy: str, scenario: str, later: str = "") -> str:
	row, everybody = (_find_later(policies, name, scenario) for name in (policy, "approve_all"))
	gain = read_gain(row)
	if gain is None:
		return ""
	rates = ""
	if not math.isnan(everybody["default_rate_approved"]):
		rates = (
			f", and the default rate goes from {everybody['default_rate_approved']:.1%} to {row['default_rate_approved']:.1%}"
		)
	which = f": {later}" if later else ""
	return f"Out of time, profit changes by {gain}{rates}; n = {int(row['n']):,}{which}."


def _tell_in_force(targets: pd.DataFrame) -> str:
	reached = targets.set_index("target")["reached"].to_dict()
	if not {"review_capacity", "min_approval_rate"} <= reached.keys():
		return ""
	referred = float(reached["review_capacity"])
	passed = float(reached["min_approval_rate"])
	return (
		f" With its referrals and limits the policy in force approves {passed - referred:.1%} and refers {referred:.1%}."
	)


def _tell_scenarios(policies: pd.DataFrame, stressed: pd.DataFrame, main: str) -> str:
	"""Empty where all scenarios are one."""
	told = []
	for scenario in stressed.loc[stressed["scenario"].ne(main), "scenario"]:
		row = find_policy(select_policies(policies, "cv", scenario), "npv")
		gain = read_gain(row)
		if gain is not None:
			told.append(f"{gain} in {scenario} ({row['approval_rate']:.0%} approved)")
	if not told:
		return ""
	worst = stressed.sort_values("profit").iloc[0]
	earned = Money(worst["profit"], worst["profit_low"], worst["profit_high"], PER_APPLICATION)
	return (
		f"Decided and counted at other costs, profit changes by {join_names(told)}. Decided at the "
		f"costs of {main}, profit is {earned} if those of {worst['scenario']} come true. All costs "
		"are assumed until the lender's own take their place."
	)


def _tell_looser(looser: pd.DataFrame, npv: pd.Series) -> str:
	if looser.empty:
		return ""
	row = looser.iloc[0]
	told = (
		f" A cap of {row['cap']:.0%} changes it by {read_gain(row, NPV)}, with {row['default_rate_approved']:.1%} "
		f"charged off instead of {npv['default_rate_approved']:.1%}"
	)
	if not row["default_rate_change_high"] < 0:
		told += f"; no fall against approving everybody is shown: {_tell_points(row)}"
	return f"{told}."


def _tell_change(row: pd.Series) -> str:
	told = f"{row['approval_rate']:.0%} are approved, {tell_rate(rename_approved(row))} of them charged off"
	if not math.isnan(row["default_rate_change"]):
		told += f", {_tell_points(row)} against approving everybody"
	return f"{told}; {row['charge_offs_avoided']:.0%} of all charge-offs are avoided."


def _tell_points(row: pd.Series) -> str:
	value, low, high = (100 * row[name] for name in name_bounds("default_rate_change"))
	return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _change(rule: Mapping[str, Any], report: Mapping[str, Any], beside: str) -> Money:
	change = rule["profit_change"][report["scenario"]][report["paid_life"]]
	value, low, high = (math.nan if change[name] is None else float(change[name]) for name in ("value", "low", "high"))
	per = f"{PER_APPLICATION}, against {beside}"
	if report["paid_life"] == PaidLife.CAPPED:
		per += PREPAID
	return Money(value, low, high, per)
