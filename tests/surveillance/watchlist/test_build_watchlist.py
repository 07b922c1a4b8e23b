import numpy as np
import pandas as pd
import pytest
import yaml

from loantap.portfolio.errors import InputError
from loantap.reporting.book.page import BookOrigins
from loantap.surveillance.options import Trigger, WatchlistOptions
from loantap.surveillance.schemas import LOAN_PANEL, SITUATIONS, WATCHLIST
from loantap.surveillance.watchlist.build import build_watchlist
from loantap.surveillance.watchlist.entries import Signals, replay
from loantap.surveillance.watchlist.situations import SAYS_CURRENT
from tests.conftest import PROJECT

SHIPPED = yaml.safe_load((PROJECT / "conf/base/parameters_early_warning.yml").read_text("utf-8"))
OPTIONS = WatchlistOptions.model_validate(SHIPPED["early_warning"]["watchlist"] | {"min_loans": 2})
LAST = pd.Timestamp("2017-02-01")
LGD = 0.7
ORIGINS = BookOrigins("simulated", "simulated")
STEADY = {
	"term_months": 36.0,
	"remaining_months": 20.0,
	"outstanding_balance": 1_000.0,
	"balance_share": 0.6,
	"instalment": 100.0,
	"interest_rate_pct": 12.0,
	"annual_income": 50_000.0,
	"days_past_due": 0.0,
	"max_dpd_3m": 0.0,
	"max_dpd_6m": 0.0,
	"payment_to_emi": 1.0,
	"payment_to_emi_3m": 1.0,
	"dti_pct": 20.0,
	"dti_change_1m": 0.0,
	"dti_change_3m": 0.0,
	"dti_change_6m": 0.0,
	"utilisation_pct": 40.0,
	"utilisation_change_1m": 0.0,
	"utilisation_change_3m": 0.0,
	"utilisation_change_6m": 0.0,
}


def months_of(loan_id, last=LAST, months=8, **figures):
	"""Rows of the panel; a list gives the latest values, oldest first, before them the usual."""
	rows = pd.DataFrame([STEADY] * months)
	for name, values in figures.items():
		given = values if isinstance(values, list) else [values] * months
		rows.loc[months - len(given) :, name] = given
	month = pd.date_range(end=last, periods=months, freq="MS").as_unit("s")
	rows = rows.assign(loan_id=loan_id, month=month, origin="simulated")
	return rows.assign(months_on_book=np.arange(10.0, 10 + months))[list(LOAN_PANEL.columns)]


def list_them(*parts, statuses=None, ended=None, pds=None, options=OPTIONS):
	"""The list of some loans, whose 12-month PD is 10% where nothing else is said."""
	panel = LOAN_PANEL.validate(pd.concat(parts, ignore_index=True).astype({"loan_id": "str"}))
	ids = panel["loan_id"].drop_duplicates().tolist()
	running = pd.DataFrame({"loan_id": pd.Series(ids, dtype="str")})
	running["loan_status"] = [(statuses or {}).get(x, "In Grace Period") for x in ids]
	last = panel.groupby("loan_id")["month"].max()
	outcomes = (
		running[["loan_id"]]
		.assign(last_month=running["loan_id"].map(last), default_month=pd.NaT, paid_month=pd.NaT)
		.astype({"default_month": "datetime64[s]", "paid_month": "datetime64[s]"})
	)
	for loan_id, column, month in ended or ():
		outcomes.loc[outcomes["loan_id"] == loan_id, column] = pd.Timestamp(month)

	def forecast(rows):
		return pd.DataFrame({"pd_12m": [(pds or {}).get(x, 0.1) for x in rows["loan_id"]]})

	found = build_watchlist(panel, running.assign(origin="simulated"), outcomes, forecast, LGD, options)
	WATCHLIST.validate(found.entries)
	SITUATIONS.validate(found.situations)
	return found


def entry_of(found, loan_id):
	return found.entries.set_index("loan_id").loc[loan_id]


def test_who_pays_and_does_not_drift_is_not_listed():
	assert list_them(months_of("a"), months_of("b")).entries.empty


