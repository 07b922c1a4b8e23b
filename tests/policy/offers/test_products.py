import numpy as np
import pandas as pd
import pytest

from loantap.policy.money.cash_flows import value_units
from loantap.policy.offers.products import EARNS_LESS, EARNS_MORE, NOT_TOLD_APART, TOO_FEW, tabulate_products
from loantap.policy.offers.schemas import PRODUCTS
from tests.policy.shipped import MID, make_test_decider, options

DECIDER = make_test_decider()


def make_loans(n, seed, worse=1.0):
	rng = np.random.default_rng(seed)
	pds = rng.beta(4, 20, n)
	purpose = rng.choice(["car", "house"], n)
	true = np.where(purpose == "house", np.minimum(pds * worse, 1), pds)
	loans = pd.DataFrame(
		{
			"loan_id": [str(number) for number in range(n)],
			"is_charged_off": (rng.random(n) < true).astype("int8"),
			"purpose": pd.array(purpose, dtype="str"),
			"loan_amount": rng.integers(10, 400, n) * 100.0,
			"term_months": rng.choice([36.0, 60.0], n, p=[0.75, 0.25]),
			"annual_income": rng.lognormal(11.2, 0.4, n),
			"dti_pct": rng.uniform(0, 30, n),
		}
	)
	predictions = pd.DataFrame({"loan_id": loans["loan_id"], "sample": "cv", "probability_of_default": pds})
	return loans, predictions


def tabulate(n, seed=1, worse=1.0):
	table = tabulate_products(*make_loans(n, seed, worse), options(), DECIDER)
	PRODUCTS.validate(table)
	return table.set_index(["segmentation", "segment"])


def test_a_segment_adds_up():
	table = tabulate(3_000)

	shares = table[["as_asked", "other_terms", "no_offer"]].sum(axis=1)
	assert np.allclose(shares, 1)
	assert (table["n_as_asked"] == (table["as_asked"] * table["n"]).round()).all()
	for segmentation, part in table.groupby("segmentation"):
		assert part["n"].sum() == 3_000, segmentation
	assert table.loc[("all", "all"), "margin_expected"] == pytest.approx(0.01, abs=5e-4)


def test_the_imputed_margin_is_npv_by_outcome_over_principal():
	loans, predictions = make_loans(40, 3)
	same = loans.assign(is_charged_off=np.int8(0), term_months=36.0, loan_amount=5_000.0)
	table = tabulate_products(same, predictions.assign(probability_of_default=0.15), options(), DECIDER).set_index(
		"segmentation"
	)

	rate = table.loc["all", "rate_pct_median"]
	expected = float(value_units(rate, 36, MID).paid)
	assert table.loc["all", "margin_imputed"] == pytest.approx(expected)
	assert table.loc["all", "default_rate"] == 0
	assert table.loc["all", "default_rate_high"] > 0


def test_a_segment_that_is_worse_than_its_pd_is_found_and_the_others_are_not():
	table = tabulate(60_000, worse=1.6)

	assert table.loc[("purpose", "house"), "finding"] == EARNS_LESS
	assert table.loc[("purpose", "car"), "finding"] == NOT_TOLD_APART


def test_where_pds_are_right_a_segment_is_hardly_ever_found():
	"""One table in twenty may be wrong anywhere; of 30 tables six would be beyond chance."""
	wrong = [
		tabulate_products(*make_loans(2_000, seed), options(), DECIDER)["finding"].isin([EARNS_LESS, EARNS_MORE]).any()
		for seed in range(30)
	]

	assert sum(wrong) < 6


def test_of_few_loans_nothing_is_said():
	table = tabulate(29)

	assert set(table["finding"]) == {TOO_FEW}


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_no_loans_do_not_end_it(n):
	table = tabulate_products(*make_loans(n, 5), options(), DECIDER)

	assert set(table.get("finding", ())) <= {TOO_FEW}


def test_loans_out_of_time_count_once():
	loans, predictions = make_loans(200, 4)
	again = predictions.assign(sample="out_of_time")

	table = tabulate_products(loans, pd.concat([predictions, again]), options(), DECIDER)

	assert table.set_index("segmentation").loc["all", "n"] == 200
