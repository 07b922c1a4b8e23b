import pytest

from loantap.measures.intervals import Z95
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.last_training import LastTraining, check_against_last_training
from tests.model.leakage.limits import OPTIONS


def remember(*found):
	names = ("feature", "n", "auc", "auc_low", "auc_in_sample")
	features = [dict(zip(names, one, strict=True)) for one in found]
	return LastTraining.model_validate({"target": {"name": "charged_off"}, "features": features, "label": "champion 3"})


def compare(now, then, last=None, options=OPTIONS, *, errors=(0.0, 0.0), copies=1.0):
	last = last or remember(("dti_pct", 2_000, then[0], then[0] - Z95 * errors[1], then[1]))
	finding = FeatureFinding("dti_pct", 3_000, 20, now, now, errors[0], ())
	return check_against_last_training(finding, last, copies, options)


@pytest.mark.parametrize(
	("then", "errors", "copies", "most"),
	[
		# 0.03 of drift, above the mean of cross-fitted and in-sample AUC, above a half
		((0.55, 0.55), (0, 0), 1, 0.58),
		((0.54, 0.58), (0, 0), 1, 0.59),
		((0.44, 0.48), (0, 0), 1, 0.53),
		# and 3.09 standard errors of 0.01 of the difference, or of 0.02 where each loan is there 4 times.
		((0.55, 0.55), (0.01, 0), 1, 0.6109),
		((0.55, 0.55), (0, 0.01), 1, 0.6109),
		((0.55, 0.55), (0.006, 0.008), 1, 0.6109),
		((0.55, 0.55), (0.006, 0.008), 4, 0.6418),
	],
)
def test_a_feature_may_rise_by_drift_and_chance(then, errors, copies, most):
	found = [compare(most + by, then, errors=errors, copies=copies).verdict for by in (-0.2, -0.0002, 0.0002)]

	assert found == ["passed", "passed", "caught"]
	assert compare(0.55, (0.55, 0.55), options=OPTIONS.model_copy(update={"drift_tolerance": 0.0})).verdict == "passed"


def test_what_a_person_declares_is_no_surprise():
	declared = OPTIONS.model_copy(update={"expected_auc": {"dti_pct": 0.7}})

	assert [compare(now, (0.55, 0.55), options=declared).verdict for now in (0.7298, 0.7302)] == ["passed", "caught"]


def test_a_feature_that_is_new_is_compared_with_nothing():
	assert compare(0.9, None, remember(("purpose", 2_000, 0.5, 0.5, 0.5))).figures == {}
