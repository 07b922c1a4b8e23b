import pandas as pd
import pytest

from loantap.policy.summary.headlines import Headline, Money, count_samples, describe_later, describe_summary


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


LOANS = pd.DataFrame(
	{
		"loan_id": list("abcd"),
		"term_months": [36.0, 36, 60, 36],
		"issue_month": pd.to_datetime(["2012-07-01", "2013-12-01", "2015-01-01", "2016-01-01"]),
	}
)


def judge(cv, later):
	samples = ["cv"] * len(cv) + ["out_of_time"] * len(later)
	return pd.DataFrame({"loan_id": list(cv + later), "sample": samples})


@pytest.mark.parametrize(
	("later", "told"),
	[
		("ba", "36-month loans issued July 2012 to December 2013 (60 months are untested)"),
		("ac", "36 and 60-month loans issued July 2012 to January 2015"),
		("", ""),
	],
)
def test_loans_judged_out_of_time_are_named_by_term_and_month_of_issue(later, told):
	assert describe_later(judge("abcd", later), LOANS) == told


def test_loans_are_counted_by_sample():
	assert count_samples(judge("abcd", "ba")) == {"cv": 4, "out_of_time": 2}
