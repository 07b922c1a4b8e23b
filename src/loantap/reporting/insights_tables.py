"""The tables of the insights page, worded: what a policy, a finding or an offer comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.reporting.formatting import NOTHING, count, decimal, is_missing, percent, signed

_MAIN_SAMPLE = "cv"
_BY_ROLE = {
    "lender": "set by the lender",
    "applicant": "the applicant's",
    "audit": "audit only",
}


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table as the page shows it.

    Attributes:
        caption: what it is, with its number of loans.
        headers: one for each column.
        rows: texts; the first of each row is its heading.
        note: what a reader must know to read it.
        is_folded: whether it is opened by a click.
    """

    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    is_folded: bool = False


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
            with_interval(row, "profit", _money),
            with_interval(row, "gain_to_approve_all", _money),
            with_interval(row, "yearly_return", percent),
            percent(row["charge_offs_avoided"]),
            percent(row["oracle_share"], 0),
        ]
        for row in _records(shown)
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


def tabulate_claims(claims: pd.DataFrame) -> PageTable:
    """What the case study said, and what the loans say, line by line."""
    rows = [
        [str(row["said"]), str(row["verdict"]), str(row["answer"]), _pair(row, "asked", "instead")]
        for row in _records(claims)
    ]
    headers = ("The case study said", "Verdict", "The loans say", "Asked for, and done instead")
    return PageTable("What the case study said, what the loans say", headers, rows)


def tabulate_drivers(drivers: pd.DataFrame) -> PageTable:
    """Factors by how far the default rates of their segments lie apart, other factors equal."""
    whole = drivers[drivers["year"].eq(0)].sort_values("rank")
    rows = [
        [
            str(row["phrase"]),
            _BY_ROLE.get(str(row["role"]), str(row["role"])),
            with_interval(row, "strength", lambda value: f"{value:.1f}"),
            _rate_of(row, "lowest"),
            _rate_of(row, "highest"),
            str(row["finding"]),
        ]
        for row in _records(whole)
    ]
    headers = ("Factor", "Whose", "Strength, points", "Lowest rate", "Highest rate", "Finding")
    loans = int(whole["loans"].max()) if len(whole) else 0
    note = (
        "Strength: standard deviation of the default rate between the segments of a factor, in "
        "percentage points, other factors equal and chance taken out; 95% interval. Lowest and "
        "highest rate: of the segments, other factors equal."
    )
    return PageTable(f"Drivers of default, n = {count(loans)} loans", headers, rows, note)


def tabulate_driver_years(drivers: pd.DataFrame) -> PageTable:
    """The strength of each factor by issue year."""
    by_year = drivers[drivers["year"].gt(0) & drivers["strength"].notna()]
    years = sorted(by_year["year"].unique())
    order = drivers[drivers["year"].eq(0)].sort_values("rank")
    rows = []
    for factor, phrase in zip(order["factor"], order["phrase"], strict=True):
        of_factor = by_year[by_year["factor"].eq(factor)].set_index("year")
        told = [
            with_interval(dict(of_factor.loc[year]), "strength", lambda value: f"{value:.1f}")
            if year in of_factor.index
            else NOTHING
            for year in years
        ]
        rows.append([str(phrase), *told])
    note = "Years with too few loans are left out. Levels of different years are not comparable."
    return PageTable(
        "Strength by issue year, points", ("Factor", *map(str, years)), rows, note, is_folded=True
    )


def tabulate_findings(findings: pd.DataFrame) -> PageTable:
    """The segments that differ from all other loans, other factors equal."""
    found = findings[findings["finding"].isin(["more defaults", "fewer defaults"])]
    found = found[found["role"].ne("audit")].sort_values("effect", ascending=False)
    rows = [
        [
            _pair(row, "phrase", "segment"),
            count(row["loans"]),
            with_interval(row, "default_rate", percent),
            with_interval(row, "effect", signed),
            with_interval(row, "profit_contractual", _money),
            with_interval(row, "profit_capped", _money),
            str(row["stability"]),
        ]
        for row in _records(found)
    ]
    headers = (
        "Segment", "n", "Default rate", "Other factors equal, points",
        "Profit per loan, contractual", "Profit per loan, capped", "Over issue years",
    )  # fmt: skip
    tried = int(findings["role"].ne("audit").sum())
    note = (
        f"{count(tried)} segments were tried; those shown differ from all other loans with the "
        "false discovery rate held at 5%. Profit is imputed from outcomes."
    )
    return PageTable("Segments that differ", headers, rows, note)


