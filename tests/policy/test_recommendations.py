"""Statements about credit policy, each with its evidence and what it does not show."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from loantap.measures.intervals import wilson_bounds
from loantap.policy.recommendations import Recommendation, recommend
from loantap.policy.segments import AUDIT_ONLY, summarise_segments
from loantap.reporting.formatting import percent_interval


def make_segments(**segmentations: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Segments given as losses of loans."""
    rows = [
        (segmentation, segment, lost, loans)
        for segmentation, segments in segmentations.items()
        for segment, (lost, loans) in segments.items()
    ]
    table = pd.DataFrame(rows, columns=["segmentation", "segment", "charged_off", "loans"])
    low, high = wilson_bounds(table["charged_off"], table["loans"])
    return table.assign(
        default_rate=table["charged_off"] / table["loans"],
        low=low,
        high=high,
        audit_only=table["segmentation"].isin(AUDIT_ONLY),
    )


GRADES = {"A": (30, 500), "B": (170, 500)}


@pytest.fixture(scope="module")
def statements(simulated_loans: pd.DataFrame) -> list[Recommendation]:
    return recommend(summarise_segments(simulated_loans, min_loans=30), most=8)


def test_a_segment_is_held_against_all_other_loans() -> None:
    segments = make_segments(grade=GRADES, purpose={"car": (15, 200), "house": (185, 800)})

    by_title = {r.title: r for r in recommend(segments, most=2)}

    statement = by_title["Grade A: default rate below the others"]
    assert (statement.loans, statement.default_rate, statement.reference_rate) == (500, 0.06, 0.34)
    assert statement.finding == (
        "6.0% of 500 resolved loans were charged off (95% interval 4.2 to 8.4%), "
        "against 34.0% of all others."
    )


def test_the_test_is_fisher_s_with_the_number_of_segments_allowed_for() -> None:
    segments = make_segments(
        grade={"A": (95, 500), "B": (105, 500)}, purpose={"car": (60, 200), "house": (140, 800)}
    )

    statement = next(r for r in recommend(segments, most=2) if r.segmentation == "purpose")

    p_values = [
        fisher_exact([[95, 405], [105, 395]]).pvalue,
        fisher_exact([[60, 140], [140, 660]]).pvalue,
    ] * 2
    # Benjamini-Hochberg: the two smallest of four equal p * 4 / 2.
    assert statement.adjusted_p_value == pytest.approx(min(p_values) * 2)


def test_findings_of_the_audit_do_not_loosen_the_test_of_the_others() -> None:
    purposes = {"car": (60, 200), "house": (140, 800)}
    alone = recommend(make_segments(grade={"A": (200, 1_000)}, purpose=purposes), most=1)
    audited = make_segments(
        grade={"A": (200, 1_000)}, purpose=purposes, pincode={"1": (200, 200), "2": (0, 800)}
    )

    assert recommend(audited, most=1)[0].adjusted_p_value == alone[0].adjusted_p_value


@pytest.mark.parametrize(
    ("lost", "strength"),
    [(52, "weak"), (55, "moderate"), (60, "strong")],
)
def test_strength_goes_by_the_adjusted_p_value(lost: int, strength: str) -> None:
    segments = make_segments(
        grade={"A": (200, 1_000)}, purpose={"car": (lost, 200), "house": (200 - lost, 800)}
    )

    [statement] = recommend(segments, most=1)

    limits = {"strong": (0, 0.001), "moderate": (0.001, 0.01), "weak": (0.01, 0.05)}[strength]
    assert limits[0] <= statement.adjusted_p_value < limits[1]
    assert statement.strength == strength


def test_nothing_is_stated_where_no_difference_is_shown() -> None:
    assert recommend(make_segments(grade={"A": (101, 500), "B": (99, 500)}), most=1) == []


def test_more_and_fewer_defaults_ask_for_different_actions() -> None:
    segments = make_segments(
        grade={"A": (200, 1_000)},
        purpose={"car": (10, 300), "house": (95, 350), "boat": (95, 350)},
        home_ownership={"OWN": (120, 300), "RENT": (40, 350), "MORTGAGE": (40, 350)},
    )

    actions = {r.segmentation: r.action for r in recommend(segments, most=2)}

    assert actions["purpose"].startswith("See what the segment earns")
    assert actions["home_ownership"].startswith("Review price and limits")


def test_each_segmentation_has_one_statement_and_no_more_than_asked_for(
    statements: list[Recommendation],
) -> None:
    credit = [r.segmentation for r in statements if r.segmentation not in AUDIT_ONLY]

    assert len(credit) == len(set(credit)) == 8


def test_the_strongest_evidence_comes_first(statements: list[Recommendation]) -> None:
    gaps = [
        abs(r.default_rate - r.reference_rate) * np.sqrt(r.loans)
        for r in statements
        if r.segmentation not in AUDIT_ONLY
    ]

    assert gaps == sorted(gaps, reverse=True)
    assert statements[0].strength == "strong"


def test_every_statement_carries_its_number_of_loans_and_its_interval(
    statements: list[Recommendation],
) -> None:
    for r in statements:
        assert r.low <= r.default_rate <= r.high
        assert f"of {r.loans:,} resolved loans" in r.finding
        assert f"(95% interval {percent_interval(r.low, r.high)})" in r.finding
        assert r.caveat
        assert r.title[0].isupper()


def test_the_pincode_appears_as_an_audit_finding_only(statements: list[Recommendation]) -> None:
    audit = [r for r in statements if r.segmentation == "pincode"]

    assert {r.segment for r in audit} >= {"11650", "86630", "93700", "00813", "05113", "29597"}
    for r in audit:
        assert r.title == f"Pincode {r.segment} is a leak, not a credit signal"
        assert "Keep it out of every decision" in r.action
        assert "Never lend on it" in r.caveat
    others = [r for r in statements if r.segmentation != "pincode"]
    assert not any("incode" in text for r in others for text in (r.title, r.action, r.finding))
    # They come after all credit statements.
    assert statements == others + audit


def test_a_credit_statement_warns_that_rates_already_price_risk(
    statements: list[Recommendation],
) -> None:
    credit = [r for r in statements if r.segmentation != "pincode"]

    assert all("declining the group may cost more than it saves" in r.caveat for r in credit)


@pytest.mark.slow
def test_nothing_found_on_pure_noise_is_called_strong(simulated_loans: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        noise = simulated_loans.assign(is_charged_off=rng.random(len(simulated_loans)) < 0.19)

        statements = recommend(summarise_segments(noise, min_loans=30), most=8)

        assert {r.strength for r in statements} <= {"none", "weak"}
        assert not [r for r in statements if r.segmentation == "pincode"]


def test_what_is_not_stated_or_other_is_no_segment_to_act_on() -> None:
    segments = make_segments(
        grade={"A": (200, 1_000)},
        profession={"not stated": (100, 100), "other": (0, 200), "driver": (100, 700)},
    )

    assert {r.segment for r in recommend(segments, most=5)} == {"driver"}


def test_a_segment_that_is_the_whole_portfolio_is_held_against_nothing() -> None:
    assert recommend(make_segments(grade={"A": (200, 1_000)}), most=5) == []


def test_statements_are_json(statements: list[Recommendation]) -> None:
    written = json.dumps([r.as_dict() for r in statements])

    assert [Recommendation(**fields) for fields in json.loads(written)] == statements
