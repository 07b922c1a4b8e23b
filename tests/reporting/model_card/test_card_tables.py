import math
from itertools import pairwise

import pytest

from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.model_section import fill_bands
from loantap.reporting.model_card.sections import make_leakage_section, word_fairness
from loantap.reporting.model_card.tables import (
	Cell,
	rank_coefficients,
	rank_scorecard,
	tabulate_candidates,
	tabulate_metrics,
	thin_trade_off,
)
from loantap.reporting.shell import _environment
from tests.reporting.card_material import (
	BLOCK,
	make_candidates,
	make_coefficients,
	make_fairness,
	make_group,
	make_proxy,
	make_scorecard,
	make_trade_off,
)
from tests.reporting.leakage_findings import make_finding, make_impact
from tests.reporting.page_outline import read_text


def test_ece_stands_beside_the_range_of_a_perfect_model():
	rows = tabulate_metrics({"cv": BLOCK}).rows

	assert rows["Expected calibration error (ECE)"][0] == Cell("0.012", "", "perfect: 0.006 to 0.021")
	assert rows["AUC"][0].remark == ""


def test_the_search_shows_its_top_and_the_chosen_candidate_wherever_it_ranks():
	table = tabulate_candidates(make_candidates(12).sample(frac=1, random_state=1))

	assert [row["rank"] for row in table.rows] == [1, 2, 3, 4, 5, 6, 7, 8, 11]
	assert table.rows[-1]["candidate"] == "smote L1 C=10"
	assert (table.tried, table.within, table.not_converged) == (12, 4, 1)


def test_the_trade_off_is_thinned_to_a_dozen_rows_from_end_to_end():
	rows = make_trade_off(99)["thresholds"]
	thinned = thin_trade_off(rows)

	shares = [row["approval_rate"] for row in thinned]
	gaps = {round(100 * (b - a)) for a, b in pairwise(shares)}
	assert len(thinned) == 12
	assert (shares[0], shares[-1]) == (0.01, 0.99)
	assert gaps <= {8, 9, 10}
	assert thin_trade_off(rows[:3]) == rows[:3]
	assert thin_trade_off(rows[:1]) == rows[:1]


BAND = {"charged_off": 8, "default_rate": 0.2}


def test_only_bands_with_some_loans_but_fewer_than_thirty_are_few():
	bands = [BAND | {"lowest": low, "highest": low + 24, "n": n} for low, n in ((500, 30), (525, 29), (575, 1))]

	assert [band["is_few"] for band in fill_bands(bands)] == [False, True, False, True]
	assert fill_bands([]) == []


def test_a_rule_that_approves_nobody_favours_nobody():
	proxy = make_proxy("Housing", make_group("OWN", None), make_group("RENT", None))
	report = make_fairness(home_ownership=proxy | {"favoured": {"f2": None, "policy": None}})

	(line,) = word_fairness(report)["lending"].proxies

	assert {(rule.favoured, rule.least, rule.ratio) for rule in line.rules} == {(NOTHING, NOTHING, NOTHING)}


REPORT = {
	"features": [
		make_finding("dti_pct", 0.56, used_by=["lending"]),
		make_finding("grade", 0.68, used_by=["lending"]),
		make_finding("has_mortgage", 0.55, "warned", ["its missing values mark a vintage"]),
		make_finding("pincode", 0.83, "caught", ["implausible default rate"], ["benchmark"]),
	],
	"checks": {
		"borrowers": {"passed": False, "statement": "40 of 400 held-out loans have a duplicate"},
		"audited_columns": {
			"passed": True,
			"statement": "1 column examined",
			"columns": [make_finding("profession", 0.528, "caught", ["it remembers loans"])],
		},
	},
	"impact": [make_impact("pincode", 0.905, 0.702)],
}


def render(report):
	part = _environment().get_template("card/leakage.html").render(leakage=make_leakage_section(report), versions={})
	return f"</head>{part}"


def test_the_worst_comes_first_then_the_strongest():
	section = make_leakage_section(REPORT)

	assert [f.name for f in section.features] == ["pincode", "has_mortgage", "grade", "dti_pct"]
	assert section.caught == ["pincode"]


