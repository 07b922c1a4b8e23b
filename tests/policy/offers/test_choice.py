import numpy as np
import pytest
from scipy.special import expit, logit

from loantap.policy.decisions import DECISIONS
from loantap.policy.offers import choice, prices
from loantap.policy.offers.choice import KINDS, Applicants, make_sentences
from loantap.policy.offers.maker import make_offers
from loantap.policy.offers.prices import list_prices
from tests.policy.shipped import MID, bands, make_policy, options

RULES = make_policy().rules
SOLID = {"pd_": 0.1, "amount": 10_000, "term": 36, "income": 60_000, "dti": 15}


def offer(given=None, rules=RULES, **changes):
	chosen = given or options()
	who = SOLID | changes
	applicants = Applicants(*(np.array([float(value)]) for value in who.values()))
	table = make_offers(applicants, list_prices(chosen, MID), chosen, rules)
	sentences = make_sentences(chosen, rules)
	return [
		{name: values[row] for name, values in table.terms.items()}
		| {
			"offer": table.offer[row],
			"kind": KINDS[table.kind[row]],
			"decision": DECISIONS[table.decision[row]],
			"reason": sentences[table.reason[row]],
		}
		for row in range(len(table.offer))
	]


def summarise(offers):
	return [(o["kind"], o["amount"], o["term_months"], o["decision"]) for o in offers]


def test_who_can_have_36_months_gets_it_and_a_smaller_loan_but_no_longer_one():
	assert summarise(offer()) == [("as asked", 10_000, 36, "approve"), ("smaller", 7_000, 36, "refer")]


def test_who_asks_for_60_months_is_shown_the_shorter_loan_too():
	found = offer(term=60)

	assert summarise(found) == [
		("as asked", 10_000, 60, "approve"),
		("smaller", 7_000, 60, "refer"),
		("shorter", 10_000, 36, "refer"),
	]
	assert [o["offer"] for o in found] == [1, 2, 3]


def test_who_cannot_carry_36_months_is_shown_the_largest_that_can_be_carried():
	"""At most 200 a month: 10,000 would be 327 in 36 months and 212 in 60."""
	found = offer(income=12_000, dti=5)

	assert summarise(found) == [("smaller", 6_000, 36, "refer"), ("longer", 9_000, 60, "refer")]
	assert found[0]["instalment"] <= 200 < found[0]["instalment"] * 7_000 / 6_000
	assert found[1]["instalment"] <= 200 < found[1]["instalment"] * 10_000 / 9_000
	assert found[0]["reason"].startswith(
		"As asked for, the instalment would take more than 20% of the income; the PD of these terms is a model's estimate"
	)


def test_debt_payments_after_the_loan_are_limited():
	"""All debt payments may be 43% of 5,000 a month, the new instalment among them."""
	most = 43 - offer()[0]["instalment"] / 5_000 * 100

	assert offer(dti=most - 1e-6)[0]["kind"] == "as asked"
	assert offer(dti=most + 1e-6)[0]["kind"] == "smaller"
	assert offer(dti=43)[0]["kind"] == "none"


def test_a_limit_may_be_reached_and_not_passed():
	"""A quarter of the income, which has no rounding."""
	given = options(affordability={"max_instalment_share": 0.25, "max_dti_pct": 25})
	exact = offer(given)[0]["instalment"] * 12 * 4

	assert offer(given, income=exact, dti=0)[0]["kind"] == "as asked"
	assert offer(given, income=np.nextafter(exact, 0), dti=0)[0]["kind"] != "as asked"


@pytest.mark.parametrize(
	("amount", "first"), [(35_000, "as asked"), (35_001, "smaller"), (1_000, "as asked"), (999, "none")]
)
def test_the_amount_is_limited(amount, first):
	assert offer(amount=amount, income=500_000)[0]["kind"] == first


