import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import brentq

from loantap.policy.money.cash_flows import Scenario, value_unit
from loantap.policy.offers.prices import list_prices
from loantap.policy.options import require_an_amount
from loantap.portfolio.errors import InputError
from tests.policy.shipped import MID, bands, make_policy, options

WIDE = options(rate_bands=bands((0, 1, 0.01, 100)), margin=0.01)
AT_36, AT_60 = 0, 1


def price(prices, pd_):
	found = prices.price(np.array([pd_]))
	return {name: getattr(found, name)[0] for name in found.__slots__}


@pytest.mark.parametrize(("place", "term"), [(AT_36, 36), (AT_60, 60)])
@given(pd_=st.floats(0, 0.7))
def test_the_rate_is_that_at_which_the_margin_is_earned(place, term, pd_):
	found = price(list_prices(WIDE, MID)[place], pd_)

	exact = brentq(lambda rate: value_unit(rate, term, MID).margin(pd_) - 0.01, 0.01, 100)
	assert found["is_payable"]
	assert exact - 1e-9 <= found["rate_pct"] < exact + 0.01 + 1e-9
	assert found["npv"] == pytest.approx(value_unit(found["rate_pct"], term, MID).margin(pd_))
	assert found["npv"] >= 0.01 - 1e-12


def test_it_pays_for_funds_loss_costs_and_margin_by_hand():
	"""Cash flows of 100 loans of 1, of which 20 stop after 14 instalments."""
	found = price(list_prices(WIDE, MID)[AT_36], 0.2)

	monthly, funds = found["rate_pct"] / 1200, 0.07 / 12
	instalment = -npf.pmt(monthly, 36, 1)
	balance = npf.pv(monthly, 36 - 14, -instalment)
	paid = -npf.pv(funds, 36, instalment)
	stopped = -npf.pv(funds, 14, instalment) + 0.3 * balance / (1 + funds) ** 14
	earned = 0.8 * paid + 0.2 * stopped - 1 - 0.01
	assert found["instalment"] == pytest.approx(instalment)
	assert found["npv"] == pytest.approx(earned)
	assert 0.01 <= earned < 0.0102


PRICES = list_prices(options(rate_bands=bands((0, 0.1, 10, 11), (0.1, 0.3, 12, 16))), MID)[AT_36]


@pytest.mark.parametrize(
	("pd_", "rate", "payable"),
	[
		(0.0, 10, True),  # 8.5 would do
		(0.09, 10.97, True),
		(0.1, 11, False),  # 11.27 would be needed
		(0.11, 12, True),
		(0.2, 14.46, True),
		(0.3, 16, False),
	],
)
def test_no_loan_is_cheaper_or_dearer_than_its_band(pd_, rate, payable):
	found = price(PRICES, pd_)

	assert found["is_lendable"]
	assert found["rate_pct"] == pytest.approx(rate, abs=0.011)
	assert found["is_payable"] == payable
	assert (found["npv"] >= 0.01) == payable


@pytest.mark.parametrize(("pd_", "lendable"), [(0.3, True), (0.3001, False), (1.0, False)])
def test_above_the_last_band_nothing_is_lent(pd_, lendable):
	assert price(PRICES, pd_)["is_lendable"] == lendable


def test_the_highest_rate_of_a_band_belongs_to_it():
	needed = float(price(list_prices(WIDE, MID)[AT_36], 0.2)["rate_pct"])

	for highest, payable in ((needed, True), (round(needed - 0.01, 2), False)):
		given = options(rate_bands=bands((0, 0.5, 1, highest)))
		assert price(list_prices(given, MID)[AT_36], 0.2)["is_payable"] == payable


def test_a_band_in_which_nothing_can_be_offered_is_refused():
	given = options(rate_bands=bands((0, 0.1, 5, 12), (0.1, 0.3, 5, 12), (0.3, 0.4, 5, 13)))

	with pytest.raises(InputError, match=r"rate_bands\.2: at its highest rate, 13%, no loan"):
		list_prices(given, MID)


