import pytest

from loantap.reporting.model_card.leakage_section import make_leakage_section
from loantap.reporting.shell import _environment
from tests.reporting.leakage_findings import make_finding, make_impact
from tests.reporting.page_outline import read_text

REPORT = {
  "features": [
    make_finding("dti_pct", 0.56, used_by=["lending"]),
    make_finding("grade", 0.68, used_by=["lending"]),
    make_finding("has_mortgage", 0.55, "warned", ["its missing values mark a vintage"]),
    make_finding("pincode", 0.83, "caught", ["implausible default rate"], ["benchmark"]),
  ],
  "checks": {
    "borrowers": {"passed": False, "statement": "40 of 400 held-out loans have a duplicate"},
    "audited_columns": {
      "passed": True,
      "statement": "1 column examined",
      "columns": [make_finding("profession", 0.528, "caught", ["it remembers loans"])],
    },
  },
  "impact": [make_impact("pincode", 0.905, 0.702)],
}


def render(report):
  part = _environment().get_template("card/leakage.html").render(leakage=make_leakage_section(report), versions={})
  return f"</head>{part}"


def test_the_worst_comes_first_then_the_strongest():
  section = make_leakage_section(REPORT)

  assert [f.name for f in section.features] == ["pincode", "has_mortgage", "grade", "dti_pct"]
  assert section.caught == ["pincode"]


@pytest.mark.parametrize(
  "told",
  [
    "on the training loans (n 4,715)",
    "1 of 4 features caught: pincode.",
    "pincode 0.830 0.810 to 0.850 0.850 caught implausible default rate benchmark",
    "has_mortgage 0.550 0.530 to 0.570 0.570 warned its missing values mark a vin",
    "grade 0.680 0.660 to 0.700 0.700 passed lending",
    "on n = 2,000 of 4,715 training loans",
    "pincode +0.2030 0.1930 to 0.2130 0.702 without, 0.905 with",
    "The same borrower in training and test failed 40 of 400 held-out loans",
  ],
)
def test_features_impact_and_checks_are_told_with_their_figures(told):
  assert told in read_text(render(REPORT))


def test_without_suspicion_or_checks_there_are_no_empty_tables():
  text = read_text(render({"features": REPORT["features"][:2], "checks": {}, "impact": []}))

  assert "0 of 2 features caught." in text
  assert "With and without" not in text
  assert "The portfolio as a whole" not in text
  assert "Columns that no model uses" not in text
