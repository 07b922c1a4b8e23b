from datetime import date

import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from loantap.surveillance.book.build import compare_vintages, count_moves, measure_book
from loantap.surveillance.book.ledger import open_ledger
from loantap.surveillance.book.vintages import cumulate_incidence, draw_vintages

CAUSES = ("default", "prepaid")


def count(ends, causes, months):
	return pd.DataFrame(
		{
			"at_risk": [(ends >= month).sum() for month in months],
			**{c: [((ends == m) & (causes == c)).sum() for m in months] for c in CAUSES},
		}
	)


def test_five_loans_by_hand():
	"""Default in month 1, prepaid in 2, censored in 2, default in 3, censored in 3.

	Month 1: 1/5. Month 2: S = 4/5, prepaid 4/5 x 1/4 = 1/5. Month 3: S = 4/5 x 3/4 = 3/5, two at
	risk: default 1/5 + 3/5 x 1/2 = 1/2. One minus Kaplan-Meier of default would be 3/5.
	"""
	counts = pd.DataFrame({"at_risk": [5, 4, 2], "default": [1, 0, 1], "prepaid": [0, 1, 0]})
	found = cumulate_incidence(counts, CAUSES)

	assert found["default_share"].tolist() == pytest.approx([1 / 5, 1 / 5, 1 / 2])
	assert found["prepaid_share"].tolist() == pytest.approx([0, 1 / 5, 1 / 5])


def test_without_censoring_the_share_is_the_plain_one_and_its_variance_binomial():
	counts = pd.DataFrame({"at_risk": [200, 190, 150], "default": [4, 10, 6], "prepaid": [6, 30, 4]})
	found = cumulate_incidence(counts, CAUSES)
	share = np.array([4, 14, 20]) / 200

	assert found["default_share"].to_numpy() == pytest.approx(share)
	error = np.sqrt(share * (1 - share) / 200)
	half = 1.959964 * error / (share * -np.log(share))
	assert found["default_low"].to_numpy() == pytest.approx(share ** np.exp(half))
	assert found["default_high"].to_numpy() == pytest.approx(share ** np.exp(-half))


def test_bounds_hold_the_truth_as_often_as_they_say():
	"""Censored loans drawn 400 times: 95% of the intervals hold the share that is true."""
	rng = np.random.default_rng(4)
	months = np.arange(1, 13)
	# Each month 2% default and 4% prepay of those left.
	left = 0.94 ** np.arange(12)
	truth = 0.02 * left.sum()
	held = []
	for _ in range(400):
		event = rng.geometric(0.06, 300)
		cause = np.where(rng.random(300) < 1 / 3, "default", "prepaid")
		gone = rng.integers(1, 24, 300)
		ends = np.minimum(event, gone)
		found = cumulate_incidence(count(ends, np.where(event <= gone, cause, ""), months), CAUSES)
		last = found.iloc[-1]
		held.append(last["default_low"] <= truth <= last["default_high"])

	assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_brute_force_gives_the_same_with_censoring():
	"""Efron's redistribution: who is seen no longer hands an equal share to those seen longer."""
	rng = np.random.default_rng(8)
	ends = rng.integers(1, 9, 60)
	causes = rng.choice(["default", "prepaid", ""], 60)
	found = cumulate_incidence(count(ends, causes, np.arange(1, 9)), CAUSES)

	weight = np.full(60, 1 / 60)
	for month in range(1, 9):
		gone = (ends == month) & (causes == "")
		later = ends > month
		if later.any():
			weight = weight + later * weight[gone].sum() * weight / max(weight[later].sum(), 1e-300)
			weight[gone] = 0
		expected = weight[(ends <= month) & (causes == "default")].sum()
		assert found["default_share"][month - 1] == pytest.approx(expected)


def test_an_event_that_never_came_has_an_upper_bound_still():
	found = cumulate_incidence(pd.DataFrame({"at_risk": [30], "default": [0], "prepaid": [0]}), CAUSES)

	assert found["default_low"][0] == 0
	assert found["default_high"][0] == pytest.approx(0.1157, abs=1e-4)  # Clopper-Pearson, 0 of 30


