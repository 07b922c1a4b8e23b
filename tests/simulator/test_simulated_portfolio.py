import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.metrics import roc_auc_score

from loantap.portfolio.amortisation import emi
from loantap.portfolio.dictionary import CSV_ORDER, SUB_GRADES, Kind, portfolio_columns
from loantap.simulator import iter_portfolio, simulate_portfolio
from loantap.simulator.streams import Streams


def test_a_stream_depends_on_seed_and_name_only():
	streams = Streams(7)
	streams.open("a column that was added later").random(3)
	assert np.array_equal(streams.open("income").random(5), Streams(7).open("income").random(5))


def test_streams_of_other_names_or_seeds_differ():
	income = Streams(7).open("income").random(5)
	assert not np.array_equal(income, Streams(7).open("rate").random(5))
	assert not np.array_equal(income, Streams(8).open("income").random(5))


LOANS = 20_000
STANDARD_ERRORS = 4
CALIBRATION_OFF = 0.02  # of a published mean

# Full table of 396,030 loans: mean and standard deviation. That of DTI is without the one 9,999.
PUBLISHED_MEANS = {
	"loan_amount": (14_113.89, 8_357.44),
	"interest_rate_pct": (13.6394, 4.4722),
	"instalment": (431.85, 250.73),
	"annual_income": (74_203.18, 61_637.62),
	"dti_pct": (17.3795, 8.5),
	"open_accounts": (11.3112, 5.1376),
	"public_records": (0.17819, 0.53067),
	"revolving_balance": (15_844.54, 20_591.84),
	"revolving_utilisation_pct": (53.7917, 24.4522),
	"total_accounts": (25.4147, 11.8870),
	"mortgage_accounts": (1.81399, 2.14793),
	"bankruptcies": (0.12165, 0.35617),
}
# Columns without a tail so heavy that their spread at 20,000 loans is mostly luck.
PUBLISHED_SPREADS = (
	"loan_amount",
	"interest_rate_pct",
	"open_accounts",
	"revolving_utilisation_pct",
	"mortgage_accounts",
)
PUBLISHED_MISSING = {
	"profession": 22_927,
	"employment_years": 18_301,
	"title": 1_755,
	"revolving_utilisation_pct": 276,
	"mortgage_accounts": 37_795,
	"bankruptcies": 535,
}
PUBLISHED_LOANS = 396_030

# Measured on 5,239 real loans.
SAMPLE_LOANS = 5_239
SAMPLE_SHARES = {
	"term_months": {60.0: 0.2357},
	"grade": {"A": 0.156, "B": 0.301, "C": 0.259, "D": 0.169, "E": 0.076, "F": 0.033, "G": 0.007},
	"home_ownership": {"MORTGAGE": 0.496, "OWN": 0.092},
	"income_verification": {"Not Verified": 0.316, "Source Verified": 0.328},
	"purpose": {"debt_consolidation": 0.588, "credit_card": 0.218, "wedding": 0.004},
	"application_type": {"INDIVIDUAL": 0.998},
	"listing_status": {"f": 0.597},
	"employment_years": {0.0: 0.0756, 9.0: 0.0399, 10.0: 0.3203},
	"public_records": {0.0: 0.859, 1.0: 0.123},
}
SAMPLE_YEARS = {2010: 0.021, 2011: 0.044, 2012: 0.103, 2013: 0.247, 2014: 0.266, 2015: 0.240}
YEAR_SHIFT = 0.006  # early years are raised to meet the published missing mortgage accounts
SAMPLE_RANK_CORRELATIONS = {
	("loan_amount", "annual_income"): 0.49,
	("loan_amount", "term_months"): 0.42,
	("loan_amount", "revolving_balance"): 0.45,
	("interest_rate_pct", "term_months"): 0.42,
	("interest_rate_pct", "revolving_utilisation_pct"): 0.32,
	("annual_income", "dti_pct"): -0.21,
	("annual_income", "mortgage_accounts"): 0.38,
	("open_accounts", "total_accounts"): 0.67,
	("public_records", "bankruptcies"): 0.86,
}
DEFAULT_BY_GRADE = {"A": 0.06, "B": 0.12, "C": 0.20, "D": 0.30, "E": 0.35, "F": 0.43, "G": 0.48}


def charged_off(portfolio):
	return portfolio["loan_status"] == "Charged Off"


def share_error(share, *sizes):
	"""Standard error of the difference between shares measured on samples of these sizes."""
	return float(np.sqrt(share * (1 - share) * sum(1 / size for size in sizes)))


