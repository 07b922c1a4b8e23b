import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loantap.policy.credit_policy import CreditPolicy, Rules
from loantap.policy.decisions import CAUSES, Decider, Decision
from loantap.policy.money.cash_flows import value_unit
from loantap.policy.options import InsightsOptions, ScoringOptions
from tests.policy.shipped import ECONOMICS, make_test_decider, read_shipped

# Scenario mid: at 12% over 36 months one unit is repaid by .03321 a month, worth 32.386 times as much at 7%: 1.0757,
# less 1.01, is .0657. After 14 instalments it has paid .4453 (13.407 times .03321), and .3 of the balance of .6546,
# worth .1810, is recovered: -.3837. So it earns up to a PD of .0657 / (.0657 + .3837) = .146.
BREAK_EVEN = 0.146
DECIDER = make_test_decider(review_margin=0.01)


def decide(pd_, decider=DECIDER, **given):
	"""The same alone and among others."""
	terms = {"amount": 10_000.0, "rate_pct": 12.0, "term_months": 36.0} | given
	unlike = int(terms.pop("unlike", 0))
	one, cause, npv = decider.decide_one(pd_, **terms, unlike=unlike)
	many = decider.decide_columns(
		np.array([np.nan if pd_ is None else pd_, 0.05]),
		*(np.array([value, 5_000.0 if name == "amount" else value]) for name, value in terms.items()),
		np.array([unlike, 0], dtype="int8"),
	)
	assert many.decisions.values[many.decisions.codes[0]] == one
	assert many.causes[0] == cause
	expected = math.nan if npv is None else npv
	assert many.expected_npv[0] == pytest.approx(expected, abs=1e-9, nan_ok=True)
	return one, CAUSES[many.causes[0]] if cause < len(CAUSES) else f"unlike {cause - len(CAUSES) + 1}"


def test_the_limits_are_those_of_a_loan_that_earns_nothing():
	limits = make_test_decider(review_margin=0).limit(12, 36)

	assert limits.approve_below == limits.decline_above == pytest.approx(BREAK_EVEN, abs=1e-3)
	wide = DECIDER.limit(12, 36)
	assert wide.approve_below < BREAK_EVEN < wide.decline_above
	# The margin falls by .45 per unit of PD.
	assert wide.decline_above - wide.approve_below == pytest.approx(0.02 / 0.45, rel=0.02)
	assert DECIDER.limit(0.5, 36).decline_above == 0
	assert make_test_decider(max_probability_of_default=0.1).limit(12, 36).approve_below == 0.1


def test_a_price_of_default_asks_more_of_risky_loans_and_less_of_safe_ones():
	"""At a hurdle of -.02 + .2 PD; a loan at 12% earns .0657 less .4494 times its PD."""
	priced = make_test_decider(min_margin=-0.02, default_price=0.2, review_margin=0.002)
	limits = priced.limit(12, 36)

	assert limits.approve_below == pytest.approx((0.0657 + 0.02 - 0.002) / 0.6494, abs=1e-3)
	assert limits.decline_above == pytest.approx((0.0657 + 0.02 + 0.002) / 0.6494, abs=1e-3)
	for pd_, said in (
		(limits.approve_below - 1e-6, ("approve", "")),
		(limits.approve_below + 1e-6, ("refer", "about what the policy asks for at its risk")),
		(limits.decline_above - 1e-6, ("refer", "about what the policy asks for at its risk")),
		(limits.decline_above + 1e-6, ("decline", "earn less than the policy asks for at its")),
		# Above .146 the loan is expected to lose.
		(0.145, ("decline", "earn less than the policy asks for at its")),
		(0.148, ("decline", "does not cover the expected loss")),
	):
		decision, cause = decide(pd_, priced)
		assert (decision, said[1] in cause) == (said[0], True), pd_
	# A safe loan that loses a little is approved, and its NPV stays what it is.
	assert decide(0.01, priced, rate_pct=7.0)[0] == "approve"
	assert decide(0.01, rate_pct=7.0)[0] == "decline"
	assert priced.decide_one(0.01, 10_000, 7, 36)[2] == DECIDER.decide_one(0.01, 10_000, 7, 36)[2]


def test_near_a_hurdle_above_nothing_a_loan_is_not_said_to_earn_nothing():
	margin = float(value_unit(12.0, 36.0, ECONOMICS.main_scenario).margin(0.05))
	near = make_test_decider(min_margin=round(margin, 3), review_margin=0.002)

	assert decide(0.05, near)[1].startswith("the loan is expected to earn about what the policy")
	assert "about nothing" in decide(BREAK_EVEN)[1]
	# Where the band reaches down to nothing.
	wide = make_test_decider(min_margin=0.03, review_margin=0.04)
	assert "about nothing" in decide(BREAK_EVEN, wide)[1]


