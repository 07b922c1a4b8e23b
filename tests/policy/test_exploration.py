import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.intervals import wilson_bounds
from loantap.policy.exploration import MAX_LEVELS, NOT_STATED, SAME_BY_DEFINITION, explore_outcomes, list_explored
from loantap.portfolio.dictionary import COLUMNS


@pytest.fixture(scope="module")
def found(simulated_loans):
	return explore_outcomes(simulated_loans)


def test_neither_personal_columns_nor_the_identifier_are_shown(simulated_loans):
	hidden = set(simulated_loans) - set(list_explored(simulated_loans))

	assert hidden == {"loan_id", "profession", "title", "address", "state", "pincode", "loan_status", "grade"}
	assert {name for name in hidden if COLUMNS[name].personal} == hidden - {"loan_id", *SAME_BY_DEFINITION}


def test_quartiles_and_gaps_are_those_of_each_outcome_and_the_auc_of_all_that_state_the_value(found, simulated_loans):
	name = "mortgage_accounts"
	got, stated = found.numbers.set_index("column").loc[name], simulated_loans.dropna(subset=[name])
	assert got["n"] == len(stated)
	for outcome, bad in (("paid", 0), ("charged_off", 1)):
		of = simulated_loans.loc[simulated_loans["is_charged_off"] == bad, name]
		assert got[f"missing_{outcome}"] == pytest.approx(of.isna().mean())
		for end, share in (("low", 0.25), ("median", 0.5), ("high", 0.75)):
			assert got[f"{end}_{outcome}"] == of.quantile(share)

	assert got["auc"] == pytest.approx(roc_auc_score(stated["is_charged_off"], stated[name]))
	assert got["auc_low"] < got["auc"] < got["auc_high"]
	assert (found.numbers["auc"] - 0.5).abs().is_monotonic_decreasing


def test_levels_are_counted_by_outcome(found, simulated_loans):
	housing = found.levels[found.levels["column"] == "home_ownership"].set_index("level")
	bad = simulated_loans["is_charged_off"] == 1
	rents = simulated_loans["home_ownership"] == "RENT"

	assert housing["n"].sum() == len(simulated_loans)
	got = housing.loc["RENT"]
	assert got["n"] == rents.sum()
	assert got["share_paid"] == pytest.approx(rents[~bad].mean())
	assert got["share_charged_off"] == pytest.approx(rents[bad].mean())
	assert got["default_rate"] == pytest.approx(bad[rents].mean())
	low, high = wilson_bounds((bad & rents).sum(), rents.sum())
	assert (got["default_rate_low"], got["default_rate_high"]) == (low, high)


def test_a_gap_is_a_level():
	levels = explore_outcomes(
		pd.DataFrame({"purpose": pd.Series(["car", None, "car", None], dtype="str"), "is_charged_off": [0, 1, 1, 0]})
	).levels

	assert levels.set_index("level")["n"].to_dict() == {"car": 2, NOT_STATED: 2}


def test_rare_levels_are_put_together():
	names = [f"purpose {place:02}" for place in range(50)]
	purpose = np.repeat(names, np.arange(50, 0, -1))
	loans = pd.DataFrame({"purpose": purpose, "is_charged_off": np.arange(len(purpose)) % 2})

	levels = explore_outcomes(loans).levels

	assert len(levels) == MAX_LEVELS
	assert levels["n"].sum() == len(loans)
	rest = levels[levels["level"] == f"{50 - MAX_LEVELS + 1} other levels"]
	assert rest["n"].tolist() == [sum(range(1, 50 - MAX_LEVELS + 2))]


def test_one_outcome_and_few_loans_are_no_crash():
	loans = pd.DataFrame(
		{"annual_income": [1.0, np.nan, 3.0], "home_ownership": ["OWN", "RENT", "OWN"], "is_charged_off": [0, 0, 0]}
	)

	found = explore_outcomes(loans)

	income = found.numbers.iloc[0]
	assert np.isnan([income["auc"], income["auc_low"], income["median_charged_off"]]).all()
	assert np.isnan(income["missing_charged_off"])
	assert income["missing_paid"] == pytest.approx(1 / 3)
	assert found.levels["share_charged_off"].eq(0).all()


def test_nothing_to_compare_is_two_empty_tables():
	found = explore_outcomes(pd.DataFrame({"is_charged_off": [0, 1], "term_months": [36, 36]}))

	assert (len(found.numbers), len(found.levels)) == (0, 0)
