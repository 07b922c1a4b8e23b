from dataclasses import replace

import pytest

from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.model_section import word_section
from loantap.reporting.model_card.page import render_model_card
from tests.reporting.card_material import (
	BLOCKS,
	STAGE,
	UNUSED_LINE,
	make_card,
	make_coefficients,
	make_fairness,
	make_group,
	make_policy,
	make_proxy,
	make_scorecard,
	make_section,
	make_stability,
	make_summary,
	make_trade_off,
	make_verdict,
	read_card,
)
from tests.reporting.leakage_findings import make_finding
from tests.reporting.page_outline import HOSTILE, Outline, assert_self_contained, read_section, read_text, section_of


def test_the_card_is_one_file_that_loads_nothing(page):
	assert_self_contained(page)
	assert len(page.encode()) < 3_000_000


def test_the_same_card_gives_the_same_bytes(page):
	assert render_model_card(make_card()) == page


def test_every_section_is_reached_from_the_contents(page):
	outline = Outline(page)
	sections = {a["id"] for a in outline.attributes if a["tag"] == "section"}

	assert {f"#{anchor}" for anchor in sections} <= set(outline.targets)


def test_what_may_be_lent_on_comes_first_and_the_rest_is_marked(page, lending):
	anchors = ("model-lending", "model-benchmark", "model-published-replica")

	order = [page.index(f'id="{anchor}"') for anchor in anchors]
	assert order == sorted(order)
	assert "not for lending" not in lending.lower()
	for anchor in anchors[1:]:
		assert "No decision may rest on it" in section_of(page, anchor)
		assert "not for lending" in section_of(page, anchor)


def test_a_model_that_is_not_for_lending_is_never_said_to_be_champion(page):
	assert "becomes champion" in section_of(page, "model-lending")
	assert "champion" not in section_of(page, "model-benchmark").replace("becoming champion", "")
	assert 'id="verdict-benchmark"' not in page


def test_the_card_says_what_the_models_are_for_and_not_for_and_which_versions(page):
	text = read_section(page, "use")

	for told in (
		"automated decisions by a written and versioned credit policy",
		"support of the loan officers",
		"Not for: decisions by a cut-off on F2",
		"it does not claim conformity with any regulation",
		"loantap-benchmark version 3, loantap-published-replica version 3, and about no other",
	):
		assert told in text
	for section in ("verdict", "model-lending", "stability", "fairness", "policy"):
		assert "loantap-lending version 3" in read_section(page, section)


def test_the_card_says_what_the_data_is_and_that_it_is_censored(page):
	text = read_text(page)

	assert "Issued 2008-01 to 2016-12" in text
	assert "19.1% 1,001 in default, 95% interval 18.1 to 20.2%" in text
	assert "Levels of default by issue year are not interpretable" in text


@pytest.mark.parametrize(("origin", "shown"), [("simulated", True), ("real", False)])
def test_simulated_data_is_called_so_wherever_it_shows(origin, shown):
	html = render_model_card(make_card(origin))
	text = read_text(html)

	assert ("SIMULATED DATA" in text) is shown
	assert ("The data is simulated." in text) is shown
	assert ("simulated data" in read_section(html, "verdict")) is shown
	for image in (a for a in Outline(html).attributes if a["tag"] == "img"):
		assert (image["alt"].endswith("simulated data")) is shown


def test_policy_limits_exclusions_leakage_and_blank_approvals_are_there(page):
	text = read_text(page)

	for told in (
		"Credit policy npv 2026-11",
		"36 months 12.0% 13.9% 14.2%",
		'scenario "mid"',
		"Approved by the head of credit, digest 0123456789ab",
		"Few loans before 2012.",
		f"the postal code pincode {NOTHING} excluded built from the outcome",
		"debt payments as a share of income dti_pct high allowed",
		"1 of 2 features caught: pincode.",
		"Only two things put a model into use: the rule of promotion",
		"No signature is asked for",
	):
		assert told in text
	assert page.count('<td class="blank"></td>') == 4 * 3


def test_which_version_decides_is_said_and_no_word_of_a_challenger_that_was_none():
	standing = "Not champion: loantap-lending version 1 decides. This page is not about it"
	promotion = {"champion": make_verdict(promoted=False), "challenger": None}

	text = read_card("model-lending", sections=[make_section("lending", standing=standing, promotion=promotion)])

	assert f"about loantap-lending version 3 . {standing}." in text
	assert "Logistic does not become champion." in text
	assert "Within this run" not in text


LENDING = [
	"This run becomes champion.",
	"Within this run: boosting does not become champion.",
	"This run against loantap-lending 2 Holds Evidence",
	"leakage gate yes all features pass calibrated yes yes",
	"Boosting against logistic Holds Evidence",
	"calibrated no ECE .05",
	"out of time too few loans",
	"1 did not converge",
	"Out of time: not measured. There were too few loans",
]
# Beside the published figures.
REPLICA = [
	"Accuracy 83.0% 81.0% 81.2%",
	"Recall 65.4% 77.0% 77.1%",
	"Precision 55.2% 50.0% 50.3%",
	"F2 0.630 0.695 0.696",
	"mean over 5 cross-validation folds at a PD threshold of 45%",
]