@pytest.mark.parametrize("column", PUBLISHED_MEANS)
def test_means_are_as_published(portfolio, column):
	mean, spread = PUBLISHED_MEANS[column]
	tolerance = STANDARD_ERRORS * spread / np.sqrt(LOANS) + CALIBRATION_OFF * mean
	assert portfolio[column].mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("column", PUBLISHED_SPREADS)
def test_spreads_are_as_published(portfolio, column):
	# The error of a standard deviation is about 1% here; the shape may be off by some more.
	assert portfolio[column].std() == pytest.approx(PUBLISHED_MEANS[column][1], rel=0.08)


def test_incomes_have_a_heavy_tail(portfolio):
	income = portfolio["annual_income"]
	assert income.median() == pytest.approx(64_000, rel=0.03)
	# A log-normal with this middle has a 99.9% quantile of about 310,000.
	assert income.quantile(0.999) > 400_000


def test_values_are_missing_as_often_as_published_and_no_others(portfolio):
	assert set(portfolio.columns[portfolio.isna().any()]) == set(PUBLISHED_MISSING)
	for column, loans in PUBLISHED_MISSING.items():
		share = loans / PUBLISHED_LOANS
		tolerance = STANDARD_ERRORS * share_error(share, LOANS) + CALIBRATION_OFF * share
		assert portfolio[column].isna().mean() == pytest.approx(share, abs=tolerance), column


@pytest.mark.parametrize(
	("column", "value", "share"), [(column, v, s) for column, shares in SAMPLE_SHARES.items() for v, s in shares.items()]
)
def test_categories_have_the_shares_of_the_sample(portfolio, column, value, share):
	tolerance = STANDARD_ERRORS * share_error(share, LOANS, SAMPLE_LOANS)
	assert (portfolio[column] == value).mean() == pytest.approx(share, abs=tolerance)


def test_years_of_issue_have_the_shares_of_the_sample(portfolio):
	years = portfolio["issue_month"].dt.year.value_counts(normalize=True)
	for year, share in SAMPLE_YEARS.items():
		tolerance = STANDARD_ERRORS * share_error(share, LOANS, SAMPLE_LOANS) + YEAR_SHIFT
		assert years[year] == pytest.approx(share, abs=tolerance), year


def test_rank_correlations_are_those_of_the_sample(portfolio):
	# 1/sqrt(n) is the largest standard error of a rank correlation; the sample's dominates.
	tolerance = 3 * np.sqrt(1 / LOANS + 1 / SAMPLE_LOANS)
	measured = portfolio.corr("spearman", numeric_only=True)
	for pair, expected in SAMPLE_RANK_CORRELATIONS.items():
		assert measured.loc[pair] == pytest.approx(expected, abs=tolerance), pair


def test_one_loan_in_five_is_charged_off(portfolio):
	assert charged_off(portfolio).mean() == pytest.approx(0.196, abs=0.005)


def test_default_rates_rise_with_the_grade_as_in_the_sample(demo):
	# Mean true PD has hardly any sampling error, so this is what calibration may be off.
	by_grade = demo.truth["true_pd"].groupby(demo.portfolio["grade"]).mean()
	assert by_grade.to_dict() == pytest.approx(DEFAULT_BY_GRADE, abs=0.03)


def test_the_truth_ranks_loans_as_well_as_real_models_do(demo):
	outcome = charged_off(demo.portfolio)
	# Standard error of an AUC at 20,000 loans: 0.0045.
	assert roc_auc_score(outcome, demo.truth["true_pd"]) == pytest.approx(0.715, abs=0.013)
	assert roc_auc_score(outcome, demo.portfolio["interest_rate_pct"]) == pytest.approx(0.69, abs=0.013)


def test_outcomes_come_true_as_often_as_their_probability(demo):
	decile = pd.qcut(demo.truth["true_pd"], 10, labels=False)
	expected = demo.truth["true_pd"].groupby(decile).mean()
	observed = charged_off(demo.portfolio).groupby(decile).mean()
	error = np.sqrt(expected * (1 - expected) / (LOANS / 10))
	assert ((observed - expected).abs() < STANDARD_ERRORS * error).all()


def test_columns_are_those_of_a_loantap_file_in_its_order(portfolio):
	assert tuple(portfolio.columns) == CSV_ORDER


def test_texts_months_and_numbers_have_the_types_of_the_dictionary(portfolio):
	types = {Kind.TEXT: "str", Kind.CATEGORY: "str", Kind.MONTH: "datetime64[s]"}

	assert portfolio.dtypes.astype("str").to_dict() == {
		column.name: types.get(column.kind, "float64") for column in portfolio_columns()
	}