def test_a_band_that_one_term_can_have_is_taken():
	"""At a PD of 0.1, 9.57 will do for 60 months and 11.27 would be needed for 36."""
	found = list_prices(options(rate_bands=bands((0, 0.1, 5, 12), (0.1, 0.2, 5, 12))), MID)

	narrow = options(rate_bands=bands((0, 0.1, 5, 10), (0.1, 0.2, 5, 10)))
	assert [price(p, 0.1001)["is_payable"] for p in list_prices(narrow, MID)] == [False, True]
	assert [price(p, 0.1001)["is_payable"] for p in found] == [True, True]


def test_where_a_charge_off_costs_nothing_the_margin_alone_sets_the_rate():
	harmless = Scenario(
		cost_of_funds_pct=15, loss_given_default=0, default_at_share_of_term=0.1, origination_cost_share=0
	)
	prices = list_prices(options(rate_bands=bands((0, 1, 1, 60)), margin=0), harmless)[AT_36]

	assert np.all(np.diff(prices.highest_pd) >= 0)
	assert price(prices, 0.0)["rate_pct"] == pytest.approx(15, abs=0.011)
	assert price(prices, 1.0)["rate_pct"] == pytest.approx(15, abs=0.011)


@pytest.mark.parametrize(
	("changes", "said"),
	[
		({"rate_bands": bands((0.1, 0.2, 5, 9))}, "a gap: nothing is said of PDs up to 0.1"),
		({"rate_bands": bands((0, 0.1, 5, 9), (0.2, 0.3, 5, 9))}, "a gap between PD 0.1 and 0.2"),
		({"rate_bands": bands((0, 0.2, 5, 9), (0.1, 0.3, 5, 9))}, "two bands between PD 0.1 and 0.2"),
		(
			{"rate_bands": bands((0, 0.1, 8, 12), (0.1, 0.3, 7, 15))},
			"crossed bands: lowest_pct falls from 8 to 7 above PD 0.1",
		),
		(
			{"rate_bands": bands((0, 0.1, 8, 12), (0.1, 0.3, 8, 11))},
			"crossed bands: highest_pct falls from 12 to 11 above PD 0.1",
		),
		({"rate_bands": bands((0, 0.1, 12, 8))}, "lowest rate, 12, is above the highest, 8"),
		({"rate_bands": bands((0.2, 0.2, 8, 9))}, "a band from PD 0.2 to 0.2 holds none"),
		({"rate_bands": bands((0, 0.1, 8.005, 9))}, "hundredths of a percent"),
		({"amounts": {"shares": [0.5, 0.7]}}, "shares must fall"),
		({"amounts": {"shares": [0.9, 0.9]}}, "shares must fall"),
		({"amounts": {"shares": [0.9, 0.8]}}, "no share is at most 0.7"),
		({"two_years_longer": {"odds_ratio": 2.67}}, "2.67 is outside of the range from 1.3 to 1.91"),
		({"twice_the_amount": {"odds_ratio": 0.9}}, "0.9 is outside of the range from 0.95"),
	],
	ids=str,
)
def test_what_cannot_be_used_is_refused(changes, said):
	with pytest.raises(ValidationError, match=said):
		options(**changes)


def test_a_lowest_amount_above_the_highest_of_the_policy_is_refused():
	rules = make_policy(max_loan_amount=3_000).rules

	with pytest.raises(InputError, match="3001 is above max_loan_amount 3000 of the policy"):
		require_an_amount(options(amounts={"lowest": 3_001}), rules)
	require_an_amount(options(amounts={"lowest": 3_000}), rules)


def test_bands_may_touch_and_be_of_one_rate():
	assert options(rate_bands=bands((0, 0.1, 9, 9), (0.1, 1, 9, 30))).rate_bands[0].highest_pct == 9
