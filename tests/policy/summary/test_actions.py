import pytest

from loantap.policy.summary.headlines import Money
from tests.policy.summary.material import FAIRNESS, LOWER, NAN, POLICIES, STRESSED, make_policies, policy, propose, rule
from tests.spread import spread


def test_the_policy_is_proposed_with_what_it_changes_out_of_time_and_at_other_costs():
	said = propose()[0]
	points = " ".join(said.points)

	assert said.money == Money(100, 70, 130, "per application, against approving everybody")
	assert "62% are approved. Profit per application goes from +490 to +595, the default" in said.text
	assert "from 19.1% to 22.2% (20.7 to 23.7%): the loans declined are safer" in said.text
	assert "Out of time, profit changes by +13 (-26 to +52); n = 1,357: 36-month loans" in points
	assert "changes by +577 (+480 to +674) in hard (62% approved)." in points
	# Where costs turn out otherwise than those decided at, what was gained may be lost.
	assert "at the costs of mid, profit is -192 (-302 to -82) if those of hard come true." in points
	alone = propose(stressed=STRESSED[STRESSED["scenario"].eq("mid")])[0]
	assert not any("costs" in point for point in alone.points)


@pytest.mark.parametrize(
	("gain", "title"),
	[
		(40, "Decide by expected NPV"),
		(39, "Decide by expected NPV, and watch it: out of time no gain is shown"),
		(-40, "Do not decide by expected NPV yet: out of time it loses"),
		(NAN, "Decide by expected NPV"),
	],
)
def test_loans_out_of_time_have_a_say(gain, title):
	latest = policy("npv", gain, 39, sample="out_of_time", n=1_357)

	assert propose(policies=make_policies(latest))[0].title == title


def test_without_any_loans_out_of_time_the_others_decide_where_their_gain_is_no_chance():
	said = propose(policies=POLICIES[POLICIES["sample"].ne("out_of_time")])[0]
	chance = propose(policies=make_policies(policy("npv", 30, 30)))[0]

	assert said.title == "Decide by expected NPV"
	assert "Out of time" not in said.text
	assert chance.title == "Expected NPV is not shown to beat approving everybody"


def test_groups_below_four_fifths_are_counted_the_lowest_is_told_and_no_audit():
	points = propose()[0].points

	# .80 itself is no group below, and what nothing is lent on is none.
	assert points[-1].startswith("Fairness: 1 group is approved at less than four fifths")
	assert points[-1].endswith("Lowest: yearly income, below 40,000: 0.52 (0.45 to 0.59).")
	none = FAIRNESS[FAIRNESS["audit_only"]]
	assert not any("Fairness" in point for point in propose(fairness=none)[0].points)
	alike = propose(fairness=FAIRNESS.assign(approval_ratio=0.8))[0].points[-1]
	assert alike.startswith("Fairness: no group is approved at less than four fifths")


def test_a_group_that_may_lie_on_either_side_of_four_fifths_is_counted_apart():
	open_ones = FAIRNESS.assign(approval_ratio=[0.7, 0.75, 1, 0.1, 0.3], approval_ratio_high=0.8)

	said = propose(fairness=open_ones)[0].points[-1]

	assert said.startswith("Fairness: 2 groups may be approved at less than four fifths")
	assert "Lowest: yearly income, below 40,000: 0.70" in said
	shown = open_ones.assign(approval_ratio_high=[0.75, 0.8, 1, 0.2, 0.4])
	told = propose(fairness=shown)[0].points[-1]
	assert "1 group is approved at less" in told
	assert "most often; 1 more may be. Lowest: yearly income, below 40,000: 0.70" in told


def test_the_policy_comes_with_its_referrals_and_with_the_loans_held_out():
	held_out = policy("npv", 72, 103, sample="test", n=524)

	said = propose(policies=make_policies(held_out))[0]

	assert "the policy in force approves 59.2% and refers 4.9%." in said.text
	assert "On 524 loans held out from training: +72 (-31 to +175)." in said.points
	assert not any("held out" in point for point in propose()[0].points)


def cap(percent, gain, half, **figures):
	end = "" if percent == 17 else f"_{percent}"
	given = {"cap": percent / 100} | LOWER | figures
	return policy(f"capped_default_rate{end}", gain, half, **given)


