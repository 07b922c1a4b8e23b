import re

import pytest
from matplotlib.figure import Figure

from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.sections import VintageSection
from loantap.reporting.shell import _environment
from tests.conftest import OUT_OF_TIME
from tests.reporting import card_material
from tests.reporting.card_material import STAGE, UNUSED_LINE, make_scorecard, make_section, read_card
from tests.reporting.page_outline import HOSTILE, read_section, read_text, section_of
from tests.spread import spread, spread_all


def read_calibration(**changes):
	calibration = {"recalibration": UNUSED_LINE, "before": STAGE, "after": STAGE} | changes
	return read_card("model-lending", sections=[make_section("lending", calibration=calibration)])


@pytest.mark.parametrize(
	"told",
	[
		# Calibration: its line, then before and after side by side.
		"intercept -1.386 (-1.470 to -1.302), slope 0.912 (0.830 to 0.994), n = 4,715",
		"Mean PD 47.8% 19.1%",
		"Observed / expected 0.40 0.38 to 0.42 1.00 0.94 to 1.06",
		"ECE 0.287 perfect: 0.006 to 0.021 0.012 perfect: 0.006 to 0.021",
		"Log-loss 0.636 0.445",
		"n = 4,715; after: each loan recalibrated on the other folds",
		# Thresholds, of which declining everybody is the measure.
		"1.0% 0.550 0.530 to 0.570 25.0% 23.0 to 27.0% 99.0% 98.0 to 100.0% 1.0% 1.0 to 1.0% 8.0% 7.0 to 9.0%",
		"n = 4,715. Declining everybody has an F2 of 0.541",
		"the threshold that maximises F2 is 11.0%, and decides on no loan",
		# The scorecard, and an example that is nobody's.
		"up to 10% 2,000 +9.6 over 10% 2,715 -12.4",
		"575 to 599 800 200 25.0% 22.0 to 28.0% 24.0%",
		"A made-up application",
		"PD 26.1%, score 583.",
		"debt payments are 24.1% of income",
		"To begin with 611.2 Debt payments as a share of income 24.1% -28.2",
		"Sum, rounded 583",
		# What may make a PD extreme.
		"2 of 5,239 loans have a DTI above 100% (the highest: 189.9%).",
		"Joint applications among them: 1. In a joint application the DTI is",
	],
)
def test_what_is_said_of_a_model_comes_with_its_evidence(told, lending):
	assert told in lending


def test_a_model_that_needs_no_recalibration_says_so():
	text = read_calibration(calibrated=True)

	assert "no fault with the PDs as fitted, so they are not recalibrated" in text
	assert "intercept" not in text
	assert "As fitted Mean PD 19.1% Default rate" in text
	assert "before and after" not in text


def test_bands_without_loans_are_shown_and_those_with_few_are_called_few():
	scorecard = make_scorecard()
	(band,) = scorecard["bands"]
	scorecard["bands"].append(band | {"lowest": 625, "highest": 649, "n": 29, "charged_off": 1})
	text = read_card("model-lending", scorecards={"lending": scorecard})

	assert f"600 to 624 0 {NOTHING} {NOTHING} 625 to 649 too few to tell 29 1" in text
	assert "Bands of fewer than 30 loans are pale" in text


def test_a_model_that_is_not_lent_on_has_no_scorecard(page):
	assert "Scorecard" not in section_of(page, "model-benchmark")


def test_stability_is_judged_against_chance(page):
	text = read_section(page, "stability")

	assert "1 943 180 0.700 0.660 to 0.740" in text
	assert "issued 2014 1,200 3,515 0.051 0.031 to 0.071 up to 0.019" in text


def test_fairness_lists_every_group_with_its_intervals_under_each_rule(page):
	text = read_section(page, "fairness")

	auc = "0.710 0.680 to 0.740"
	rule = "30.0% 28.0 to 32.0% 0.72 0.68 to 0.76 65.0% 62.0 to 68.0%"
	for told in (
		"n = 4,715; policy version 2026-11",
		"Housing F2 threshold MORTGAGE RENT 0.72 0.68 to 0.76",
		"policy MORTGAGE RENT 0.72 0.68 to 0.76",
		"MORTGAGE 2,000 ",
		f"RENT 2,000 20.0% 18.2 to 21.8% 19.0% 1.05 0.95 to 1.15 {auc} {rule} {rule}",
		"can neither be shown nor ruled out",
	):
		assert told in text
	assert text.count("1.00 the reference") == 4  # two proxies, two rules
	assert text.count("for this audit only, never lent on") == 1
	# Where no other group is large enough there is no ratio.
	assert f"Pincode for this audit only, never lent on F2 threshold 22690 {NOTHING} {NOTHING}" in text