@pytest.mark.parametrize(
	("pd_", "given", "decision", "cause"),
	[
		(0.05, {}, "approve", ""),
		(BREAK_EVEN, {}, "refer", "about nothing"),
		(0.25, {}, "decline", "does not cover the expected loss"),
		# The same PD at a rate that covers it, and at one that does not.
		(0.25, {"rate_pct": 24.0}, "approve", ""),
		(0.05, {"rate_pct": 7.0}, "decline", "does not cover the expected loss"),
		(0.61, {"rate_pct": 60.0}, "decline", "above the highest that the policy accepts"),
		(0.6, {"rate_pct": 60.0}, "approve", ""),
		(0.05, {"amount": 35_000.5}, "refer", "amount is above the highest"),
		(0.05, {"amount": 35_000.0}, "approve", ""),
		(0.05, {"amount": 1.0}, "approve", ""),
		(0.25, {"amount": 36_000.0}, "decline", "does not cover the expected loss"),
		(BREAK_EVEN, {"amount": 36_000.0}, "refer", "amount is above the highest"),
		(0.05, {"unlike": 3}, "refer", "unlike 3"),
		(0.25, {"unlike": 1}, "refer", "unlike 1"),
		(0.05, {"rate_pct": math.nan}, "refer", "is missing"),
		(0.9, {"term_months": math.nan}, "refer", "is missing"),
		(0.05, {"amount": math.nan}, "refer", "is missing"),
		(0.05, {"amount": 0.0}, "refer", "is missing"),
		(0.05, {"amount": math.inf}, "refer", "is missing"),
		(0.05, {"term_months": 0.0}, "refer", "is missing"),
		(0.05, {"rate_pct": -1_200.0}, "refer", "is missing"),
		(0.05, {"rate_pct": 0.0}, "decline", "does not cover"),
		(None, {}, "invalid", ""),
		(None, {"unlike": 1, "amount": 50_000.0}, "invalid", ""),
	],
	ids=str,
)
def test_a_loan_is_decided_by_what_it_is_expected_to_earn(pd_, given, decision, cause):
	decided, said = decide(pd_, **given)

	assert decided == decision
	assert cause in said
	assert bool(said) is bool(cause)


def test_a_loan_at_the_very_edge_of_the_band_goes_to_a_person():
	# Without interest and cost of funds the arithmetic is exact: 36 instalments of 1/36, less 1.01.
	scenario = ECONOMICS.main_scenario.model_copy(update={"cost_of_funds_pct": 0.0})
	margin = float(value_unit(0.0, 36.0, scenario).margin(0.0))
	for low, high in ((margin, margin), (margin, margin + 0.5), (margin - 0.5, margin)):
		rules = {"min_margin": (low + high) / 2, "review_margin": (high - low) / 2}
		policy = CreditPolicy.model_construct(
			rules=Rules.model_construct(max_probability_of_default=1.0, max_loan_amount=1e6, **rules)
		)
		decider = Decider(policy, scenario)
		assert margin in {
			decider.policy.rules.min_margin - rules["review_margin"],
			decider.policy.rules.min_margin + rules["review_margin"],
		}
		assert decide(0.0, decider, rate_pct=0.0)[0] == "refer"


def test_what_decided_is_told_to_the_very_edge():
	free = {"cost_of_funds_pct": 0.0, "origination_cost_share": 0.0}
	nothing = ECONOMICS.main_scenario.model_copy(update=free)
	assert value_unit(0.0, 36.0, nothing).margin(0.0) == 0
	high = Decider(make_test_decider(min_margin=0.1, review_margin=0.01).policy, nothing)
	assert decide(0.0, high, rate_pct=0.0)[1].startswith("the loan is expected to earn less")

	costly = nothing.model_copy(update={"origination_cost_share": 0.25})
	margin = float(value_unit(0.0, 36.0, costly).margin(0.0))
	near = Decider(make_test_decider(min_margin=0, review_margin=-margin).policy, costly)
	assert "about nothing" in decide(0.0, near, rate_pct=0.0)[1]


_NONE = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0])


@given(
	pd_=st.one_of(st.none(), st.floats(0, 1)),
	amount=st.one_of(st.floats(500, 60_000), _NONE),
	rate_pct=st.one_of(st.floats(0, 40), _NONE),
	term_months=st.one_of(st.sampled_from([36.0, 60.0]), _NONE),
	unlike=st.integers(0, 5),
	decider=st.sampled_from([DECIDER, make_test_decider(min_margin=-0.05, default_price=0.3)]),
)
def test_one_loan_is_decided_as_among_others(pd_, amount, rate_pct, term_months, unlike, decider):
	given = {"amount": amount, "rate_pct": rate_pct, "term_months": term_months}
	decision, _ = decide(pd_, decider, **given, unlike=unlike)

	is_known = all(map(math.isfinite, given.values())) and min(amount, term_months) > 0 <= rate_pct
	assert is_known or decision in {"refer", "invalid"}


def test_expected_npv_is_in_currency():
	decision, _, npv = DECIDER.decide_one(0.0, 10_000, 12, 36)

	assert decision == "approve"
	assert npv == pytest.approx(657, abs=1)


def test_only_approve_counts_as_approved():
	pds = np.array([0.05, BREAK_EVEN, 0.3, np.nan])

	decided = DECIDER.decide_columns(pds, *(np.full(4, x) for x in (10_000.0, 12.0, 36.0)))

	assert decided.approves.tolist() == [True, False, False, False]
	assert [decided.count(decision) for decision in Decision] == [1, 1, 1, 1]


@pytest.mark.parametrize(
	("options", "given"),
	[(ScoringOptions, {"as_of": "2026-11-23"}), (InsightsOptions, read_shipped("insights", as_of="2026-11-23"))],
)
def test_options_are_taken_whole_and_refused_with_an_unknown_key(options, given):
	assert options.model_validate(given).day == pd.Timestamp("2026-11-23")
	with pytest.raises(ValidationError, match="speed"):
		options.model_validate(given | {"speed": 1})
