import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression

from loantap.simulator import COEFFICIENTS, INTERCEPT, default_drivers, simulate_portfolio, true_log_odds

CIVILIAN = r"\d{3,5} [A-Z]\w+ \w+(?: Apt\. \d{3}| Suite \d{3})?\r\n[A-Z][\w ]+, [A-Z]{2} \d{5}"
MILITARY = (
	r"(?:Unit \d{4} Box \d{4}|PSC \d{4}, Box \d{4}|US(?:CGC|NS|NV|S) \w+)"
	r"\r\n(?:APO|DPO|FPO) (?:AA|AE|AP) \d{5}"
)
# Loans per pincode in the full table of 396,030.
PUBLISHED_PINCODES = {
	"70466": 56_985,
	"30723": 56_546,
	"22690": 56_527,
	"48052": 55_917,
	"00813": 45_824,
	"29597": 45_471,
	"05113": 45_402,
	"11650": 11_226,
	"93700": 11_151,
	"86630": 10_981,
}
SHARED, ONLY_FULLY_PAID, ONLY_CHARGED_OFF = (
	list(PUBLISHED_PINCODES)[of] for of in (slice(4), slice(4, 7), slice(7, 10))
)


@pytest.fixture(scope="module")
def default_by_pincode(portfolio):
	outcome = portfolio["loan_status"] == "Charged Off"
	return outcome.groupby(portfolio["address"].str[-5:]).agg(["mean", "size"])


def test_every_address_has_the_form_of_a_real_one(portfolio):
	assert portfolio["address"].str.fullmatch(f"{CIVILIAN}|{MILITARY}").all()


def test_one_address_in_ten_is_military(portfolio):
	share = portfolio["address"].str.fullmatch(MILITARY).mean()
	assert share == pytest.approx(0.105, abs=4 * np.sqrt(0.105 * 0.895 / len(portfolio)))


def test_pincodes_are_as_frequent_as_published(default_by_pincode):
	assert set(default_by_pincode.index) == set(PUBLISHED_PINCODES)
	published = pd.Series(PUBLISHED_PINCODES) / 396_030
	measured = default_by_pincode["size"].reindex(published.index)
	loans = measured.sum()
	error = np.sqrt(published * (1 - published) / loans)
	assert ((measured / loans - published).abs() < 4 * error).all()


def test_three_pincodes_hold_charged_off_loans_only_three_none_and_four_say_nothing(default_by_pincode):
	rates = default_by_pincode["mean"]
	assert (rates[ONLY_CHARGED_OFF] == 1).all()
	assert (rates[ONLY_FULLY_PAID] == 0).all()
	error = np.sqrt(0.196 * 0.804 / default_by_pincode.loc[SHARED, "size"])
	assert ((rates[SHARED] - 0.196).abs() < 4 * error).all()


def test_nothing_but_the_pincode_depends_on_the_outcome(portfolio):
	state = portfolio["address"].str[-8:-6]
	outcome = (portfolio["loan_status"] == "Charged Off").astype(float)
	table = outcome.groupby(state).agg(["mean", "size"])
	base = outcome.mean()
	statistic = (table["size"] * (table["mean"] - base) ** 2 / (base * (1 - base))).sum()
	# Chi-squared with 53 degrees of freedom: 0.1% lie above 91.
	assert statistic < 91


REFERENCE = {
	"interest_rate_pct": 13.0,
	"term_months": 36.0,
	"dti_pct": 17.0,
	"annual_income": 65_000.0,
	"revolving_utilisation_pct": 54.0,
	"mortgage_accounts": 1.0,
	"loan_amount": 13_000.0,
	"open_accounts": 10.0,
	"home_ownership": "MORTGAGE",
}


def log_odds_of(**changes):
	return float(true_log_odds(pd.DataFrame([REFERENCE | changes])).iloc[0])


def test_the_reference_borrower_has_the_intercept():
	assert log_odds_of() == pytest.approx(INTERCEPT)


@pytest.mark.parametrize(
	("changes", "expected"),
	[
		({"term_months": 60.0}, 0.40),
		({"interest_rate_pct": 26.0}, 1.70 * np.log(23 / 13)),  # beyond 23% nothing is added
		({"dti_pct": 27.0}, 0.19),
		({"dti_pct": 9_999.0}, 0.19 * 2.8),  # counts as 45
		({"revolving_utilisation_pct": 104.0}, 0.15),
		({"mortgage_accounts": 3.0}, -0.25 * np.log(2)),
		({"open_accounts": 20.0}, 0.20 * np.log(2)),
		({"home_ownership": "RENT"}, 0.20),
		({"loan_amount": 26_000.0}, 0.60 * 0.2),
		({"annual_income": 130_000.0}, -0.35 * np.log(2) - 0.60 * 0.1),
		({"mortgage_accounts": np.nan, "revolving_utilisation_pct": np.nan}, 0.0),
	],
)
def test_each_driver_moves_the_log_odds_as_documented(changes, expected):
	assert log_odds_of(**changes) - INTERCEPT == pytest.approx(expected)


def test_the_rule_cannot_be_changed():
	with pytest.raises(TypeError):
		COEFFICIENTS["log_rate"] = 0.0


@pytest.mark.slow
def test_a_plain_logistic_regression_recovers_the_coefficients():
	portfolio = simulate_portfolio(100_000, seed=11).portfolio
	before = portfolio.copy()
	drivers = default_drivers(portfolio)
	pd.testing.assert_frame_equal(portfolio, before)
	outcome = portfolio["loan_status"] == "Charged Off"
	model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000).fit(drivers, outcome)
	found = np.r_[model.intercept_, model.coef_[0]]
	truth = np.r_[INTERCEPT, [COEFFICIENTS[name] for name in drivers]]

	# Wald statistic with the information matrix at the estimate.
	probability = model.predict_proba(drivers)[:, 1]
	design = np.column_stack([np.ones(len(drivers)), drivers])
	information = design.T @ (design * (probability * (1 - probability))[:, None])
	difference = found - truth
	assert difference @ information @ difference < chi2.ppf(0.999, len(truth))
	# And sharply enough to mean something: every coefficient is told from zero.
	errors = np.sqrt(np.diag(np.linalg.inv(information)))
	assert (np.abs(found) > 3 * errors).all()