@pytest.mark.parametrize(
	("changed", "title", "gain"),
	[
		# Under 19% the default rate may only fall by chance.
		([], "cap it at 17%: no loss against approving everybody is shown", 31),
		([cap(17, -41, 40), cap(15, -93, 51)], "No cap is shown to lower the default rate", None),
		([cap(17, -40, 40), cap(15, -93, 51)], "cap it at 17%: no loss", -40),
		([cap(19, 98, 35)], "Where the default rate must fall, cap it at 19%", 98),
		([cap(19, 35, 35)], "cap it at 19%: no loss against approving everybody is shown", 35),
		([cap(15, 100, 30, profit=595.0)], "keeps the default rate at 15% without a cap", None),
		([cap(15, 500, 1, approved=0), cap(17, 500, 1, approved=0), cap(19, 98, 35)], "at 19%", 98),
	],
)
def test_the_lowest_cap_that_lowers_the_default_rate_and_gains_most_surely_is_proposed(changed, title, gain):
	said = propose(policies=make_policies(*changed))[1]

	assert title in said.title
	assert gain is None or said.money.value == gain


def test_where_no_cap_approves_a_loan_there_is_none():
	policies = make_policies(cap(15, 500, 1, approved=0), cap(17, 500, 1, approved=0))

	said = propose(policies=policies[policies["cap"].ne(0.19)])[1]

	assert (said.title, said.money) == ("No cap on the default rate approves a loan", None)


def test_a_cap_is_told_beside_the_next_lower_one_or_the_looser_one():
	lower = cap(19, 98, 35, profit=588.0, charge_offs_avoided=0.33)

	gains = propose(policies=make_policies(lower))[1].text
	looser = propose(policies=make_policies(lower, cap(15, 60, 51)))[1].text

	assert "33% of all charge-offs are avoided" in gains
	assert "At 17%, 40% of charge-offs are avoided, for +31 (-9 to +71) against" in gains
	assert "A cap of 17% changes it by -74 (-107 to -41), with 22.2% charged off instead" in looser
	assert "no fall" not in looser


def test_a_cap_comes_with_what_it_does_out_of_time():
	everybody = policy("approve_all", 0, 0, sample="out_of_time", **spread("default_rate_approved", 0.125, 0.02))
	later = policy(
		"capped_default_rate", 2, 40, sample="out_of_time", cap=0.17, n=1_357, **spread("default_rate_approved", 0.12, 0.02)
	)

	text = " ".join(propose(policies=make_policies(everybody, later))[1].points)

	assert ("profit changes by +2 (-38 to +42), and the default rate goes from 12.5% to 12.0%; n = 1,357.") in text


def test_the_default_rate_is_compared_on_the_same_loans_and_the_next_cap_beside_npv():
	text = propose()[1].text

	assert "charged off, -2.3 points (-3.3 to -1.3) against approving everybody; 40% of all" in text
	assert "Against expected NPV, profit changes by -74 (-107 to -41)." in text
	assert (
		"A cap of 19% changes it by -7 (-28 to +14), with 18.4% charged off instead of 22.2%; no "
		"fall against approving everybody is shown: -0.7 points (-1.7 to +0.3)."
	) in text


def test_the_rule_that_gains_most_surely_after_the_policy_is_to_be_added():
	held = [
		rule("large", (50, 40), (30, 1), holds_after_npv=True),
		rule("sure", (20, 10), (12, 8), holds_after_npv=True),
		rule("alone", (99, 90), (1, -9)),
	]

	said = propose(*held)[2]

	assert said.title == "Add a rule: SURE"
	assert "scoring.recommendations=[sure]" in said.text
	assert "what 4 rules tried explain" in said.text
	assert said.money == Money(12, 8, 16, "per application, against expected NPV; with prepayment")
	assert said.n == 1_500


def test_a_rule_against_cheap_loans_says_to_raise_rates():
	held = [rule("weak", (9, 1), (1, -9)), rule("cheap", (97, 62), (8, -4), cause="price")]

	said = propose(*held)[2]

	assert said.title == "Add no rule to expected NPV; test a higher rate for cheap loans"
	assert "2 of 3 rules tried earn more than approving everybody; the surest is “CHEAP”" in (said.text)
	assert "which by itself changes profit by +97 (+62 to +132)." in said.text
	assert "After expected NPV it changes profit by +8 (-4 to +20): not shown to gain" in said.text
	assert "Out of time its own gain is not confirmed." in said.text
	assert "Of the loans that it declines 9.0% (7.0 to 11.0%) default" in said.text
	assert said.money is not None
	assert said.money.value == 8
	assert said.n == 1_500


def test_where_no_rule_holds_none_is_to_be_added():
	said = propose()[2]

	assert (said.title, said.money, said.n) == ("Add no rule", None, 3_000)


def test_a_rule_that_only_holds_alone_is_not_to_be_added():
	said = propose(rule("risky", (22, 10), (None, None), latest=(5, 1)))[2]

	assert said.title == "Add no rule to expected NPV"
	assert "After expected NPV" not in said.text
	assert "not confirmed" not in said.text
	assert said.money is not None
	assert said.money.per == ("per application, against approving everybody; with prepayment")