def test_an_entry_says_what_was_seen_what_it_costs_and_who_deals_with_it():
	late = months_of("late", days_past_due=[30.0, 45.0], outstanding_balance=2_000.0)
	found = list_them(months_of("a"), late, pds={"late": 0.4})
	entry = entry_of(found, "late")

	assert entry["reason"] == "45 days past due (SMA-1); the model's 12-month PD is 40%."
	assert entry["triggers"] == "sma_1, pd_raised"
	assert (entry["level"], entry["queue"], entry["sma"]) == ("serious", "restructuring", "SMA-1")
	assert entry["expected_loss"] == pytest.approx(0.4 * LGD * 2_000)
	assert entry["expected_loss_avoidable"] == pytest.approx(0.2 * 0.4 * LGD * 2_000)
	assert entry["trend_dpd"] == "0 0 0 0 0 0 30 45"


def test_the_first_is_the_one_where_help_can_avoid_most():
	"""90 days late, help avoids 5% of the loss; at a rising DTI, 30%."""
	found = list_them(
		months_of("default", days_past_due=[90.0]),
		months_of("drifts", dti_change_3m=[6.0]),
		pds={"default": 0.45, "drifts": 0.1},
	)

	assert found.entries["loan_id"].tolist() == ["drifts", "default"]
	assert found.entries["rank"].tolist() == [1, 2]


@pytest.mark.parametrize(("days", "sma"), [(1, "SMA-0"), (30, "SMA-0"), (31, "SMA-1"), (60, "SMA-1"), (61, "SMA-2")])
def test_arrears_have_the_names_of_the_regulator(days, sma):
	found = list_them(months_of("a", days_past_due=[float(days)]), months_of("b"))

	assert entry_of(found, "a")["sma"] == sma
	assert f"({sma})" in entry_of(found, "a")["reason"]


def test_the_same_month_again_gives_the_same_list_and_a_month_later_nobody_is_new():
	rises = [26.0, 20.0, 16.0]
	loans = [months_of("a", utilisation_change_3m=rises), months_of("b")]
	first = list_them(*loans)
	pd.testing.assert_frame_equal(list_them(*loans).entries, first.entries)

	next_month = LAST + pd.DateOffset(months=1)
	later = [months_of("a", next_month, 9, utilisation_change_3m=[*rises, 2.0]), months_of("b", next_month, 9)]
	found = list_them(*later)
	assert entry_of(found, "a")["first_seen"] == entry_of(first, "a")["first_seen"]
	assert (found.account["new"], found.account["known"]) == (0, 1)
	assert "this was in 2016-12, nothing since" in entry_of(found, "a")["reason"]


def test_a_trend_is_of_twelve_months_of_its_loan_and_leaves_gaps_empty():
	long = months_of("b", months=14, days_past_due=[*range(13), 30.0], dti_pct=[np.nan, 20.5])
	found = list_them(months_of("a"), long.drop(index=11), months_of("c", months=1, days_past_due=[30.0]))

	assert entry_of(found, "b")["trend_dpd"] == "2 3 4 5 6 7 8 9 10 nan 12 30"
	assert entry_of(found, "b")["trend_dti"] == "20 20 20 20 20 20 20 20 20 nan nan 20.5"
	assert entry_of(found, "c")["trend_dpd"] == "30"


def test_who_is_quiet_for_three_months_leaves_and_is_counted():
	found = list_them(months_of("a", dti_change_3m=[8.0, 1.0, 1.0, 1.0]), months_of("b"))

	assert found.entries.empty
	assert found.account["left_this_month"] == 1


def test_a_level_that_rose_is_told_with_its_month():
	found = list_them(months_of("a", days_past_due=[30.0, 60.0, 90.0]), months_of("b"))

	assert entry_of(found, "a")["level"] == "critical"
	assert entry_of(found, "a")["escalated_in"] == LAST
	assert found.account["escalated_this_month"] == 1


def test_loans_that_are_not_judged_are_named_with_the_reason():
	old = LAST - pd.DateOffset(months=1)
	found = list_them(
		months_of("a"),
		months_of("b"),
		months_of("c", old, days_past_due=[30.0]),
		months_of("d", LAST - pd.DateOffset(months=4)),
		months_of("e"),
		months_of("f"),
		ended=[("e", "default_month", "2016-12-01"), ("f", "paid_month", "2017-02-01")],
	)

	assert found.situations.set_index("loan_id")["situation"].to_dict() == {
		"c": "stale",
		"d": "too_stale",
		"e": "in_default",
		"f": "ended",
	}
	assert found.entries["loan_id"].tolist() == ["c"]
	assert "its last figures are of 2017-01" in entry_of(found, "c")["reason"]
	assert found.account["running_loans"] == 6