def test_the_highest_amount_and_the_highest_pd_are_those_of_the_policy():
	rules = make_policy(max_loan_amount=8_000, max_probability_of_default=0.25).rules

	assert offer(rules=rules, amount=8_000)[0]["kind"] == "as asked"
	assert offer(rules=rules, amount=8_001)[0]["amount"] == 8_000
	assert "the amount is not between 1,000 and 8,000" in (offer(rules=rules, amount=8_001)[0]["reason"])
	assert offer(rules=rules, pd_=0.25, amount=5_000)[0]["kind"] == "as asked"
	assert offer(rules=rules, pd_=0.2501, amount=5_000)[0]["kind"] == "smaller"
	(none,) = offer(rules=rules, pd_=0.38, amount=5_000)
	assert none["reason"] == "Whatever the amount and the term, the PD is above 25%"
	assert offer(pd_=0.38, amount=5_000)[0]["kind"] == "as asked"


def test_a_price_of_default_limits_the_pd_of_what_is_priced_to_earn_one_margin():
	rules = make_policy(min_margin=-0.04, default_price=0.2, review_margin=0).rules

	assert offer(rules=rules, pd_=0.2499, amount=5_000)[0]["kind"] == "as asked"
	assert offer(rules=rules, pd_=0.2501, amount=5_000)[0]["kind"] != "as asked"


def test_where_the_most_cannot_be_carried_a_share_of_it_is_offered():
	"""At most 1,000 a month: 35,000 would be 1,146 in 36 months, 31,500 are 1,030."""
	(smaller, longer) = offer(amount=90_000, income=60_000)

	assert (smaller["kind"], smaller["amount"]) == ("smaller", 28_000)
	assert smaller["instalment"] <= 1_000 < smaller["instalment"] * 9 / 8
	assert (longer["kind"], longer["amount"]) == ("longer", 35_000)


@pytest.mark.parametrize(("highest", "most"), [(8_050, 8_000), (8_100, 8_100), (1_050, 1_000)])
def test_the_most_is_a_multiple_of_the_step(highest, most):
	rules = make_policy(max_loan_amount=highest).rules

	assert offer(rules=rules, amount=9_000)[0]["amount"] == most


def test_of_an_amount_that_could_be_had_the_next_smaller_is_a_share():
	"""10,050 is as much too dear as 10,000: nine tenths of it are tried next."""
	found = offer(amount=10_050, income=18_500, dti=0)

	assert (found[0]["kind"], found[0]["amount"]) == ("smaller", 9_000)


