import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.policy.findings.segmentations import SEGMENTATIONS, Role, group_professions, segment_loans
from tests.policy.findings.material import draw_loans


def segment(name, values):
	loans = draw_loans(len(values), 1)
	return segment_loans(loans.assign(**{name: values}))[name]


@pytest.mark.parametrize(
	("dti_pct", "expected"),
	[
		(0.0, "0 to 5%"),
		(4.99, "0 to 5%"),
		(5.0, "5 to 10%"),  # the lower edge belongs to the band
		(34.99, "30 to 35%"),
		(35.0, "35% and more"),
		(9_999.0, "35% and more"),
		(np.nan, "not stated"),
	],
)
def test_a_number_falls_into_its_band(dti_pct, expected):
	assert list(segment("dti_pct", [dti_pct])) == [expected]


def test_every_loan_is_in_one_segment_of_each_and_is_left_as_it_was():
	loans = draw_loans(300, 1)
	before = loans.copy(deep=True)

	segments = segment_loans(loans)

	assert list(segments) == list(SEGMENTATIONS)
	assert segments.notna().all().all()
	pd.testing.assert_frame_equal(loans, before)


def test_price_and_checks_are_the_lenders_and_geography_is_for_the_audit():
	roles = pd.Series({name: s.role for name, s in SEGMENTATIONS.items()})

	assert set(roles[roles == Role.LENDER].index) == {"grade", "interest_rate_pct", "term_months", "income_verification"}
	assert set(roles[roles == Role.AUDIT].index) == {"pincode", "state"}


def group(title):
	return str(group_professions(pd.Series([title], dtype="str"))[0])


@pytest.mark.parametrize(
	("title", "expected"),
	[
		("Teacher", "teacher"),
		("teacer", "teacher"),  # a letter less
		("teaccher", "teacher"),  # a letter more
		("taecher", "teacher"),  # two letters swapped
		("RN", "nurse"),
		("Barn keeper", "other"),  # holds "rn", is no nurse
		("Sr. Projct Mgr", "project manager"),
		("program manager", "programme manager"),
		("Manager of projects", "manager"),  # the words are not in a row
		("Directory clerk", "office or administration"),
		("Vice-President", "executive"),
		("Resident Physician", "doctor, therapist or pharmacist"),  # no misspelt president
		("???", "other"),
		(None, "not stated"),
	],
)
def test_a_title_is_grouped_by_its_words(title, expected):
	assert group(title) == expected


def test_the_index_is_kept_and_titles_that_repeat_are_told_alike():
	titles = pd.Series(["RN", None, "nurse", "RN"], index=[7, 3, 5, 1], dtype="str")

	grouped = group_professions(titles)

	assert grouped.to_dict() == {7: "nurse", 3: "not stated", 5: "nurse", 1: "nurse"}


@given(st.text(max_size=40))
def test_any_text_has_a_group_whatever_its_case(title):
	letters = "".join(letter for letter in title if letter.isascii())

	assert group(letters) != "not stated"
	assert group(letters.upper()) == group(letters.lower())
