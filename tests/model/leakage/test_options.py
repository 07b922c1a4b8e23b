import pytest
from pydantic import ValidationError

from loantap.model.leakage.expected import EXPECTED_AUC, add_strengths, check_strength, expect_auc, is_score
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.options import LeakageOptions
from tests.model.leakage.limits import OPTIONS

GIVEN = OPTIONS.model_dump(exclude_defaults=True)


def test_limits_that_nobody_sets_are_as_documented():
	names = "strength_tolerance drift_tolerance max_added_auc max_borrower_auc max_set_auc rate_tolerance max_odds_ratio"

	assert [getattr(LeakageOptions(**GIVEN), n) for n in names.split()] == [0.02, 0.03, 0.01, 0.03, 0.8, 0.5, 2.0]


@pytest.mark.parametrize(
	("name", "good", "bad"),
	[
		("folds", 2, 1),
		("max_auc", 1.0, 1.01),
		("max_auc", 0.51, 0.5),
		("max_later_share", 0.0, -0.01),
		("max_later_share", 0.99, 1.0),
		("max_duplicate_borrowers", 0.0, -0.01),
		("max_duplicate_borrowers", 0.99, 1.0),
		("borrower_keys", (("state", "pincode"),), [["state"]]),
		("borrower_keys", (("state", "pincode"),), [["state", "zip"]]),
		("borrower_keys", (("state", "pincode"),), []),
		("impact_loans", 1_000, 999),
		("expected_auc", {"dti_pct": 0.5}, {"dti_pct": 0.49}),
		("expected_auc", {"dti_pct": 1.0}, {"dti_pct": 1.01}),
		("expected_auc", {}, {"dti": 0.7}),
		("max_set_auc", 1.0, 1.01),
		("max_set_auc", 0.51, 0.5),
		("max_odds_ratio", 1.01, 1.0),
		("plausible_default_rates", (0.1, 0.2), (0.2, 0.2)),
		("plausible_default_rates", (0.1, 0.2), [0.1]),
	],
)
def test_a_limit_beyond_its_range_is_refused(name, good, bad):
	assert getattr(LeakageOptions(**GIVEN | {name: good}), name) == good
	with pytest.raises(ValidationError, match=name):
		LeakageOptions(**GIVEN | {name: bad})


@pytest.mark.parametrize(
	("auc", "error", "copies", "verdict"),
	# Expected .53, tolerated .02 more, 3.09 standard errors of .01 below the AUC; of .02 where each is there 4 times.
	[(0.5808, 0.01, 1, "passed"), (0.5810, 0.01, 1, "caught"), (0.6117, 0.01, 4, "passed"), (0.6119, 0.01, 4, "caught")],
)
def test_a_feature_may_exceed_what_is_expected_by_tolerance_and_chance(auc, error, copies, verdict):
	found = check_strength(FeatureFinding("open_accounts", 1_000, 20, auc, auc, error, ()), copies, OPTIONS)

	assert (found.verdict, found.figures["auc_expected"]) == (verdict, 0.53)


def test_what_is_expected_is_what_a_person_says_then_the_table_then_the_limit_of_all():
	options = OPTIONS.model_copy(update={"expected_auc": {"dti_pct": 0.72}})

	assert [expect_auc(name, options) for name in ("dti_pct", "purpose", "pincode")] == [0.72, 0.56, 0.75]
	assert [is_score(name, options) for name in ("dti_pct", "purpose", "pincode")] == [True, False, True]
	assert all(0.5 < area < 0.75 for area in EXPECTED_AUC.values())


def test_two_independent_scores_add_up_as_their_distances_do():
	assert [add_strengths(0.72, other) for other in (0.71, 0.5)] == pytest.approx([0.789, 0.72], abs=0.001)
