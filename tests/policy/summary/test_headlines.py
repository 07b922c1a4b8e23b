from loantap.policy.summary.headlines import Headline, Money, describe_summary
from tests.policy.summary.material import DTI, find, propose


def test_there_are_five_findings_and_three_actions():
  assert len(find(DTI)) == 5
  assert len(propose()) == 3


def test_the_summary_is_plain_figures_of_six_digits():
  money = Money(105.260966, 73.175517, 137.346416, "per application")
  known, unknown = Headline("A", "a", money, 3), Headline("B", "b", None, 0)

  written = describe_summary([known], [unknown], "mid", "real", {"cv": 5}, "later loans")

  assert written["findings"] == [
    {
      "title": "A",
      "text": "a",
      "n": 3,
      "points": [],
      "money": {"value": 105.261, "low": 73.1755, "high": 137.346, "per": "per application"},
    }
  ]
  assert written["actions"][0]["money"] is None
  assert (written["scenario"], written["origin"]) == ("mid", "real")
  assert (written["samples"], written["out_of_time"]) == ({"cv": 5}, "later loans")