@pytest.mark.parametrize(("share", "month"), [(0.5, "2017-01"), (0.49, "2017-02")])
def test_the_list_is_of_the_last_month_that_enough_loans_have_reported(share, month):
	old = LAST - pd.DateOffset(months=1)
	options = OPTIONS.model_copy(update={"min_month_share": share})
	found = list_them(months_of("a"), months_of("b", old), months_of("c", old), options=options)

	assert found.account["as_of_month"] == month


def test_a_status_that_its_months_contradict_is_told_and_the_months_count():
	found = list_them(months_of("a", days_past_due=[30.0]), months_of("b"), statuses={"a": "Current"})

	assert found.entries["loan_id"].tolist() == ["a"]
	assert found.account["contradictions"] == {SAYS_CURRENT: 1}


def test_a_figure_that_reached_nobody_fires_nothing_and_is_quiet_for_nobody():
	missing = {"utilisation_change_3m": [np.nan], "utilisation_pct": [np.nan]}
	rising = {"utilisation_change_3m": [26.0, 1.0, 1.0, np.nan], "utilisation_pct": [np.nan]}
	found = list_them(months_of("a", **rising), months_of("b", **missing))

	assert found.account["figures_not_arrived"] == ["utilisation_change_3m", "utilisation_pct"]
	assert found.entries["loan_id"].tolist() == ["a"]


def test_a_figure_that_one_loan_lacks_says_nothing_for_or_against_it():
	found = list_them(months_of("a", dti_change_3m=[8.0, 1.0, 1.0, np.nan]), months_of("b", dti_pct=[61.0]))

	assert found.entries["loan_id"].tolist() == ["b"]
	assert entry_of(found, "b")["reason"] == "DTI is 61%."


def test_running_loans_without_any_month_make_no_list():
	outcomes = pd.DataFrame({"loan_id": ["x"], "last_month": [pd.Timestamp("2017-02-01")]})
	running = pd.DataFrame({"loan_id": ["a"], "loan_status": ["Current"], "origin": ["real"]})

	with pytest.raises(InputError, match="none of the 1 running loans has a month"):
		build_watchlist(months_of("x"), running, outcomes, lambda rows: rows, LGD, OPTIONS)


@pytest.mark.parametrize(("is_low_bad", "leave"), [(False, 6.0), (True, 4.0)])
def test_a_trigger_that_lets_go_of_whom_it_lists_is_refused(is_low_bad, leave):
	given = {"figure": "dti_pct", "level": "watch", "queue": "reminders", "words": "{value}"}

	with pytest.raises(ValueError, match="beyond enter 5"):
		Trigger(**given, enter=5, leave=leave, is_low_bad=is_low_bad)


def follow(*loans, quiet_months=2):
	"""Loans as texts: `.` quiet, `-` between the limits, a digit for a level raised."""
	text = "".join(loans)
	level = np.array([int(c) if c.isdigit() else 0 for c in text], dtype=np.int64)
	signals = Signals(level, level, np.array([c == "." for c in text]))
	return replay(signals, np.repeat(np.arange(len(loans)), [len(x) for x in loans]), quiet_months)


@pytest.mark.parametrize(
	("months", "listed"),
	[(".1..1", "01101"), (".1.-.-.", "0111111"), ("1-----", "111111"), ("..--", "0000"), ("1.1.1..", "1111110")],
)
def test_it_leaves_after_quiet_months_in_a_row_and_not_between_the_limits(months, listed):
	assert "".join(str(int(on)) for on in follow(months).is_listed) == listed


def test_what_a_loan_did_says_nothing_of_the_next():
	course = follow("3", "-.", ".1", "..")

	assert course.is_listed.tolist() == [True, False, False, False, True, False, False]


def test_first_month_last_trigger_and_escalation_of_this_time_on_the_list():
	course = follow("2..1-3-.")

	assert course.first_listed[-1] == 3
	assert course.last_raised[-1] == 5
	assert course.escalated[3:].tolist() == [-1, -1, 5, 5, 5]
	assert course.level.tolist() == [2, 2, 0, 1, 1, 3, 3, 1]


def test_a_later_month_changes_nothing_of_an_earlier_one():
	text = "".join(np.random.default_rng(2).choice([*".-.-1223"], 60))
	whole = follow(text)
	for end in range(1, 60):
		part = follow(text[:end])
		assert (part.is_listed == whole.is_listed[:end]).all()
		assert (part.level == whole.level[:end]).all()
		assert (part.escalated == whole.escalated[:end]).all()
