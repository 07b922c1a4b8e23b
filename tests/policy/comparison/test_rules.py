from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.policy.comparison.portfolio import Lesson
from loantap.policy.comparison.rules import (
	POLICIES,
	approve_by_bands,
	approve_by_grade_and_term,
	approve_under_cap,
	decide_loans,
	find_cutoff,
	make_rules,
	name_cap,
	price_cap,
)
from tests.policy.comparison.loans import make_options, make_values

NOBODY = make_values([])
RULES = make_rules(make_options())
NEW = make_values([0.1, 0.5, 0.9], [0.3, 0.0, -1.0], [0.2, -5.0, 0.0], declined=[False, False, True])


# In rising order of PD the loans earn 5, -1, 4, -9: together 5, 4, 8, -1.
def test_a_cutoff_approves_up_to_where_most_was_earned():
	past = make_values([0.4, 0.1, 0.3, 0.2], realised=[-9, 5, 4, -1])

	assert find_cutoff(past) == 0.4
	new = make_values([0.39, 0.4, 0.41])
	assert RULES["pd_cutoff"](past, new).tolist() == [True, False, False]


@pytest.mark.parametrize(
	("pds", "realised", "cutoff"),
	[
		([0.1, 0.2], [-1, 2], np.inf),  # every loan adds
		# The two of one PD earn 1 together: both are in, whichever of them comes first.
		([0.1, 0.2, 0.2, 0.3], [1, 9, -8, -1], 0.3),
		([0.1, 0.2, 0.2, 0.3], [1, -8, 9, -1], 0.3),
	],
)
def test_a_cutoff_takes_all_that_adds_and_never_half_of_one_pd(pds, realised, cutoff):
	assert find_cutoff(make_values(pds, realised=realised)) == cutoff


def test_where_the_safest_lose_nobody_is_approved():
	past = make_values([0.1, 0.2], realised=[-2, 1])

	assert not RULES["pd_cutoff"](past, past).any()


def test_the_share_with_the_highest_pds_is_referred():
	past = make_values([number / 10 for number in range(11)])
	new = make_values([0.79, 0.8, 0.81])

	assert approve_by_bands(past, new, 0.2).tolist() == [True, False, False]


@pytest.mark.parametrize(
	("realised", "cells", "new", "approved"),
	[
		# Cell 0 earned 1 in all, cell 1 lost 1; cell 2 nobody knows: it is decided as all loans.
		([3, -2, 1, -2], [0, 0, 1, 1], [0, 1, 2], [True, False, True]),
		([1, -2], [0, 1], [5], [False]),
		([2, -2], [0, 0], [0, 0], [False, False]),
		# One loan is enough to know a cell, although all together lost.
		([3, -5], [0, 1], [0], [True]),
	],
)
def test_a_cell_is_approved_where_it_earned(realised, cells, new, approved):
	past = make_values([0.1] * len(cells), realised=realised, cells=cells)

	assert approve_by_grade_and_term(past, make_values([0.1] * len(new), cells=new)).tolist() == approved


# The cap is .2. What a loan above it uses of it has a price per unit of NPV.
@pytest.mark.parametrize(
	("expected", "pds", "low", "high", "approved"),
	[
		# .3 and .5 use .1 and .3: 4 / .1 = 40 and 6 / .3 = 20. Without the third they are at the cap.
		([5, 4, 6], [0.1, 0.3, 0.5], 20, 40, [True, True, False]),
		# The loan that loses 1 adds .1 and enters at a price of 10: then 20 is earned less 1.
		([-1, 20], [0.1, 0.3], 10, 200, [True, True]),
		# The one that earns nothing makes room for free; of 4 / .05 = 80 and 6 / .1 = 60 the last leaves.
		([0, 4, 6], [0.1, 0.25, 0.3], 60, 80, [True, True, False]),
		# It leaves at a price of .03 / .3 = .1.
		([1, 0.03], [0.1, 0.5], 0.1, np.inf, [True, False]),
		# They leave at 3 / .3, .2 / .01 and 1.5 / .05 = 30. As floats, .3 + .01 + .05 are a little
		# less than .01 + .05 + .3. Of those at the cap the one that earns stays.
		([1, 0.2, 1.5, 3, -1], [0.2, 0.21, 0.25, 0.5, 0.2], 30, np.inf, [True, *[False] * 4]),
	],
)
def test_loans_leave_in_the_order_of_what_they_use_of_the_cap_for_their_npv(expected, pds, low, high, approved):
	found = price_cap(np.array(expected, float), np.array(pds), 0.2)

	assert low < found.price < high
	assert found.approve(make_values(pds, expected)).tolist() == approved


