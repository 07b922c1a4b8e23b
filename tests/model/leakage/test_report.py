import pytest

from loantap.features.definitions import FEATURE_SETS
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.findings import FeatureFinding, LeakageError, report_leakage, require_no_leak


def find(name="dti_pct", auc=0.61234567, error=0.01, *evidence):
  return FeatureFinding(name, 1_000, 20, auc, 0.65432109, error, (Evidence("none"), *evidence))


def test_a_finding_is_reported_with_its_bounds_reasons_and_tests():
  caught = Evidence("auc_alone", GateVerdict.CAUGHT, "too strong", "ask", {"auc": 0.12345678, "loans": 3})
  warned = Evidence("vintage", GateVerdict.WARNED, "marks a vintage", "leave it out")
  finding = FeatureFinding("dti_pct", 1_000, 20, 0.61234567, 0.65432109, 0.01, (warned, caught, Evidence("none")))
  with_categories = FeatureFinding("x", 9, 2, 0.02, 0.5, 0.1, (warned,), ({"category": "a", "rate": 0.98765432},))
  one, other = (f.as_dict() for f in (finding, with_categories))

  assert one == {
    "feature": "dti_pct",
    "n": 1_000,
    "groups": 20,
    "auc": 0.6123,
    "auc_low": 0.5927,
    "auc_high": 0.6319,
    "auc_in_sample": 0.6543,
    "known_at_decision": True,
    "verdict": "caught",
    "caught": True,
    "reasons": ["too strong"],
    "warnings": ["marks a vintage"],
    "remedies": ["ask"],
    "categories": [],
    "tests": {
      "vintage": {"verdict": "warned"},
      "auc_alone": {"verdict": "caught", "auc": 0.123457, "loans": 3},
      "none": {"verdict": "passed"},
    },
    "used_by": ["benchmark", "lending", "application"],
  }
  assert (other["verdict"], other["caught"], other["auc_low"], other["auc_high"]) == ("warned", False, 0, 0.216)
  assert (other["categories"], other["used_by"]) == ([{"category": "a", "rate": 0.987654}], [])
  assert find(auc=0.98, error=0.1).as_dict()["auc_high"] == 1
  known = [find(name).as_dict()["known_at_decision"] for name in ("dti_pct", "listing_status", "unheard_of")]
  assert known == [True, False, True]
  report = report_leakage([finding], {"borrowers": {}}, [{"n": 1}])
  assert report == {"features": [one], "checks": {"borrowers": {}}, "impact": [{"n": 1}]}


LENDING, CAUGHT = FEATURE_SETS["lending"], Evidence("auc_alone", GateVerdict.CAUGHT, "too strong", "Ask")
BAD_SET = {
  "feature_set": "lending",
  "passed": False,
  "auc": 0.81,
  "auc_low": 0.8,
  "auc_high": 0.82,
  "n": 9,
  "limit": 0.7,
}
SETS = {"feature_sets": {"sets": [BAD_SET | {"feature_set": "application"}, BAD_SET | {"passed": True}]}}


@pytest.mark.parametrize(
  ("findings", "checks", "said"),
  [
    ([find("pincode", 0.9, 0.01, CAUGHT), find()], {}, ""),
    ([find("dti_pct", 0.9, 0.01, CAUGHT), find("purpose")], {}, r"dti_pct \(too strong. Ask\). Take"),
    ([], SETS, ""),
    ([], {"feature_sets": {"sets": [BAD_SET]}}, r"AUC 0.810 \(0.800 to 0.820, n 9\), above 0.70"),
    ([], {"borrowers": {"passed": True}}, ""),
    ([], {"borrowers": {"passed": False, "statement": "9 are shared", "remedy": "Mend"}}, "9 are shared. Mend"),
  ],
)
def test_a_set_that_uses_what_was_caught_may_not_be_lent_on(findings, checks, said):
  report = report_leakage(findings, checks)

  require_no_leak(FEATURE_SETS["benchmark"], report)
  if not said:
    require_no_leak(LENDING, report)
    return
  with pytest.raises(LeakageError, match=f"'lending' .*{said}"):
    require_no_leak(LENDING, report)
