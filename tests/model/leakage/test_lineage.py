import numpy as np
import pandas as pd
import pytest

from loantap.model.leakage.borrowers import find_duplicate_borrowers
from loantap.model.leakage.lineage import LaterDates, check_dates, check_lineage, find_later_dates
from tests.model.leakage.limits import OPTIONS


def test_dates_after_the_month_of_issue_are_counted_with_the_first_five_loans():
  issued = pd.Series(pd.to_datetime(["2014-01-01"] * 8))
  oldest = pd.Series(pd.to_datetime(["2014-01-01", "2013-12-01", None, *["2014-02-01"] * 5]))
  loans = pd.DataFrame({"loan_id": [*"abcdefgh"], "issue_month": issued, "dti_pct": 1.0, "updated_at": issued})
  lines, updated = find_later_dates(loans.assign(earliest_credit_line=oldest))
  [unnamed, _] = find_later_dates(loans.drop(columns="loan_id").assign(earliest_credit_line=oldest))
  [six] = find_later_dates(loans[["loan_id", "issue_month"]].assign(earliest_credit_line=pd.Timestamp("2015-01-01")))

  assert lines == LaterDates("earliest_credit_line", 7, 5, tuple("defgh"), ("credit_history_years",))
  assert lines.as_dict() == {
    "column": "earliest_credit_line",
    "loans": 7,
    "later": 5,
    "examples": [*"defgh"],
    "used_by": ["credit_history_years"],
  }
  assert updated == LaterDates("updated_at", 8, 0, (), ())
  assert (unnamed.later, unnamed.examples, six.examples) == (5, (), tuple("abcde"))
  assert (LaterDates("x", 0, 0, (), ()).share, lines.share) == (0, 5 / 7)


@pytest.mark.parametrize(("later", "verdict"), [(0, "passed"), (1, "warned"), (2, "caught")])
def test_a_feature_of_later_dates_is_warned_of_up_to_a_share_and_caught_beyond(later, verdict):
  found = [LaterDates("line", 1_000, later, ("a",), ("age",)), LaterDates("other", 10, 10, (), ("other_age",))]
  evidence = check_dates("age", found, OPTIONS)

  assert (evidence.verdict, evidence.figures) == (verdict, {"line": later / 1_000} if later else {})


def test_a_feature_comes_out_the_same_to_the_last_digits_for_every_second_loan():
  loans = pd.DataFrame({"dti_pct": [0.0, 1.0, 20.0, 2.0, np.nan, 3.0, 5.0], "purpose": [*"abcdefg"]})
  dti, purpose = loans["dti_pct"], loans["purpose"]
  # The loans in between are not looked at.
  same = check_lineage(dti.add([1e-13, 9, 1e-11, 9, 0, 9, 0]), loans)

  assert (same.verdict, check_lineage(purpose, loans).verdict) == ("passed", "passed")
  # Neither a millionth part nor a billionth of one is a last digit.
  for by in ([5e-9, 0, 0, 0, 0, 0, 0], [0, 0, 1e-5, 0, 0, 0, 0]):
    found = check_lineage(dti + by, loans)
    assert (found.verdict, found.figures) == ("caught", {"differing": 1, "loans": 4})
  assert check_lineage(purpose.replace({"a": "b", "g": "b", "b": "c"}), loans).figures["differing"] == 2
  assert check_lineage(purpose.rename("dti_pct"), loans).figures["differing"] == 4


def held_out(loans, keys):
  """Three folds of two of the first six loans; the others are held out."""
  train = pd.Series(np.arange(len(loans)) < 6, index=loans.index)
  return find_duplicate_borrowers(loans, train, [(None, np.array([k, k + 3])) for k in range(3)], keys)


def test_duplicates_are_counted_across_the_split_and_between_folds():
  #                               fold 0  1  2  0  1  2  held out
  loans = pd.DataFrame({"a": [1.0, 2, 3, 1, 2, 4, 2, 4, 9, 9], "b": [1.0, 1, 1, 1, 1, 1, 1, 1, 1, 1], "c": 0.0})
  loans["c"] = [7.0, 8, 8, 7, 5, np.nan, np.nan, 5, 7, 6]
  found = held_out(loans, [("a", "b"), ("c",)])

  # By a: 2 and 4 are in training too, 9 is held out twice. By c: 5 and 7; and 8 lies in two folds, 7 in one.
  assert found.as_dict() == {
    "keys": ["a + b", "c"],
    "test_loans": 4,
    "test_duplicates": 3,
    "test_duplicates_by_key": [2, 2],
    "train_loans": 6,
    "fold_duplicates": 2,
  }
  assert found.share == 0.75
  assert held_out(loans[:6], [("a",)]).share == 0
  assert held_out(loans.assign(a=[1, 2, 3, 4, 5, 5, 6, 7, 8, 9]), [("a", "b")]).fold_duplicates == 2
  assert held_out(loans.assign(borrower_id=[*"ABCDEFGHIA"]), [("a",)]).as_dict()["test_duplicates_by_key"] == [1]