def test_where_npv_alone_keeps_the_cap_it_costs_nothing():
	found = price_cap(np.array([1.0, -1]), np.array([0.2, 0.9]), 0.2)

	assert found.price == 0
	assert found.approve(make_values([0.2, 0.9], [1, -1])).tolist() == [True, False]


def test_a_cap_below_every_pd_approves_nobody():
	found = price_cap(np.array([1.0, 1]), np.array([0.3, 0.4]), 0.2)

	assert not found.is_feasible
	assert found.lowest_pd == 0.3
	assert not found.approve(make_values([0.1, 0.5])).any()


def test_a_cap_at_the_lowest_pd_can_be_kept():
	assert price_cap(np.array([1.0]), np.array([0.2]), 0.2).is_feasible


# The past is that of the first case above: the price lies between 20 and 40. A loan of .3 is approved
# where it is expected to earn more than .1 of that.
def test_new_loans_pay_the_price_that_the_cap_had_in_the_past():
	past = make_values([0.1, 0.3, 0.5], [5, 4, 6])

	approved = approve_under_cap(past, make_values([0.3, 0.3, 0.1], [1.9, 4.1, -1.9]), 0.2)

	assert approved.tolist() == [False, True, True]


# At every price the approved set earns most among all sets that default no more (duality).
@given(
	loans=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 60)), min_size=1, max_size=8), cap=st.integers(5, 50)
)
def test_no_other_choice_of_loans_earns_more_and_uses_no_more_of_the_cap(loans, cap):
	expected = np.array([npv for npv, _ in loans], float)
	pds = np.array([percent / 100 for _, percent in loans])

	approved = price_cap(expected, pds, cap / 100).approve(make_values(pds.tolist(), expected.tolist()))

	used = ((pds - cap / 100) * approved).sum()
	assert used <= 1e-12
	for chosen in product([False, True], repeat=len(loans)):
		if ((pds - cap / 100) * chosen).sum() <= used + 1e-12:
			assert (expected * chosen).sum() <= (expected * approved).sum() + 1e-9


@pytest.mark.parametrize("policy", ["pd_cutoff", "bands", "grade_term_npv", "capped_default_rate"])
def test_without_a_past_everybody_is_approved(policy):
	assert RULES[policy](NOBODY, NEW).all()


def test_each_rule_reads_what_it_is_named_after():
	assert RULES["approve_all"](NOBODY, NEW).all()
	assert RULES["f2_threshold"](NOBODY, NEW).tolist() == [True, True, False]
	assert RULES["npv"](NOBODY, NEW).tolist() == [True, False, False]
	assert RULES["profit_score"](NOBODY, NEW).tolist() == [True, False, False]
	assert RULES["oracle"](NOBODY, NEW).tolist() == [True, False, False]


# The first two loans lost, so that nobody is approved by what they teach; the last one nobody decides on.
def test_each_loan_is_decided_by_what_its_lesson_taught():
	values = make_values([0.1, 0.2, 0.1, 0.2, 0.1], realised=[-1, -2, 3, 4, 5])
	lessons = [Lesson(np.array([0, 1]), np.array([2, 3])), Lesson(np.array([2, 3]), np.array([0, 1]))]

	approved = decide_loans(values, lessons, RULES)

	assert approved["pd_cutoff"].tolist() == [True, True, False, False, False]
	assert approved["approve_all"].tolist() == [True, True, True, True, False]


def test_the_cap_that_is_shown_has_the_plain_name():
	options = make_options(caps=(0.15, 0.17, 0.125))

	assert [name for name in make_rules(options) if name.startswith("capped")] == [
		"capped_default_rate_12.5",
		"capped_default_rate_15",
		"capped_default_rate",
	]
	assert name_cap(0.17, options) == "capped_default_rate"
	assert set(POLICIES) <= set(make_rules(options))