def tabulate_finding_years(findings: pd.DataFrame, years: pd.DataFrame) -> PageTable:
    """The effect of each segment that differs, by issue year."""
    found = findings[findings["finding"].isin(["more defaults", "fewer defaults"])]
    found = found[found["role"].ne("audit")].sort_values("effect", ascending=False)
    judged = years[years["effect"].notna()]
    shown = sorted(judged["year"].unique())
    effects = {(r["segmentation"], r["segment"], r["year"]): r for r in _records(judged)}
    rows = []
    for row in _records(found):
        keys = [(row["segmentation"], row["segment"], year) for year in shown]
        told = [
            with_interval(effects[key], "effect", signed) if key in effects else NOTHING
            for key in keys
        ]
        rows.append([_pair(row, "phrase", "segment"), *told])
    return PageTable(
        "The same by issue year, points against other loans of the year, not adjusted",
        ("Segment", *map(str, shown)),
        rows,
        is_folded=True,
    )


def tabulate_information(values: pd.DataFrame, bins: pd.DataFrame) -> PageTable:
    """Information value of each factor, with its bins."""
    worded = bins.assign(
        told=[f"{row['bin']} ({percent(row['default_rate'])})" for row in _records(bins)]
    )
    by_factor = worded.groupby("factor", sort=False)["told"].agg("; ".join)
    rows = [
        [
            str(row["factor"]).replace("_", " "),
            _BY_ROLE.get(str(row["role"]), str(row["role"])),
            with_interval(row, "iv", decimal),
            decimal(row["iv_chance"]),
            str(by_factor.get(row["factor"], NOTHING)),
        ]
        for row in _records(values.sort_values("iv", ascending=False))
    ]
    headers = ("Factor", "Whose", "Information value", "By chance", "Bins and their default rates")
    note = (
        "Bins are found on one half of the loans (optbinning) and the information value is "
        "measured on the other half."
    )
    return PageTable("Information value of each factor alone", headers, rows, note, is_folded=True)


def tabulate_fairness(audit: pd.DataFrame) -> PageTable:
    """The least ratio of approval rates of each proxy, under each policy."""
    compared = audit[audit["approval_ratio"].notna() & ~audit["audit_only"].astype(bool)]
    proxies = compared["proxy"].unique()
    rows = []
    for policy, of_policy in compared.groupby("policy", sort=False):
        cells = [str(policy).replace("_", " ")]
        for proxy in proxies:
            groups = of_policy[of_policy["proxy"].eq(proxy)]
            groups = groups[groups["approval_ratio"].lt(1)]
            if groups.empty:
                cells.append("1.00")
                continue
            worst = _records(groups.nsmallest(1, "approval_ratio"))[0]
            cells.append(with_interval(worst, "approval_ratio", lambda value: f"{value:.2f}"))
        rows.append(cells)
    names = [str(compared.loc[compared["proxy"].eq(p), "phrase"].iloc[0]) for p in proxies]
    loans = int(audit.groupby(["policy", "proxy"])["n"].sum().max()) if len(audit) else 0
    note = (
        "Approval rate of the group approved least often, as a share of that of the group "
        "approved most often. The four-fifths rule asks for .8. Intervals hold for all groups of a "
        "proxy at once."
    )
    return PageTable(f"Approval ratios, n = {count(loans)} loans", ("Policy", *names), rows, note)


