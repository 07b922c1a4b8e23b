from functools import partial

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.errors import InputError
from loantap.simulator.events import simulate_events
from loantap.surveillance.options import PanelOptions
from loantap.surveillance.panel.build import build_panel, build_panel_in_groups
from loantap.surveillance.schemas import LOAN_PANEL
from tests.surveillance.months import make_loans, make_months

OPTIONS = PanelOptions(unknown_dti_pct=9_999, default_days=90)
build = partial(build_panel, options=OPTIONS)


def panel_of(*months, **changed):
	rows = pd.concat(months)
	return build(rows, make_loans(*rows["loan_id"].unique(), **changed))


def test_levels_and_trends_of_a_month_by_hand():
	months = make_months(
		"a",
		outstanding_balance=[2_900.0, 2_800, 2_800, 2_800, 2_600, 2_500, 2_400.0],
		days_past_due=[0.0, 0, 30, 60, 30, 0, 0],
		payment=[100.0, 100, 0, 0, 250, 40, 100],
		current_dti_pct=[20.0, 21, 23, 26, 30, 35, 41],
		current_utilisation_pct=[50.0, 40, np.nan, 60, 55, 70, 90],
	)

	last = panel_of(months).iloc[-1]
	expected = {
		"months_on_book": 7,
		"term_months": 36,
		"remaining_months": 29,
		"outstanding_balance": 2_400,
		"balance_share": 0.8,
		"instalment": 100,
		"interest_rate_pct": 12,
		"annual_income": 50_000,
		"days_past_due": 0,
		"max_dpd_3m": 30,
		"max_dpd_6m": 60,
		"payment_to_emi": 1,
		"payment_to_emi_3m": 1.3,
		"dti_pct": 41,
		"dti_change_1m": 6,
		"dti_change_3m": 15,
		"dti_change_6m": 21,
		"utilisation_pct": 90,
		"utilisation_change_1m": 20,
		"utilisation_change_3m": 30,
		"utilisation_change_6m": 40,
	}
	assert last[list(expected)].to_dict() == pytest.approx(expected)
	assert (last["loan_id"], last["month"], last["origin"]) == ("a", pd.Timestamp("2016-07"), "real")


def test_a_change_is_missing_where_the_month_it_looks_back_to_is():
	panel = panel_of(make_months("a", count=8, missing=[4], current_dti_pct=[*map(float, range(8))]))

	assert panel["month"].dt.month.tolist() == [1, 2, 3, 5, 6, 7, 8]
	changes = panel.set_index(panel["month"].dt.month)
	assert changes["dti_change_1m"].dropna().to_dict() == {2: 1, 3: 1, 6: 1, 7: 1, 8: 1}
	assert changes["dti_change_3m"].dropna().to_dict() == {5: 3, 6: 3, 8: 3}
	assert changes["dti_change_6m"].dropna().to_dict() == {7: 6, 8: 6}


def test_the_worst_of_3_months_does_not_reach_over_a_gap_into_a_4th():
	months = make_months("a", days_past_due=[30.0, 0, 0, 0, 0], missing=[2, 3], count=5)

	assert panel_of(months)["max_dpd_3m"].tolist() == [30, 0, 0]
	assert panel_of(months)["max_dpd_6m"].tolist() == [30, 30, 30]


@pytest.mark.parametrize("unknown", [9_999, np.nan])
def test_a_dti_that_is_not_there_is_missing_and_so_are_its_changes(unknown):
	panel = panel_of(make_months("a", current_dti_pct=[20.0, unknown, 22, 23]))

	assert panel["dti_pct"].isna().tolist() == [False, True, False, False]
	assert panel["dti_change_1m"].isna().tolist() == [True, True, True, False]


def test_a_loan_leaves_after_its_first_month_in_default_whatever_its_months_say_later():
	panel = panel_of(make_months("a", days_past_due=[0.0, 60, 90, 120, 0]))

	assert panel["months_on_book"].tolist() == [1, 2, 3]


def test_a_month_in_which_nothing_is_owed_is_left_out():
	"""One by mistake is followed by others."""
	panel = panel_of(make_months("a", outstanding_balance=[500.0, 0, 400, 0]))

	assert panel["months_on_book"].tolist() == [1, 3]


def test_a_month_on_the_edge_of_default_is_alive_and_followed_by_more():
	assert len(panel_of(make_months("a", days_past_due=[89.0, 89, 0]))) == 3


@pytest.mark.parametrize(
	("of_loan", "of_months", "expected"),
	[("real", "real", "real"), ("real", "simulated", "simulated_from_outcome"), ("simulated", "simulated", "simulated")],
)
def test_months_made_from_the_outcome_of_a_real_loan_say_so(of_loan, of_months, expected):
	panel = panel_of(make_months("a", origin=of_months), origin=of_loan)

	assert panel["origin"].tolist() == [expected]


def test_a_month_that_is_there_twice_stops_the_run_by_name():
	months = make_months("a", count=2)

	with pytest.raises(InputError, match="loan a has 2016-02 twice"):
		panel_of(months, months.tail(1))


@pytest.fixture(scope="module")
def simulated(simulated_loans):
	"""Simulated loans and their months; months of a tenth are lost."""
	loans = simulated_loans.head(400).assign(
		loan_id=[f"loan {n:04d}" for n in range(400)], funded_principal=simulated_loans["loan_amount"], origin="simulated"
	)
	events = simulate_events(loans, seed=3).assign(origin="simulated")
	kept = np.random.default_rng(0).random(len(events)) > 0.1
	return build_loan_months(events[kept].reset_index(drop=True), loans).rows, loans


def test_nothing_of_a_month_uses_anything_after_it(simulated):
	months, loans = simulated
	panel = build(months, loans)

	LOAN_PANEL.validate(panel)
	for cut in panel["month"].drop_duplicates().sample(25, random_state=1):
		known_then = build(months[months["month"] <= cut], loans)
		until_then = panel[panel["month"] <= cut].reset_index(drop=True)
		assert_frame_equal(known_then, until_then, check_exact=True)


def test_some_loans_after_others_make_the_same_panel(simulated):
	months, loans = simulated
	shuffled = loans.sample(frac=1, random_state=0)

	groups = list(build_panel_in_groups(months, shuffled, OPTIONS, rows=1_000))
	assert len(groups) > 5
	assert_frame_equal(pd.concat(groups, ignore_index=True), build(months, loans))
