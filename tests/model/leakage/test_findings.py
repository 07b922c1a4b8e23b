import pandas as pd
import pytest

from loantap.model.leakage.statistics import bin_values, find_implausible_categories
from tests.model.leakage.limits import OPTIONS, examine, examine_among, verdicts

ALWAYS_LOST = {"11650", "86630", "93700"}


@pytest.fixture(params=["simulated", "real"])
def loans(request):
	return request.getfixturevalue(f"{request.param}_loans")


def test_the_pincode_is_found_with_the_categories_that_give_it_away(loans):
	finding = examine(loans["pincode"], loans["is_charged_off"])

	assert finding.caught
	assert finding.auc > 0.8
	assert {c["category"] for c in finding.categories} == ALWAYS_LOST
	assert "AUC 0." in finding.reasons[0]
	assert "11650 (100.0%)" in finding.reasons[1]


def flag(**counts):
	"""Categories flagged with their p-values, each given as losses of loans."""
	groups, outcomes = [], []
	for name, (lost, loans) in counts.items():
		groups += [name] * loans
		outcomes += [1] * lost + [0] * (loans - lost)
	table = find_implausible_categories(bin_values(pd.Series(groups)), pd.Series(outcomes), OPTIONS)
	return dict(zip(table["category"], table["adjusted_p_value"], strict=True))


@pytest.mark.parametrize(
	("run", "p_value"),
	[
		((5, 5), None),
		# With a rate of 70% at most, 30 losses of 30 have a chance of .7^30; twice for either side,
		# and again twice for two categories.
		((30, 30), 4 * 0.7**30),
		# With a rate of .5% at least, 2,000 repayments have a chance of .995^2000.
		((0, 2_000), 4 * 0.995**2_000),
		((0, 500), None),
		((650, 1_000), None),  # risky, but possible
	],
)
def test_only_a_long_run_of_losses_or_repayments_is_implausible(run, p_value):
	found = {} if p_value is None else {"run": pytest.approx(p_value, rel=1e-6)}

	assert flag(run=run, others=(190, 1_000)) == found


def leave_one_out(loans, column):
	"""Default rate of the *other* loans that share a value."""
	grouped = loans.groupby(column)["is_charged_off"]
	others = grouped.transform("size") - 1
	mean = (grouped.transform("sum") - loans["is_charged_off"]) / others.where(others > 0)
	return mean.rename("dti_pct")


@pytest.mark.parametrize("column", ["profession", "earliest_credit_line"])
def test_a_leave_one_out_mean_is_caught_though_alone_it_tells_little(column, loans):
	finding = examine_among(leave_one_out(loans, column), loans)

	assert finding.auc < 0.7
	assert verdicts(finding)["computed_from_outcomes"] == "caught"
