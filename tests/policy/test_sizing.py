import numpy as np
import pytest
from scipy.optimize import linprog

from loantap.policy.credit_policy import Rules, Targets
from loantap.policy.decisions import Decision
from loantap.policy.money.cash_flows import value_units
from loantap.policy.sizing import SizingLoans, size_rules
from loantap.portfolio.errors import InputError
from tests.policy.shipped import ECONOMICS, make_test_decider

# Half of the loans earn: -.10, -.09 ... .09.
MARGINS = np.arange(-10, 10) / 100
# Keeps a loan off every hurdle: one exactly on it goes to a person, whatever the capacity.
_OFF = 1e-6 * np.pi


def make_loans(margins, pds=0.1, amounts=10_000):
	margin = np.array(margins, dtype=float)
	return SizingLoans(margin, *(np.broadcast_to(of, margin.shape) for of in (pds, amounts)))


def size(loans, highest_pd=0.6, **changed):
	rules = Rules(min_margin=0, review_margin=0, max_probability_of_default=highest_pd, max_loan_amount=35_000)
	targets = {"review_capacity": 0.1, "min_approval_rate": 0.4, "max_default_rate": 0.25, "max_concentration": 0.2}
	return size_rules(loans, rules, Targets(**targets | changed))


@pytest.mark.parametrize(
	("capacity", "review_margin", "referred"),
	[
		# 0, -.01 and .01 are the three of twenty nearest to nothing, -.02 and .02 come next.
		(0.15, 0.0199, 0.15),
		# Of -.01 and .01 neither comes before the other.
		(0.1, 0.0099, 0.05),
		(0.0499, 0, 0.05),
	],
)
def test_people_look_at_as_many_as_they_can_where_it_is_worth_most(capacity, review_margin, referred):
	sizes = size(make_loans(MARGINS), review_capacity=capacity)

	assert (sizes.min_margin, sizes.review_margin) == (0, review_margin)
	# Who earns exactly nothing is looked at in any case.
	assert sizes.referred == referred


def test_whoever_can_look_at_everything_does():
	sizes = size(make_loans(MARGINS), review_capacity=1, min_approval_rate=0)

	assert (sizes.review_margin, sizes.referred, sizes.passed) == (0.1, 1, 1)
	assert np.isnan(sizes.default_rate)


def test_a_floor_that_money_does_not_reach_lowers_the_hurdle():
	sizes = size(make_loans(MARGINS), min_approval_rate=0.8, review_capacity=0)

	# The highest hurdle that the sixteenth of twenty clears; -.06 is that loan's own margin.
	assert sizes.min_margin == -0.06
	assert sizes.passed == 0.8
	enough = size(make_loans(MARGINS), min_approval_rate=0.5, review_capacity=0)
	assert (enough.min_margin, enough.passed) == (0, 0.5)


def test_loans_too_large_for_anybody_but_a_person_take_up_capacity():
	amounts = np.full(20, 35_000.0)
	amounts[-1] = 35_001
	large = size(make_loans(MARGINS, amounts=amounts), review_capacity=0.2)
	all_small = size(make_loans(MARGINS), review_capacity=0.2)

	# Room for four: the large one, and three near nothing.
	assert (large.review_margin, large.referred) == (0.0199, 0.2)
	assert all_small.review_margin == 0.0199  # 2 and -2 are alike, so that a fourth would be five
	# Where money or its risk declines it, nobody looks at it.
	assert size(make_loans(MARGINS, amounts=amounts[::-1]), review_capacity=0.2) == all_small
	at_limit, beyond = (
		size(make_loans(MARGINS, np.append(np.full(19, 0.1), pd_), amounts), review_capacity=0.15) for pd_ in (0.6, 0.601)
	)
	assert (at_limit.review_margin, beyond.review_margin) == (0.0099, 0.0199)


