from collections import Counter

import numpy as np
import pandas as pd
import pytest

from loantap.features.outcomes import (
	LATE_START,
	NO_MONTHS,
	NOT_LATE,
	NOT_PAID,
	NOT_RUNNING,
	OPEN,
	UNSEEN,
	find_outcomes,
	label_loans,
	require_real_months,
)
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target
from loantap.surveillance.schemas import LOAN_OUTCOMES
from tests.surveillance.months import make_loans, make_months

OWED, NOTHING = 500.0, 0.0


def find(status, balances, days, first="2016-02", term=36.0):
	loans = make_loans("a", loan_status=status, term_months=term).assign(
		issue_month=pd.Timestamp("2016-01-01").as_unit("s")
	)
	months = make_months("a", first, outstanding_balance=balances, days_past_due=days)
	is_running = loans["loan_status"].eq("Current")
	outcomes = find_outcomes(months.sample(frac=1, random_state=1), loans[~is_running], loans[is_running])
	return LOAN_OUTCOMES.validate(outcomes).iloc[0]


def tell(outcome):
	names = ("default_month", "paid_month", "prepaid_month", "last_month")
	return [None if pd.isna(outcome[n]) else f"{outcome[n]:%Y-%m}" for n in names]


@pytest.mark.parametrize(
	("status", "balances", "days", "expected"),
	[
		pytest.param("Charged Off", [OWED] * 4, [30.0, 60, 90, 120], ["2016-04", None, None, "2016-05"], id="ninety days"),
		pytest.param("Charged Off", [OWED] * 3, [0.0, 30, 89], ["2016-04", None, None, "2016-04"], id="charged off early"),
		pytest.param(
			"Charged Off",
			[OWED, OWED, NOTHING],
			[30.0, 60, 60],
			["2016-03", None, None, "2016-04"],
			id="written off is no payment",
		),
		pytest.param("Fully Paid", [OWED, NOTHING], [0.0, 0], [None, "2016-03", "2016-03", "2016-03"], id="prepaid"),
		pytest.param(
			"Fully Paid",
			[OWED, NOTHING, OWED, NOTHING],
			[0.0] * 4,
			[None, "2016-05", "2016-05", "2016-05"],
			id="a zero that rises again",
		),
		pytest.param(
			"Fully Paid",
			[OWED, OWED, NOTHING, NOTHING],
			[90.0, 0, 0, 0],
			["2016-02", None, None, "2016-05"],
			id="cured after ninety days",
		),
		pytest.param("Current", [OWED] * 3, [0.0] * 3, [None, None, None, "2016-04"], id="censored"),
	],
)
def test_the_first_event_of_the_months_counts(status, balances, days, expected):
	outcome = find(status, balances, days)
	assert tell(outcome) == expected
	assert pd.isna(outcome["contradiction"])


@pytest.mark.parametrize(("term", "prepaid"), [(2.0, None), (3.0, "2016-03")])
def test_a_loan_is_prepaid_only_before_its_last_instalment_is_due(term, prepaid):
	assert tell(find("Fully Paid", [OWED, NOTHING], [0.0, 0], term=term))[1:3] == ["2016-03", prepaid]


@pytest.mark.parametrize(
	("status", "balances", "contradiction", "expected"),
	[
		("Fully Paid", [OWED, OWED], NOT_PAID, [None, None, None, "2016-03"]),
		("Charged Off", [OWED, OWED], NOT_LATE, ["2016-03", None, None, "2016-03"]),
		("Current", [OWED, NOTHING], NOT_RUNNING, [None, "2016-03", "2016-03", "2016-03"]),
	],
)
def test_a_status_that_the_months_contradict_is_told(caplog, status, balances, contradiction, expected):
	outcome = find(status, balances, [0.0] * 2)
	assert (outcome["contradiction"], tell(outcome)) == (contradiction, expected)
	assert contradiction in caplog.text


def test_a_loan_that_starts_late_is_followed_from_its_first_month():
	late = find("Current", [OWED] * 3, [0.0, 60, 90], first="2017-06")
	assert tell(late) == ["2017-08", None, None, "2017-08"]