def test_amounts_are_multiples_of_25_and_mostly_whole_thousands(portfolio):
	amount = portfolio["loan_amount"]
	assert (amount % 25 == 0).all()
	assert amount.between(500, 40_000).all()
	# 61% of the sample.
	assert (amount % 1_000 == 0).mean() == pytest.approx(0.61, abs=0.03)


def test_the_instalment_is_the_emi_but_for_part_funded_loans_up_to_2011(portfolio):
	terms = portfolio[["loan_amount", "interest_rate_pct", "term_months"]]
	difference = portfolio["instalment"] - emi(*(terms[name] for name in terms))
	part_funded = difference < -0.05
	assert (difference.abs()[~part_funded] <= 0.0051).all()
	assert part_funded.mean() == pytest.approx(0.005, abs=STANDARD_ERRORS * share_error(0.005, LOANS))
	assert portfolio.loc[part_funded, "issue_month"].max() < pd.Timestamp("2012-01-01")


def test_rates_follow_sub_grade_and_month_alone(portfolio):
	rates = portfolio.groupby(["sub_grade", "issue_month"])["interest_rate_pct"].nunique()
	assert rates.max() == 1
	mean = portfolio.groupby("sub_grade")["interest_rate_pct"].mean().reindex(SUB_GRADES)
	# Neighbours at the far end have a few loans each and differ by 0.3 points.
	assert mean.dropna().iloc[:25].is_monotonic_increasing


def test_mortgage_accounts_were_not_collected_before_2012(portfolio):
	missing = portfolio["mortgage_accounts"].isna()
	year = portfolio["issue_month"].dt.year
	assert missing[year <= 2011].all()
	assert 0 < missing[year == 2012].mean() < 1
	assert not missing[year >= 2013].any()


def test_counts_of_accounts_and_records_agree(portfolio):
	assert (portfolio["total_accounts"] >= portfolio["open_accounts"]).all()
	known = portfolio.dropna(subset="bankruptcies")
	assert (known["bankruptcies"] <= known["public_records"]).all()
	history = portfolio["issue_month"] - portfolio["earliest_credit_line"]
	assert (history.dt.days >= 3 * 365).all()


def test_worse_grades_are_verified_more_often(portfolio):
	verified = portfolio["income_verification"] != "Not Verified"
	share = verified.groupby(portfolio["grade"]).mean()
	assert share["A"] == pytest.approx(0.53, abs=0.04)  # 3,100 loans
	assert share["G"] == pytest.approx(0.97, abs=0.06)  # 140 loans
	assert share.is_monotonic_increasing


def test_professions_have_a_long_tail(portfolio):
	profession = portfolio["profession"].dropna().str.lower()
	assert list(profession.value_counts().index[:2]) == ["teacher", "manager"]
	assert profession.nunique() > 0.4 * len(profession)


def test_titles_follow_the_purpose(portfolio):
	title = portfolio.groupby("purpose")["title"].agg(lambda t: t.mode().iloc[0])
	assert title["debt_consolidation"] == "Debt consolidation"
	assert title["credit_card"] == "Credit card refinancing"
	assert title["home_improvement"] == "Home improvement"
	assert portfolio["title"].nunique() > 1_000


def test_rows_are_in_no_order_and_no_two_the_same(portfolio):
	assert not portfolio.duplicated().any()
	place = pd.Series(np.arange(LOANS))
	for column in ("issue_month", "interest_rate_pct", "loan_amount"):
		order = portfolio[column].rank()
		assert abs(np.corrcoef(place, order)[0, 1]) < STANDARD_ERRORS / np.sqrt(LOANS)


def test_the_same_seed_gives_the_same_portfolio_and_another_seed_another():
	first, again, other = (simulate_portfolio(500, seed=seed) for seed in (3, 3, 4))

	assert_frame_equal(first.portfolio, again.portfolio)
	assert_frame_equal(first.truth, again.truth)
	for column in ("loan_amount", "annual_income", "address", "profession"):
		assert not first.portfolio[column].equals(other.portfolio[column]), column


@pytest.mark.parametrize(("loans", "seed"), [(0, 1), (-5, 1), (10, -1)])
def test_impossible_requests_are_refused(loans, seed):
	with pytest.raises(ValueError, match=f"loans = {loans} and seed = {seed}"):
		simulate_portfolio(loans, seed)


def test_batches_are_the_same_loans():
	whole = simulate_portfolio(1_000, seed=3)
	batches = list(iter_portfolio(1_000, seed=3, batch_loans=300))

	assert [len(batch.portfolio) for batch in batches] == [300, 300, 300, 100]
	for part in ("portfolio", "truth"):
		joined = pd.concat([getattr(batch, part) for batch in batches], ignore_index=True)
		assert_frame_equal(joined, getattr(whole, part), check_exact=True)