@pytest.mark.parametrize(
	"told",
	[
		"on the training loans (n 4,715)",
		"1 of 4 features caught: pincode.",
		"pincode 0.830 0.810 to 0.850 0.850 caught implausible default rate benchmark",
		"has_mortgage 0.550 0.530 to 0.570 0.570 warned its missing values mark a vin",
		"grade 0.680 0.660 to 0.700 0.700 passed lending",
		"on n = 2,000 of 4,715 training loans",
		"pincode +0.2030 0.1930 to 0.2130 0.702 without, 0.905 with",
		"The same borrower in training and test failed 40 of 400 held-out loans",
	],
)
def test_features_impact_and_checks_are_told_with_their_figures(told):
	assert told in read_text(render(REPORT))


def test_without_suspicion_or_checks_there_are_no_empty_tables():
	text = read_text(render({"features": REPORT["features"][:2], "checks": {}, "impact": []}))

	assert "0 of 2 features caught." in text
	assert "With and without" not in text
	assert "The portfolio as a whole" not in text
	assert "Columns that no model uses" not in text


PHRASES = {
	"sub_grade_rank": "the grade given to the offer",
	"log_sub_grade_rank": "the grade given to the offer",
	"log_annual_income": "the yearly income",
	"purpose": "the purpose of the loan",
	"home": "the home",
	"home_ownership": "the housing situation",
	"bankruptcies": "recorded bankruptcies",
}


def rank(**effects):
	return rank_coefficients(make_coefficients(effects), PHRASES)


def test_the_furthest_from_one_comes_first_and_says_which_way_it_goes():
	chart = rank(bankruptcies=0.1, log_annual_income=-math.log(2))

	assert [(each.label, each.odds_ratio, each.side, each.coefficient) for each in chart.drivers] == [
		("Yearly income", "0.50", "below", "-0.693"),
		("Recorded bankruptcies", "1.11", "above", "+0.100"),
	]
	assert (chart.drivers[0].at, chart.one) == (0, 50)


def test_what_has_no_effect_is_left_out_of_the_drivers_and_named():
	none = dict.fromkeys("log_sub_grade_rank bankruptcies purpose_car purpose_house home_RENT".split(), 0.0)
	chart = rank(sub_grade_rank=0.3, home_OWN=0.2, **none)

	assert [driver.name for driver in chart.drivers] == ["sub_grade_rank", "home_OWN"]
	assert chart.idle == list(none)
	# The grade has an effect, by its rank, and the home, by one of its categories.
	assert chart.idle_features == ["recorded bankruptcies", "the purpose of the loan"]


@pytest.mark.parametrize(
	("name", "label"),
	[
		("purpose_small_business", "Purpose of the loan: small business"),
		("purpose_infrequent_sklearn", "Purpose of the loan: a rare one"),
		("home_ownership_RENT", "Housing situation: RENT"),
		("never_heard_of", "Never_heard_of"),
	],
)
def test_inputs_are_called_what_borrowers_call_them(name, label):
	(driver,) = rank(**{name: 0.2}).drivers

	assert driver.label == label


def test_a_number_and_its_logarithm_are_told_apart():
	number, logarithm = rank(sub_grade_rank=0.3, log_sub_grade_rank=0.2).drivers

	assert (number.label, logarithm.label) == ("Grade given to the offer", "Grade given to the offer (logarithm)")


def test_a_ratio_without_end_is_bounded_and_drawn_at_the_end():
	(driver,) = rank(bankruptcies=20.0).drivers

	assert (driver.odds_ratio, driver.at) == ("over 10,000", 100)


def test_a_scorecard_is_ranked_by_the_odds_between_its_riskiest_and_safest_attribute():
	scorecard = make_scorecard()
	feature = scorecard["features"][0] | {"fewest": -40.0, "most": 10.0}

	(driver,) = rank_scorecard(scorecard | {"features": [feature]}).drivers

	# 50 points double the odds.
	assert (driver.odds_ratio, driver.side) == ("2.00", "near")
	assert driver.label == "Debt payments as a share of income"
