import dataclasses

import pytest

from loantap.reporting.model_card import rules_of_figures
from loantap.reporting.model_card.flags import RULES as OTHER_RULES
from loantap.reporting.model_card.flags import Evidence, Severity, apply_rules, list_flags
from tests.reporting.card_material import EXTERNAL, TEST_BLOCK, make_group, make_proxy
from tests.reporting.leakage_findings import make_finding
from tests.spread import spread, spread_all

RULES = [*rules_of_figures.RULES, *OTHER_RULES]
CV = TEST_BLOCK | {"n": 4_715, "roc_auc": 0.71}
LATER = TEST_BLOCK | {"n": 1_357, "f2_decline_all": 0.416} | spread_all(roc_auc=(0.69, 0.04), f2=(0.469, 0.045))
ORIGIN = {
	"origin": "2013-07",
	"skipped": "",
	"n": 612,
	"roc_auc": 0.66,
	"roc_auc_low": 0.58,
	"mean_pd": 0.149,
	"default_rate": 0.151,
	**spread("observed_to_expected", 1.01, 0.16),
}
POOLED = ORIGIN | {"n": 1_357}
LOW_ORIGIN = ORIGIN | {"default_rate": 0.0915} | spread("observed_to_expected", 0.612, 0.15)
SKIPPED = dict.fromkeys(ORIGIN) | {"origin": "2012-07", "skipped": "too few charge-offs"}
POPULATION = {
	"population": "issued 2011",
	"n": 206,
	"against_n": 4_509,
	**spread("psi", 0.08, 0.05),
	"psi_chance": 0.086,
}
QUIET = Evidence(
	blocks={"cv": CV, "test": TEST_BLOCK, "out_of_time": LATER},
	tolerated_ece=0.01,
	conditions=[{"name": "leakage gate", "holds": True, "evidence": "no feature is caught"}],
	rolling_origin={"pooled": POOLED, "origins": [ORIGIN, SKIPPED]},
	external=EXTERNAL,
	populations=[POPULATION],
	proxies=[make_proxy("Housing", make_group("OWN", 1.0), make_group("RENT", 0.8))],
	features=[make_finding("dti_pct", 0.56)],
	portfolio_checks=[{"passed": True, "statement": "no borrower twice"}],
	phrases={"dti_pct": "debt payments as a share of income"},
)


GOOD, AMBER, RED = [], [Severity.AMBER], [Severity.RED]


def check(**changes):
	return apply_rules(RULES, dataclasses.replace(QUIET, **changes))


def raise_flags(**changes):
	return list_flags(check(**changes))


def raise_one(**changes):
	(flag,) = raise_flags(**changes)
	return flag


def list_unjudged(**changes):
	return [one.name for one in check(**changes) if not one.is_judged]


def origins(*rows, **pooled):
	return {"rolling_origin": {"pooled": POOLED | pooled, "origins": list(rows)}}


def level(ratio, low, high):
	return {"observed_to_expected": ratio, "observed_to_expected_low": low, "observed_to_expected_high": high}


def later(**changes):
	return {"blocks": {"cv": CV, "out_of_time": LATER | changes}}


def gain(low, high):
	return {"external": EXTERNAL | {"auc_gain_low": low, "auc_gain_high": high}}


def housing(*groups):
	return {"proxies": [make_proxy("Housing", make_group("OWN", 1.0), *groups)]}


def shift(psi, low, chance):
	return {"populations": [POPULATION | {"psi": psi, "psi_low": low, "psi_chance": chance}]}


def test_a_model_without_fault_has_no_flag_and_was_judged_by_every_rule():
	checks = check()

	assert list_flags(checks) == []
	assert all(one.is_judged and one.words for one in checks)
	judged = "Ranking, F2, Level of the PDs, Calibration, External sample, Promotion, Leakage, Fairness, Stability"
	assert ", ".join(one.name for one in checks) == judged


@pytest.mark.parametrize(
	("changes", "severities"),
	[
		# Ranking: against chance, and against cross-validation.
		(later(roc_auc_low=0.5, roc_auc_high=0.71), RED),
		(later(roc_auc_high=0.709), AMBER),
		(later(roc_auc_high=0.71), GOOD),
		# F2: a threshold has to show that it beats declining everybody.
		(later(f2=0.43, f2_low=0.417), GOOD),
		(later(f2=0.43, f2_low=0.416), AMBER),
		(later(f2=0.416, f2_low=0.38), AMBER),
		(later(f2=0.415, f2_low=0.38), RED),
		# The level: by its interval and its size.
		(origins(ORIGIN, **level(0.89, 0.8, 0.99)), RED),
		(origins(ORIGIN, **level(0.91, 0.83, 0.99)), AMBER),
		(origins(ORIGIN, **level(1.11, 1.01, 1.2)), RED),
		(origins(ORIGIN, **level(1.09, 1.01, 1.2)), AMBER),
		(origins(ORIGIN, **level(1.2, 1.0, 1.4)), GOOD),
		(origins(ORIGIN, **level(0.8, 0.6, 1.0)), GOOD),
		# Calibration: by what a perfect model shows, and by what is material.
		(later(ece=0.021), GOOD),
		(later(ece=0.03), AMBER),
		(later(ece=0.04), RED),
		(later(ece=0.009, ece_perfect_high=0.002), GOOD),
		(later(ece=0.009, ece_perfect_high=0.002) | {"tolerated_ece": 0.005}, RED),
		# The external sample: the gain over the rate, and what may have been learnt from.
		(gain(0.001, 0.02), GOOD),
		(gain(-0.01, 0.02), AMBER),
		(gain(-0.03, -0.01), RED),
		({"external": EXTERNAL | {"is_overlap_checked": False}}, AMBER),
		# Promotion: to be the same model as the champion is no fault.
		({"conditions": [{"name": "a new model", "holds": False, "evidence": "same"}]}, GOOD),
		# Leakage.
		({"features": [make_finding("dti_pct", 0.6, "warned", ["marks a vintage"])]}, AMBER),
		# Fairness: four fifths, and the interval says how sure it is.
		(housing(make_group("RENT", 0.8)), GOOD),
		(housing(make_group("RENT", 0.79)), AMBER),
		(housing(make_group("RENT", 0.75)), RED),
		# Stability: a shift is large and more than chance.
		(shift(0.1, 0.05, 0.02), GOOD),
		(shift(0.138, 0.1, 0.086), AMBER),
		(shift(0.138, 0.1, 0.14), GOOD),
		(shift(0.3, 0.25, 0.086), AMBER),
		(shift(0.3, 0.26, 0.086), RED),
		(shift(0.3, 0.26, 0.31), GOOD),
		# Red flags come first, whatever rule raises them.
		(later(roc_auc_high=0.7) | housing(make_group("RENT", 0.7)), RED + AMBER),
	],
)
def test_a_flag_is_as_severe_as_its_figures_are_sure(changes, severities):
	assert [flag.severity for flag in raise_flags(**changes)] == severities


