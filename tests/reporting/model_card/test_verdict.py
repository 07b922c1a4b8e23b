import dataclasses

import pytest

from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.page import render_model_card
from loantap.reporting.model_card.verdict import Reports, reach_verdict, tabulate_headline
from tests.reporting.card_material import (
	BLOCK,
	BLOCKS,
	EXTERNAL,
	make_card,
	make_fairness,
	make_section,
	make_stability,
	make_verdict,
)
from tests.reporting.leakage_findings import make_finding
from tests.reporting.page_outline import read_section, section_of

REPORTS = Reports(
	metrics={},
	vintages={"models": {}},
	stability=make_stability(),
	fairness=make_fairness(),
	leakage={
		"features": [
			make_finding("dti_pct", 0.56, used_by=["lending"]),
			make_finding("pincode", 0.9, "caught", ["AUC 0.900"], ["benchmark"]),
		],
		"checks": {},
	},
	phrases={"dti_pct": "debt payments as a share of income"},
)
MEASURED = BLOCK | {"n": 1_357, "roc_auc": 0.69, "roc_auc_low": 0.65, "roc_auc_high": 0.73, "f2": 0.56}
GOOD = {"cv": BLOCK, "test": MEASURED, "out_of_time": MEASURED}
BELOW = GOOD | {"out_of_time": MEASURED | {"f2": 0.5}}
WITHOUT_GROUPS = dataclasses.replace(
	REPORTS, fairness={"models": {"lending": {"policy": "2026-11", "approvals": [], "proxies": {}}}}
)


def promote(**changes):
	return {"champion": make_verdict("the new model", **changes), "challenger": None}


def reach(reports=REPORTS, blocks=GOOD, **changes):
	section = make_section("lending", **({"promotion": promote()} | changes))
	return reach_verdict(section, dataclasses.replace(reports, metrics={"lending": blocks}))


@pytest.fixture(scope="module")
def page():
	"""A card whose lending model has a red flag, and that has another model beside it."""
	sections = [make_section("lending"), make_section("benchmark")]
	return render_model_card(make_card(sections=sections, metrics=BLOCKS | {"lending": BELOW}))


@pytest.mark.parametrize(
	("changes", "tone", "headline"),
	[
		({"blocks": BELOW}, "red", "Decides on applications"),
		({"reports": WITHOUT_GROUPS}, "clear", "Decides on applications"),
		({"reports": WITHOUT_GROUPS, "blocks": GOOD | {"out_of_time": None}}, "amber", "Decides on applications"),
		({"standing": "Not champion, and none is", "blocks": BELOW}, "idle", "Does not decide"),
		({"decides": False}, "red", "Champion, but decides on nothing yet"),
	],
	ids=["red flag", "no flag", "cautions", "no champion", "decides on nothing"],
)
def test_the_tone_is_that_of_the_worst_flag_of_a_model_that_decides(changes, tone, headline):
	verdict = reach(**changes)

	assert (verdict.tone, verdict.headline) == (tone, headline)


def test_features_of_other_models_are_not_held_against_a_model():
	assert not [flag for flag in reach().flags if "gives the outcome away" in flag.finding]


RANKING = (
	"AUC out of time 0.690 (0.650 to 0.730), n = 1,357; test 0.690 (0.650 to 0.730), n = 1,357; cross-validation "
	"0.712, n = 4,715. Chance is 0.5."
)

BESIDE_RATE = "On the external sample 0.655, the interest rate alone 0.635: +0.019 (0.012 to 0.026), n = 17,815."
APPROVED = "89.1% (89.2 to 90.8%) approved, n = 524; 16.3% (15.2 to 17.4%) of these charged off."


@pytest.mark.parametrize(
	("changes", "reason", "told"),
	[
		({}, "Ranking", RANKING),
		(
			{"reports": dataclasses.replace(REPORTS, vintages={"models": {"lending": {"external": EXTERNAL}}})},
			"Ranking",
			f"{RANKING} {BESIDE_RATE}",
		),
		({"blocks": dict.fromkeys(("cv", "test", "out_of_time"))}, "Ranking", "Not measured: too few loans."),
		({}, "Promotion", "the new model becomes champion: all 2 conditions hold."),
		(
			{"promotion": promote(promoted=False, evidence="ECE 0.05")},
			"Promotion",
			"the new model does not become champion: calibrated (ECE 0.05).",
		),
		# On loans that the bands of the policy were not cut on.
		({}, "Policy", f"Version 2026-11. Test {APPROVED}"),
	],
)
def test_each_reason_comes_with_its_figures(changes, reason, told):
	assert reach(**changes).reasons[reason] == told


def test_the_same_model_as_the_champion_is_not_told_as_a_defeat():
	promotion = promote(incumbent="loantap-lending version 3")
	evidence = "same data, same model as loantap-lending version 3: nothing new registered"
	promotion["champion"]["conditions"].append({"name": "a new model", "holds": False, "evidence": evidence})
	promotion["champion"]["promoted"] = False

	verdict = reach(WITHOUT_GROUPS, promotion=promotion)

	assert verdict.reasons["Promotion"] == f"{evidence}. The other 2 conditions hold."
	assert not verdict.red


def test_every_sample_has_its_figures_and_what_the_policy_does_to_it():
	(rows,) = tabulate_headline([make_section("lending")], BLOCKS, make_fairness()).values()

	assert [(row.sample, row.loans) for row in rows] == [
		("cross-validation", "4,715"),
		("test", "524"),
		("out of time", ""),
	]
	assert [cell.value for cell in rows[1].cells] == ["19.1%", "0.712", "0.310", "0.012", "89.1%", "16.3%"]
	assert {cell.value for cell in rows[2].cells} == {NOTHING}
	(rows,) = tabulate_headline([make_section("lending")], BLOCKS, {"models": {}}).values()
	assert [cell.value for cell in rows[0].cells][-2:] == [NOTHING, NOTHING]


def test_the_page_says_what_is_wrong_in_words_not_in_colour_alone(page):
	text = read_section(page, "verdict")

	assert "lending : reviews a graded offer Decides on applications" in text
	assert "Red flag: At its F2 threshold it does no better than declining everybody F2" in text
	assert "red flag" in text
	assert 'class="verdict red"' in section_of(page, "verdict")
