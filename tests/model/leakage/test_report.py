import pytest

from loantap.features.definitions import FEATURE_SETS
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.findings import FeatureFinding, LeakageError, report_leakage, require_no_leak

CAUGHT = Evidence("auc_alone", GateVerdict.CAUGHT, "too strong", "Ask", {"auc": 0.12345678, "loans": 3})
WARNED = Evidence("vintage", GateVerdict.WARNED, "marks a vintage", "leave it out")


def find(name, *evidence, auc=0.61234567, error=0.01):
	return FeatureFinding(name, 1_000, 20, auc, 0.65432109, error, (Evidence("none"), *evidence), ({"rate": 0.98765432},))


def test_a_finding_is_reported_with_its_bounds_reasons_and_tests():
	report = report_leakage([find("dti_pct", CAUGHT, WARNED)], {"borrowers": {}}, [{"n": 1}])
	entry = {
		"feature": "dti_pct",
		"n": 1_000,
		"groups": 20,
		"auc": 0.612346,
		"auc_low": 0.592746,
		"auc_high": 0.631945,
		"auc_in_sample": 0.654321,
		"known_at_decision": True,
		"verdict": "caught",
		"caught": True,
		"reasons": ["too strong"],
		"warnings": ["marks a vintage"],
		"remedies": ["Ask"],
		"categories": [{"rate": 0.987654}],
		"tests": {
			"none": {"verdict": "passed"},
			"auc_alone": {"verdict": "caught", "auc": 0.123457, "loans": 3},
			"vintage": {"verdict": "warned"},
		},
		"used_by": ["benchmark", "lending", "application"],
	}
	assert report == {"features": [entry], "checks": {"borrowers": {}}, "impact": [{"n": 1}]}
	low, high = (find("listing_status", WARNED, auc=auc, error=0.1).as_dict() for auc in (0.02, 0.98))
	assert (low["auc_low"], high["auc_high"]) == (0, 1)
	assert (low["verdict"], low["caught"], low["known_at_decision"]) == ("warned", False, False)
	assert find("unheard_of").as_dict()["known_at_decision"]


BAD_SET = {"feature_set": "lending", "passed": False, "auc": 0.8, "auc_low": 0.7, "auc_high": 0.9, "n": 9, "limit": 0.7}


@pytest.mark.parametrize(
	("findings", "checks", "said"),
	[
		([find("pincode", CAUGHT), find("dti_pct")], {"borrowers": {"passed": True}}, ""),
		([find("dti_pct", CAUGHT), find("purpose")], {}, r"dti_pct \(too strong. Ask\). Take"),
		([], {"feature_sets": {"sets": [BAD_SET | {"feature_set": "application"}, BAD_SET | {"passed": True}]}}, ""),
		([], {"feature_sets": {"sets": [BAD_SET]}}, r"AUC 0.800 \(0.700 to 0.900, n 9\), above 0.70"),
		([], {"borrowers": {"passed": False, "statement": "9 are shared", "remedy": "Mend"}}, "9 are shared. Mend"),
	],
)
def test_a_set_that_uses_what_was_caught_may_not_be_lent_on(findings, checks, said):
	report = report_leakage(findings, checks)

	require_no_leak(FEATURE_SETS["benchmark"], report)
	if not said:
		require_no_leak(FEATURE_SETS["lending"], report)
		return
	with pytest.raises(LeakageError, match=f"'lending' .*{said}"):
		require_no_leak(FEATURE_SETS["lending"], report)
