"""When the model card raises a flag against a model, and when it does not."""

import dataclasses

import pytest

from loantap.reporting.model_card import rules_of_figures, rules_of_safety
from loantap.reporting.model_card.flags import (
    Evidence,
    Severity,
    apply_rules,
    list_flags,
)
from tests.reporting.card_material import TEST_BLOCK, make_group, make_proxy
from tests.reporting.leakage_findings import make_finding

RULES = [*rules_of_figures.RULES, *rules_of_safety.RULES]
CV = TEST_BLOCK | {"n": 4_715, "roc_auc": 0.71}
LATER = TEST_BLOCK | {
    "n": 1_357, "roc_auc": 0.69, "roc_auc_low": 0.64, "roc_auc_high": 0.73, "f2": 0.469,
    "f2_low": 0.423, "f2_high": 0.511, "f2_decline_all": 0.416,
}  # fmt: skip
ORIGIN = {
    "origin": "2013-07", "skipped": "", "n": 612, "roc_auc": 0.66, "roc_auc_low": 0.58,
    "mean_pd": 0.149, "default_rate": 0.151, "observed_to_expected": 1.01,
    "observed_to_expected_low": 0.85, "observed_to_expected_high": 1.19,
}  # fmt: skip
POOLED = ORIGIN | {"n": 1_357}
LOW_ORIGIN = ORIGIN | {
    "default_rate": 0.0915, "observed_to_expected": 0.612, "observed_to_expected_low": 0.476,
    "observed_to_expected_high": 0.782,
}  # fmt: skip
SKIPPED = dict.fromkeys(ORIGIN) | {"origin": "2012-07", "skipped": "too few charge-offs"}
POPULATION = {
    "population": "issued 2011", "n": 206, "against_n": 4_509, "psi": 0.08, "psi_low": 0.03,
    "psi_high": 0.12, "psi_chance": 0.086,
}  # fmt: skip
EXTERNAL = {
    "n": 17_815, "auc_gain": 0.019, "auc_gain_low": 0.012, "auc_gain_high": 0.026,
    "is_overlap_checked": True,
}  # fmt: skip
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


def check(**changes):
    return apply_rules(RULES, dataclasses.replace(QUIET, **changes))


def raise_flags(**changes):
    return list_flags(check(**changes))


def raise_one(**changes):
    (flag,) = raise_flags(**changes)
    return flag


def origins(*rows, **pooled):
    return {"pooled": POOLED | pooled, "origins": list(rows)}


def later(**changes):
    return {"cv": CV, "out_of_time": LATER | changes}


def test_a_model_without_fault_has_no_flag_and_was_judged_by_every_rule():
    checks = check()

    assert list_flags(checks) == []
    assert all(one.is_judged and one.words for one in checks)
    assert [one.name for one in checks] == [
        "Ranking", "F2", "Level of the PDs", "Calibration", "External sample", "Promotion",
        "Leakage", "Fairness", "Stability",
    ]  # fmt: skip


def test_red_flags_come_first_whatever_rule_raises_them():
    flags = raise_flags(
        blocks=later(roc_auc_high=0.7), proxies=[make_proxy(
            "Housing", make_group("OWN", 1.0), make_group("RENT", 0.7))],
    )  # fmt: skip

    assert [flag.severity for flag in flags] == [Severity.RED, Severity.AMBER]


class TestRanking:
    def test_an_interval_that_reaches_chance_is_red(self):
        flag = raise_one(blocks=later(roc_auc=0.55, roc_auc_low=0.5, roc_auc_high=0.6))

        assert flag.severity is Severity.RED
        assert flag.figure == "AUC 0.550 (0.500 to 0.600), n = 1,357"

    def test_an_interval_below_the_cross_validated_auc_is_amber(self):
        flag = raise_one(blocks=later(roc_auc_high=0.709))

        assert flag.severity is Severity.AMBER
        assert flag.figure.endswith("against 0.710, n = 4,715")
        assert raise_flags(blocks=later(roc_auc_high=0.71)) == []

    def test_an_origin_that_reaches_chance_is_amber_and_counted_among_those_judged(self):
        weak = ORIGIN | {"roc_auc": 0.55, "roc_auc_low": 0.48}

        flag = raise_one(rolling_origin=origins(ORIGIN, weak, SKIPPED))

        assert flag.severity is Severity.AMBER
        assert flag.finding == "At 1 of 2 origins its ranking may be chance"

    def test_a_model_not_measured_out_of_time_says_so_once(self):
        changes = {"blocks": {"cv": CV, "test": None, "out_of_time": None}, "rolling_origin": None}

        assert raise_one(**changes).finding == "Not measured out of time"
        unjudged = [one.name for one in check(**changes) if not one.is_judged]
        assert unjudged == ["F2", "Level of the PDs"]


