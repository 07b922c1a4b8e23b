"""The tables of the model card, worded and ordered for the page."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from loantap.reporting.formatting import NOTHING, signed
from loantap.reporting.model_card.tables import (
    Cell,
    tabulate_candidates,
    tabulate_coefficients,
    tabulate_metrics,
    thin_trade_off,
)
from tests.reporting.card_material import BLOCK, make_candidates, make_coefficients, make_trade_off


def test_a_sample_without_any_block_is_unmeasured():
    table = tabulate_metrics({"cv": BLOCK})

    assert table.unmeasured == ["test", "out of time"]
    assert [cell.value for cell in table.rows["F2"]] == ["0.567", NOTHING, NOTHING]


def test_ece_stands_beside_the_range_of_a_perfect_model():
    rows = tabulate_metrics({"cv": BLOCK}).rows

    assert rows["Expected calibration error (ECE)"][0] == Cell(
        "0.012", "", "perfect: 0.006 to 0.021"
    )
    assert rows["AUC"][0].remark == ""


def test_the_search_shows_its_top_and_the_chosen_candidate_wherever_it_ranks():
    table = tabulate_candidates(make_candidates(12).sample(frac=1, random_state=1))

    assert [row["rank"] for row in table.rows] == [1, 2, 3, 4, 5, 6, 7, 8, 11]
    assert table.rows[-1]["candidate"] == "smote L1 C=10"
    assert (table.tried, table.within, table.not_converged) == (12, 4, 1)


def test_coefficients_are_ordered_by_size_and_drawn_about_one():
    table = tabulate_coefficients(
        make_coefficients({"small": 0.1, "large": -math.log(2), "zero": 0.0})
    )

    assert [row.feature for row in table.all] == ["large", "small", "zero"]
    assert [row.odds_ratio for row in table.all] == ["0.50", "1.11", "1.00"]
    assert [row.raises_risk for row in table.all] == [False, True, False]
    assert (table.top[0].at, table.top[2].at, table.one) == (0, 50, 50)


def test_only_the_largest_coefficients_are_drawn_and_all_are_in_the_table():
    table = tabulate_coefficients(make_coefficients({f"x{i}": i / 10 for i in range(30)}))

    assert (len(table.top), len(table.all)) == (20, 30)
    assert table.all[0].feature == "x29"


def test_the_trade_off_is_thinned_to_a_dozen_rows_from_end_to_end():
    thinned = thin_trade_off(make_trade_off(99)["thresholds"])

    shares = [row["approval_rate"] for row in thinned]
    gaps = {round(100 * (b - a)) for a, b in pairwise(shares)}
    assert len(thinned) == 12
    assert (shares[0], shares[-1]) == (0.01, 0.99)
    assert gaps <= {8, 9, 10}


def test_a_short_trade_off_is_kept_whole():
    rows = make_trade_off(3)["thresholds"]

    assert thin_trade_off(rows) == rows
    assert thin_trade_off(rows[:1]) == rows[:1]


@pytest.mark.parametrize(
    ("points", "shown"), [(9.64, "+9.6"), (-12.4, "-12.4"), (0.0, "+0.0"), (-0.04, "+0.0")]
)
def test_points_carry_their_sign_but_zero_is_never_negative(points, shown):
    assert signed(points) == shown
