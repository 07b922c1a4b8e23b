"""Typed, valid rows are kept; each of the others is set aside with its reason."""

import pandas as pd
import pytest

from loantap.portfolio.cleaning import (
    clean_source_table,
    mark_outcome,
    read_portfolio,
)
from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from tests.conftest import AS_OF, raw_loans

A, B, C = ({"grade": grade, "sub_grade": f"{grade}4"} for grade in "ABC")


def reasons_of(raw, table):
    """The quarantine as tuples, once it is sure that no row was lost."""
    cleaned = clean_source_table(raw, table, AS_OF)
    assert len(cleaned.rows) + len(cleaned.quarantine) == len(raw)
    assert list(cleaned.quarantine.columns) == ["loan_id", "row", "reason"]
    return list(cleaned.quarantine.itertuples(index=False, name=None))


@pytest.mark.parametrize("table", [Table.LOANS, Table.APPLICATIONS])
def test_good_rows_are_kept_with_their_bookkeeping(table, extract):
    cleaned = clean_source_table(extract(table, {}, {"int_rate": "9"}), table, AS_OF)

    assert cleaned.quarantine.empty
    assert list(cleaned.rows["loan_id"]) == ["1", "2"]
    assert cleaned.rows["updated_at"].eq(pd.Timestamp("2026-10-01 12:00")).all()
    assert cleaned.rows["updated_at"].dtype == "datetime64[s]"
    assert set(cleaned.rows["origin"]) == {"real"}


def test_a_bad_value_sets_its_row_aside_with_number_and_reason(extract):
    raw = extract(Table.LOANS, {}, {"int_rate": "-1", "term": "48 months"}, {})

    assert reasons_of(raw, Table.LOANS) == [
        ("2", 2, "term '48 months' is not 36 or 60; int_rate '-1' is below 0")
    ]


def test_a_value_that_must_not_be_missing_is_named(extract):
    raw = extract(Table.APPLICATIONS, {"annual_inc": None})

    assert reasons_of(raw, Table.APPLICATIONS) == [("1", 1, "annual_inc '' is missing")]


def test_a_row_without_an_identifier_is_set_aside(extract):
    raw = extract(Table.LOANS, {}, {}, loan_id=["1", None])

    [(loan_id, row, reason)] = reasons_of(raw, Table.LOANS)
    assert pd.isna(loan_id)
    assert (row, reason) == (2, "loan_id is missing")


def test_a_row_of_unknown_origin_is_set_aside(extract):
    raw = extract(Table.LOANS, {}, {}, origin=["real", "hearsay"])

    assert reasons_of(raw, Table.LOANS) == [("2", 2, "origin is neither real nor simulated")]


def test_the_first_of_rows_as_new_is_kept(extract):
    raw = extract(Table.LOANS, A, B, {}, loan_id=["1", "1", "2"])

    assert reasons_of(raw, Table.LOANS) == [
        ("1", 2, "repeats the loan_id of a row as new or newer")
    ]
    assert clean_source_table(raw, Table.LOANS, AS_OF).rows["grade"].iloc[0] == "A"


def test_the_latest_row_of_an_identifier_is_kept_wherever_it_stands(extract):
    raw = extract(Table.LOANS, A, B, C, loan_id=["1"] * 3)
    raw["updated_at"] = ["2016-01-01", "2016-03-01", "2016-02-01T12:00:00Z"]

    assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [1, 3]
    assert clean_source_table(raw, Table.LOANS, AS_OF).rows["grade"].tolist() == ["B"]


def test_a_row_whose_time_of_change_cannot_be_read_is_set_aside(extract):
    raw = extract(Table.LOANS, {}, {}, loan_id=["1", "2"])
    raw["updated_at"] = ["2016-01-01", "soon"]

    assert reasons_of(raw, Table.LOANS) == [("2", 2, "updated_at is not a time")]


def test_a_good_row_is_no_repetition_of_a_bad_one(extract):
    raw = extract(Table.LOANS, {"grade": "H"}, {"grade": "B"}, loan_id=["1", "1"])

    assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [1]


def test_a_loan_has_one_row_per_month(extract_events):
    raw = extract_events(("1", "Feb-2014"), ("1", "Mar-2014"), ("2", "Feb-2014"), ("1", "Feb-2014"))

    assert reasons_of(raw, Table.LOAN_EVENTS) == [
        ("1", 4, "repeats the loan_id and month of a row as new or newer")
    ]


