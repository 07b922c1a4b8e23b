import numpy as np
import pytest

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.training.options import ChallengerOptions
from loantap.model.training.train import fit_challenger
from tests.conftest import CHALLENGER

LENDING = FEATURE_SETS["lending"]
OPTIONS = ChallengerOptions.model_validate(CHALLENGER | {"trees": 80})
ADVERSE = [name for name in LENDING.numeric if FEATURES[name].adverse]


@pytest.fixture(scope="module")
def model(features, simulated_loans):
	return fit_challenger(features, simulated_loans["is_charged_off"], LENDING, OPTIONS, seed=1)


@pytest.fixture(scope="module")
def backwards(features, simulated_loans):
	"""Fitted to outcomes turned round: they contradict credit sense wherever they can."""
	return fit_challenger(features, 1 - simulated_loans["is_charged_off"], LENDING, OPTIONS, seed=1)


def sweep(model, loan, values):
	ladder = np.unique(values.dropna())
	ladder = np.concatenate([[ladder[0] - 1], ladder, [ladder[-1] + 1]])
	many = loan.loc[loan.index.repeat(len(ladder))].assign(**{str(values.name): ladder})
	return model.decision_function(many)


@pytest.mark.parametrize("name", ADVERSE)
def test_what_is_held_against_a_borrower_never_lowers_the_pd(name, model, backwards, features):
	sign = 1 if FEATURES[name].adverse == "high" else -1

	for fitted in (model, backwards):
		steps = sign * np.diff(sweep(fitted, features.head(1), features[name]))
		assert steps.min() >= -1e-12


def test_the_effect_of_a_feature_is_the_same_whatever_the_others_are(model, features):
	loans = features.sample(200, random_state=1)
	for name in LENDING.features:
		low, high = features[name].dropna().sort_values().iloc[[100, -100]]

		effects = model.decision_function(loans.assign(**{name: high}))
		effects -= model.decision_function(loans.assign(**{name: low}))

		assert np.ptp(effects) < 1e-9, name


def test_a_missing_number_counts_as_the_mean_and_marks_no_vintage(features, simulated_loans):
	# As if bureaus had reported no utilisation in the years in which fewer loans went bad.
	target = simulated_loans["is_charged_off"]
	rng = np.random.default_rng(1)
	missing = rng.random(len(target)) < np.where(target == 1, 0.05, 0.4)
	name = "revolving_utilisation_pct"
	vintage = features.assign(**{name: features[name].mask(missing)})
	fitted = fit_challenger(vintage, target, LENDING, OPTIONS, seed=1)
	one = vintage.head(1)

	unknown, mean, least, most = (
		fitted.decision_function(one.assign(**{name: value}))[0] for value in (np.nan, vintage[name].mean(), 0.0, 120.0)
	)

	assert unknown == mean
	assert least <= unknown <= most
