import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from loantap.policy.findings.information import measure_information
from loantap.policy.findings.schemas import BINS, INFORMATION_VALUES
from tests.policy.findings.material import draw_loans, make_options, settle


def complete(loans, seed):
	"""The columns of an application that findings do without, all of them noise."""
	rng = np.random.default_rng([seed, 3])
	size = len(loans)
	return loans.assign(
		employment_years=rng.integers(0, 11, size).astype(float),
		open_accounts=rng.integers(1, 30, size).astype(float),
		total_accounts=rng.integers(30, 60, size).astype(float),
		public_records=0.0,
		bankruptcies=np.nan,
		revolving_balance=rng.uniform(0, 30_000, size),
		mortgage_accounts=np.where(rng.random(size) < 0.3, np.nan, rng.integers(0, 5, size)),
		earliest_credit_line=loans["issue_month"] - pd.to_timedelta(3_650, unit="D"),
		application_type="INDIVIDUAL",
		sub_grade=loans["grade"] + "1",
		instalment=loans["loan_amount"] / 36,
	)


def measure(loans, **changed):
	found = measure_information(loans, make_options(**changed))
	INFORMATION_VALUES.validate(found.values)
	BINS.validate(found.bins)
	return found


@pytest.fixture(scope="module")
def loans():
	drawn = complete(draw_loans(4_000, 2), 2)
	risk = 1.2 * (drawn["term_months"] == 60) + 0.05 * drawn["dti_pct"]
	return settle(drawn, -2.5 + risk.to_numpy(), 2)


@pytest.fixture(scope="module")
def found(loans):
	return measure(loans)


def test_a_term_is_worth_what_it_is_by_hand(loans, found):
	half = loans.iloc[1::2]
	bad = half.groupby("term_months")["is_charged_off"].sum().to_numpy()
	good = half.groupby("term_months").size().to_numpy() - bad
	bad_share, good_share = bad / bad.sum(), good / good.sum()
	row = found.values.set_index("factor").loc["term_months"]
	bins = found.bins[found.bins["factor"] == "term_months"]

	iv = ((good_share - bad_share) * np.log(good_share / bad_share)).sum()
	assert row["iv"] == pytest.approx(iv)
	assert row["iv_low"] < row["iv"] < row["iv_high"]
	assert row["p_value"] == pytest.approx(chi2.sf(iv / (1 / bad.sum() + 1 / good.sum()), 1))
	assert (row["loans"], row["charged_off"], row["bins"]) == (2_000, bad.sum(), 2)
	assert bins["charged_off"].tolist() == bad.tolist()
	assert bins["loans"].tolist() == (bad + good).tolist()
	assert bins["bin"].tolist() == ["36", "60"]


def test_bins_of_few_values_are_named_by_all_of_them(loans):
	# Who has records defaults more; three are too rare for a bin of their own.
	rng = np.random.default_rng(6)
	has_some = rng.random(len(loans)) < np.where(loans["is_charged_off"] == 1, 0.8, 0.2)
	records = np.where(has_some, rng.choice([2.0, 3.0], len(loans), p=[0.95, 0.05]), 0.0)
	few = measure(loans.assign(public_records=records)).bins.set_index("factor")

	assert few.loc["public_records", "bin"].tolist() == ["0", "2, 3"]
	assert few.loc["public_records", "loans"].tolist() == [(records[1::2] == 0).sum(), (records[1::2] > 0).sum()]


def test_bins_rise_and_hold_every_loan_of_the_other_half(found):
	bins = found.bins[found.bins["factor"] == "dti_pct"]

	assert bins["loans"].sum() == 2_000
	assert bins["order"].is_monotonic_increasing
	assert bins["bin"].iloc[0].startswith("below")
	assert bins["bin"].iloc[-1].endswith("and more")
	assert bins["default_rate"].iloc[-1] > bins["default_rate"].iloc[0] + 0.1
	assert len(bins) <= make_options().max_bins
	assert found.bins.groupby("factor")["loans"].sum().eq(2_000).all()
	assert found.values["factor"].iloc[:2].tolist() == ["term_months", "dti_pct"]
	assert found.values["strength"].iloc[:2].isin(["medium", "strong"]).all()


def test_what_is_missing_is_a_bin(found):
	bins = found.bins[found.bins["factor"] == "mortgage_accounts"]

	assert bins.iloc[-1]["bin"] == "not stated"
	assert 500 < bins.iloc[-1]["loans"] < 700


@pytest.mark.parametrize("factor", ["public_records", "bankruptcies", "application_type"])
def test_a_factor_that_is_the_same_for_all_tells_nothing(found, factor):
	row = found.values.set_index("factor").loc[factor]

	assert (row["bins"], row["iv"], row["strength"]) == (1, 0, "not predictive")
	assert np.isnan(row["p_value"])


@pytest.mark.parametrize("size", [1, 30])
def test_of_too_few_loans_nothing_is_told(size):
	found = measure(complete(draw_loans(size, 1), 1))

	assert set(found.values["strength"]) == {"too few loans to say"}
	assert found.values["iv"].isna().all()
	assert found.bins.empty