def test_rows_are_counted_from_one_whatever_the_index(extract):
    raw = extract(Table.LOANS, {}, {"grade": "H"}).set_axis([30, 20])

    assert [row for _, row, _ in reasons_of(raw, Table.LOANS)] == [2]


def test_cleaning_does_not_touch_its_input(extract):
    raw = extract(Table.LOANS, {}, {"grade": "H"})
    before = raw.copy(deep=True)

    clean_source_table(raw, Table.LOANS, AS_OF)

    pd.testing.assert_frame_equal(raw, before)


@pytest.mark.parametrize("name", ["loan_id", "updated_at", "origin", "int_rate"])
def test_a_source_table_without_a_column_is_refused_by_name(name, extract):
    with pytest.raises(InputError, match=f"source table loans: column {name} missing"):
        clean_source_table(extract(Table.LOANS).drop(columns=name), Table.LOANS, AS_OF)


def test_an_empty_source_table_gives_empty_rows(extract):
    cleaned = clean_source_table(extract(Table.LOANS).head(0), Table.LOANS, AS_OF)

    assert cleaned.rows.empty
    assert cleaned.quarantine.empty


def test_the_target_is_one_for_charged_off():
    outcome = mark_outcome(pd.Series(["Fully Paid", "Charged Off"]))

    assert list(outcome) == [0, 1]
    assert outcome.dtype == "int8"


