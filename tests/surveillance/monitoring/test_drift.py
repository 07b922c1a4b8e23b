import numpy as np
import pandas as pd
import pytest

from loantap.features.build import MISSING, build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.profile import SCORE, profile_feature, profile_training
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import parse
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.drift import Shift, check_drift, compare_features
from tests.conftest import require
from tests.surveillance.monitoring import options, test_conduct, test_performance
from tests.surveillance.monitoring.options import by_figure

OPTIONS = options.OPTIONS.drift
NAMES = list(FEATURE_SETS["lending"].features)


@pytest.fixture(scope="module")
def features(simulated_loans):
	return build_features(simulated_loans, NAMES)


def profile_loans(features):
	target = np.arange(len(features)) % 5 == 0
	return profile_training(features, target.astype("int64"), np.linspace(0.01, 0.9, len(features)))


@pytest.fixture(scope="module")
def profile(features):
	return profile_loans(features)


def judge(profile, rows):
	recent = rows.assign(is_readable=True, model="m 1", probability_of_default=0.2)
	return check_drift(compare_features(recent, profile, "m 1")[:-1], OPTIONS)


def check(profile, rows, n=2_000, seed=0, **changes):
	"""The checks of so many applications drawn from `rows`, some columns changed."""
	return by_figure(judge(profile, rows.sample(n, replace=True, random_state=seed).assign(**changes)))


def alarms(checks):
	return {subject for subject, _ in options.alarms(checks.values())}


def test_in_200_quiet_months_at_most_5_in_100_raise_an_alarm_of_any_kind(profile, features):
	loud = 0
	for seed in range(200):
		moved = alarms(check(profile, features, n=500, seed=seed))
		decided = test_conduct.judge(test_conduct.decide(seed=seed), test_conduct.decide(n=8_000, seed=1_000 + seed))
		known, loans = test_performance.decide(seed)
		loans["issue_month"] = pd.to_datetime([f"{2012 + number % 3}-01" for number in range(len(loans))])
		realised = test_performance.judge_all(known, loans)
		loud += bool(moved or options.alarms(decided) or options.alarms(realised))

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


def compare(then, now, name="flag"):
	profile = profile_feature(pd.Series(then, name=name))
	return Shift(profile, profile_feature(pd.Series(now, name=name), profile))


def test_a_category_that_training_never_knew_is_counted_and_not_judged():
	then, now = pd.Series([MISSING] * 500), pd.Series(["new"] * 500)
	checks = check_drift([compare(then, now, name="purpose")], OPTIONS)

	assert {each.verdict for each in checks if each.what != "missing"} == {Verdict.CANNOT_TELL}
	assert checks[1].value == 0.0


def test_a_feature_that_is_mostly_0_does_not_hide_its_change_in_one_band():
	then = np.r_[np.zeros(950), np.arange(1, 51)]
	shift = compare(then, np.r_[np.zeros(500), np.arange(1, 501) % 50 + 1])

	assert shift.then.counts[0] == 950
	assert check_drift([shift], OPTIONS)[0].verdict is Verdict.ALARM


def test_a_shift_within_one_band_is_seen_by_its_mean():
	shift = compare(np.r_[np.zeros(500), np.ones(500)], np.r_[np.zeros(500), np.full(500, 7.0)])
	psi, _, mean = check_drift([shift], OPTIONS)

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


def test_free_text_is_counted_and_not_repeated(profile, features):
	text = "John Smith 0170-1234"
	found = check(profile, features, purpose=lambda rows: rows["purpose"].where(np.arange(len(rows)) >= 60, text))

	assert found["purpose", "new_category"].verdict is Verdict.ALARM
	assert "3.0% of 2,000 have a category" in found["purpose", "new_category"].words
	assert not [each.words for each in found.values() if "John" in each.words]


def test_pds_of_another_version_are_not_compared(profile, features):
	recent = features.head(400).assign(is_readable=True, probability_of_default=0.9, model=["m 1"] * 300 + ["m 2"] * 100)

	score = compare_features(recent, profile, "m 1")[-1]

	assert (score.then.feature, score.now.rows) == (SCORE, 300)


def test_the_rows_of_the_training_are_counted_as_it_was(profile, features):
	recent = features.assign(is_readable=True, model="m 1", probability_of_default=0.2)

	assert all(shift.now == shift.then for shift in compare_features(recent, profile, "m 1")[:-1])


@pytest.fixture(scope="module")
def real(real_loans):
	return build_features(real_loans, NAMES)


def find_alarms(trained, recent):
	return options.alarms(judge(profile_loans(trained), recent))


def test_random_halves_of_the_real_sample_raise_no_alarm(real):
	for seed in range(20):
		half = real.sample(frac=0.5, random_state=seed)
		assert find_alarms(half, real.drop(half.index)) == set()


def test_the_fall_of_utilisation_in_2016_is_found_and_2015_is_as_before(real, real_loans):
	year = real_loans["issue_month"].dt.year
	before = real[year <= 2014]

	assert find_alarms(before, real[year.eq(2015)]) == set()
	assert ("revolving_utilisation_pct", "psi") in find_alarms(before, real[year.eq(2016)])


@pytest.mark.parametrize("year", [2008, 2009, 2010])
def test_lending_clubs_early_years_are_other_applicants_in_what_they_asked_owed_and_were_charged(
	year, real, sample_csv
):
	path = sample_csv.parent / "lendingclub_2007_2010.parquet"
	require(path.is_file(), f"needs {path.name} beside the sample")
	loans = pd.read_parquet(path)
	columns = portfolio_columns()
	absent = {str(column.source_name): None for column in columns if column.source_name not in loans}
	rows = parse(loans.assign(**absent), columns, pd.Timestamp("2026-11-30")).rows

	found = find_alarms(real, build_features(rows[rows["issue_month"].dt.year.eq(year)], NAMES))

	assert found >= {(name, "psi") for name in ("log_loan_amount", "dti_pct", "interest_rate_pct", "purpose")}
