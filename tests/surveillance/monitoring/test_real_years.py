"""Years of real loans as months of applications."""

import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.profile import profile_training
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import parse
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.drift import check_drift, tally_features
from tests.conftest import require
from tests.surveillance.monitoring.options import read_options

NAMES = list(FEATURE_SETS["lending"].features)


def find_alarms(trained, recent):
	pd_ = pd.Series(0.2, index=trained.index).to_numpy()
	profile = profile_training(trained, (trained.index % 5 == 0).astype("int64"), pd_)
	told = recent.assign(is_readable=True, model="m 1", probability_of_default=0.2)
	checks = check_drift(tally_features(told, profile, "m 1")[:-1], read_options().drift)
	return {(check.subject, check.what) for check in checks if check.verdict is Verdict.ALARM}


@pytest.fixture(scope="module")
def features(real_loans):
	return build_features(real_loans, NAMES)


def test_random_halves_of_the_sample_raise_no_alarm(features):
	for seed in range(20):
		half = features.sample(frac=0.5, random_state=seed)
		assert find_alarms(half, features.drop(half.index)) == set()


def test_the_fall_of_utilisation_in_2016_is_found_and_2015_is_as_before(features, real_loans):
	year = real_loans["issue_month"].dt.year
	before = features[year <= 2014]

	assert find_alarms(before, features[year.eq(2015)]) == set()
	assert ("revolving_utilisation_pct", "psi") in find_alarms(before, features[year.eq(2016)])


@pytest.mark.parametrize("year", [2008, 2009, 2010])
def test_lending_clubs_early_years_are_other_applicants_in_what_they_asked_owed_and_were_charged(
	year, features, sample_csv
):
	path = sample_csv.parent / "lendingclub_2007_2010.parquet"
	require(path.is_file(), f"needs {path.name} beside the sample")
	loans = pd.read_parquet(path)
	columns = portfolio_columns()
	absent = {str(column.source_name): None for column in columns if column.source_name not in loans}
	rows = parse(loans.assign(**absent), columns, pd.Timestamp("2026-11-30")).rows

	found = find_alarms(features, build_features(rows[rows["issue_month"].dt.year.eq(year)], NAMES))

	assert found >= {(name, "psi") for name in ("log_loan_amount", "dti_pct", "interest_rate_pct", "purpose")}