class TestAPortfolioFile:
    def test_is_read_into_typed_rows_with_an_identifier_each(self):
        cleaned = read_portfolio(raw_loans({}, {"dti": "9.0"}), AS_OF, tolerated_bad_share=0)

        assert len(cleaned.rows) == 2
        assert cleaned.rows["loan_id"].is_unique
        assert list(cleaned.rows["dti_pct"]) == [18.5, 9.0]

    def test_names_a_loan_the_same_whatever_became_of_it(self):
        paid, lost = (
            read_portfolio(raw_loans({"loan_status": status}), AS_OF, 0).rows["loan_id"].iloc[0]
            for status in ("Fully Paid", "Charged Off")
        )

        assert paid == lost

    def test_names_loans_the_same_in_any_order(self):
        changes = [{"dti": str(number)} for number in range(5)]
        forward = read_portfolio(raw_loans(*changes), AS_OF, 0).rows
        backward = read_portfolio(raw_loans(*reversed(changes)), AS_OF, 0).rows

        assert list(forward["loan_id"]) == list(reversed(backward["loan_id"].tolist()))

    def test_with_a_bad_row_is_refused_with_row_column_value_and_remedy(self):
        with pytest.raises(InputError) as refused:
            read_portfolio(raw_loans({}, {"grade": "H"}, {"dti": "1"}), AS_OF, 0)

        assert refused.value.problem == (
            "1 of 3 rows cannot be used (row 2: grade 'H' is not one of A, B, C, D, E, F, G)"
        )
        assert "--params sources.tolerated_bad_share=0." in refused.value.remedy

    def test_with_bad_rows_is_read_once_the_share_the_message_names_is_tolerated(self):
        csv = raw_loans({}, {"grade": "H"}, {"dti": "1"})
        with pytest.raises(InputError) as refused:
            read_portfolio(csv, AS_OF, 0)
        share = float(refused.value.remedy.split("=")[1])

        cleaned = read_portfolio(csv, AS_OF, share)

        assert len(cleaned.rows) == 2
        assert list(cleaned.quarantine["row"]) == [2]

    def test_with_many_bad_rows_shows_the_first_five(self):
        changes = [{"dti": str(number), "grade": "H"} for number in range(8)]

        with pytest.raises(InputError) as refused:
            read_portfolio(raw_loans({}, *changes), AS_OF, 0.5)

        assert refused.value.problem.count("grade 'H'") == 5
        assert "row 6: grade" in refused.value.problem
        assert "row 7: grade" not in refused.value.problem
        assert "; and 3 more" in refused.value.problem

    def test_with_only_bad_rows_is_refused_whatever_is_tolerated(self):
        with pytest.raises(InputError, match="1 of 1 rows cannot be used"):
            read_portfolio(raw_loans({"grade": "H"}), AS_OF, 0.99)

    def test_that_repeats_a_row_is_refused(self):
        with pytest.raises(InputError, match="row 2: repeats an earlier row"):
            read_portfolio(raw_loans({}, {}, {"dti": "1"}), AS_OF, 0)

    def test_that_repeats_a_row_with_another_outcome_is_refused(self):
        with pytest.raises(InputError, match="row 2: repeats an earlier row"):
            read_portfolio(raw_loans({}, {"loan_status": "Charged Off"}), AS_OF, 0)

    def test_without_a_column_is_refused_by_name(self):
        with pytest.raises(InputError, match="portfolio file: column dti missing"):
            read_portfolio(raw_loans().drop(columns="dti"), AS_OF, 0)

    def test_without_rows_is_refused(self):
        with pytest.raises(InputError, match="portfolio file: it has no rows"):
            read_portfolio(raw_loans().head(0), AS_OF, 0)

    def test_may_have_further_columns(self):
        cleaned = read_portfolio(raw_loans().assign(zip3="123"), AS_OF, 0)

        assert "zip3" not in cleaned.rows

    def test_whose_instalments_are_of_other_terms_is_refused(self):
        half_funded = [{"installment": "199.00", "dti": str(number)} for number in range(1, 12)]
        others = [{"title": str(number)} for number in range(89)]
        csv = raw_loans(*half_funded, *others)

        with pytest.raises(InputError, match=r"11 of 100 loans .* at most 10%"):
            read_portfolio(csv, AS_OF, 0, max_exceptions=0.1)
        assert len(read_portfolio(csv, AS_OF, 0, max_exceptions=0.11).rows) == 100

    def test_whose_rates_are_shares_is_refused_with_both_readings(self):
        csv = raw_loans(*[{"int_rate": "0.12", "title": str(n)} for n in range(9)])

        with pytest.raises(InputError) as refused:
            read_portfolio(csv, AS_OF, 0)

        assert "9 of 9 rows cannot be used (row 1: int_rate '0.12' is contradicted by the " in str(
            refused.value
        )
        assert "at 0.12% it would be 333.95, at 12% 398.57" in str(refused.value)
        assert "tolerated_bad_share" not in str(refused.value)

    def test_in_another_unit_throughout_is_refused(self):
        csv = raw_loans(*[{"dti": f"0.{n}"} for n in range(10, 40)])

        with pytest.raises(InputError, match="portfolio file: column dti is at most 1"):
            read_portfolio(csv, AS_OF, 0)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["a1  ", " b2", "c3"], ["a1", "b2", "c3"]),  # char(24)
        (["007", "7", "A-7", "a-7"], ["007", "7", "A-7", "a-7"]),
        (
            ["6F9619FF-8B86-D011-B42D-00C04FC964FF", "{6f9619ff-8b86-d011-b42d-00c04fc964fe}"],
            ["6f9619ff-8b86-d011-b42d-00c04fc964ff", "6f9619ff-8b86-d011-b42d-00c04fc964fe"],
        ),
        ([7, 8], ["7", "8"]),
        ([7.0, 8.5], ["7", "8.5"]),
    ],
)
def test_an_identifier_is_the_same_however_a_system_holds_it(given, read, extract):
    raw = extract(Table.LOANS, *[{}] * len(given)).assign(loan_id=given)

    cleaned = clean_source_table(raw, Table.LOANS, AS_OF)

    assert cleaned.rows["loan_id"].tolist() == read


@pytest.mark.parametrize("nothing", ["", "    ", None])
def test_padding_alone_is_no_identifier(nothing, extract):
    raw = extract(Table.LOANS, {}, {}).assign(loan_id=["1", nothing])

    assert [reason for *_, reason in reasons_of(raw, Table.LOANS)] == ["loan_id is missing"]


def test_identifiers_that_differ_in_padding_alone_are_one(extract):
    raw = extract(Table.LOANS, {}, {}, loan_id=["1", "1   "])

    assert reasons_of(raw, Table.LOANS) == [
        ("1", 2, "repeats the loan_id of a row as new or newer")
    ]


def test_identifiers_too_large_for_fractions_are_refused(extract):
    raw = extract(Table.LOANS, {}, {}).assign(loan_id=[1.0, 2.0**53])

    with pytest.raises(InputError, match="loan_id: the identifiers are floating-point numbers"):
        clean_source_table(raw, Table.LOANS, AS_OF)
