"""Instalments, decisions and NPV, month by month: no annuity formula."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from loantap.validation.check import Check, Material, compare, compare_each, count

_CENT = (0.01, "a cent")


def instalment(amount: Any, rate_pct: Any, months: Any) -> Any:
	"""EMI: P r (1 + r)^n / ((1 + r)^n - 1), r a twelfth of the yearly rate; P / n at rate 0."""
	rate = np.where(rate_pct == 0, np.nan, rate_pct / 1_200)
	growth = (1 + rate) ** months
	return np.where(rate_pct == 0, amount / months, amount * rate * growth / (growth - 1))


def value_outcomes(rows: pd.DataFrame, scenario: Mapping[str, float], as_of: str = "") -> list[Any]:
	"""NPV of loans if paid back, at the latest `as_of`, and if charged off."""
	amount, rate, term = (rows[name].to_numpy() for name in ("loan_amount", "interest_rate_pct", "term_months"))
	paid = np.maximum(np.rint(scenario["paid_share_of_term"] * term), 1)
	if as_of:
		day, issued = pd.Timestamp(as_of), rows["issue_month"].dt
		paid = np.minimum(paid, np.maximum(12 * (day.year - issued.year) + day.month - issued.month, 1))
	stops, emi, found = np.rint(scenario["default_at_share_of_term"] * term), instalment(amount, rate, term), []
	for months, share in ((paid, 1), (stops, 1 - scenario["loss_given_default"])):
		owed, value = amount, (months == 0) * share * amount - amount * (1 + scenario["origination_cost_share"])
		for month in range(1, int(np.nanmax(term, initial=0)) + 1):
			owed = owed * (1 + rate / 1_200) - emi
			received = (months >= month) * emi + (months == month) * share * owed
			value = value + received / (1 + scenario["cost_of_funds_pct"] / 1_200) ** month
		found.append(value)
	return found


def expect(rows: pd.DataFrame, scenario: Mapping[str, float]) -> Any:
	"""Expected NPV per unit lent."""
	paid, lost = value_outcomes(rows, scenario)
	return (paid + (lost - paid) * rows["probability_of_default"]) / rows["loan_amount"]


def decide(rows: pd.DataFrame, rules: Mapping[str, float], scenario: Mapping[str, float]) -> tuple[Any, Any]:
	"""Whom the policy approves without a person, and whom it does not decline."""
	pd_, is_small = rows["probability_of_default"], rows["loan_amount"] <= rules["max_loan_amount"]
	excess = expect(rows, scenario) - rules["min_margin"] - rules["default_price"] * pd_
	is_accepted = pd_ <= rules["max_probability_of_default"]
	approved = (excess > rules["review_margin"]) & is_accepted & is_small
	# Of a loan without terms a person decides.
	return approved, (excess >= -rules["review_margin"]) & is_accepted | excess.isna()


def average(values: Any) -> tuple[float, float, float]:
	"""Mean of loans, and its 95% bounds."""
	mean, half = np.mean(values), norm.ppf(0.975) * np.std(values, ddof=1) / np.sqrt(len(values))
	return mean, mean - half, mean + half


def check_instalments(given: Material) -> Iterator[Check]:
	"""Raw instalments that are not the EMI, and the list of them."""
	listed, told = given.file("instalment_exceptions.parquet", may_be_empty=True), given.file("predictions.parquet")
	twice = listed["loan_id"].duplicated()
	yield count("listed twice", len(listed), listed["loan_id"][twice])
	listed = listed[~twice].set_index("loan_id")
	loans = given.raw.reindex(listed.index.union(told["loan_id"].unique()))
	emi = instalment(loans["loan_amount"], loans["interest_rate_pct"], loans["term_months"])
	off = (loans["instalment"] - emi).where(lambda gap: gap.abs() > 0.05, 0)
	yield count("listed, and not off the EMI", len(listed), listed.index[off[listed.index] == 0])
	yield from compare_each("off the EMI, as listed", listed["difference"].reindex(off.index).fillna(0), off, *_CENT)


def _read_policy(given: Material) -> tuple[dict[str, Any], dict[str, Any]]:
	"""Rules in force, and the scenario that they decide in."""
	return given.below("policy.rules."), given.below(f"economics.scenarios.{given.parameters['policy.scenario']}.")


def _compare_shares(label: str, told: Mapping[str, Any], shares: Mapping[str, tuple[int, int]]) -> Iterator[Check]:
	for name, (hits, of) in shares.items():
		bounds = binomtest(hits, of).proportion_ci(method="wilson") if of else (np.nan, np.nan)
		for end, value in zip(("", "_low", "_high"), (hits / of if of else np.nan, *bounds), strict=True):
			yield compare(f"{label}{name}{end}", of, told[name + end], value)


def check_decisions(given: Material) -> Iterator[Check]:
	"""Approvals and defaults under the policy in force, and what it earned, by its own scenario."""
	rules, scenario = _read_policy(given)
	report = given.file("fairness.json")["models"][given.facts["namespace"]]
	policy = " ".join(given.parameters[f"policy.{name}"] for name in ("id", "version"))
	yield count("fairness.json: another policy", 1, [] if report["policy"] == policy else [report["policy"]])
	told = {block["sample"]: block for block in report["approvals"]}
	for sample in sorted({*told, *given.file("predictions.parquet")["sample"]}):
		rows, block = given.sample(sample), told[sample]
		approved, _ = decide(rows, rules, scenario)
		n, bad = int(approved.sum()), int(rows.loc[approved, "is_charged_off"].sum())
		shares = {"approval_rate": (n, len(rows)), "default_rate_approved": (bad, n)}
		yield compare(f"{sample}: approved", len(rows), [block["n"], block["approved"]], [len(rows), n], 0)
		yield from _compare_shares(f"{sample}: ", block, shares)
		paid, lost = value_outcomes(rows, scenario)
		earned = average(np.where(rows["is_charged_off"] == 1, lost, paid) * approved)
		for end, value in zip(("", "_low", "_high"), earned, strict=True):
			yield compare(f"{sample}: profit{end} per application", len(rows), block[f"profit{end}"], value)


def check_targets(given: Material) -> Iterator[Check]:
	"""What the policy in force reaches in cross-validation."""
	rows, limits = given.sample("cv"), given.below("policy.targets.")
	approved, passed = decide(rows, *_read_policy(given))
	n, of = len(rows), int(approved.sum())
	shares = {
		"review_capacity": (int(passed.sum()) - of, n),
		"min_approval_rate": (int(passed.sum()), n),
		"max_default_rate": (int(rows.loc[approved, "is_charged_off"].sum()), of),
	}
	table = given.file("target_checks.parquet").set_index("target")
	# Where nobody is approved there is no default rate, and without states no concentration.
	untold = {name for name, (_, of) in shares.items() if not of} | ({"max_concentration"} - {*table.index})
	for name, share in shares.items():
		if name in untold:
			continue
		row = table.loc[name]
		told = {name + end: row[f"reached{end}"] for end in ("", "_low", "_high")}
		yield from _compare_shares("", told, {name: share})
	yield from compare_each("limits", table["limit"], pd.Series(limits).drop(list(untold)), 0)
	is_floor = table.index == "min_approval_rate"
	holds = np.where(is_floor, table["reached_high"] >= table["limit"], table["reached_low"] <= table["limit"])
	yield count("targets that do not hold as told", len(table), table.index[table["holds"] != holds])


def check_money(given: Material) -> Iterator[Check]:
	"""NPV imputed to each loan, and per application where a loan is approved if NPV is expected of it."""
	judged, profits = given.file("predictions.parquet"), given.file("imputed_profits.parquet").set_index("loan_id")
	outcomes = judged.drop_duplicates("loan_id").set_index("loan_id")["is_charged_off"]
	loans = given.raw.reindex(outcomes.index)
	table = given.file("policy_comparison.parquet").query("policy == 'npv'")
	table = table.set_index(["scenario", "paid_life", "sample"])
	scenarios = sorted({name.split(".")[0] for name in given.below("economics.scenarios.")})
	for scenario, life in product(scenarios, ("contractual", "capped")):
		assumed, name = given.below(f"economics.scenarios.{scenario}."), f"{scenario}, {life}"
		as_of = given.parameters["economics.outcomes_as_of"] if life == "capped" else ""
		paid, lost = value_outcomes(loans, assumed, as_of)
		earned = pd.Series(np.where(outcomes == 1, lost, paid), outcomes.index)
		told = profits[f"npv_{scenario}_{life}"].reindex(earned.index)
		yield from compare_each(f"{name}: NPV", told, earned, *_CENT)
		for sample in sorted(judged["sample"].unique()):
			rows, row = given.sample(sample), table.loc[scenario, life, sample]
			all_ = rows["loan_id"].map(earned).to_numpy()
			approved = expect(rows, assumed) > 0
			kept, n, bad = all_ * approved, int(approved.sum()), int((approved & rows["is_charged_off"].eq(1)).sum())
			shares = {"approval_rate": (n, len(rows)), "default_rate_approved": (bad, n)}
			yield from _compare_shares(f"{sample}, {name}: ", row, shares)
			for figure, values in (("profit", kept), ("gain_to_approve_all", kept - all_)):
				# Of the mean and its bounds.
				ends = [row[figure + end] for end in ("", "_low", "_high")]
				yield compare(f"{sample}, {name}: {figure}", len(rows), ends, average(values), *_CENT)