def test_an_origin_that_reaches_chance_is_amber_and_counted_among_those_judged():
	weak = ORIGIN | {"roc_auc": 0.55, "roc_auc_low": 0.48}

	flag = raise_one(**origins(ORIGIN, weak, SKIPPED))

	assert (flag.severity, flag.finding) == (Severity.AMBER, "At 1 of 2 origins its ranking may be chance")


def test_a_model_not_measured_out_of_time_says_so_once():
	changes = {"blocks": {"cv": CV, "test": None, "out_of_time": None}, "rolling_origin": None}

	assert raise_one(**changes).finding == "Not measured out of time"
	assert list_unjudged(**changes) == ["F2", "Level of the PDs"]


def test_the_f2_of_the_test_split_counts_too():
	blocks = QUIET.blocks | {"test": TEST_BLOCK | {"f2": 0.538, "f2_decline_all": 0.541}}

	assert "F2 test 0.538" in raise_one(blocks=blocks).figure


def test_an_outlying_origin_is_amber_under_a_total_that_is_not():
	flag = raise_one(**origins(ORIGIN, LOW_ORIGIN, SKIPPED))

	assert flag.severity is Severity.AMBER
	assert flag.finding == "Its PDs are too high at the origin 2013-07"
	assert flag.figure == (
		"observed / expected 1.01 (0.85 to 1.17), n = 1,357; furthest off at the origin "
		"2013-07: 0.61 (0.46 to 0.76), n = 612"
	)
	assert "mean PD 14.9%, default rate 9.2%" in flag.meaning


def test_a_level_that_means_nothing_is_not_judged():
	assert list_unjudged(**origins(observed_to_expected=None)) == ["Level of the PDs"]


@pytest.mark.parametrize(
	("changes", "named", "figure"),
	[
		(
			{"conditions": [{"name": "calibrated", "holds": False, "evidence": "ECE 0.05 on 4,715 loans"}]},
			"calibrated",
			"ECE 0.05 on 4,715 loans",
		),
		(
			{"features": [make_finding("dti_pct", 0.9, "caught", ["AUC 0.900 on its own"])]},
			"gives the outcome away",
			"debt payments as a share of income: AUC 0.900 on its own (n = 4,715)",
		),
		(
			{"portfolio_checks": [{"passed": False, "statement": "40 borrowers twice"}]},
			"check of the leakage gate",
			"40 borrowers twice",
		),
	],
)
def test_a_failed_condition_a_caught_feature_and_a_failed_check_are_red(changes, named, figure):
	flag = raise_one(**changes)

	assert (flag.severity, flag.figure) == (Severity.RED, figure)
	assert named in flag.finding


def test_a_large_group_that_is_surely_below_weighs_more_than_a_small_one():
	wide = {"policy_approval_ratio_low": 0.55, "policy_approval_ratio_high": 0.9}
	small = make_group("OTHER", 0.7) | wide

	flag = raise_one(**housing(small, make_group("RENT", 0.75)))

	assert flag.severity is Severity.RED
	assert flag.figure == "Housing: RENT against OWN, ratio 0.75 (0.71 to 0.79), n = 2,000"


def test_groups_too_small_and_pincodes_raise_none():
	small = make_proxy("Housing", make_group("OWN", None), make_group("OTHER", None))
	pincode = make_proxy("Pincode", make_group("22690", 1.0), make_group("11650", 0.1), audit_only=True)

	assert raise_flags(proxies=[small, pincode]) == []


def test_the_worst_population_is_named_with_how_many_more():
	rows = [
		POPULATION | {"psi": 0.11, "psi_chance": 0.02},
		POPULATION | {"population": "issued 2016", "psi": 0.2, "psi_chance": 0.02},
	]

	flag = raise_one(populations=rows)

	assert flag.finding.endswith("issued 2016 and 1 more")
	assert flag.figure == ("PSI 0.200 (0.030 to 0.130), n = 206 against 4,509; chance gives up to 0.020")


@pytest.mark.parametrize("missing", ["populations", "proxies", "external"])
def test_what_was_not_measured_is_not_judged_and_raises_nothing(missing):
	changes = {missing: None if missing == "external" else []}

	assert raise_flags(**changes) == []
	assert len(list_unjudged(**changes)) == 1