@pytest.mark.parametrize(
	("cap", "leaves", "default_rate"),
	[
		# The means of .1, .2, .3, .4, .5 up to each of them are .1, .15, .2, .25, .3.
		(0.3, None, 0.3),
		(0.29, 0.5, 0.25),
		(0.1, 0.2, 0.1),
	],
)
def test_the_price_is_the_lowest_that_keeps_the_default_rate(cap, leaves, default_rate):
	loans = make_loans([0.0503] * 5, [0.5, 0.1, 0.3, 0.2, 0.4])

	sizes = size(loans, max_default_rate=cap, min_approval_rate=0.2)

	# The loan that leaves last does not earn what it uses up of the cap.
	price = 0.0503 / (leaves - cap) if leaves else 0
	assert sizes.default_price == pytest.approx(price, abs=0.0011)
	assert sizes.min_margin == pytest.approx(-price * cap, abs=0.0002)
	assert sizes.default_rate == pytest.approx(default_rate)


def test_the_price_leaves_the_highest_pd_of_the_policy_alone():
	loans = make_loans([0.05] * 5, [0.1, 0.2, 0.3, 0.4, 0.5])

	sizes = size(loans, highest_pd=0.3, max_default_rate=0.25)

	assert (sizes.default_price, sizes.passed) == (0, 0.6)
	assert sizes.default_rate == pytest.approx(0.2)


def test_loans_of_the_same_pd_and_margin_are_accepted_together_or_not_at_all():
	sizes = size(make_loans([0.05 + _OFF] * 3, [0.1, 0.2, 0.2]), max_default_rate=0.15, min_approval_rate=0.3)

	assert (sizes.default_rate, sizes.passed) == (0.1, pytest.approx(1 / 3))


def test_only_what_is_approved_counts_in_the_default_rate():
	"""Not what is declined on money, what people look at, or what is too large."""
	loans = make_loans(
		[0.05, 0.05, -0.05, 0, 0.05], [0.2, 0.3, 0.59, 0.58, 0.57], [10_000, 10_000, 10_000, 10_000, 40_000]
	)

	sizes = size(loans, max_default_rate=0.25, review_capacity=0.4)

	assert (sizes.default_price, sizes.default_rate) == (0, 0.25)
	assert (sizes.referred, sizes.passed) == (0.4, 0.8)


def test_a_floor_that_the_price_does_not_reach_lowers_the_hurdle_of_every_loan():
	loans = make_loans([0.05] * 5 + [-0.02] * 5, [0.3] * 5 + [0.1] * 5)

	sizes = size(loans, review_capacity=0, min_approval_rate=0.5, max_default_rate=0.12)

	# The discount d and the price p at which the dear ones leave, .05 + d = .18 p, and the cheap
	# ones come in, -.02 + d = -.02 p: .35 and .013.
	assert sizes.default_price == pytest.approx(0.35, abs=0.001)
	assert sizes.min_margin == pytest.approx(-0.12 * 0.35 - 0.013, abs=0.0003)
	assert (sizes.passed, sizes.default_rate) == (0.5, pytest.approx(0.1))


@pytest.mark.parametrize(("floor", "lowest"), [(0, 0.1), (0.5, 0.15)])
def test_a_cap_that_the_floor_rules_out_is_refused_with_what_can_be_reached(floor, lowest):
	# The loans of the lowest PDs do not earn.
	loans = make_loans(np.array([-0.2, -0.1, 0.05, 0.1]) + _OFF, [0.1, 0.2, 0.3, 0.4])
	given = {"min_approval_rate": floor, "review_capacity": 0}

	with pytest.raises(InputError, match="cannot both be kept") as refused:
		size(loans, max_default_rate=lowest - 0.01, **given)

	assert f"is {lowest:.2%} at the lowest" in str(refused.value)
	assert refused.value.remedy.endswith(f"raise max_default_rate to {lowest:g}")
	assert size(loans, max_default_rate=lowest, **given).default_rate == pytest.approx(lowest)


