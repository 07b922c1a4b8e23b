"""The pipeline of one candidate, and the slim form that is served."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.linear_model import LogisticRegression

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.candidate import Balancing, Candidate
from loantap.model.training.estimator import credit_signs, make_model, make_sampler, slim

APPLICATION = FEATURE_SETS["application"]


@pytest.fixture(scope="module")
def features(simulated_loans):
    return build_features(simulated_loans, APPLICATION.features)


def make(candidate, *, monotone=True):
    limits = {"max_iterations": 100, "tolerance": 1e-7}
    return make_model(APPLICATION, candidate, seed=1, monotone=monotone, **limits)


def fit(features, loans, balancing):
    return make(Candidate(balancing, 0, 0.1)).fit(features, loans["is_charged_off"])


@pytest.mark.parametrize(
    ("candidate", "label"),
    [
        (Candidate(Balancing.SMOTE, 1.0, 100), "smote L1 C=100"),
        (Candidate(Balancing.CLASS_WEIGHTS, 0.0, 0.01), "class_weights L2 C=0.01"),
        (Candidate(Balancing.NONE, 0.0, 10_000), "none L2 C=10000"),
    ],
)
def test_a_candidate_has_a_short_name(candidate, label):
    assert candidate.label == label


def test_a_candidate_is_recorded_by_its_fields():
    assert Candidate(Balancing.SMOTE, 1.0, 100).as_dict() == {
        "balancing": "smote",
        "l1_ratio": 1.0,
        "inverse_penalty": 100,
    }


@pytest.mark.parametrize(
    ("balancing", "has_sampler", "class_weight"),
    [
        (Balancing.SMOTE, True, None),
        (Balancing.CLASS_WEIGHTS, False, "balanced"),
        (Balancing.NONE, False, None),
    ],
)
def test_balancing_is_done_in_one_way_at_a_time(balancing, has_sampler, class_weight):
    model = make(Candidate(balancing, 0, 1))

    assert isinstance(model["balance"], SMOTE) == has_sampler
    assert isinstance(make_sampler(balancing, seed=1), SMOTE) == has_sampler
    assert model["classify"].class_weight == class_weight


@pytest.mark.parametrize("balancing", Balancing)
def test_the_slim_model_gives_the_same_pds_without_the_sampler(
    balancing, features, simulated_loans
):
    model = fit(features, simulated_loans, balancing)

    served = slim(model)

    assert type(served[-1]) is LogisticRegression
    assert [name for name, _ in served.steps] == ["preprocess", "classify"]
    np.testing.assert_array_equal(
        served.predict_proba(features.tail(500)), model.predict_proba(features.tail(500))
    )


def test_balancing_raises_the_pds_and_plain_fitting_meets_the_default_rate(
    features, simulated_loans
):
    means = {
        balancing: fit(features, simulated_loans, balancing).predict_proba(features)[:, 1].mean()
        for balancing in Balancing
    }

    assert means[Balancing.NONE] == pytest.approx(
        simulated_loans["is_charged_off"].mean(), abs=1e-3
    )
    assert means[Balancing.SMOTE] > 0.35
    assert means[Balancing.CLASS_WEIGHTS] > 0.35


def test_a_strong_l1_penalty_leaves_features_out_and_l2_leaves_none(features, simulated_loans):
    candidates = (Candidate(Balancing.NONE, ratio, 0.01) for ratio in (1.0, 0.0))
    zeros = [
        np.sum(
            make(candidate, monotone=False)
            .fit(features, simulated_loans["is_charged_off"])["classify"]
            .coef_
            == 0
        )
        for candidate in candidates
    ]

    assert zeros[0] > 5
    assert zeros[1] == 0


@pytest.fixture(scope="module")
def served(features, simulated_loans):
    return slim(fit(features, simulated_loans, Balancing.NONE))


@pytest.mark.parametrize("column", ["revolving_utilisation_pct", "bankruptcies"])
def test_a_missing_number_counts_as_the_mean(column, served, features):
    one = features.head(1)

    missing, mean = (
        served.predict_proba(one.assign(**{column: value}))[0, 1]
        for value in (np.nan, features[column].mean())
    )

    assert missing == pytest.approx(mean, rel=1e-12)


def test_a_number_that_is_always_missing_keeps_its_place_and_says_nothing(
    features, simulated_loans
):
    empty = features.assign(employment_years=np.nan)

    served = slim(fit(empty, simulated_loans, Balancing.NONE))

    column = list(served[0].get_feature_names_out()).index("employment_years")
    assert column == APPLICATION.numeric.index("employment_years")
    assert served[-1].coef_[0, column] == 0


def test_a_category_never_seen_counts_as_a_rare_one(served, features):
    counts = features["purpose"].value_counts()
    rare = counts[counts < 20].index
    assert len(rare)
    one = features.head(1)

    never, seldom = (
        served.predict_proba(one.assign(purpose=purpose))[0, 1]
        for purpose in ("a trip to the moon", rare[0])
    )

    assert never == seldom


class TestCreditSense:
    def test_each_numeric_feature_has_the_sign_of_what_is_held_against_a_borrower(self):
        signs = dict(zip(APPLICATION.numeric, credit_signs(APPLICATION), strict=True))

        assert signs["dti_pct"] == 1
        assert signs["log_annual_income"] == -1
        assert signs["open_accounts"] == 0

    @pytest.mark.parametrize("balancing", Balancing)
    @pytest.mark.parametrize("l1_ratio", [0, 1], ids=["L2", "L1"])
    def test_no_coefficient_contradicts_it(self, balancing, l1_ratio, features, simulated_loans):
        # Turned round, the outcomes contradict credit sense wherever they can.
        backwards = 1 - simulated_loans["is_charged_off"]

        model = make(Candidate(balancing, l1_ratio, 1)).fit(features, backwards)

        signs = np.array(credit_signs(APPLICATION))
        coefficients = model["classify"].coef_[0, : len(signs)]
        assert (coefficients * signs >= 0).all()
        assert (coefficients[signs != 0] == 0).mean() > 0.5

    def test_without_it_coefficients_follow_the_loans(self, features, simulated_loans):
        backwards = 1 - simulated_loans["is_charged_off"]

        model = make(Candidate(Balancing.NONE, 0, 1), monotone=False).fit(features, backwards)

        signs = np.array(credit_signs(APPLICATION))
        assert (model["classify"].coef_[0, : len(signs)] * signs < 0).sum() > 5
