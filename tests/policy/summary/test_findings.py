import pytest

from loantap.policy.summary.headlines import Headline, Money
from tests.policy.summary.material import (
	DTI,
	POOR,
	RATES,
	find,
	make_claims,
	make_drivers,
	make_policies,
	policy,
	segment,
)
from tests.spread import spread


def test_drivers_are_the_applicants_beside_the_price_and_the_worst_segment_has_its_money():
	said = find(DTI, POOR)[0]

	assert said.title == "Default goes with DTI, beside the lender's own price"
	assert "Strongest is the price: grade." in said.text
	assert "No effect is shown for income." in said.text
	assert said.text.endswith("DTI 35% and more stands out most: 20.0% (15.0 to 25.0%) were charged off (n = 86).")
	assert said.money is None
	assert said.n == 5_000


@pytest.mark.parametrize(
	("finding", "title", "text"),
	[
		("too few loans to say", "Too few loans to say what drives default", ""),
		(
			"no effect shown",
			"Beside the lender's own price, no factor is shown to drive default",
			"Other factors equal. No effect is shown for grade and DTI.",
		),
	],
)
def test_without_a_driver_that_is_said(finding, title, text):
	assert find(drivers=make_drivers(grade=finding, DTI=finding))[0] == Headline(title, text, None, 5_000)


@pytest.mark.parametrize(
	("profit", "title"),
	[
		(-98, "Loans at the lowest rates lose money"),
		(-97, "Loans at the lowest rates neither earn nor lose beyond chance"),
		(97, "Loans at the lowest rates neither earn nor lose beyond chance"),
		(98, "Loans at the lowest rates earn money"),
	],
)
def test_the_safest_loans_are_those_of_the_lowest_rates(profit, title):
	cheap = RATES[1] | spread("profit_contractual", profit, 97)

	said = find(rates=[RATES[0], cheap])[1]

	assert said.title == title
	assert "a loan earned +2,863 (+2,363 to +3,363)" in said.text
	assert said.n == 636


def test_the_group_that_lost_most_in_all_is_named_not_the_worst_per_loan():
	few = segment("DTI", "35% and more", loans=10, **spread("profit_contractual", -900, 100))

	said = find(POOR, few, segment("purpose", "car"))[2]

	assert said.title == "Applicants with income 0 to 30,000 lose money"
	assert "Of 3 groups of applicants, 2 lost money beyond chance" in said.text
	assert said.money == Money(-250, -350, -150, "per loan")


def test_among_many_groups_one_loss_may_be_chance():
	# Below zero at 95% by itself, and not for the one of 41 groups that it is.
	below = segment("income", "0 to 30,000", loans=300, **spread("profit_contractual", -110, 100))
	others = [segment("purpose", str(n)) for n in range(40)]

	said = find(below, *others)[2]

	assert said.title == "Grouped by their own traits, no applicants lose money beyond chance"
	assert "A loss shows most for income 0 to 30,000" in said.text
	assert "Of 41 groups 1 lies wholly below zero at 95%, the one named here; about 1" in said.text
	assert said.money == Money(-110, -210, -10, "per loan")
	assert find(below)[2].title == "Applicants with income 0 to 30,000 lose money"


def test_a_loss_that_only_prepayment_shows_is_told_as_that():
	indebted = DTI | spread("profit_capped", -1_382, 674)
	poor = segment(
		"income", "0 to 30,000", loans=321, **spread("profit_contractual", -10, 187), **spread("profit_capped", -329, 173)
	)

	said = find(indebted, poor, segment("purpose", "car"))[2]

	assert said.title == "With prepayment, applicants with DTI 35% and more lose money"
	assert "no loss beyond chance is shown: -828 (-1,707 to +51)." in said.text
	assert "The same holds for income 0 to 30,000. No loss is shown of" in said.text
	assert said.money == Money(-1_382, -2_056, -708, "per loan; with prepayment")
	assert said.n == 86
	# A loss that holds either way is told first.
	assert find(indebted, POOR)[2].money == Money(-250, -350, -150, "per loan")
	alone = find(indebted, segment("purpose", "car"))[2].text
	assert "The same holds" not in alone


def test_where_too_few_loans_say_neither_groups_nor_rates_are_named():
	few = {"finding": "too few loans to say"}

	said = find(rates=[row | few for row in RATES])[1]

	assert find(POOR | few)[2].title == "Too few loans to say who loses money"
	assert (said.title, said.money) == ("Too few loans to say what each rate earns", None)


@pytest.mark.parametrize(
	("gain", "title"),
	[
		(-59, "To decline the tenth of the highest PDs costs money"),
		(-58, "To decline the tenth of the highest PDs does not change profit beyond chance"),
		(58, "To decline the tenth of the highest PDs does not change profit beyond chance"),
		(59, "To decline the tenth of the highest PDs earns money"),
	],
)
def test_declining_by_pd_is_judged_by_its_interval(gain, title):
	said = find(policies=make_policies(policy("bands", gain, 58, charge_offs_avoided=0.226)))[3]

	assert said.title == title
	assert "avoids 23% of charge-offs" in said.text
	assert "The F2 threshold declines 66%: -517 (-610 to -424)." in said.text


def test_claims_are_counted_and_the_one_that_holds_and_earns_is_told():
	longer = {
		"said": "Loans of 60 months are riskier",
		"verdict": "shown",
		"loans": 1_235,
		"claimed": "more defaults",
		**spread("profit_contractual", 1_813, 300),
	}
	losing = longer | spread("profit_contractual", 599, 10)

	said = find(claims=make_claims(longer, losing, {"verdict": "shown"}))[4]

	assert said.title == "Of the case study's 5 claims the loans bear out 3"
	assert "1 are about pincodes" in said.text
	assert "is made from the outcome" in said.text
	assert "Loans of 60 months are riskier, as claimed, and yet they earn more: all others" in (said.text)
	assert "all others earn +600 per loan." in said.text
	assert said.money is not None
	assert said.money.value == 1_813


def test_claims_that_cannot_be_judged_are_counted_apart_and_an_honest_pincode_is_no_leak():
	claims = make_claims({"verdict": "too few loans to say"}).assign(charged_off=48)

	said = find(claims=claims)[4]

	assert said.title == "Of the case study's 3 claims the loans bear out 0; of 1 there are too few to say"
	assert "are refused." in said.text
	assert "made from the outcome" not in said.text
