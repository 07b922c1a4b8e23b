"""Honest portfolios: what no gate may stop."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.estimator import make_preprocessor
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.loantap_format import split_address
from loantap.simulator import simulate_portfolio

SCORE_COLUMN = "revolving_utilisation_pct"
SCORE_FEATURES = ("revolving_utilisation_pct", "log_revolving_utilisation")


def simulate(number: int, seed: int) -> pd.DataFrame:
	"""Simulated loans as `03_primary` has them."""
	rows = simulate_portfolio(number, seed=seed).portfolio
	return rows.assign(
		loan_id=[f"{place:07d}" for place in range(len(rows))],
		is_charged_off=mark_outcome(rows["loan_status"]),
		**split_address(rows["address"]),
	)


def redraw(loans: pd.DataFrame) -> Iterator[pd.DataFrame]:
	"""The same loans again and again, with outcomes drawn from PDs fitted to the real ones."""
	lending = FEATURE_SETS["lending"]
	features = build_features(loans, lending.features)
	model = make_pipeline(make_preprocessor(lending), LogisticRegression(C=0.1, max_iter=500))
	pd_ = model.fit(features, loans["is_charged_off"]).predict_proba(features)[:, 1]
	rng = np.random.default_rng(17)
	while True:
		yield loans.assign(is_charged_off=(rng.random(len(loans)) < pd_).astype("int8"))


def resample(loans: pd.DataFrame, seed: int) -> pd.DataFrame:
	"""Loans drawn with replacement; each is a loan of its own."""
	drawn = loans.sample(frac=1, replace=True, random_state=seed).reset_index(drop=True)
	return drawn.assign(loan_id=[f"{place:07d}" for place in range(len(drawn))])


def put_score(loans: pd.DataFrame, area: float, seed: int) -> pd.DataFrame:
	"""An external score of this AUC, independent of all else given the outcome, in `SCORE_COLUMN`."""
	distance = np.sqrt(2) * norm.ppf(area)
	noise = np.random.default_rng(seed).normal(size=len(loans))
	return loans.assign(**{SCORE_COLUMN: np.round(100 * expit(distance * loans["is_charged_off"] + noise), 1)})
