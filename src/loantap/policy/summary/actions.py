"""Three actions: how to decide, what to do where the default rate must fall, which rule to add."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from loantap.policy.findings.wording import tell_rate
from loantap.policy.summary.headlines import (
    PER_APPLICATION,
    Headline,
    Money,
    find_policy,
    read_gain,
    rename_approved,
    select_policies,
)

_CAPS: Final = "capped_default_rate"


def propose_actions(
    policies: pd.DataFrame, report: Mapping[str, Any], scenario: str
) -> list[Headline]:
    """Three actions: how to decide, what to do where the default rate must fall, which rule to add.

    Args:
        policies: the comparison of policies.
        report: `recommendations.json`.
        scenario: in which profit is counted first.
    """
    judged = select_policies(policies, "cv", scenario)
    return [
        _propose_policy(judged, policies, scenario),
        _propose_cap(judged),
        _propose_rule(report),
    ]


def _propose_policy(judged: pd.DataFrame, policies: pd.DataFrame, scenario: str) -> Headline:
    npv = find_policy(judged, "npv")
    money = read_gain(npv)
    is_gain = money is not None and money.is_gain
    title = (
        "Decide by expected NPV"
        if is_gain
        else "Expected NPV is not shown to beat approving everybody"
    )
    text = (
        f"Approve a loan whose expected NPV at its own rate and term is above zero: "
        f"{npv['approval_rate']:.0%} are approved, {tell_rate(rename_approved(npv))} of them "
        f"charged off, and {npv['charge_offs_avoided']:.0%} of charge-offs are avoided."
    )
    for other in policies.loc[policies["sample"].eq("cv"), "scenario"].unique():
        gain = read_gain(find_policy(select_policies(policies, "cv", other), "npv"))
        if other != scenario and gain is not None:
            text += f" Scenario {other}: {gain}."
    latest = find_policy(select_policies(policies, "out_of_time", scenario), "npv")
    gain = read_gain(latest)
    if gain is not None:
        doubt = "" if gain.is_gain or gain.is_loss else ", neither gain nor loss beyond chance"
        text += f" On the latest loans (n = {latest['n']:,}): {gain}{doubt}."
    return Headline(title, text, money, int(npv["n"]))


def _propose_cap(policies: pd.DataFrame) -> Headline:
    """The lowest cap on the default rate that does not earn less than approving everybody."""
    capped = policies[policies["policy"].str.startswith(_CAPS)].sort_values("cap")
    paying = capped[capped["gain_to_approve_all"] >= 0]
    if capped.empty or paying.empty:
        title = "No cap on the default rate pays"
        text = "Each cap tried earns less than approving everybody."
        if capped.empty:
            return Headline(title, "None was tried.", None, 0)
        row = capped.iloc[-1]
    else:
        row = paying.iloc[0]
        title = f"Where the default rate must fall, cap it at {row['cap']:.0%}"
        text = (
            f"{row['approval_rate']:.0%} are approved, {tell_rate(rename_approved(row))} of them "
            f"charged off, and {row['charge_offs_avoided']:.0%} of charge-offs are avoided"
        )
        npv_profit = find_policy(policies, "npv")["profit"]
        text += f", for {row['profit'] - npv_profit:+,.0f} per application against expected NPV."
        lower = capped[capped["cap"] < row["cap"]]
        if len(lower):
            text += (
                f" A cap of {lower.iloc[-1]['cap']:.0%} would earn less than approving everybody."
            )
    return Headline(title, text, read_gain(row), int(row["n"]))


def _propose_rule(report: Mapping[str, Any]) -> Headline:
    """The rule to add to the NPV policy, or why none is."""
    held: Sequence[Mapping[str, Any]] = report["recommendations"]
    tried = len(held) + len(report["tested"])
    after = [rule for rule in held if rule["holds_after_npv"]]
    if after:
        best = max(after, key=lambda rule: _change(rule["after_npv"], report).low)
        return Headline(
            f"Add a rule: {best['title']}",
            f"It earns more after expected NPV as well, beyond what {tried} rules tried explain. "
            f"Switch it on with --params scoring.recommendations=[{best['id']}].",
            _change(best["after_npv"], report),
            int(best["after_npv"]["n"]),
        )
    if not held:
        text = f"{tried} rules were tried; none earned more beyond what chance explains."
        return Headline("Add no rule", text, None, max((int(r["n"]) for r in report["tested"]),
                                                       default=0))  # fmt: skip
    best = max(held, key=lambda rule: _change(rule, report).low)
    money = _change(best, report)
    later = _change(best["after_npv"], report)
    text = f"{len(held)} of {tried} rules tried earn more than approving everybody. "
    if not math.isnan(later.value):
        text += f"After expected NPV the best of them adds {later}, no more than chance: "
    text += "expected NPV declines most of these loans already."
    if best["cause"] == "price":
        title = f"Raise rates instead of the rule “{best['title']}”"
        text += (
            f" The loans that it names default less often than others "
            f"({best['default_rate_declined']:.1%}) and pay too little: a higher rate keeps them."
        )
    else:
        title = "Add no rule to expected NPV"
        text += f" The best alone: {best['title']}."
    return Headline(title, text, money, int(best["n"]))


def _change(rule: Mapping[str, Any], report: Mapping[str, Any]) -> Money:
    change = rule["profit_change"][report["scenario"]][report["paid_life"]]
    value, low, high = (
        math.nan if change[name] is None else float(change[name])
        for name in ("value", "low", "high")
    )
    return Money(value, low, high, PER_APPLICATION)