CHARGED_OFF, TWELVE, *LONGER = Target
RUNS, PAID, LOST = "Current", "Fully Paid", "Charged Off"
# Age at the snapshot in months, status, first month on book, days past due by month (None: a month
# is missing), how many of the last months owe nothing, and what is expected.
CASES = {
	"90 days in month 12": (13, RUNS, 1, [0] * 11 + [90, 0], 0, 1),
	"90 days in month 13": (13, RUNS, 1, [0] * 11 + [89, 90], 0, 0),
	"closed at the snapshot, a gap": (12, RUNS, 1, [0, 0, None] + [0] * 9, 0, 0),
	"90 days at the snapshot": (12, RUNS, 1, [0] * 11 + [90], 0, 1),
	"one month short": (11, LOST, 1, [0] * 8 + [90] * 3, 0, OPEN),
	"prepaid": (13, PAID, 1, [0] * 3, 1, 0),
	"prepaid after 90 days": (13, PAID, 1, [0, 0, 90, 0], 1, 1),
	"charged off early": (13, LOST, 1, [0, 30, 60], 0, 1),
	"charged off after it": (13, LOST, 1, [0] * 13, 0, 0),
	"with the month of issue": (13, RUNS, 0, [0] * 14, 0, 0),
	"first month missing": (13, RUNS, 2, [90] * 12, 0, LATE_START),
	"no months": (13, RUNS, 1, [], 0, NO_MONTHS),
	"charged off, its months end long before": (13, LOST, 1, [0] * 5, 0, UNSEEN),
	"seen no longer": (12, RUNS, 1, [0] * 11, 0, UNSEEN),
}


def label(cases, target):
	loans, rows = [], []
	for name, (age, status, first, days, paid, *_) in cases.items():
		issued = pd.Period("2016-02", "M") - age
		loans.append((name, status, issued.to_timestamp(), 36.0, 0))
		months = [(name, (issued + first + n).to_timestamp(), late) for n, late in enumerate(days)]
		rows += [(*row, 500.0 * (n < len(days) - paid)) for n, row in enumerate(months) if row[-1] is not None]
	columns = ["loan_id", "loan_status", "issue_month", "term_months", "is_charged_off"]
	book = pd.DataFrame(loans, columns=columns)
	# Some months are there twice.
	months = pd.DataFrame(rows + rows[::3], columns=["loan_id", "month", "days_past_due", "outstanding_balance"])
	runs = book["loan_status"].eq(RUNS)
	found, account = label_loans(book[~runs], book[runs].drop(columns="is_charged_off"), months, target)
	return found.set_index("loan_id")["is_charged_off"].to_dict(), account


def test_a_loan_has_the_target_of_its_window_or_is_left_out_and_counted():
	found, account = label(CASES, TWELVE)
	told = Counter(case[-1] for case in CASES.values())
	assert list(found) == sorted(found)
	assert found == {name: case[-1] for name, case in CASES.items() if case[-1] in (0, 1)}
	assert account["left_out"] == {reason: told[reason] for reason in (OPEN, NO_MONTHS, LATE_START, UNSEEN)}
	assert (account["defaulted"], account["n"]) == (told[1], told[0] + told[1])
	assert f"dpd_90_within_12 (90 days past due or charged off by month 12): {told[1]} of n = " in account["words"]
	with pytest.raises(InputError, match=f"target=dpd_90_within_24.*{len(CASES)} {OPEN}"):
		label(CASES, LONGER[-1])


def judge(age, status, first, days, paid, window):
	"""The target of one loan, without a query."""
	if window > age:
		return OPEN
	if not days:
		return NO_MONTHS
	if first > 1:
		return LATE_START
	last, owed = first + len(days) - 1, first + len(days) - paid - 1
	default = min([first + n for n, late in enumerate(days) if late >= 90], default=owed if status == LOST else None)
	last_days = days[-paid - 1] if paid < len(days) else 0
	if status == LOST and max(days) < 90 and last_days == 0 and last < window:
		return UNSEEN
	if status != LOST and paid and (default is None or owed + 1 < default):
		return 0
	if default is not None:
		return int(default <= window)
	return 0 if last >= window else UNSEEN


@pytest.mark.parametrize("target", [TWELVE, *LONGER])
def test_it_is_what_loan_by_loan_would_give(target):
	rng, cases = np.random.default_rng(4), {"000": (30, RUNS, 1, [0] * 30, 0)}
	for number in range(1, 400):
		age, first = int(rng.integers(8, 30)), int(rng.integers(3))
		seen = int(rng.integers(age - first + 1)) if rng.random() < 0.5 else age - first + 1
		days = rng.choice([0, 30, 89, 90], seen, p=[0.9, 0.05, 0.02, 0.03]).tolist()
		status = str(rng.choice([RUNS, PAID, LOST]))
		cases[f"{number:03}"] = (age, status, first, days, int(rng.integers(seen // 2 + 1)))
	expected = {name: judge(*case, target.window_months) for name, case in cases.items()}
	assert set(expected.values()) == {0, 1, OPEN, NO_MONTHS, LATE_START, UNSEEN}
	assert label(cases, target)[0] == {name: value for name, value in expected.items() if value in (0, 1)}


def test_months_made_of_real_outcomes_give_no_target():
	account = pd.DataFrame({"table": ["loans", "loan_events"], "origin": ["real", "simulated"]})
	require_real_months(TWELVE, account.assign(origin="real"))
	require_real_months(TWELVE, account.assign(origin="simulated"))
	require_real_months(CHARGED_OFF, account)
	with pytest.raises(InputError, match="simulated from its outcomes: the target would be made up"):
		require_real_months(TWELVE, account)
