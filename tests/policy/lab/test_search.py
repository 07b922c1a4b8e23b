from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loantap.policy.fairness import PROXIES
from loantap.policy.lab.backtest import FoundBy
from loantap.policy.lab.judged_loans import gather_judged_loans
from loantap.policy.lab.rules import READABLE_COLUMNS, Rule, apply_rules, read_columns
from loantap.policy.lab.search import (
    SEARCHED,
    hold_all,
    list_candidates,
    list_conditions,
    search_rules,
)
from loantap.policy.money.imputed import tabulate_profits
from tests.policy.lab.loans import make_loans, make_predictions
from tests.policy.lab.shipped import make_lab
from tests.policy.money.economics import make_economics

LOANS = make_loans(4_000, seed=9)
COLUMNS = read_columns(LOANS, READABLE_COLUMNS)
LAB = make_lab()
CONDITIONS = list_conditions(COLUMNS, LAB.edges)
HOLDS = hold_all(CONDITIONS, COLUMNS)


def test_no_proxy_is_searched() -> None:
    assert not set(PROXIES) & set(SEARCHED)
    assert {"dti_pct", "loan_to_income", "grade", "purpose", "interest_rate_pct"} <= set(SEARCHED)
    assert not {"annual_income", "employment_years", "home_ownership", "pincode"} & set(SEARCHED)


def search(gains: np.ndarray, **changed: Any) -> tuple[Rule, ...]:
    return search_rules(CONDITIONS, HOLDS, gains, make_lab(**changed))


def test_every_column_is_tried_from_both_sides() -> None:
    tried = [str(condition) for condition in CONDITIONS]

    assert {condition.column for condition in CONDITIONS} == set(SEARCHED)
    assert len(set(tried)) == len(tried)
    dti = [c for c in CONDITIONS if c.column == "dti_pct"]
    assert [c.operator for c in dti] == ["<=", ">"] * LAB.edges
    shares = np.mean([c.holds(COLUMNS) for c in dti if c.operator == "<="], axis=1)
    assert shares == pytest.approx(np.arange(1, 13) / 13, abs=0.01)
    assert {"grade of A", "grade of F or G", "term in months of 60", "purpose of car"} <= set(tried)
    assert "purpose of wedding" not in tried  # no loan is for one
    assert "grade of B" not in tried


def test_a_rule_of_one_condition_is_found_as_one() -> None:
    gains = np.where(LOANS["dti_pct"] > 30, 100.0, -20.0)

    found = search(gains)

    assert [condition.column for condition in found[0].conditions] == ["dti_pct"]
    assert found[0].conditions[0].value == pytest.approx(30, abs=3.1)  # bounds are 3.1 apart
    assert len(found) == 1  # every other rule declines the same loans


def test_a_rule_of_two_conditions_is_found_as_two() -> None:
    is_bad = (LOANS["dti_pct"] > 25) & LOANS["term_months"].eq(60)
    gains = np.where(is_bad, 100.0, -100.0)

    found = search(gains)

    assert {condition.column for condition in found[0].conditions} == {"dti_pct", "term_months"}
    declined = apply_rules(found[:1], COLUMNS)[:, 0]
    assert (declined & is_bad).sum() / (declined | is_bad).sum() > 0.85


def test_a_second_rule_declines_mostly_other_loans() -> None:
    is_high, is_small = LOANS["dti_pct"] > 30, LOANS["purpose"].eq("car")
    gains = np.where(is_high | is_small, 100.0, -50.0)

    found = search(gains, max_found=2)

    assert [rule.columns for rule in found] == [("dti_pct",), ("purpose",)]
    first, second = apply_rules(found, COLUMNS).T
    assert (first & second).sum() <= 0.5 * second.sum()
    assert len(search(gains, max_found=1)) == 1


def test_nothing_is_found_where_nothing_gains() -> None:
    assert search(np.full(len(LOANS), -10.0)) == ()
    assert search(np.zeros(len(LOANS))) == ()


@pytest.mark.parametrize("rows", [0, 5, 59])
def test_of_few_loans_nothing_is_found(rows) -> None:
    assert (
        search_rules(CONDITIONS, HOLDS[:, :rows], np.full(rows, 100.0), make_lab(min_loans=60))
        == ()
    )


def test_the_search_looks_at_its_half_only() -> None:
    economics, predictions = make_economics(), make_predictions(LOANS)
    rng, is_risky = np.random.default_rng(9), LOANS["dti_pct"] > 30
    first = LOANS.assign(is_charged_off=rng.binomial(1, np.where(is_risky, 0.7, 0.1)))
    judged = gather_judged_loans(first, tabulate_profits(first, economics), predictions, economics)
    # What becomes of the other half changes, and nothing of what is found.
    outcomes = np.where(judged.is_searched, first["is_charged_off"], rng.binomial(1, 0.2, 4_000))
    second = first.assign(is_charged_off=outcomes)
    changed = gather_judged_loans(
        second, tabulate_profits(second, economics), predictions, economics
    )

    candidates = list_candidates(judged, "mid", LAB)

    assert list_candidates(changed, "mid", LAB) == candidates
    assert [c.rule for c in candidates if c.found_by is FoundBy.HAND] == list(LAB.rules)
    found = [c.rule for c in candidates if c.found_by is FoundBy.SEARCH]
    assert found
    assert len({rule.id for rule in found}) == len(found)
