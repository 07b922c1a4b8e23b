import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.candidate import Balancing, Candidate
from loantap.model.training.estimator import credit_signs, make_model, slim

APPLICATION = FEATURE_SETS["application"]


@pytest.fixture(scope="module")
def features(simulated_loans):
    return build_features(simulated_loans, APPLICATION.features)


def make(candidate, *, monotone=True):
    limits = {"max_iterations": 100, "tolerance": 1e-7}
    return make_model(APPLICATION, candidate, seed=1, monotone=monotone, **limits)


def fit(features, loans, balancing):
    return make(Candidate(balancing, 0, 0.1)).fit(features, loans["is_charged_off"])


@pytest.mark.parametrize("balancing", Balancing)
def test_the_slim_model_gives_the_same_pds_without_the_sampler(balancing, features, simulated_loans):
    model = fit(features, simulated_loans, balancing)

    served = slim(model)

    assert type(served[-1]) is LogisticRegression
    assert [name for name, _ in served.steps] == ["preprocess", "classify"]
    np.testing.assert_array_equal(served.predict_proba(features.tail(500)), model.predict_proba(features.tail(500)))


def test_balancing_raises_the_pds_and_plain_fitting_meets_the_default_rate(features, simulated_loans):
    means = {
        balancing: fit(features, simulated_loans, balancing).predict_proba(features)[:, 1].mean()
        for balancing in Balancing
    }

    assert means[Balancing.NONE] == pytest.approx(simulated_loans["is_charged_off"].mean(), abs=1e-3)
    assert means[Balancing.SMOTE] > 0.35
    assert means[Balancing.CLASS_WEIGHTS] > 0.35


@pytest.fixture(scope="module")
def served(features, simulated_loans):
    return slim(fit(features, simulated_loans, Balancing.NONE))


@pytest.mark.parametrize("column", ["revolving_utilisation_pct", "bankruptcies"])
def test_a_missing_number_counts_as_the_mean(column, served, features):
    one = features.head(1)

    missing, mean = (
        served.predict_proba(one.assign(**{column: value}))[0, 1] for value in (np.nan, features[column].mean())
    )

    assert missing == pytest.approx(mean, rel=1e-12)


def test_a_category_never_seen_counts_as_a_rare_one(served, features):
    counts = features["purpose"].value_counts()
    rare = counts[counts < 20].index
    assert len(rare)
    one = features.head(1)

    never, seldom = (
        served.predict_proba(one.assign(purpose=purpose))[0, 1] for purpose in ("a trip to the moon", rare[0])
    )

    assert never == seldom


def test_each_numeric_feature_has_the_sign_of_what_is_held_against_a_borrower():
    signs = dict(zip(APPLICATION.numeric, credit_signs(APPLICATION), strict=True))

    assert signs["dti_pct"] == 1
    assert signs["log_annual_income"] == -1
    assert signs["open_accounts"] == 0
