from datetime import date

import pytest
from pydantic import ValidationError

from loantap.policy.credit_policy import CreditPolicy, digest_policy, require_as_approved, require_in_force
from loantap.portfolio.errors import InputError
from tests.policy.shipped import ECONOMICS, make_policy, read_policy


def test_the_shipped_policy_is_as_it_was_approved():
	policy = CreditPolicy.model_validate(read_policy())

	require_as_approved(policy, ECONOMICS)
	assert policy.name == "npv 2026-11"
	assert policy.short_digest == digest_policy(policy, ECONOMICS.scenarios["mid"])[:12]


@pytest.mark.parametrize(
	"changed",
	[
		{"version": "2026-12"},
		{"approved_by": "somebody else"},
		{"effective_from": date(2026, 11, 2)},
		{"rules": {"min_margin": 0.01}},
		{"targets": {"review_capacity": 0.5}},
	],
	ids=str,
)
def test_whatever_is_changed_after_it_was_approved_is_refused(changed):
	written = read_policy()
	new = {k: written[k] | v if isinstance(v, dict) else v for k, v in changed.items()}

	with pytest.raises(InputError, match=r"was changed after .* approved it") as refused:
		require_as_approved(CreditPolicy.model_validate(written | new), ECONOMICS)

	assert "loantap-policy approve" in refused.value.remedy


def test_a_scenario_that_was_changed_after_it_was_approved_is_refused():
	cheaper = ECONOMICS.main_scenario.model_copy(update={"loss_given_default": 0.4})
	economics = ECONOMICS.model_copy(update={"scenarios": ECONOMICS.scenarios | {"mid": cheaper}})

	with pytest.raises(InputError, match=r"or its scenario mid was changed"):
		require_as_approved(make_policy(), economics)
	# Another scenario is nothing to this policy.
	other = ECONOMICS.model_copy(update={"scenarios": ECONOMICS.scenarios | {"mild": cheaper}})
	require_as_approved(make_policy(), other)


def test_a_scenario_that_is_not_there_is_named_with_those_that_are():
	policy = CreditPolicy.model_validate(read_policy(scenario="gentle"))

	with pytest.raises(InputError, match="there is no scenario gentle") as refused:
		require_as_approved(policy, ECONOMICS)

	assert "mild, mid, hard" in refused.value.remedy


@pytest.mark.parametrize(
	("changed", "said"),
	[
		({"approved_by": None}, r"npv 2026-11 was not approved by a second person"),
		({"approved_by": "LoanTap\tUnder\uff57riting"}, r"was approved by its author"),
		({"approved_by": "\u00a0"}, r"was not approved by a second person"),
		({"author": "Stra\u00dfer", "approved_by": "STRASSER"}, r"was approved by its author"),
		({"id": "\u00a0"}, r"id\n.*is blank"),
	],
)
def test_a_policy_without_a_second_person_is_refused(changed, said):
	with pytest.raises(ValidationError, match=said):
		CreditPolicy.model_validate(read_policy(**changed))


@pytest.mark.parametrize(
	("rule", "value"),
	[
		("review_margin", -0.1),
		("max_probability_of_default", 1.1),
		("max_loan_amount", 0),
		("min_margin", 0.6),
		("default_price", -0.01),
		("default_price", 5.01),
	],
)
def test_a_rule_out_of_range_is_refused(rule, value):
	with pytest.raises(ValidationError, match=rule):
		make_policy(**{rule: value})


def test_a_rule_at_the_end_of_its_range_is_taken():
	make_policy(min_margin=-5, default_price=5, review_margin=0.5, max_probability_of_default=1)


def test_a_policy_without_a_price_of_default_keeps_its_digest():
	"""Policies were approved, and are on record, from before there was one."""
	written = read_policy()
	del written["rules"]["default_price"]
	before = CreditPolicy.model_validate(written)

	assert before == CreditPolicy.model_validate(read_policy())
	require_as_approved(before, ECONOMICS)
	priced = make_policy(default_price=0.1).model_copy(update={"digest": before.digest})
	with pytest.raises(InputError, match="was changed after"):
		require_as_approved(priced, ECONOMICS)


@pytest.mark.parametrize(
	("rules", "highest"),
	[
		({"min_margin": 0.01}, 0.6),
		({"min_margin": 0.3}, 0),
		({"min_margin": 0.005, "review_margin": 0.006}, 0),
		({"min_margin": -0.04, "default_price": 0.2, "review_margin": 0.01}, 0.2),
		# .01 is to be earned at a hurdle of -.04 + .2 PD.
		({"min_margin": -0.04, "default_price": 0.2}, 0.25),
		({"min_margin": -0.15, "default_price": 0.2}, 0.6),
		({"min_margin": 0.02, "default_price": 0.2}, 0),
	],
)
def test_of_loans_priced_to_earn_a_margin_those_up_to_a_pd_are_accepted(rules, highest):
	rules = {"review_margin": 0.0} | rules
	assert make_policy(**rules).rules.find_highest_pd(0.01) == pytest.approx(highest)


def test_a_policy_decides_from_its_day_on():
	require_in_force(make_policy(), date(2026, 11, 1))

	with pytest.raises(InputError, match="it takes effect on 2026-11-01, after 2026-10-31"):
		require_in_force(make_policy(), date(2026, 10, 31))