class TestF2:
    def test_below_declining_everybody_is_red_with_interval_and_number_of_loans(self):
        flag = raise_one(blocks=later(f2=0.404, f2_low=0.36, f2_high=0.445))

        assert flag.severity is Severity.RED
        assert flag.figure == (
            "F2 out of time 0.404 (0.360 to 0.445), n = 1,357, for declining everybody 0.416"
        )

    @pytest.mark.parametrize(
        ("f2", "low", "severity"),
        [
            (0.43, 0.417, None),
            (0.43, 0.416, Severity.AMBER),
            (0.416, 0.38, Severity.AMBER),
            (0.415, 0.38, Severity.RED),
        ],
    )
    def test_a_threshold_has_to_show_that_it_beats_declining_everybody(self, f2, low, severity):
        flags = raise_flags(blocks=later(f2=f2, f2_low=low))

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_the_test_split_counts_too(self):
        blocks = QUIET.blocks | {"test": TEST_BLOCK | {"f2": 0.538, "f2_decline_all": 0.541}}

        assert "F2 test 0.538" in raise_one(blocks=blocks).figure


class TestLevel:
    def test_an_outlying_origin_is_amber_under_a_total_that_is_not(self):
        flag = raise_one(rolling_origin=origins(ORIGIN, LOW_ORIGIN, SKIPPED))

        assert flag.severity is Severity.AMBER
        assert flag.finding == "Its PDs are too high at the origin 2013-07"
        assert flag.figure == (
            "observed / expected 1.01 (0.85 to 1.19), n = 1,357; furthest off at the origin "
            "2013-07: 0.61 (0.48 to 0.78), n = 612"
        )
        assert "mean PD 14.9%, default rate 9.2%" in flag.meaning

    def test_a_total_above_one_understates_risk(self):
        high = {"observed_to_expected": 1.2, "observed_to_expected_low": 1.01,
                "observed_to_expected_high": 1.4}  # fmt: skip

        flag = raise_one(rolling_origin=origins(ORIGIN, **high))

        assert flag.finding == "Its PDs are too low out of time"
        assert "furthest off" not in flag.figure
        assert "Losses exceed" in flag.meaning

    @pytest.mark.parametrize(
        ("ratio", "low", "high", "severity"),
        [
            (0.89, 0.8, 0.99, Severity.RED),
            (0.91, 0.83, 0.99, Severity.AMBER),
            (1.11, 1.01, 1.2, Severity.RED),
            (1.09, 1.01, 1.2, Severity.AMBER),
            (1.2, 1.0, 1.4, None),
            (0.8, 0.6, 1.0, None),
        ],
    )
    def test_a_total_is_judged_by_its_interval_and_its_size(self, ratio, low, high, severity):
        total = {"observed_to_expected": ratio, "observed_to_expected_low": low,
                 "observed_to_expected_high": high}  # fmt: skip

        flags = raise_flags(rolling_origin=origins(ORIGIN, **total))

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_a_level_that_means_nothing_is_not_judged(self):
        nothing = origins(observed_to_expected=None)

        (one,) = [c for c in check(rolling_origin=nothing) if not c.is_judged]

        assert one.name == "Level of the PDs"

    def test_of_several_origins_the_furthest_is_named_by_ratio(self):
        doubled = ORIGIN | {"origin": "2012-01", "observed_to_expected": 1.6,
                            "observed_to_expected_low": 1.2}  # fmt: skip

        assert (
            "origin 2013-07: 0.61" in raise_one(rolling_origin=origins(doubled, LOW_ORIGIN)).figure
        )

    def test_an_origin_without_any_charge_off_can_be_the_furthest(self):
        none = ORIGIN | {"observed_to_expected": 0.0, "observed_to_expected_low": 0.0,
                         "observed_to_expected_high": 0.3}  # fmt: skip

        assert "0.00 (0.00 to 0.30)" in raise_one(rolling_origin=origins(none)).figure


class TestCalibration:
    @pytest.mark.parametrize(
        ("ece", "severity"), [(0.021, None), (0.03, Severity.AMBER), (0.04, Severity.RED)]
    )
    def test_it_is_judged_by_what_a_perfect_model_shows(self, ece, severity):
        flags = raise_flags(blocks=later(ece=ece))

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_an_immaterial_error_is_no_flag_however_many_loans_prove_it(self):
        tiny = later(ece=0.009, ece_perfect_high=0.002)

        assert raise_flags(blocks=tiny) == []
        assert len(raise_flags(blocks=tiny, tolerated_ece=0.005)) == 1


class TestExternalSample:
    @pytest.mark.parametrize(
        ("low", "high", "severity"),
        [(0.001, 0.02, None), (-0.01, 0.02, Severity.AMBER), (-0.03, -0.01, Severity.RED)],
    )
    def test_the_gain_over_the_rate_is_judged_by_its_interval(self, low, high, severity):
        flags = raise_flags(external=EXTERNAL | {"auc_gain_low": low, "auc_gain_high": high})

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_what_may_have_been_learnt_from_is_amber(self):
        flag = raise_one(external=EXTERNAL | {"is_overlap_checked": False})

        assert flag.severity is Severity.AMBER

    def test_without_a_sample_it_is_not_judged(self):
        (one,) = [c for c in check(external=None) if not c.is_judged]

        assert one.name == "External sample"


