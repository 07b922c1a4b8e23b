"""Five findings: drivers, price, segments that lose money, decisions by PD, claims."""

from __future__ import annotations

import pandas as pd

from loantap.policy.findings.drivers import DRIVES
from loantap.policy.findings.wording import Finding, tell_rate
from loantap.policy.summary.headlines import (
    Headline,
    find_policy,
    join_names,
    name_segment,
    read_earned,
    read_gain,
    select_policies,
    take_first,
)


def summarise_findings(
    drivers: pd.DataFrame,
    findings: pd.DataFrame,
    policies: pd.DataFrame,
    claims: pd.DataFrame,
    scenario: str,
) -> list[Headline]:
    """Five findings: drivers, price, segments that lose money, decisions by PD, claims.

    Args:
        drivers: table of the drivers.
        findings: one row per segment.
        policies: the comparison of policies.
        claims: one row per claim of the case study.
        scenario: in which profit is counted.
    """
    told = findings[findings["role"].ne("audit")]
    return [
        _find_drivers(drivers, told),
        _find_price(told),
        _find_losses(told),
        _find_cut(select_policies(policies, "cv", scenario)),
        _find_claims(claims),
    ]


def _find_drivers(drivers: pd.DataFrame, findings: pd.DataFrame) -> Headline:
    whole = drivers[drivers["year"].eq(0)].sort_values("rank")
    drives = whole[whole["finding"].eq(DRIVES)]
    by_role = {role: list(drives.loc[drives["role"].eq(role), "phrase"])
               for role in ("lender", "applicant")}  # fmt: skip
    quiet = list(whole.loc[~whole["finding"].eq(DRIVES), "phrase"])
    loans = int(whole["loans"].max())
    if not by_role["applicant"]:
        title = "Beside the lender's own price, no factor is shown to drive default"
    else:
        title = (
            f"Default goes with {join_names(by_role['applicant'])}, beside the lender's own price"
        )
    text = "Other factors equal. "
    if by_role["lender"]:
        text += f"Strongest is the price: {join_names(by_role['lender'])}. "
    if quiet:
        text += f"No effect is shown for {join_names(quiet)}. "
    more = findings[findings["finding"].eq(Finding.MORE) & findings["role"].eq("applicant")]
    if more.empty:
        return Headline(title, text.strip(), None, loans)
    worst = take_first(more, "effect", largest=True)
    text += f"Most defaults: {name_segment(worst)}, {tell_rate(worst)} charged off"
    return Headline(title, f"{text}.", read_earned(worst), int(worst["loans"]))


def _find_price(findings: pd.DataFrame) -> Headline:
    """What the loans earn that are priced lowest, and those that are priced highest."""
    priced = findings[findings["segmentation"].eq("interest_rate_pct")]
    priced = priced[priced["finding"].ne(Finding.TOO_FEW)].sort_values("order")
    if priced.empty:
        return Headline("Too few loans to say what each rate earns", "", None, 0)
    cheap, dear = priced.iloc[0], priced.iloc[-1]
    money = read_earned(cheap)
    if money.is_loss:
        title = "The safest loans lose money"
    elif money.is_gain:
        title = "The safest loans earn money"
    else:
        title = "The safest loans neither earn nor lose beyond chance"
    text = (
        f"At a rate of {cheap['segment']}, {tell_rate(cheap)} were charged off; at "
        f"{dear['segment']}, {tell_rate(dear)} were, and a loan earned {read_earned(dear)}. A low "
        "default rate is not profit: the rate must cover the risk and the costs."
    )
    return Headline(title, text, money, int(cheap["loans"]))


def _find_losses(findings: pd.DataFrame) -> Headline:
    """The applicants whose loans lost most in all, beyond chance."""
    known = findings[findings["role"].eq("applicant") & findings["finding"].ne(Finding.TOO_FEW)]
    losing = known[known["profit_contractual_high"] < 0]
    if losing.empty:
        if known.empty:
            return Headline("Too few loans to say who loses money", "", None, 0)
        least = take_first(known, "profit_contractual")
        text = f"The least is earned on {name_segment(least)}, {tell_rate(least)} charged off."
        title = "No group of applicants loses money beyond chance"
        return Headline(title, text, read_earned(least), int(least["loans"]))
    worst = take_first(losing.assign(total=losing["profit_contractual"] * losing["loans"]), "total")
    text = (
        f"{tell_rate(worst)} were charged off, and the price did not cover it: "
        f"{worst['total']:+,.0f} in all. Of {len(known)} groups of applicants, {len(losing)} lost "
        "money beyond chance, not corrected for their number."
    )
    title = f"Applicants with {name_segment(worst)} lose money"
    return Headline(title, text, read_earned(worst), int(worst["loans"]))


def _find_cut(policies: pd.DataFrame) -> Headline:
    """What it costs to decline by PD, whatever a loan is to earn."""
    bands, f2 = find_policy(policies, "bands"), find_policy(policies, "f2_threshold")
    money = read_gain(bands)
    title = "To decline by PD alone does not change profit beyond chance"
    if money is not None:
        if money.is_loss:
            title = "To decline by PD alone costs money"
        elif money.is_gain:
            title = "To decline by PD alone earns money"
    text = "To decline the tenth of the highest PDs "
    text += (
        f"avoids {bands['charge_offs_avoided']:.0%} of charge-offs and forgoes what the others "
        "would have paid."
    )
    f2_gain = read_gain(f2)
    if f2_gain is not None:
        text += (
            f" The F2 threshold declines {1 - f2['approval_rate']:.0%}: {f2_gain} per application."
        )
    return Headline(title, text, money, int(bands["n"]))


def _find_claims(claims: pd.DataFrame) -> Headline:
    verdicts = claims["verdict"].value_counts()
    of_pincodes = int(claims["segmentation"].eq("pincode").sum())
    lending = claims[claims["segmentation"].ne("pincode")]
    holds = lending[lending["verdict"].eq("holds")]
    title = f"Of {len(claims)} claims of the case study, {verdicts.get('holds', 0)} hold"
    text = (
        f"{of_pincodes} are about pincodes, on which nothing is lent: stricter rules for 11650 "
        "and 86630 are refused, since the pincode in this data is made from the outcome. "
    )
    earning = holds[
        holds["claimed"].eq(Finding.MORE)
        & (holds["profit_contractual"] > holds["profit_contractual_others"])
    ]
    if earning.empty:
        return Headline(title, text.strip(), None, int(claims["loans"].max()))
    most = take_first(earning, "profit_contractual", largest=True)
    text += (
        f"That {str(most['said'])[0].lower()}{str(most['said'])[1:]} holds, and still they earn "
        f"more: {read_earned(most)} per loan against {most['profit_contractual_others']:+,.0f} of "
        "all others."
    )
    return Headline(title, text, read_earned(most), int(most["loans"]))