AS_OF = date(2016, 8, 1)
# Months of loans issued in 2015-12, from 2016-01 on: (balance, days past due).
MONTHS = {
	"lost": [(90, 0), (90, 30), (90, 60), (90, 90), (90, 120)],
	"prepaid": [(80, 0), (70, 30), (0, 0)],
	"current": [(80, 0), (70, 0), (60, 0), (50, 0), (40, 0), (30, 0), (20, 0)],
	"late": [(80, 0), (80, 15), (80, 45), (80, 75), (80, 0), (75, 0), (75, 61)],
}
STATUS = {"lost": "Charged Off", "prepaid": "Fully Paid"}


def tell(months=MONTHS, drop=()):
	rows = [
		(loan, pd.Timestamp(2016, 1 + at, 1), float(balance), float(days))
		for loan, of_loan in months.items()
		for at, (balance, days) in enumerate(of_loan)
		if (loan, at) not in drop
	]
	events = pd.DataFrame(rows, columns=["loan_id", "month", "outstanding_balance", "days_past_due"])
	loans = pd.DataFrame(
		{
			"loan_id": list(MONTHS),
			"issue_month": pd.Timestamp("2015-12-01"),
			"loan_status": [STATUS.get(loan, "Current") for loan in MONTHS],
			"term_months": 36.0,
			"grade": list("ABBC"),
			"purpose": "car",
			"state": None,
		}
	)
	is_resolved = loans["loan_id"].isin(STATUS)
	events = events.sample(frac=1, random_state=1)
	return events.astype({"month": "datetime64[s]"}), loans[is_resolved], loans[~is_resolved]


def measure(**changes):
	return measure_book(*tell(**changes), AS_OF)


def moves_of(book):
	return {(r["from_state"], r["to_state"]): r["loans"] for r in book["moves"] if r["loans"]}


def test_moves_are_counted_from_each_end_of_a_month_to_the_next():
	assert moves_of(measure()) == {
		# lost: current to 30, 60, 90; its last month is that of the charge-off.
		("current", "30-59"): 2,
		("30-59", "60-89"): 2,
		("60-89", "90+"): 1,
		("90+", "charged off"): 1,
		("30-59", "paid"): 1,
		("current", "current"): 7,
		("current", "1-29"): 1,
		("1-29", "30-59"): 1,
		("60-89", "current"): 1,
		("current", "60-89"): 1,
	}


def test_shares_of_a_state_sum_to_one():
	moves = pd.DataFrame(measure()["moves"])

	assert moves.groupby("from_state")["share"].sum().to_list() == pytest.approx([1.0] * 5)
	assert (moves["low"] <= moves["share"]).all()
	assert (moves["share"] <= moves["high"]).all()


def test_the_headline_is_of_the_last_month():
	now = measure()["headline"]["now"]

	assert (now["month"], now["loans"], now["balance"]) == ("2016-07", 2, 95.0)
	assert now["arrears_30"]["loans"] == 1
	assert now["arrears_30"]["balance_share"] == pytest.approx(75 / 95)
	assert now["arrears_90"]["loans"] == 0
	assert now["charged_off_year"]["balance"] == 90.0
	# Seven months do not make a yearly rate.
	assert now["charged_off_year"]["rate"] is None
	# Of May to July: 3 of the current loans' 5 moves began current; one became late.
	assert (now["current_to_late"]["loans"], now["current_to_late"]["n"]) == (1, 5)


def test_a_default_is_the_first_month_ninety_days_late_and_competes_with_payment():
	with open_ledger(*tell()) as connection:
		curve = draw_vintages(connection, 1).set_index("months_on_book")

	# Month 3: one of four prepays. Month 4: S = 3/4, one of three defaults.
	assert curve.loc[3, "prepaid_share"] == pytest.approx(1 / 4)
	assert curve.loc[4, "default_share"] == pytest.approx(1 / 4)
	assert curve.loc[[1, 4], "at_risk"].to_list() == [4, 3]
	assert curve["loans"].unique().tolist() == [4]