@pytest.mark.parametrize(
	("section", "told"),
	[*(("model-lending", told) for told in LENDING), *(("model-published-replica", told) for told in REPLICA)],
)
def test_a_model_comes_with_its_promotion_and_its_figures(section, told, page, lending):
	assert told in read_section(page, section)
	assert "published case study" not in lending


def test_the_comparison_survives_a_replica_that_was_not_measured():
	blocks = dict.fromkeys(("cv", "test", "out_of_time"))
	replica = make_section("published_replica")
	card = make_card(sections=[replica], metrics={"published_replica": blocks})

	text = read_text(render_model_card(card))

	assert f"Accuracy 83.0% 81.0% {NOTHING}" in text


def test_a_boosted_model_served_as_fitted_is_told_as_one():
	boosted = {"champion": make_verdict(), "challenger": make_verdict("boosting", "logistic")}
	plain = {"recalibration": UNUSED_LINE, "before": STAGE, "after": STAGE, "calibrated": False}
	lending = make_section("lending", promotion=boosted, calibration=plain)
	card = make_card(sections=[lending], summary=make_summary(beyond=0, joint=0))

	text = read_text(render_model_card(card))

	assert "Served as fitted, without calibration." in text
	assert "are those of the logistic regression it beat" in text
	assert "above 100%" not in text


def make_hostile_card():
	"""Every text from data, file or parameter tries to be markup."""
	verdict = make_verdict(HOSTILE, HOSTILE, promoted=False, evidence=HOSTILE)
	scorecard = make_scorecard()
	scorecard["features"][0]["phrase"] = HOSTILE
	scorecard["features"][0]["attributes"][0]["attribute"] = HOSTILE
	scorecard["example"]["reasons"] = [HOSTILE]
	stability = make_stability()
	stability["models"][HOSTILE] = stability["models"]["lending"]
	stability["models"]["lending"]["populations"][0]["population"] = HOSTILE
	section = make_section(
		"lending",
		purpose=HOSTILE,
		coefficients=make_coefficients({HOSTILE: 1.0}),
		trade_off=make_trade_off(3),
		promotion={"champion": verdict, "challenger": verdict},
	)
	finding = make_finding(HOSTILE, 0.6, "caught", [HOSTILE])
	return make_card(
		sections=[section],
		scorecards={"lending": scorecard},
		leakage_report={"features": [finding], "checks": {}, "impact": []},
		stability=stability,
		fairness=make_fairness(pincode=make_proxy(HOSTILE, make_group(HOSTILE, 1.0))),
		policy=make_policy(HOSTILE),
		limits=[HOSTILE],
	)


def test_what_a_loan_has_to_earn_is_told():
	def read(**rules):
		return read_card("policy", policy=make_policy(**rules))

	priced = "more than -5.44% of its principal and 0.32% of it for each point of PD, at its own"
	assert priced in read(min_margin=-0.0544, default_price=0.32)
	assert "more than 1.00% of its principal, at its own rate" in read(min_margin=0.01)
	assert "more than it may lose, at its own rate" in read()


def test_columns_without_a_value_are_named_with_what_lived_on_them(page):
	summary = replace(make_summary(), unfilled={"pincode": ["pincode"], "mortgage_accounts": ["has_mortgage", "x"]})

	assert "Columns without a value" not in page
	assert "pincode (pincode), mortgage_accounts (has_mortgage, x)." in read_card("data", summary=summary)


def test_hostile_text_stays_text():
	html = render_model_card(make_hostile_card())

	assert_self_contained(html)
	assert HOSTILE not in html
	assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 15


PHRASES = {"dti_pct": "debt payments as a share of income"}


CALIBRATION = {"calibrated": True, "before": STAGE}


@pytest.mark.parametrize(("after", "shown"), [(STAGE, ["roc"]), (STAGE | {"ece": 0.01}, ["roc", "before_and_after"])])
def test_points_that_calibration_left_alone_are_not_shown_again(after, shown):
	section = make_section("lending", calibration=CALIBRATION | {"after": after})

	assert list(word_section(section, BLOCKS["lending"], None, PHRASES).figures) == shown


@pytest.mark.parametrize(
	("challenger", "is_boosted"),
	[
		(None, False),
		(make_verdict("boosting", "logistic", promoted=False), False),
		(make_verdict("boosting", "logistic", promoted=True), True),
	],
)
def test_where_the_challenger_went_forward_the_drivers_are_those_of_the_scorecard(challenger, is_boosted):
	promotion = {"champion": make_verdict(), "challenger": challenger}
	section = make_section("lending", promotion=promotion)

	worded = word_section(section, BLOCKS["lending"], make_scorecard(), PHRASES)

	assert worded.drivers.is_of_scorecard is section.is_boosted is is_boosted
	assert not worded.coefficients.is_of_scorecard