def test_a_floor_that_the_highest_pd_rules_out_is_refused():
	loans = make_loans([0.05] * 4, [0.1, 0.2, 0.3, 0.4])

	with pytest.raises(InputError, match=r"cannot be reached: 50.0% of the loans have a PD"):
		size(loans, highest_pd=0.2, min_approval_rate=0.75, max_default_rate=0.25)
	assert size(loans, highest_pd=0.2, min_approval_rate=0.5).passed == 0.5


def test_loans_of_unknown_margin_do_not_count():
	known = make_loans(MARGINS, np.linspace(0.4, 0.05, 20))
	more = SizingLoans(
		np.append(known.margin, np.nan), np.append(known.probability_of_default, 0.01), np.append(known.amount, 10_000)
	)

	assert size(more) == size(known)


@pytest.mark.parametrize(
	("margins", "floor", "said"),
	[
		([], 0.4, "there are no loans"),
		([np.nan], 0.4, "there are no loans"),
		(MARGINS, 0.95, "more than all applications"),
	],
)
def test_what_cannot_be_reached_is_refused(margins, floor, said):
	with pytest.raises(InputError, match=said):
		size(make_loans(margins), min_approval_rate=floor)


@pytest.mark.parametrize(
	"targets",
	[
		{},
		{"max_default_rate": 0.15, "min_approval_rate": 0.6},
		{"max_default_rate": 0.18, "min_approval_rate": 0.85, "review_capacity": 0.04},
	],
	ids=str,
)
def test_whoever_decides_by_the_rules_that_were_found_reaches_the_targets(targets):
	rng = np.random.default_rng(5)
	pds = rng.beta(2, 7, 4_000)
	rates = np.clip(6 + 50 * pds + rng.normal(0, 4, 4_000), 5, 30)
	amounts, terms = rng.uniform(1_000, 36_000, 4_000), np.full(4_000, 36.0)
	margins = value_units(rates, terms, ECONOMICS.main_scenario).margin(pds)
	asked = {"review_capacity": 0.1, "min_approval_rate": 0.4, "max_default_rate": 0.25} | targets

	sizes = size(SizingLoans(margins, pds, amounts), **asked)
	decider = make_test_decider(
		min_margin=sizes.min_margin, default_price=sizes.default_price, review_margin=sizes.review_margin
	)
	decided = decider.decide_columns(pds, amounts, rates, terms)

	referred = decided.count(Decision.REFER)
	passed = decided.count(Decision.APPROVE) + referred
	assert (referred / 4_000, passed / 4_000) == (sizes.referred, sizes.passed)
	assert pds[decided.approves].mean() == pytest.approx(sizes.default_rate)
	assert sizes.default_rate <= asked["max_default_rate"]
	assert sizes.passed >= asked["min_approval_rate"]
	assert sizes.referred <= asked["review_capacity"]


@pytest.mark.parametrize(("cap", "floor"), [(0.25, 0.0), (0.2, 0.6)])
def test_no_other_rule_that_reaches_the_targets_is_expected_to_earn_more(cap, floor):
	"""Of all sets of loans the best, by a linear programme; it may take parts of two loans."""
	rng = np.random.default_rng(11)
	pds = rng.beta(2, 6, 400)
	margins = 0.25 * pds - 0.05 + rng.normal(0, 0.03, 400)
	best = linprog(-margins, A_ub=np.stack([pds - cap, np.full(400, -1.0)]), b_ub=[0, -floor * 400], bounds=(0, 1))

	sizes = size(make_loans(margins, pds), 1.0, max_default_rate=cap, min_approval_rate=floor, review_capacity=0)

	approved = margins > sizes.min_margin + sizes.default_price * pds
	assert pds[approved].mean() <= cap
	assert approved.mean() >= floor
	assert margins[approved].sum() == pytest.approx(-best.fun, abs=0.15)
	assert margins[margins > 0].sum() > margins[approved].sum() + 0.1 or cap == 0.25
