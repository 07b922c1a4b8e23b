from datetime import date

import pytest

from loantap.reporting.book.page import BookOrigins, render_book
from loantap.reporting.book.words import list_findings
from loantap.surveillance.book.build import measure_book
from tests.surveillance.book.test_book import tell

AS_OF = date(2016, 8, 1)


@pytest.fixture(scope="module")
def book():
	return measure_book(*tell(), AS_OF)


def test_the_page_opens_with_the_balance_and_its_loans(book):
	page = render_book(book, BookOrigins("simulated", "simulated"), AS_OF)
	first = page[page.index('id="first"') : page.index('id="vintages"')]

	assert "<dd>95<small>2 loans" in first
	assert "1 loans, 50.0% of them (9.5% to 90.5%, n = 2)" in first
	assert "Every loan here was made up" in page
	for anchor in ("vintages", "rolls", "arrears", "concentration", "condition"):
		assert f'id="{anchor}"' in page


def test_real_loans_with_made_up_months_are_called_so(book):
	page = render_book(book, BookOrigins("real", "simulated"), AS_OF)

	assert "The loans are real. Their monthly balances and arrears were made up" in page
	assert "Every loan here was made up" not in page
	assert "SIMULATED" not in render_book(book, BookOrigins("real", "real"), AS_OF)


@pytest.mark.parametrize(
	("events", "as_of", "said"),
	[
		("real", AS_OF, "No later month had ended"),
		("real", date(2016, 9, 2), "1 more had ended by the day of the run: the source is behind"),
		("simulated", date(2016, 9, 2), "no later one is missing"),
	],
)
def test_only_a_source_of_real_months_can_be_behind(events, as_of, said):
	assert said in render_book(measure_book(*tell(), as_of), BookOrigins("real", events), as_of)


@pytest.mark.parametrize(("now", "words"), [(0.10, "rose"), (0.01, "fell"), (0.05, "did not change beyond chance")])
def test_a_change_is_told_only_beyond_chance(book, now, words):
	def told(share):
		return {"share": share, "low": share - 0.01, "high": share + 0.01, "n": 900, "loans": 1}

	before = {"arrears_30": told(0.05), "current_to_late": told(0.05)}
	headline = {"now": {"arrears_30": told(now), "current_to_late": told(0.05)}, "year_ago": before}

	assert words in list_findings(book | {"headline": headline})[0]
