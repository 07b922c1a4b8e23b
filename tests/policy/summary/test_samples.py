import pandas as pd

from loantap.policy.summary.samples import count_samples, describe_later

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


def test_loans_judged_out_of_time_are_named_by_term_and_month_of_issue():
    told = describe_later(judge("abcd", "ba"), LOANS)

    assert told == "36-month loans issued July 2012 to December 2013 (60 months are untested)"


def test_without_loans_out_of_time_nothing_is_said():
    assert describe_later(judge("abcd", ""), LOANS) == ""


def test_loans_are_counted_by_sample():
    assert count_samples(judge("abcd", "ba")) == {"cv": 4, "out_of_time": 2}


def test_where_every_term_is_tested_none_is_said_to_be_untested():
    told = describe_later(judge("abcd", "ac"), LOANS)

    assert told.startswith("36 and 60-month loans issued July 2012 to January 2015")
    assert "untested" not in told
