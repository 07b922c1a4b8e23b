"""Default rates by segment, with counts and intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from loantap.policy.schemas import SEGMENTS
from loantap.policy.segments import BANDS, CATEGORIES, group_profession, summarise_segments


def make_loans(**columns: list[object]) -> pd.DataFrame:
    """Loans alike but for the columns given; every second one charged off unless given."""
    size = len(next(iter(columns.values())))
    plain: dict[str, object] = {
        "loan_amount": 12_000.0, "annual_income": 60_000.0, "dti_pct": 18.0,
        "revolving_utilisation_pct": 50.0, "interest_rate_pct": 12.0, "grade": "B",
        "term_months": 36.0, "purpose": "car", "home_ownership": "RENT", "profession": "Pilot",
        "pincode": "22690", "is_charged_off": [n % 2 for n in range(size)],
    }  # fmt: skip
    return pd.DataFrame(plain | columns, index=range(size))


def by(segmentation: str, loans: pd.DataFrame, min_loans: int = 1) -> pd.DataFrame:
    table = summarise_segments(loans, min_loans)
    return table[table["segmentation"] == segmentation].set_index("segment")


def test_counts_rates_and_shares_by_hand() -> None:
    loans = make_loans(grade=list("AABBBBBBBB"), is_charged_off=[0, 1, 1, 1, 0, 0, 0, 0, 0, 0])

    table = by("grade", loans)

    assert table["loans"].to_dict() == {"A": 2, "B": 8}
    assert table["charged_off"].to_dict() == {"A": 1, "B": 2}
    assert table["default_rate"].to_dict() == {"A": 0.5, "B": 0.25}
    assert table["share_of_loans"].to_dict() == {"A": 0.2, "B": 0.8}
    # Wilson: (2 + 1.9207 -+ 1.96 sqrt(2 * 6 / 8 + .9604)) / 11.8415.
    assert table.loc["B", ["low", "high"]].tolist() == pytest.approx([0.0715, 0.5907], abs=1e-4)


def test_every_segmentation_counts_every_loan_once(simulated_loans: pd.DataFrame) -> None:
    table = summarise_segments(simulated_loans, min_loans=30)

    SEGMENTS.validate(table)
    totals = table.groupby("segmentation")[["loans", "charged_off", "share_of_loans"]].sum()
    assert set(totals.index) == {*BANDS, *CATEGORIES}
    assert totals["loans"].eq(len(simulated_loans)).all()
    assert totals["charged_off"].eq(simulated_loans["is_charged_off"].sum()).all()
    assert totals["share_of_loans"].to_numpy() == pytest.approx(np.ones(len(totals)))


def test_the_interval_holds_the_rate(simulated_loans: pd.DataFrame) -> None:
    table = summarise_segments(simulated_loans, min_loans=30)

    assert (table["low"] <= table["default_rate"]).all()
    assert (table["default_rate"] <= table["high"]).all()
    assert (table["default_rate"] == table["charged_off"] / table["loans"]).all()


@pytest.mark.parametrize(
    ("dti_pct", "segment"),
    [
        (0.0, "0 to 5%"),
        (4.99, "0 to 5%"),
        (5.0, "5 to 10%"),  # the lower edge belongs to the band
        (34.99, "30 to 35%"),
        (35.0, "35% and more"),
        (9_999.0, "35% and more"),
        (np.nan, "not stated"),
    ],
)
def test_a_number_falls_into_its_band(dti_pct: float, segment: str) -> None:
    assert list(by("dti_pct", make_loans(dti_pct=[dti_pct])).index) == [segment]


def test_bands_stand_in_rising_order_and_what_is_not_stated_last() -> None:
    table = by("loan_amount", make_loans(loan_amount=[40_000, np.nan, 6_000, 4_000, 11_000]))

    assert list(table.index) == [
        "0 to 5,000", "5,000 to 10,000", "10,000 to 15,000", "30,000 and more", "not stated",
    ]  # fmt: skip
    assert list(table["order"]) == [0, 1, 2, 3, 4]


def test_categories_stand_in_alphabetical_order() -> None:
    table = by("grade", make_loans(grade=list("CBA")))

    assert list(table.index) == ["A", "B", "C"]


def test_terms_are_told_in_months() -> None:
    assert set(by("term_months", make_loans(term_months=[36.0, 60.0])).index) == {
        "36 months",
        "60 months",
    }


def test_a_category_that_is_missing_is_not_stated() -> None:
    assert list(by("pincode", make_loans(pincode=[None])).index) == ["not stated"]


class TestSmallSegments:
    def test_are_put_together_and_say_so(self) -> None:
        purpose = ["car"] * 5 + ["house"] * 2 + ["wedding"] * 1 + ["medical"] * 3
        outcome = [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0]

        table = by("purpose", make_loans(purpose=purpose, is_charged_off=outcome), min_loans=3)

        assert list(table.index) == ["car", "medical", "fewer than 3 loans each"]
        assert table.loc["fewer than 3 loans each", ["loans", "charged_off"]].tolist() == [3, 2]

    def test_that_stand_alone_keep_their_name(self) -> None:
        table = by("purpose", make_loans(purpose=["car"] * 5 + ["house"]), min_loans=3)

        assert list(table.index) == ["car", "house"]

    def test_of_bands_are_put_together_as_well(self) -> None:
        dti_pct = [1.0] * 4 + [36.0, 31.0]

        table = by("dti_pct", make_loans(dti_pct=dti_pct), min_loans=2)

        assert list(table.index) == ["0 to 5%", "fewer than 2 loans each"]


def test_the_pincode_is_there_for_the_audit_only(simulated_loans: pd.DataFrame) -> None:
    table = summarise_segments(simulated_loans, min_loans=30)

    assert set(table.loc[table["audit_only"], "segmentation"]) == {"pincode"}
    assert table.loc[table["segmentation"] == "pincode", "audit_only"].all()


@pytest.mark.parametrize(
    ("title", "group"),
    [
        ("Teacher", "teacher"),
        ("3rd grade teacher ", "teacher"),
        ("Registered Nurse", "nurse"),
        ("RN", "nurse"),
        ("Barn keeper", "other"),  # holds "rn", is no nurse
        ("Project Manager", "project or programme manager"),
        ("program manager", "project or programme manager"),
        ("Office Manager", "manager"),
        ("Director of Sales", "director or executive"),
        ("VP", "director or executive"),
        ("Sales Manager", "manager"),
        ("Sales", "sales"),
        ("Truck Driver", "driver"),
        ("Senior Engineer", "engineer"),
        ("Police Officer", "police, fire or military"),
        ("self-employed", "owner"),
        ("Pilot", "other"),
        ("None", "other"),
        (None, "not stated"),
    ],
)
def test_job_titles_are_grouped_by_their_words(title: str | None, group: str) -> None:
    assert list(group_profession(pd.Series([title], dtype="str"))) == [group]


def test_summarising_does_not_touch_the_loans(simulated_loans: pd.DataFrame) -> None:
    before = simulated_loans.copy(deep=True)

    summarise_segments(simulated_loans, min_loans=30)

    pd.testing.assert_frame_equal(simulated_loans, before)