class TestPromotion:
    def test_each_condition_that_fails_is_red(self):
        failed = {"name": "calibrated", "holds": False, "evidence": "ECE 0.05 on 4,715 loans"}

        flag = raise_one(conditions=[failed])

        assert (flag.severity, flag.figure) == (Severity.RED, "ECE 0.05 on 4,715 loans")
        assert "calibrated" in flag.finding

    def test_to_be_the_same_model_as_the_champion_is_no_fault(self):
        same = {"name": "a new model", "holds": False, "evidence": "same data, same model"}

        assert raise_flags(conditions=[same]) == []


class TestLeakage:
    def test_a_feature_that_is_caught_is_red_and_called_by_its_phrase(self):
        caught = make_finding("dti_pct", 0.9, "caught", ["AUC 0.900 on its own"])

        flag = raise_one(features=[caught])

        assert flag.severity is Severity.RED
        assert flag.figure == (
            "debt payments as a share of income: AUC 0.900 on its own (n = 4,715)"
        )

    def test_a_warning_is_amber(self):
        warned = make_finding("dti_pct", 0.6, "warned", ["its missing values mark a vintage"])

        assert raise_one(features=[warned]).severity is Severity.AMBER

    def test_a_portfolio_that_fails_a_check_is_red(self):
        flag = raise_one(portfolio_checks=[{"passed": False, "statement": "40 borrowers twice"}])

        assert (flag.severity, flag.figure) == (Severity.RED, "40 borrowers twice")


class TestGroups:
    @pytest.mark.parametrize(
        ("ratio", "severity"), [(0.8, None), (0.79, Severity.AMBER), (0.75, Severity.RED)]
    )
    def test_four_fifths_are_asked_for_and_the_interval_says_how_sure_it_is(self, ratio, severity):
        proxy = make_proxy("Housing", make_group("OWN", 1.0), make_group("RENT", ratio))

        flags = raise_flags(proxies=[proxy])

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_a_large_group_that_is_surely_below_weighs_more_than_a_small_one(self):
        wide = {"policy_approval_ratio_low": 0.55, "policy_approval_ratio_high": 0.9}
        small = make_group("OTHER", 0.7) | wide
        proxy = make_proxy("Housing", make_group("OWN", 1.0), small, make_group("RENT", 0.75))

        flag = raise_one(proxies=[proxy])

        assert flag.severity is Severity.RED
        assert "RENT against OWN" in flag.figure

    def test_the_groups_are_named(self):
        proxy = make_proxy("Housing", make_group("OWN", 1.0), make_group("RENT", 0.7))

        assert raise_one(proxies=[proxy]).figure == (
            "Housing: RENT against OWN, ratio 0.70 (0.66 to 0.74), n = 2,000"
        )

    def test_groups_too_small_and_pincodes_raise_none(self):
        small = make_proxy("Housing", make_group("OWN", None), make_group("OTHER", None))
        pincode = make_proxy(
            "Pincode", make_group("22690", 1.0), make_group("11650", 0.1), audit_only=True
        )

        assert raise_flags(proxies=[small, pincode]) == []


class TestPopulations:
    @pytest.mark.parametrize(
        ("psi", "low", "chance", "severity"),
        [
            (0.1, 0.05, 0.02, None),
            (0.138, 0.1, 0.086, Severity.AMBER),
            (0.138, 0.1, 0.14, None),
            (0.3, 0.25, 0.086, Severity.AMBER),
            (0.3, 0.26, 0.086, Severity.RED),
            (0.3, 0.26, 0.31, None),
        ],
    )
    def test_a_shift_is_large_and_more_than_chance(self, psi, low, chance, severity):
        row = POPULATION | {"psi": psi, "psi_low": low, "psi_chance": chance}

        flags = raise_flags(populations=[row])

        assert [flag.severity for flag in flags] == ([severity] if severity else [])

    def test_the_worst_is_named_with_how_many_more(self):
        rows = [
            POPULATION | {"psi": 0.11, "psi_chance": 0.02},
            POPULATION | {"population": "issued 2016", "psi": 0.2, "psi_chance": 0.02},
        ]

        flag = raise_one(populations=rows)

        assert flag.finding.endswith("issued 2016 and 1 more")
        assert flag.figure == (
            "PSI 0.200 (0.030 to 0.120), n = 206 against 4,509; chance gives up to 0.020"
        )


@pytest.mark.parametrize("missing", ["populations", "proxies"])
def test_what_was_not_measured_is_not_judged_and_raises_nothing(missing):
    checks = check(**{missing: []})

    assert list_flags(checks) == []
    assert sum(not one.is_judged for one in checks) == 1