def tabulate_fairness_price(frontier: pd.DataFrame, scenario: str, paid_life: str) -> PageTable:
    """What it costs the NPV policy to approve the groups of a proxy alike."""
    shown = frontier[
        frontier["scenario"].eq(scenario)
        & frontier["paid_life"].eq(paid_life)
        & frontier["target_ratio"].notna()
    ]
    rows = [
        [
            str(row["phrase"]),
            decimal(row["target_ratio"], 1),
            with_interval(row, "worst_ratio", lambda value: f"{value:.2f}"),
            with_interval(row, "lost_per_application", lambda value: f"{value:,.1f}"),
            with_interval(row, "default_rate_approved", percent),
        ]
        for row in _records(shown)
    ]
    headers = ("Proxy", "Ratio asked", "Ratio reached", "Profit lost per application",
               "Default rate of approved")  # fmt: skip
    note = (
        "A measurement, not a proposal: hurdles that depend on a borrower's group are themselves "
        "unlawful in many places. Profit is imputed."
    )
    return PageTable(
        f"The least profit that a fairer policy costs, scenario {scenario}", headers, rows, note
    )


def tabulate_products(products: pd.DataFrame) -> PageTable:
    """Who would get which amount, term and rate."""
    rows = [
        [
            _pair(row, "segmentation", "segment"),
            count(row["n"]),
            with_interval(row, "as_asked", percent),
            f"{count(row['amount_low'])} to {count(row['amount_high'])}",
            percent(row["share_36_months"], 0),
            f"{decimal(row['rate_pct_low'], 1)} to {decimal(row['rate_pct_high'], 1)}%",
            with_interval(row, "margin_imputed", lambda value: percent(value, 1)),
            str(row["finding"]),
        ]
        for row in _records(products)
    ]
    headers = ("Segment", "n", "Had as asked for", "Amount", "36 months", "Rate",
               "Margin of principal, imputed", "Against the margin priced")  # fmt: skip
    note = "Amount and rate: from the lowest to the highest tenth of first offers."
    return PageTable("Products by segment", headers, rows, note)


def tabulate_counterfactuals(effects: pd.DataFrame) -> PageTable:
    """How far a shorter or smaller loan lowers the odds of default."""
    rows = [
        [
            str(row["effect"]),
            with_interval(row, "unadjusted", lambda value: f"{value:.2f}"),
            with_interval(row, "adjusted", lambda value: f"{value:.2f}"),
            decimal(row["in_force"], 2),
            str(row["finding"]),
        ]
        for row in _records(effects)
    ]
    headers = ("Effect", "Odds ratio", "Given the sub-grade", "In force", "")
    note = (
        "A model's estimates, not an experiment's: a person decides on every offer that rests on "
        "them."
    )
    loans = int(effects["n"].max()) if len(effects) else 0
    return PageTable(f"Odds ratios, n = {count(loans)} loans", headers, rows, note)


def tabulate_concentration(concentration: pd.DataFrame, most: int = 5) -> PageTable:
    """The regions that hold most of the principal and of the expected loss."""
    top = concentration.groupby("measure", sort=False).head(most + 1)
    rows = [
        [
            _pair(row, "measure", "region"),
            count(row["n"]),
            with_interval(row, "share", percent),
            percent(row["limit"]),
            str(row["finding"]),
        ]
        for row in _records(top)
    ]
    headers = ("Region", "n", "Share, or Herfindahl index", "Limit", "Finding")
    note = (
        "LoanTap's addresses are made up, so nothing follows from these shares. The limit is one "
        "of the portfolio, never of a person's score."
    )
    return PageTable("Concentration by state", headers, rows, note, is_folded=True)


def with_interval(row: Mapping[str, Any], name: str, word: Callable[[float], str]) -> str:
    """A figure with its 95% interval, as `1.0 [0.5, 1.5]`; a dash when it is missing."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if is_missing(value):
        return NOTHING
    if is_missing(low) or is_missing(high):
        return word(value)
    return f"{word(value)} [{word(low)}, {word(high)}]"


def _pair(row: Mapping[str, Any], name: str, value: str) -> str:
    return f"{row[name]}: {row[value]}".replace("_", " ")


def _rate_of(row: Mapping[str, Any], end: str) -> str:
    segment = str(row[f"{end}_segment"]).replace("_", " ")
    return f"{segment}: {percent(row[f'{end}_rate'])}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _money(value: float) -> str:
    return f"{round(value) + 0.0:+,.0f}"
