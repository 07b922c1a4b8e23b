"""Reasons are the exact contributions to the PD, in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from loantap.features.build import MISSING, build_features
from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.reasons import (
    contributions,
    encoded_owners,
    give_reasons,
    typical_values,
)
from loantap.model.trained import TrainedModel

LENDING = FEATURE_SETS["lending"]
TYPICAL = {
    "public_records": 0.2,
    "dti_pct": 18.0,
    "employment_years": 6.0,
    "sub_grade_rank": 10.0,
    "is_60_months": 0.2,
}


def explain(model: TrainedModel, features: pd.DataFrame) -> pd.DataFrame:
    return contributions(model.pipeline, features, LENDING, np.array(model.facts.reference))


def log_odds(model: TrainedModel, features: pd.DataFrame) -> np.ndarray:
    return logit(model.pipeline.predict_proba(features)[:, 1])


def log_odds_of_the_mean_loan(model: TrainedModel) -> float:
    classifier = model.pipeline[-1]
    return float(classifier.coef_[0] @ np.array(model.facts.reference) + classifier.intercept_[0])


@pytest.fixture(scope="module")
def features(simulated_loans: pd.DataFrame) -> pd.DataFrame:
    return build_features(simulated_loans, LENDING.features)


class TestContributions:
    def test_add_up_exactly_to_the_log_odds_of_the_pd(
        self, lending_model: TrainedModel, features: pd.DataFrame
    ) -> None:
        sums = explain(lending_model, features).sum(axis=1)

        expected = log_odds(lending_model, features) - log_odds_of_the_mean_loan(lending_model)
        np.testing.assert_allclose(sums, expected, atol=1e-9)

    @given(
        numbers=st.fixed_dictionaries(
            {name: st.one_of(st.floats(-50, 200), st.just(np.nan)) for name in LENDING.numeric}
        ),
        purpose=st.sampled_from(["debt_consolidation", "a trip to the moon", MISSING]),
        grade=st.sampled_from(["A", "D", "G", MISSING]),
    )
    def test_add_up_for_any_borrower_even_one_never_seen(
        self, lending_model: TrainedModel, numbers: dict[str, float], purpose: str, grade: str
    ) -> None:
        one = pd.DataFrame([numbers | {"purpose": purpose, "grade": grade}])
        classifier = lending_model.pipeline[-1]
        score = lending_model.pipeline[0].transform(one) @ classifier.coef_[0]

        total = explain(lending_model, one).sum(axis=1).iloc[0]

        expected = score[0] + classifier.intercept_[0] - log_odds_of_the_mean_loan(lending_model)
        assert total == pytest.approx(expected, abs=1e-8)

    def test_are_zero_on_average_over_the_training_loans(
        self, lending_model: TrainedModel, features: pd.DataFrame
    ) -> None:
        means = explain(lending_model, features).mean()

        assert list(means.index) == list(LENDING.features)
        np.testing.assert_allclose(means, 0, atol=1e-9)

    def test_change_only_for_the_feature_that_changes(
        self, lending_model: TrainedModel, features: pd.DataFrame
    ) -> None:
        more = features.assign(dti_pct=features["dti_pct"] + 10)

        change = explain(lending_model, more) - explain(lending_model, features)

        moved = (change.abs() > 1e-12).any()
        assert list(moved.index[moved]) == ["dti_pct"]

    def test_of_a_category_belong_to_its_feature(self, lending_model: TrainedModel) -> None:
        names = lending_model.pipeline[0].get_feature_names_out()
        owners = dict(zip(names, encoded_owners(lending_model.pipeline, LENDING), strict=True))

        assert set(owners.values()) == set(LENDING.features)
        assert owners["grade_A"] == "grade"
        assert owners["purpose_debt_consolidation"] == "purpose"
        assert owners["dti_pct"] == "dti_pct"


def test_what_is_usual_is_the_mean_of_the_training_loans(
    lending_model: TrainedModel, features: pd.DataFrame
) -> None:
    typical = typical_values(lending_model.pipeline, LENDING)

    assert list(typical) == LENDING.numeric
    assert typical["dti_pct"] == pytest.approx(features["dti_pct"].mean())
    filled = features["mortgage_accounts"].fillna(features["mortgage_accounts"].median())
    assert typical["mortgage_accounts"] == pytest.approx(filled.mean())


def give_one(contributed: dict[str, float], **own: object) -> list[str]:
    """Reasons of one borrower: contributions by feature, and their own values."""
    names = list(contributed)
    values = {
        "dti_pct": 30.0, "employment_years": 0.0, "sub_grade": "D2", "grade": "D",
        "sub_grade_rank": 16.0, "purpose": "small_business", "term_months": 60.0,
        "is_60_months": 1.0, "loan_to_income": 0.4, "loan_amount": 20_000.0,
    } | own  # fmt: skip
    row = pd.DataFrame([values])
    reasons = give_reasons(pd.DataFrame([contributed]), row[names], row, TYPICAL)
    return reasons.iloc[0].tolist()


class TestReasons:
    def test_are_the_strongest_adverse_ones_in_order(self) -> None:
        assert give_one({"dti_pct": 0.2, "purpose": 0.5, "employment_years": 0.1}) == [
            "The purpose of the loan: small business",
            "Existing debt payments as a share of income (DTI): 30.0 %, higher than usual",
            "The years in employment: 0 years, lower than usual",
            "",
        ]

    def test_are_four_at_most(self) -> None:
        contributed = {
            "dti_pct": 0.5, "purpose": 0.4, "employment_years": 0.3, "loan_to_income": 0.2,
            "is_60_months": 0.1,
        }  # fmt: skip

        reasons = give_one(contributed)

        assert len(reasons) == 4
        assert all(reasons)
        assert reasons[3] == "The amount asked for as a share of yearly income: 40%"

    def test_leave_out_what_lowers_the_risk_or_hardly_moves_it(self) -> None:
        assert give_one({"dti_pct": -0.5, "purpose": 0.009, "employment_years": 0.0}) == [""] * 4

    def test_count_features_that_say_the_same_as_one(self) -> None:
        # The grade raises the log-odds by .3 and its rank lowers them by .1: .2 in all.
        assert give_one({"dti_pct": 0.25, "sub_grade_rank": -0.1, "grade": 0.3})[:2] == [
            "Existing debt payments as a share of income (DTI): 30.0 %, higher than usual",
            "The grade given to the offer: D2, higher than usual",
        ]
        assert give_one({"sub_grade_rank": -0.3, "grade": 0.3}) == [""] * 4

    def test_quote_the_borrower_s_own_value(self) -> None:
        assert give_one({"is_60_months": 0.1})[0] == (
            "The term of the loan: 60 months, higher than usual"
        )

    def test_never_hold_against_a_borrower_what_speaks_for_them(self) -> None:
        # A coefficient of the wrong sign, such as collinear features bring about, is noise.
        wrong_sign = {"public_records": 0.4, "dti_pct": 0.2}

        assert give_one(wrong_sign, public_records=0.0)[:2] == [
            "Existing debt payments as a share of income (DTI): 30.0 %, higher than usual",
            "",
        ]

    def test_say_when_a_value_was_not_stated(self) -> None:
        first = give_one({"employment_years": 0.1}, employment_years=np.nan)[0]

        assert first == "The years in employment: not stated"

    def test_never_mention_a_feature_of_no_lending_model(
        self, lending_model: TrainedModel, features: pd.DataFrame, simulated_loans: pd.DataFrame
    ) -> None:
        typical = typical_values(lending_model.pipeline, LENDING)
        contributed = explain(lending_model, features)

        reasons = give_reasons(contributed, features, simulated_loans, typical)

        phrases = {FEATURES[name].phrase.capitalize() for name in LENDING.features}
        said = {text.split(":")[0].capitalize() for text in reasons.to_numpy().ravel()} - {""}
        assert said
        assert said <= phrases
        assert list(reasons.index) == list(features.index)


def test_bringing_the_named_feature_back_to_usual_lowers_the_pd(
    lending_model: TrainedModel, features: pd.DataFrame
) -> None:
    contributed = explain(lending_model, features)
    typical = typical_values(lending_model.pipeline, LENDING)
    before = log_odds(lending_model, features)
    for name in LENDING.numeric:
        # With the feature at its usual value exactly its contribution is gone.
        usual = features.assign(**{name: typical[name]})
        after = log_odds(lending_model, usual)
        np.testing.assert_allclose(before - after, contributed[name], atol=1e-9)
