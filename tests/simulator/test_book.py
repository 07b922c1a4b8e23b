from datetime import date

import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.dictionary import RESOLVED
from loantap.portfolio.errors import InputError
from loantap.simulator import iter_book, simulate_portfolio, snapshot_month, true_courses
from loantap.simulator.book import running_per_resolved
from loantap.simulator.events import iter_months
from tests.simulator.test_events import one_loan

LOANS, SEED = 12_000, 7
PERIODS = {"now": np.datetime64("2017-03", "M"), "before": np.datetime64("2015-06", "M")}


@pytest.fixture(scope="module")
def books():
	joined = {}
	for name, month in PERIODS.items():
		batches = list(iter_book(LOANS, SEED, month))
		joined[name] = [
			pd.concat([getattr(b, part) for b in batches], ignore_index=True) for part in ("portfolio", "truth")
		]
	return joined


@pytest.fixture(scope="module")
def now(books):
	portfolio, truth = books["now"]
	return portfolio.merge(truth, on="loan_id", validate="1:1")


def is_running(portfolio):
	return ~portfolio["loan_status"].isin(RESOLVED)


def test_the_resolved_loans_are_those_of_a_portfolio_without_running_ones(books):
	portfolio, truth = books["now"]
	alone = simulate_portfolio(LOANS, SEED)

	pd.testing.assert_frame_equal(portfolio.head(LOANS).drop(columns="loan_id"), alone.portfolio)
	pd.testing.assert_frame_equal(truth.head(LOANS)[alone.truth.columns.to_list()], alone.truth)
	assert is_running(portfolio).sum() == len(portfolio) - LOANS


def test_running_loans_are_those_that_end_after_the_snapshot(now):
	issued = now["issue_month"].to_numpy().astype("datetime64[M]")
	end = issued + now["end_months_on_book"].to_numpy().astype(int)

	assert (is_running(now) == (end > PERIODS["now"])).all()


def test_one_resolved_loan_stands_for_as_many_running_ones_as_its_law_says():
	# Charged off within 24 months: first missed by month 21 (0.4 of them) or 20 (0.6). The beta law
	# of shape 2 and 3 is 6x^2 - 8x^3 + 3x^4: 0.8011 at 21/36, 0.7659 at 20/36, hence 0.7800.
	paid, lost = running_per_resolved(np.array([36]), np.array([24]))

	assert lost[0] == pytest.approx(0.22 / 0.78, abs=0.001)
	assert paid[0] == pytest.approx((1 - 0.8 * 0.78) / (0.8 * 0.78), abs=0.001)


@pytest.mark.parametrize("term", [36.0, 60.0])
def test_running_loans_are_as_many_as_issue_months_and_terms_give(now, term):
	rows = now[now["term_months"].eq(term) & now["issue_month"].dt.year.isin([2014, 2015])]
	resolved = rows[~is_running(rows)]
	issued = resolved["issue_month"].to_numpy().astype("datetime64[M]")
	seen = (PERIODS["now"] - issued).astype(int)
	paid, lost = running_per_resolved(np.full(len(seen), int(term)), seen)
	expected = np.where(resolved["loan_status"] == "Charged Off", lost, paid)

	# Each resolved loan is drawn, and what it stands for is drawn too.
	error = np.sqrt(expected.sum() + (expected**2).sum())
	assert is_running(rows).sum() == pytest.approx(expected.sum(), abs=4 * error)


def test_the_true_pd_of_running_loans_is_that_of_their_ends(now):
	rows = now[is_running(now)]
	risk = rows["true_pd"]
	error = np.sqrt((risk * (1 - risk)).sum())

	assert rows["end"].eq("charged_off").sum() == pytest.approx(risk.sum(), abs=4 * error)


def test_default_does_not_hang_on_the_vintage(now):
	"""Else a model of all months would be wrong for the young loans."""
	lost = now["end"].eq("charged_off").groupby(now["issue_month"].dt.year)
	rates = lost.mean().loc[2012:2016]

	assert rates.max() - rates.min() < 0.05


