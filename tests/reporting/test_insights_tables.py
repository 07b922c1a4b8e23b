"""Tables and sections of the insights page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from loantap.reporting import insights_tables as tables
from loantap.reporting.figures.frame import Title
from loantap.reporting.figures.frontier import plot_frontier
from loantap.reporting.insights_page import render_insights
from loantap.reporting.insights_sections import PageSection, describe_claims, describe_policies
from loantap.reporting.insights_tables import PageTable
from tests.reporting.page_outline import HOSTILE, assert_self_contained, read_text

NAN = float("nan")


def spread(name: str, value: float, half: float) -> dict[str, float]:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def make_policies() -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "policy": policy, "label": label, "sample": sample, "scenario": scenario,
            "paid_life": paid_life, "n": 1_000, "approval_rate": 0.62,
            **spread("default_rate_approved", 0.2, 0.02), **spread("profit", 595.4, 100),
            **spread("gain_to_approve_all", gain, 30), **spread("yearly_return", 0.1, 0.01),
            "charge_offs_avoided": 0.28, "oracle_share": 0.43,
        }
        for policy, label, gain in (("npv", "Expected NPV above 0", 105.2), ("all", "All", 0.0))
        for sample in ("cv", "test")
        for scenario in ("mild", "mid")
        for paid_life in ("contractual", "capped")
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"x": 1.04, "x_low": 0.5, "x_high": 1.5}, "1.0 [0.5, 1.5]"),
        ({"x": 1.04, "x_low": NAN, "x_high": 1.5}, "1.0"),
        ({"x": NAN, "x_low": 0.5, "x_high": 1.5}, "\N{EN DASH}"),
        ({"x": None, "x_low": None, "x_high": None}, "\N{EN DASH}"),
    ],
)
def test_a_figure_is_told_with_its_interval(row: dict[str, Any], said: str) -> None:
    assert tables.with_interval(row, "x", lambda value: f"{value:.1f}") == said


def test_a_policy_is_told_on_the_loans_of_cross_validation_in_one_scenario() -> None:
    table = tables.tabulate_policies(make_policies(), "mid", "capped")

    assert table.caption == "Scenario mid, paid loans capped, n = 1,000 applications"
    assert [row[0] for row in table.rows] == ["Expected NPV above 0", "All"]
    assert table.rows[0][1:5] == [
        "62.0%", "20.0% [18.0%, 22.0%]", "+595 [+495, +695]", "+105 [+75, +135]",
    ]  # fmt: skip
    assert tables.tabulate_policies(make_policies(), "hard", "capped").rows == []


def test_the_main_scenario_is_open_and_the_others_are_folded() -> None:
    section = describe_policies(make_policies(), "data:x", "mid", ["mild", "mid"])

    assert [(t.caption.split(",")[0], t.is_folded) for t in section.tables] == [
        ("Scenario mid", False), ("Scenario mid", False),
        ("Scenario mild", True), ("Scenario mild", True),
    ]  # fmt: skip


def test_segments_that_differ_are_shown_the_riskiest_first_and_no_audit_among_them() -> None:
    findings = pd.DataFrame(
        [
            {"phrase": "grade", "segment": segment, "role": role, "loans": 100, "finding": found,
             "stability": "stable", **spread("default_rate", 0.2, 0.1),
             **spread("effect", effect, 1), **spread("profit_contractual", -366, 10),
             **spread("profit_capped", 1, 1), "segmentation": "grade"}
            for segment, role, found, effect in (
                ("A", "lender", "fewer defaults", -11.9),
                ("F", "lender", "more defaults", 12.0),
                ("C", "lender", "no difference shown", 0.0),
                ("11650", "audit", "more defaults", 74.8),
            )
        ]
    )  # fmt: skip
    years = pd.DataFrame(
        [{"segmentation": "grade", "segment": "A", "year": year, **spread("effect", effect, 1)}
         for year, effect in ((2013, -12.0), (2014, NAN))]
    )  # fmt: skip

    table = tables.tabulate_findings(findings)
    by_year = tables.tabulate_finding_years(findings, years)

    assert [row[0] for row in table.rows] == ["grade: F", "grade: A"]
    assert table.rows[1][3:5] == ["-11.9 [-12.9, -10.9]", "-366 [-376, -356]"]
    assert "3 segments were tried" in table.note
    assert by_year.headers[1:] == ("2013",)
    assert [row[1] for row in by_year.rows] == ["\N{EN DASH}", "-12.0 [-13.0, -11.0]"]


def test_the_least_ratio_of_each_proxy_is_told_for_each_policy() -> None:
    audit = pd.DataFrame(
        [
            {"policy": policy, "proxy": proxy, "phrase": proxy, "audit_only": proxy == "pincode",
             "group": group, "n": 50, **spread("approval_ratio", ratio, 0.1)}
            for policy, low in (("npv", 0.6), ("approve_all", 1.0))
            for proxy in ("income", "pincode")
            for group, ratio in (("a", 1.0), ("b", low), ("c", (1 + low) / 2))
        ]
    )  # fmt: skip

    table = tables.tabulate_fairness(audit)

    assert table.headers == ("Policy", "income")
    assert table.rows == [["npv", "0.60 [0.50, 0.70]"], ["approve all", "1.00"]]
    assert "n = 150 loans" in table.caption


def test_the_frontier_is_drawn_by_default_rate_without_what_approves_nobody() -> None:
    points = pd.DataFrame(
        [
            {"family": family, "label": family, "is_policy": is_policy, "sample": "cv",
             "scenario": "mid", "paid_life": "capped", "default_rate_approved": rate,
             **spread("profit", profit, 10)}
            for family, is_policy, rate, profit in (
                ("npv_hurdle", False, 0.3, 100), ("npv_hurdle", False, 0.1, 50),
                ("npv_hurdle", False, NAN, 0), ("npv", True, 0.2, 80), ("oracle", True, 0, 900),
            )
        ]
    )  # fmt: skip

    figure = plot_frontier(points, "mid", "capped", Title("lending", "simulated", 3, False))

    (axes,) = figure.axes
    line = axes.lines[0]
    assert list(line.get_xdata()) == [0.1, 0.3]
    assert [text.get_text() for text in axes.texts if text.get_text() == "npv"] == ["npv"]
    assert "SIMULATED DATA" in {text.get_text() for text in axes.texts}


def test_a_section_is_shown_with_its_tables_and_hostile_text_stays_text(
    segments: pd.DataFrame, make_summary: Any
) -> None:
    folded = PageTable("Folded", ("a", "b"), [["1", "2"]], "A note", is_folded=True)
    claims = pd.DataFrame(
        {"said": [HOSTILE], "verdict": ["does not hold"], "answer": ["n = 5"],
         "asked": ["more of it"], "instead": ["nothing"]}
    )  # fmt: skip
    parts = [PageSection("extra", "Extra", HOSTILE, [folded]), describe_claims(claims)]

    page = render_insights(segments, [], make_summary(), parts)

    assert_self_contained(page)
    assert HOSTILE not in page
    assert '<a href="#extra">Extra</a>' in page
    assert "<summary>Folded</summary>" in page
    text = read_text(page)
    assert "does not hold n = 5 more of it: nothing" in text
    assert "A note" in text
