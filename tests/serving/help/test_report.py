import pytest

from loantap.serving.help.report import measure_rate, report_help


def test_take_up_and_outcomes_are_of_those_whose_answer_or_outcome_is_known():
  extend = ("term_extension", 0)
  counts = {
    (*extend, None, None): 7,
    (*extend, "declined", None): 1,
    (*extend, "declined", "defaulted"): 1,
    (*extend, "accepted", None): 3,
    (*extend, "accepted", "caught_up"): 4,
    (*extend, "accepted", "defaulted"): 1,
    ("reminder", 0, None, None): 2,
    ("reminder", 1, "accepted", "caught_up"): 40,
  }

  reminder, extension, simulated = report_help(counts).items

  assert (reminder.action, reminder.offered, reminder.take_up.share) == ("reminder", 2, None)
  assert (extension.offered, extension.take_up.n, extension.take_up.of) == (17, 8, 10)
  # Wilson's bounds of 8 of 10, by hand.
  assert (extension.take_up.low, extension.take_up.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
  found = {said: {name: (rate.n, rate.of) for name, rate in of.items()} for said, of in extension.outcomes.items()}
  assert found["accepted"] == {"caught_up": (4, 5), "paid_off": (0, 5), "still_behind": (0, 5), "defaulted": (1, 5)}
  assert found["declined"]["defaulted"] == (1, 1)
  assert (simulated.simulated, simulated.offered, extension.simulated) == (True, 40, False)


@pytest.mark.parametrize(("of", "is_small"), [(0, True), (29, True), (30, False)])
def test_few_are_called_few(of, is_small):
  assert measure_rate(0, of).is_small is is_small
