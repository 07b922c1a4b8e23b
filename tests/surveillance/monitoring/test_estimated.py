import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.cleaning import mark_outcome
from loantap.simulator import simulate_portfolio
from loantap.surveillance.monitoring.estimated import expect_performance


def test_the_auc_of_three_loans_is_that_of_their_pairs():
	low, middle, high = 0.2, 0.5, 0.8
	right = high * (1 - middle) + high * (1 - low) + middle * (1 - low)
	wrong = middle * (1 - high) + low * (1 - high) + low * (1 - middle)

	found = expect_performance(np.array([low, middle, high]))

	assert found.roc_auc == pytest.approx(right / (right + wrong))
	assert found.default_rate == pytest.approx(0.5)


@pytest.mark.parametrize(("a", "b"), [(2, 8), (1, 4), (0.5, 3)])
def test_it_is_within_002_of_the_realised_auc_where_pds_are_right(a, b):
	rng = np.random.default_rng(0)
	pd_ = rng.beta(a, b, 20_000)
	realised = roc_auc_score(rng.random(len(pd_)) < pd_, pd_)

	found = expect_performance(pd_)

	assert abs(found.roc_auc - realised) < 0.02
	assert found.low < realised < found.high


def test_equal_pds_rank_nobody():
	assert expect_performance(np.full(100, 0.3)).roc_auc == pytest.approx(0.5)


def test_pds_that_expect_less_than_one_loan_of_an_outcome_say_nothing():
	assert np.isnan(expect_performance(np.full(5, 0.1)).roc_auc)


def test_it_is_within_002_where_only_applicants_change(lending_model):
	scorer = Scorer(lending_model, "loantap-lending-demo", "1")
	others = simulate_portfolio(40_000, seed=8).portfolio
	riskier = others[others["dti_pct"].gt(18) & others["annual_income"].lt(70_000)]
	pd_ = scorer.assess_columns(riskier, pd.Timestamp("2026-11-30")).probability_of_default

	found = expect_performance(pd_)

	assert len(riskier) > 5_000
	assert abs(found.roc_auc - roc_auc_score(mark_outcome(riskier["loan_status"]), pd_)) < 0.02
