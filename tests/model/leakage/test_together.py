"""Small portfolios of a few columns, and what the gate says of each."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.features.build import build_features
from loantap.model.leakage.additive import BORROWER, cross_fit
from loantap.model.leakage.expected import Z, add_strengths
from loantap.model.leakage.readings import fold_by_content, read_columns
from loantap.model.leakage.together import examine_together
from tests.model.leakage.limits import OPTIONS

LOANS = 1_500
RATE, PAIR = "interest_rate_pct", ("interest_rate_pct", "dti_pct")
ALL = (*PAIR, "open_accounts", "log_annual_income")


def make(price=0.8, seed=1, **effects):
	"""Loans priced by their risk, and columns that tell as much more as is said of each."""
	rng = np.random.default_rng(seed)
	drawn = pd.DataFrame(rng.normal(size=(LOANS, 4)), columns=[*PAIR, "open_accounts", "annual_income"])
	logit = price * drawn[RATE] - 1 + sum(by * drawn[n] for n, by in effects.items())
	bad = (rng.random(LOANS) < expit(logit)).astype(int)
	return drawn.assign(annual_income=np.exp(drawn["annual_income"]), is_charged_off=bad)


def look(loans, *names, caught="", **changes):
	options, features = OPTIONS.model_copy(update=changes), build_features(loans, names)
	joint = examine_together(loans, features, {n: n == caught for n in names}, options)
	return {f: [e.test for e in found] for f, found in joint.evidence.items()}, joint


def refit(loans, *names):
	"""The model that the gate fits first."""
	readings, target = read_columns(loans, build_features(loans, names), names), loans["is_charged_off"].to_numpy()
	return cross_fit(readings, target, fold_by_content(readings, target, 5))


def figures(gain, allowed):
	return pytest.approx({"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": allowed})


def test_honest_columns_are_not_blamed_and_their_sets_are_judged():
	found, joint = look(make(), *ALL)

	assert (found, [s["feature_set"] for s in joint.sets]) == ({}, ["lending", "application"])
	# What was caught alone is no part of them.
	assert look(make(), *ALL, caught="open_accounts")[1].sets != joint.sets


def test_a_column_may_add_a_hundredth_beside_a_price_and_what_a_score_adds_without():
	loans = make(dti_pct=0.8)
	model = refit(loans, *PAIR)
	gain, alone = model.gain_of("dti_pct"), model.before("dti_pct").area.value
	found, joint = look(loans, *PAIR)

	assert found == {"dti_pct": ["refreshed"]} == look(loans, *PAIR, caught="dti_pct")[0]
	assert joint.evidence["dti_pct"][0].figures == figures(gain, 0.01)
	for most, told in ((gain.at_least(Z), {}), (gain.at_least(Z) - 1e-9, found)):
		assert look(loans, *PAIR, max_added_auc=most, max_borrower_auc=0.5)[0] == told
	scored = look(loans, *PAIR, expected_auc={"dti_pct": 0.6})[1].evidence["dti_pct"][0]
	assert scored.figures == figures(gain, 0.01 + add_strengths(alone, 0.6) - alone)
	# Without a price all may add as much as they are expected to tell.
	unpriced = make(price=0, dti_pct=1.2)
	model = refit(unpriced, *PAIR)
	others = max(model.before("dti_pct").area.value, 0.5)
	told = look(unpriced, *PAIR)[1].evidence["dti_pct"][0]
	assert told.figures == figures(model.gain_of("dti_pct"), 0.01 + add_strengths(others, 0.605) - others)


def test_columns_are_taken_out_one_by_one_the_one_that_adds_most_first():
	assert look(make(dti_pct=1.2, open_accounts=0.8), *ALL)[0] == {
		"dti_pct": ["refreshed"],
		"open_accounts": ["refreshed"],
	}
	owned = make().assign(home_ownership=lambda t: np.where(t["is_charged_off"], "RENT", "OWN"))
	listed = owned.rename(columns={"home_ownership": "listing_status"})

	# What is not lent on is asked if it is known at the decision and was not caught.
	assert look(owned, RATE, "home_ownership")[0] == {"home_ownership": ["category"]}
	assert look(owned, RATE, "home_ownership", caught="home_ownership")[0] == {}
	assert look(listed, RATE, "listing_status")[0] == {}


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_50_loans_of_either_outcome_something_is_told(outcome):
	sets = []
	for lost in (49, 50):
		bad = np.where(np.arange(LOANS) < lost, 1 - outcome, outcome)
		sets.append(len(look(make().assign(is_charged_off=bad), *PAIR)[1].sets))

	assert sets == [0, 2]


def test_broken_arithmetic_goes_before_what_it_adds():
	loans = make().assign(sub_grade="B4", issue_month=pd.Timestamp("2014-03-01"))
	hit = loans["is_charged_off"].eq(1) & (loans.index % 3 == 0)
	found, joint = look(loans.assign(interest_rate_pct=12.0 + 2 * hit), *PAIR)

	assert found == {RATE: ["arithmetic"]}
	assert joint.evidence[RATE][0].figures["exceptions"] == hit.sum()


def test_two_columns_that_tell_by_each_other_are_named_together_and_a_slice_is_none():
	rng, loans, names = np.random.default_rng(4), make(), (*PAIR, "open_accounts")
	year = pd.Series(rng.integers(2013, 2015, LOANS))
	loans["issue_month"] = pd.to_datetime(year.astype(str) + "-05-01")

	def put(same):
		logit = np.where((loans["dti_pct"] > 0) == same, 1.3, -1.3) + 1.2 * loans[RATE] - 1
		return loans.assign(is_charged_off=(rng.random(LOANS) < expit(logit)).astype(int))

	pair = put(loans["open_accounts"] > 0)
	found, joint = look(pair, *names)
	assert found == {"dti_pct": ["combination"], "open_accounts": ["combination"]}
	least = joint.evidence["dti_pct"][0].figures["auc_added_at_least"]
	assert joint.evidence["dti_pct"][0].figures["auc_added"] > least > 0.02
	others = look(pair, *names, max_added_auc=least)[1].evidence["dti_pct"]
	assert all("no column" in evidence.statement for evidence in others)  # of the sets, no more of the pair
	found, joint = look(put(year > 2013), *names)
	assert found == {"dti_pct": ["slice"]}
	assert "dti_pct by issue year adds" in joint.evidence["dti_pct"][0].statement


def test_the_borrowers_columns_may_add_little_to_an_offer_all_together():
	loans = make(dti_pct=0.4, open_accounts=0.4, annual_income=0.1)
	gain, limits = refit(loans, *ALL).gain_of(BORROWER), {"max_added_auc": 0.5, "max_borrower_auc": 0.001}
	found, joint = look(loans, *ALL, **limits)

	# Income adds next to nothing: less than three tenths of the most.
	assert found == {"dti_pct": ["refreshed"], "open_accounts": ["refreshed"]}
	assert joint.evidence["dti_pct"][0].figures == figures(gain, 0.001)
	assert look(loans, *ALL, **limits | {"max_borrower_auc": gain.at_least(Z)})[0] == {}
	# A score adds by itself what is expected of it; without a price nothing sums them up.
	assert look(loans, *ALL, **limits, expected_auc={"dti_pct": 0.75})[0] == {}
	assert look(make(price=0, dti_pct=0.4, open_accounts=0.4), *ALL, **limits)[0] == {}


def test_two_columns_of_the_same_thing_are_judged_together():
	loans = make(seed=2, dti_pct=0.6)
	noise = np.random.default_rng(6).normal(size=LOANS)
	same, names = loans.assign(annual_income=np.exp(loans["dti_pct"] + 0.05 * noise)), (*PAIR, "log_annual_income")
	found, joint = look(same, *names, max_borrower_auc=0.5)

	assert found == {"dti_pct": ["refreshed"], "log_annual_income": ["refreshed"]}
	assert joint.evidence["dti_pct"][0].figures == figures(
		refit(same, *names).gain_of("annual_income and dti_pct"), 0.015
	)
	assert look(same, *names, max_borrower_auc=0.5, expected_auc={"dti_pct": 0.72})[0] == {}