def test_an_earlier_snapshot_is_a_cut_through_the_same_world(books):
	(later, truth), (earlier, cut) = books["now"], books["before"]
	shared = later.set_index("loan_id").loc[earlier["loan_id"]].reset_index()

	stable = later.columns.difference(["loan_status", "address"])
	pd.testing.assert_frame_equal(shared[stable], earlier[stable])
	gone = later.loc[~later["loan_id"].isin(earlier["loan_id"]), "issue_month"]
	assert gone.min() == pd.Timestamp("2015-06-01")
	pd.testing.assert_frame_equal(truth.set_index("loan_id").loc[cut["loan_id"]].reset_index(), cut)
	assert 0.6 < is_running(earlier).mean() < 0.7


def test_four_fifths_of_a_young_book_run():
	book = pd.concat(b.portfolio for b in iter_book(30_000, 3, np.datetime64("2010-06", "M")))

	assert len(book) > 400
	assert is_running(book).mean() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("name", PERIODS)
def test_each_status_is_that_of_the_last_month(books, name):
	portfolio, truth = books[name]
	months = pd.concat(iter_months([(portfolio, truth)], SEED, PERIODS[name]))
	last = months.groupby("loan_id", sort=False)["days_past_due"].last()
	days = last.loc[portfolio["loan_id"]].to_numpy()
	status = portfolio["loan_status"].to_numpy()

	assert months["month"].max() == pd.Timestamp(PERIODS[name])
	for word, allowed in {
		"Fully Paid": {0},
		"Current": {0},
		"Late (16-30 days)": {30},
		"Late (31-120 days)": {60, 90, 120},
	}.items():
		assert set(days[status == word]) == allowed


def test_the_pincode_of_a_running_loan_does_not_tell_its_end(books):
	for portfolio, _ in books.values():
		codes = portfolio.loc[is_running(portfolio), "address"].str[-5:]
		assert set(codes) == {"22690", "30723", "48052", "70466"}


def test_batches_join_to_the_whole(books):
	small = list(iter_book(LOANS, SEED, PERIODS["before"], batch_loans=5_000))

	for part, whole in zip(("portfolio", "truth"), books["before"], strict=True):
		joined = pd.concat([getattr(b, part) for b in small], ignore_index=True)
		pd.testing.assert_frame_equal(joined, whole)


def test_no_snapshot_lies_beyond_what_is_simulated_or_before_any_loan():
	assert snapshot_month(date(2026, 1, 1)) == PERIODS["now"]
	assert snapshot_month(date(2015, 6, 30)) == PERIODS["before"]
	with pytest.raises(InputError, match="2007-05"):
		snapshot_month(date(2007, 5, 1))


@pytest.fixture(scope="module")
def courses(loans):
	return true_courses(loans, seed=5, drift_strength=0.5).set_index("loan_id")


def test_each_loan_ends_in_its_last_month_and_as_its_status_says(events, loans, courses):
	months = events.groupby("loan_id", sort=False).size()
	terms = loans.set_index("loan_id").loc[courses.index]

	assert (courses["end_months_on_book"] == months[courses.index]).all()
	assert (courses["end"].eq("charged_off") == terms["loan_status"].eq("Charged Off")).all()
	paid = courses[courses["end"] != "charged_off"]
	is_early = paid["end_months_on_book"] < terms["term_months"].loc[paid.index]
	assert (paid["end"].eq("prepaid") == is_early).all()
	assert set(courses["end"]) == {"prepaid", "matured", "charged_off"}


def test_a_loan_is_thirty_days_late_in_its_first_missed_month_and_later_from_then_on(events, loans, courses):
	rows = events.assign(book=events.groupby("loan_id").cumcount() + 1)
	missed = courses["first_missed_month"].loc[rows["loan_id"]].to_numpy()
	unpaid = rows[rows["book"] >= missed]

	assert (unpaid["days_past_due"] == 30 * (unpaid["book"] - missed[unpaid.index] + 1)).all()
	assert courses["first_missed_month"].notna().equals(courses["end"] == "charged_off")


def test_nobody_knows_how_a_running_loan_of_a_file_ends():
	loan = one_loan(issue_month=pd.Timestamp("2015-09-01"), loan_status="Late (31-120 days)")
	course = true_courses(loan, seed=5).iloc[0]

	assert course["first_missed_month"] in {15, 16, 17}
	assert course[["end_months_on_book", "end"]].isna().all()