def test_a_curve_ends_where_few_loans_are_left():
	with open_ledger(*tell()) as connection:
		assert draw_vintages(connection, 4)["months_on_book"].max() == 3
		assert draw_vintages(connection, 3)["months_on_book"].max() == 4


def test_vintages_are_compared_at_twelve_months_on_book_where_their_curve_comes_so_far():
	ages = {2013: 11, 2014: 12, 2015: 30}
	vintages = pd.DataFrame(
		[
			{
				"vintage": v,
				"term_months": 36,
				"months_on_book": age,
				"loans": v,
				"at_risk": 90 - age,
				**dict.fromkeys(("default_share", "default_low", "default_high"), age / 100),
			}
			for v, last in ages.items()
			for age in range(1, last + 1)
		]
	)

	compared = compare_vintages(vintages)

	assert compared[["vintage", "loans", "at_risk", "default_share"]].to_numpy().tolist() == [
		[2014, 2014, 78, 0.12],
		[2015, 2015, 78, 0.12],
	]


def test_concentration_is_of_what_is_owed():
	rows = pd.DataFrame(measure()["concentration"]).set_index(["dimension", "segment"])

	assert rows.loc[("grade", "C"), "balance_share"] == pytest.approx(75 / 95, rel=1e-5)
	expected = (75 / 95) ** 2 + (20 / 95) ** 2
	assert rows.loc[("grade", "B"), "herfindahl"] == pytest.approx(expected, rel=1e-5)
	assert rows.loc[("state", "not stated"), "loans"] == 2
	assert rows.loc[("term", "36 months"), "loans_30"] == 1


def test_no_move_leads_over_a_missing_month():
	book = measure(drop=[("current", 3)])

	assert book["condition"]["gaps"] == 1
	assert moves_of(book)["current", "current"] == moves_of(measure())["current", "current"] - 2


def test_a_loan_that_starts_late_is_at_risk_from_then_on():
	with open_ledger(*tell(drop=[("late", 0), ("late", 1)])) as connection:
		curve = draw_vintages(connection, 1).set_index("months_on_book")

	assert curve.loc[[1, 3], "at_risk"].to_list() == [3, 4]
	assert measure(drop=[("late", 0), ("late", 1)])["condition"]["late_starts"] == 1


def test_months_after_the_end_change_nothing_but_their_count():
	after = {**MONTHS, "lost": [*MONTHS["lost"], (0, 0), (0, 0)], "prepaid": [*MONTHS["prepaid"], (0, 0)]}
	plain, told = measure(), measure(months=after)

	assert told["condition"] == plain["condition"] | {"months_after_end": 2}
	for part in ("headline", "moves", "vintages", "arrears", "concentration"):
		assert told[part] == plain[part]


def test_a_status_that_contradicts_the_months_is_counted():
	months = {**MONTHS, "prepaid": [(80, 0), (70, 30), (60, 0)], "current": [*MONTHS["current"][:-1], (0, 0)]}
	condition = measure(months=months)["condition"]

	assert (condition["paid_without_zero"], condition["running_at_zero"]) == (1, 1)


def test_a_source_that_is_behind_is_told():
	book = measure(drop=[("late", 6)])

	assert book["condition"]["behind"] == 1
	assert book["headline"]["now"]["loans"] == 1
	assert book["months_behind"] == 0
	assert measure_book(*tell(), date(2016, 9, 2))["months_behind"] == 1


def test_a_month_that_is_there_twice_stops_it():
	events, loans, running = tell()

	with pytest.raises(InputError, match="has 2016-0"):
		measure_book(pd.concat([events, events.head(1)]), loans, running, AS_OF)


def test_the_order_of_months_does_not_matter():
	events, loans, running = tell()
	with open_ledger(events.sort_values("month"), loans, running) as connection:
		first = count_moves(connection)
	with open_ledger(events, loans.iloc[::-1], running) as connection:
		pd.testing.assert_frame_equal(count_moves(connection), first)