@pytest.mark.parametrize("name", ["pd_", "amount", "term", "income", "dti"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_approved_by_nobody(name, value):
	assert "approve" not in {found["decision"] for found in offer(**{name: value})}
	keeps_none = name in {"income", "dti"}
	assert not keeps_none or offer(**{name: value})[0]["kind"] == "none"


WHATEVER = "Whatever the amount and the term, "
INSTALMENT = "the instalment would take more than 20% of the income"


@pytest.mark.parametrize(
	("changes", "reason"),
	[
		({"amount": 999}, f"{WHATEVER}the amount is not between 1,000 and 35,000"),
		({"pd_": 0.8}, f"{WHATEVER}the PD is above 40%"),
		({"dti": 43.5}, f"{WHATEVER}all debt payments would take more than 43% of the income"),
		({"income": 100, "dti": 0}, f"{WHATEVER}{INSTALMENT} and all debt payments would take more than 43% of the income"),
		# At most 16.67 a month: 1,000 in 60 months would be 21, and 450 is too small to lend.
		({"amount": 1_500, "income": 1_000, "dti": 0}, f"{WHATEVER}{INSTALMENT}"),
		({"income": 0, "dti": 0}, f"{WHATEVER}no income is stated"),
		(
			{"given": options(rate_bands=bands((0, 0.9, 2, 10))), "pd_": 0.3},
			f"{WHATEVER}the rate that pays for the risk is above the band",
		),
		# In 36 months each takes more than 14% of the income; in 60 the PD rises above .4.
		(
			{"pd_": 0.39, "amount": 1_200, "income": 3_000, "dti": 29},
			"No amount and term keep all limits of rate, PD, instalment and debt at once",
		),
	],
)
def test_the_reason_names_what_no_amount_and_term_can_mend(changes, reason):
	(found,) = offer(**changes)

	assert (found["kind"], found["decision"], found["offer"]) == ("none", "decline", 0)
	assert found["reason"] == reason
	assert found["probability_of_default"] == changes.get("pd_", 0.1)
	assert np.isnan(found["amount"])


def test_the_pd_asked_for_is_the_models_to_the_last_bit():
	assert offer(pd_=0.123456789)[0]["probability_of_default"] == 0.123456789


def test_a_shorter_loan_lowers_the_odds_by_the_ratio_given_the_grade():
	found = offer(term=60, pd_=0.305)[2]

	odds = 0.305 / 0.695 / 1.57
	assert found["kind"] == "shorter"
	assert found["probability_of_default"] == pytest.approx(odds / (1 + odds))
	# The model alone would have said 0.16.
	assert found["probability_of_default"] > 0.2


def test_a_longer_loan_raises_the_odds():
	found = offer(income=12_000, pd_=0.1)[1]

	shift = np.log(1.57) + np.log2(0.9) * np.log(1.05)
	assert found["kind"] == "longer"
	assert found["probability_of_default"] == pytest.approx(expit(logit(0.1) + shift))


def test_a_decline_may_become_a_referral_and_never_an_approval():
	"""At 60 months the PD of 0.45 is too high; at 36 it is 0.34."""
	found = offer(term=60, pd_=0.45)

	assert {o["decision"] for o in found} == {"refer"}
	assert [o["kind"] for o in found] == ["shorter"]
	assert "the PD is above 40%" in found[0]["reason"]
	assert "not the result of an experiment: a person decides" in found[0]["reason"]


def test_nobody_is_approved_for_other_terms_than_asked_for():
	rng = np.random.default_rng(7)
	size = 5_000
	applicants = Applicants(
		rng.beta(2, 8, size),
		rng.integers(500, 45_000, size).astype(float),
		rng.choice([36.0, 60.0], size),
		rng.lognormal(10.8, 0.8, size),
		rng.gamma(3, 6, size),
	)
	table = make_offers(applicants, list_prices(options(), MID), options(), RULES)

	approved = table.decision == DECISIONS.index("approve")
	as_asked = table.kind == KINDS.index("as asked")
	assert 1_000 < approved.sum() == (approved & as_asked).sum() == as_asked.sum()
	terms = {name: values[approved] for name, values in table.terms.items()}
	who = table.applicant[approved]
	assert np.array_equal(terms["amount"], applicants.amount[who])
	assert np.array_equal(terms["term_months"], applicants.term_months[who])
	assert set(table.applicant) == set(range(size))
	assert np.bincount(table.applicant).max() <= 3


def test_an_application_without_a_pd_is_invalid():
	(found,) = offer(pd_=np.nan)

	assert (found["decision"], found["kind"], found["offer"]) == ("invalid", "none", 0)


def test_a_step_larger_than_the_amount_leaves_no_smaller_loan():
	assert [o["kind"] for o in offer(options(amounts={"step": 20_000}))] == ["as asked"]


def test_of_several_terms_the_nearest_to_the_one_asked_for_is_offered(monkeypatch):
	for module in (choice, prices):
		monkeypatch.setattr(module, "TERMS_MONTHS", (12, 24, 36, 48, 60))

	asked_for_48 = offer(term=48)
	assert summarise(asked_for_48)[-1] == ("shorter", 10_000, 36, "refer")
	# At most 200 a month carry 10,000 in 60 months with a rest, and in no shorter term.
	cannot_carry_24 = offer(term=24, income=14_000, dti=5)
	assert summarise(cannot_carry_24)[-1] == ("longer", 10_000, 60, "refer")
	as_asked, shorter = (logit(asked_for_48[i]["probability_of_default"]) for i in (0, -1))
	ratio = options().two_years_longer.odds_ratio
	assert as_asked - shorter == pytest.approx(np.log(ratio) / 2)
