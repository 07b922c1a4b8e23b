import numpy as np
import pytest

from loantap.surveillance.watchlist.replay import Signals, replay


def follow(*loans, quiet_months=2):
  """Loans as texts: `.` quiet, `-` between the limits, a digit for a level raised."""
  text = "".join(loans)
  level = np.array([int(c) if c.isdigit() else 0 for c in text], dtype=np.int64)
  signals = Signals(level, level, np.array([c == "." for c in text]))
  return replay(signals, np.repeat(np.arange(len(loans)), [len(x) for x in loans]), quiet_months)


@pytest.mark.parametrize(
  ("months", "listed"),
  [(".1..1", "01101"), (".1.-.-.", "0111111"), ("1-----", "111111"), ("..--", "0000"), ("1.1.1..", "1111110")],
)
def test_it_leaves_after_quiet_months_in_a_row_and_not_between_the_limits(months, listed):
  assert "".join(str(int(on)) for on in follow(months).is_listed) == listed


def test_what_a_loan_did_says_nothing_of_the_next():
  course = follow("3", "-.", ".1", "..")

  assert course.is_listed.tolist() == [True, False, False, False, True, False, False]


def test_first_month_last_trigger_and_escalation_of_this_time_on_the_list():
  course = follow("2..1-3-.")

  assert course.first_listed[-1] == 3
  assert course.last_raised[-1] == 5
  assert course.escalated[3:].tolist() == [-1, -1, 5, 5, 5]
  assert course.level.tolist() == [2, 2, 0, 1, 1, 3, 3, 1]


def test_a_later_month_changes_nothing_of_an_earlier_one():
  text = "".join(np.random.default_rng(2).choice([*".-.-1223"], 60))
  whole = follow(text)
  for end in range(1, 60):
    part = follow(text[:end])
    assert (part.is_listed == whole.is_listed[:end]).all()
    assert (part.level == whole.level[:end]).all()
    assert (part.escalated == whole.escalated[:end]).all()
