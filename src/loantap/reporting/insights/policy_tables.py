"""What each policy would have earned, in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from loantap.reporting.formatting import count, money, percent
from loantap.reporting.page_table import PageTable, list_rows, with_interval

_MAIN_SAMPLE = "cv"
_NO_GAIN = "no gain beyond chance"
_TOO_FEW = "too few loans to say"
_FOUND_BY = {"hand": "hand", "search": "the search"}
_TARGETS = {
    "review_capacity": "Applications that a person decides on, at most",
    "min_approval_rate": "Applications approved or referred, at least",
    "max_default_rate": "Default rate of approved loans, at most",
    "max_concentration": "Principal in one state, at most; addresses are made up",
}
_ASSUMPTIONS = {
    "cost_of_funds_pct": "Cost of funds, percent a year",
    "loss_given_default": "Loss given default (LGD)",
    "default_at_share_of_term": "Default, at this share of the term",
    "origination_cost_share": "Cost of making the loan, of the principal",
    "paid_share_of_term": "Paid loans settled, at this share of the term",
}


def tabulate_policies(
    policies: pd.DataFrame, scenario: str, paid_life: str, *, is_folded: bool = False
) -> PageTable:
    """What each policy would have earned in one scenario, on the loans of cross-validation."""
    shown = policies[
        policies["sample"].eq(_MAIN_SAMPLE)
        & policies["scenario"].eq(scenario)
        & policies["paid_life"].eq(paid_life)
    ]
    loans = int(shown["n"].max()) if len(shown) else 0
    rows = [
        [
            str(row["label"]),
            percent(row["approval_rate"]),
            with_interval(row, "default_rate_approved", percent),
            with_interval(row, "profit", money),
            with_interval(row, "gain_to_approve_all", money),
            with_interval(row, "yearly_return", percent),
            percent(row["charge_offs_avoided"]),
            percent(row["oracle_share"], 0),
        ]
        for row in list_rows(shown)
    ]
    headers = (
        "Policy", "Approved", "Default rate of approved", "Profit per application",
        "Against approving all", "Yearly return", "Charge-offs avoided", "Of the best possible",
    )  # fmt: skip
    return PageTable(
        f"Scenario {scenario}, paid loans {paid_life}, n = {count(loans)} applications",
        headers,
        rows,
        is_folded=is_folded,
    )


def tabulate_targets(checks: pd.DataFrame, policy: str) -> PageTable:
    """Whether the policy in force reaches what its rules were chosen to reach.

    Args:
        checks: one row per target: `target`, `limit`, `reached` with `_low` and `_high`, `n`,
            `holds`.
        policy: id and version.
    """
    rows = [
        [
            _TARGETS[str(row["target"])],
            percent(row["limit"]),
            with_interval(row, "reached", percent),
            "holds" if row["holds"] else "missed",
            count(row["n"]),
        ]
        for row in list_rows(checks)
    ]
    headers = ("Target", "Limit", "Reached", "Verdict", "n")
    note = (
        "On loans of the past, by PDs of models that did not see them. A target is missed where "
        "the whole 95% interval lies beyond its limit."
    )
    return PageTable(f"Targets of the policy in force, {policy}", headers, rows, note)


def tabulate_rules(rules: pd.DataFrame) -> PageTable:
    """What each rule would have declined and changed, alone and after the NPV policy.

    Args:
        rules: what `list_rules` returns.
    """
    after = rules[rules["after"].eq("npv")].set_index("rule_id")
    rows = [
        [
            str(row["title"]),
            _FOUND_BY[str(row["found_by"])],
            count(row["approvals_lost"]),
            percent(row["charge_offs_avoided_share"]),
            with_interval(row, "default_rate_declined", percent),
            with_interval(row, "profit_change", money),
            str(row["verdict"]),
            with_interval(dict(after.loc[row["rule_id"]]), "profit_change", money),
            str(after.loc[row["rule_id"], "verdict"]),
            count(row["n"]),
        ]
        for row in list_rows(rules[rules["after"].eq("approve_all")])
    ]
    headers = ("Rule", "Written by", "Declines", "Charge-offs avoided", "Default rate of declined",
               "Profit per application, rule alone", "Verdict", "After the NPV policy", "Verdict",
               "n")  # fmt: skip
    note = (
        "Profit is imputed; brackets hold 95% intervals. recommendations.json holds the same for "
        "all scenarios, in a form that scoring applies."
    )
    return PageTable("Rules tried, the surest gain first", headers, rows, note, is_folded=True)


def list_rules(rule_tests: pd.DataFrame, scenario: str, paid_life: str) -> pd.DataFrame:
    """Tests of the rules in one scenario on all their loans, each with its verdict.

    Args:
        rule_tests: what `policy.lab.backtest` returned.
        scenario: of the rows kept.
        paid_life: of the rows kept.

    Returns:
        One row per rule and policy it comes after, those with the surest gain alone first.
    """
    kept = rule_tests[
        rule_tests["sample"].eq("all")
        & rule_tests["scenario"].eq(scenario)
        & rule_tests["paid_life"].eq(paid_life)
    ]
    verdicts = [
        "holds" if row["holds"] else _NO_GAIN if row["is_enough"] else _TOO_FEW
        for row in list_rows(kept)
    ]
    alone = kept[kept["after"].eq("approve_all")].set_index("rule_id")["profit_change_low"]
    return (
        kept.assign(verdict=verdicts, surest=kept["rule_id"].map(alone))
        .sort_values("surest", ascending=False, kind="stable")
        .drop(columns="surest")
    )


def tabulate_scenarios(economics: Mapping[str, Any]) -> PageTable:
    """The assumptions of each scenario, with the range allowed and where it comes from.

    Args:
        economics: `scenarios` by name, and `ranges` of what they assume, with their `source`.
    """
    scenarios = economics["scenarios"]
    rows = [
        [
            _ASSUMPTIONS[name],
            *(f"{scenario[name]:g}" for scenario in scenarios.values()),
            f"{allowed['low']:g} to {allowed['high']:g}",
            allowed["source"],
        ]
        for name, allowed in economics["ranges"].items()
    ]
    headers = ("Assumption", *scenarios, "Range allowed", "Where it comes from")
    return PageTable("What lending is assumed to cost", headers, rows)