FIGURES = {
	"n": 1_357,
	"charged_off": 169,
	"mean_pd": 0.155,
	"ece": 0.038,
	"ece_perfect_low": 0.013,
	"ece_perfect_high": 0.034,
	**spread_all(default_rate=(0.1245, 0.018), observed_to_expected=(0.8, 0.1), roc_auc=(0.639, 0.05)),
}
ORIGIN = {
	"origin": "2013-01",
	"until": "2013-06",
	"trained_loans": 936,
	"trained_charge_offs": 159,
	"settled_loans": 55,
	"settled_charge_offs": 2,
	"skipped": "",
}
UNMEASURED = dict.fromkeys(FIGURES)
VINTAGE = {"issue_year": 2013, "term_months": 36, "interpretable": True}
LEVELS = dict.fromkeys(name for name in FIGURES if name.startswith(("observed", "ece")))
EXTERNAL = FIGURES | card_material.EXTERNAL | {"training_loans": 4_715} | spread("psi", 0.028, 0.01)


def make_report(**changes):
	model = {
		"rolling_origin": {"pooled": FIGURES, "origins": [ORIGIN | FIGURES]},
		"vintages": [VINTAGE | FIGURES, VINTAGE | FIGURES | LEVELS | {"issue_year": 2014, "interpretable": False}],
	}
	return {
		"origin": "real",
		"definition": OUT_OF_TIME,
		"caveats": {"rolling_origin": "KNOWN.", "vintages": "CENSORED.", "external": "LEVELS."},
		"models": {"lending": model | changes},
	}


VERSIONS = {"lending": "loantap-lending version 3"}


def render(report, figures=None):
	template = _environment().from_string(
		"<head></head>{% with vintages = section %}{% include 'card/vintages.html' %}{% endwith %}"
	)
	return template.render(section=VintageSection(report, figures or {}), versions=VERSIONS)


def read(report):
	return read_text(render(report))


def test_every_figure_has_its_number_of_loans_its_interval_and_what_was_settled_by_then():
	text = read(make_report())

	assert "all together 1,357 169 charged off 12.4% 10.7 to 14.2% 15.5%" in text
	assert "0.639 0.589 to 0.689 0.80 0.70 to 0.90 0.038 perfect: 0.013 to 0.034" in text
	assert "2013-01 936 159 charged off settled by then: 55" in text
	assert "KNOWN." in text


def test_an_origin_that_was_skipped_says_why():
	skipped = ORIGIN | UNMEASURED | {"skipped": "9 charge-offs among the 80 loans"}
	text = read(make_report(rolling_origin={"pooled": None, "origins": [skipped]}))

	assert "skipped: 9 charge-offs among the 80 loans" in text
	assert "all together" not in text


def test_a_later_vintage_is_labelled_and_has_no_levels():
	text = read(make_report())

	assert "2014 resolved only 36" in text
	assert "2013 resolved only" not in text
	later = text[text.index("2014 resolved only") :]
	assert re.search(r"0\.589 to 0\.689 – – ", later)
	assert "CENSORED. They raise no alarm." in text


def test_the_external_portfolio_is_compared_with_the_rate_and_claims_no_more_than_was_checked():
	text = read(make_report(external=EXTERNAL))
	unchecked = read(make_report(external=EXTERNAL | {"is_overlap_checked": False}))

	for told in (
		"issued 2007-06 to 2010-12",
		"0.655 0.645 to 0.665 0.635 0.625 to 0.645 0.019 0.012 to 0.026",
		"0.028 0.018 to 0.038 against 4,715",
		"LEVELS.",
		"loantap-lending version 3 was trained on none of them.",
	):
		assert told in text
	assert "whether it has seen any of these cannot be checked" in unchecked
	assert "trained on none" not in unchecked
	assert "have seen:" not in unchecked


def test_figures_are_inlined_with_their_description():
	html = render(make_report(), {"lending": Figure()})

	assert re.search(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="AUC of lending', html)


@pytest.mark.parametrize("place", ["model_name", "first_issue_month"])
def test_what_is_shown_is_escaped(place):
	html = render(make_report(external=EXTERNAL | {place: HOSTILE}))

	assert "<script>" not in html
