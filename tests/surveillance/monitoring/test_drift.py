import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.profile import SCORE, profile_feature, profile_training
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.drift import check_drift, tally_features
from loantap.surveillance.monitoring.tally import FeatureTally
from tests.surveillance.monitoring.options import read_options

OPTIONS = read_options().drift
NAMES = list(FEATURE_SETS["lending"].features)


@pytest.fixture(scope="module")
def features(simulated_loans):
	return build_features(simulated_loans, NAMES)


@pytest.fixture(scope="module")
def profile(features):
	target = np.arange(len(features)) % 5 == 0
	return profile_training(features, target.astype("int64"), np.linspace(0.01, 0.9, len(features)))


def check(profile, rows, n=2_000, seed=0, **changes):
	"""The checks of so many applications drawn from `rows`, some columns changed."""
	drawn = rows.sample(n, replace=True, random_state=seed).assign(**changes)
	recent = drawn.assign(is_readable=True, model="m 1", probability_of_default=0.2)
	tallies = tally_features(recent, profile, "m 1")
	return {(c.subject, c.what): c for c in check_drift(tallies[:-1], OPTIONS)}


def alarms(checks):
	return {subject for (subject, _), each in checks.items() if each.verdict is Verdict.ALARM}


def test_in_200_quiet_months_at_most_5_in_100_raise_an_alarm(profile, features):
	loud = sum(bool(alarms(check(profile, features, n=500, seed=seed))) for seed in range(200))

	assert loud <= 10


@pytest.mark.parametrize("name", ["dti_pct", "log_annual_income", "interest_rate_pct", "public_records"])
def test_a_shift_of_half_a_standard_deviation_is_caught_in_the_first_month(profile, features, name):
	caught = 0
	for seed in range(20):
		shift = lambda rows: rows[name] + 0.5 * features[name].std()  # noqa: E731
		caught += name in alarms(check(profile, features, seed=seed, **{name: shift}))

	assert caught >= 19


def test_an_alarm_says_what_moved_how_far_and_against_how_many(profile, features):
	moved = check(profile, features, dti_pct=lambda rows: rows["dti_pct"] + features["dti_pct"].std())["dti_pct", "psi"]

	assert "its mean moved up by 1.0" in moved.words
	assert f"(n 2,000 against {len(features):,})" in moved.words
	assert moved.low < moved.value < moved.high
	assert moved.limit == OPTIONS.psi


def test_fifty_rows_raise_no_alarm_whatever_they_hold(profile, features):
	checks = check(profile, features, n=50, dti_pct=99.0, purpose="new")

	assert {each.verdict for each in checks.values()} == {Verdict.CANNOT_TELL}


def test_a_feature_that_is_mostly_0_does_not_hide_its_change_in_one_band():
	then = np.r_[np.zeros(950), np.arange(1, 51)]
	tally = FeatureTally(profile_feature(pd.Series(then, name="revolving")))
	tally.add(pd.Series(np.r_[np.zeros(500), np.arange(1, 501) % 50 + 1], name="revolving"))

	assert tally.profile.counts[0] == 950
	assert check_drift([tally], OPTIONS)[0].verdict is Verdict.ALARM


def test_a_shift_within_one_band_is_seen_by_its_mean():
	tally = FeatureTally(profile_feature(pd.Series(np.r_[np.zeros(500), np.ones(500)], name="flag")))
	tally.add(pd.Series(np.r_[np.zeros(500), np.full(500, 7.0)], name="flag"))
	psi, _, mean = check_drift([tally], OPTIONS)

	assert psi.verdict is Verdict.QUIET
	assert mean.verdict is Verdict.ALARM
	assert mean.value == pytest.approx(6.0)  # from 0.5 by 3.0, and the deviation was 0.5


@pytest.mark.parametrize(("missing", "verdict"), [(0.0, Verdict.QUIET), (0.01, Verdict.QUIET), (0.1, Verdict.ALARM)])
def test_values_that_go_missing_are_an_alarm_of_their_own(profile, features, missing, verdict):
	def lose(rows):
		return rows["dti_pct"].where(np.arange(len(rows)) >= missing * len(rows))

	found = check(profile, features, dti_pct=lose)["dti_pct", "missing"]

	assert found.value == pytest.approx(missing, abs=0.001)
	assert found.verdict is verdict


@pytest.mark.parametrize(("n_new", "verdict"), [(5, Verdict.QUIET), (60, Verdict.ALARM)])
def test_a_category_that_training_did_not_know_is_named(profile, features, n_new, verdict):
	found = check(profile, features, purpose=lambda rows: rows["purpose"].where(np.arange(len(rows)) >= n_new, "crypto"))
	new = found["purpose", "new_category"]

	assert f"crypto ({n_new})" in new.words
	assert new.verdict is verdict


def test_pds_of_another_version_are_not_compared(profile, features):
	recent = features.head(400).assign(is_readable=True, probability_of_default=0.9, model=["m 1"] * 300 + ["m 2"] * 100)

	score = tally_features(recent, profile, "m 1")[-1]

	assert (score.profile.feature, score.rows) == (SCORE, 300)


def test_batches_count_as_the_whole(profile, features):
	whole, parts = (FeatureTally(next(f for f in profile.features if f.feature == "dti_pct")) for _ in range(2))
	whole.add(features["dti_pct"])
	for start in range(0, len(features), 700):
		parts.add(features["dti_pct"].iloc[start : start + 700])

	assert parts.counts.tolist() == whole.counts.tolist() == list(whole.profile.counts)
	assert (parts.missing, parts.rows) == (whole.missing, len(features))
	assert parts.mean == pytest.approx(whole.profile.mean)
	assert parts.deviation == pytest.approx(whole.profile.deviation)
