import pytest
from pydantic import ValidationError
from scipy.stats import norm

from loantap.model.leakage.expected import EXPECTED_AUC, Z
from loantap.model.leakage.options import LeakageOptions
from tests.model.leakage.limits import OPTIONS

GIVEN = OPTIONS.model_dump(exclude_defaults=True)


def test_limits_that_nobody_sets_are_as_documented():
  names = "strength_tolerance drift_tolerance max_added_auc max_borrower_auc max_set_auc rate_tolerance max_odds_ratio"
  found = [getattr(LeakageOptions(**GIVEN), name) for name in [*names.split(), "expected_auc"]]

  declared = LeakageOptions(**GIVEN | {"expected_auc": {"dti_pct": 0.7}})
  assert declared.expected_auc == {"dti_pct": 0.7}
  assert found == [0.02, 0.03, 0.01, 0.03, 0.8, 0.5, 2.0, {}]


def test_what_is_expected_of_a_feature_is_an_area_and_chance_one_in_a_thousand():
  assert all(0.5 < area < 0.75 for area in EXPECTED_AUC.values())
  assert norm.sf(Z) == pytest.approx(0.001)


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
    ("borrower_keys", [["state", "pincode"]], [["state"]]),
    ("borrower_keys", [["state", "pincode"]], []),
    ("borrower_keys", [["state", "pincode"]], [["state", "zip"]]),
    ("impact_loans", 1_000, 999),
    ("expected_auc", {"dti_pct": 0.5}, {"dti_pct": 0.49}),
    ("expected_auc", {"dti_pct": 1.0}, {"dti_pct": 1.01}),
    ("expected_auc", {}, {"dti": 0.7}),
    ("max_set_auc", 1.0, 1.01),
    ("max_set_auc", 0.51, 0.5),
    ("max_odds_ratio", 1.01, 1.0),
    ("plausible_default_rates", (0.1, 0.2), (0.2, 0.2)),
  ],
)
def test_a_limit_beyond_its_range_is_refused(name, good, bad):
  LeakageOptions(**GIVEN | {name: good})
  with pytest.raises(ValidationError, match=name):
    LeakageOptions(**GIVEN | {name: bad})
