import pytest

from loantap.serving.help.report import Counted, measure_rate, report_help
from loantap.surveillance.help.actions import Action

EXTEND = Action.TERM_EXTENSION


def test_take_up_and_outcomes_are_of_those_whose_answer_or_outcome_is_known():
    counted = [
        Counted(EXTEND, False, None, None, 7), Counted(EXTEND, False, "declined", None, 1),
        Counted(EXTEND, False, "declined", "defaulted", 1), Counted(EXTEND, False, "accepted", None, 3),
        Counted(EXTEND, False, "accepted", "caught_up", 4), Counted(EXTEND, False, "accepted", "defaulted", 1),
        Counted(Action.REMINDER, False, None, None, 2), Counted(EXTEND, True, "accepted", "caught_up", 40),
    ]  # fmt: skip

    reminder, extension, simulated = report_help(counted)

    assert (reminder.action, reminder.offered, reminder.take_up.share) == ("reminder", 2, None)
    assert (extension.offered, extension.take_up.n, extension.take_up.of) == (17, 8, 10)
    # Wilson's bounds of 8 of 10, by hand.
    assert (extension.take_up.low, extension.take_up.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    accepted, declined = extension.outcomes["accepted"], extension.outcomes["declined"]
    assert {name: (rate.n, rate.of) for name, rate in accepted.items()} == {
        "caught_up": (4, 5), "paid_off": (0, 5), "still_behind": (0, 5), "defaulted": (1, 5),
    }  # fmt: skip
    assert (declined["defaulted"].n, declined["defaulted"].of) == (1, 1)
    assert (simulated.is_simulated, simulated.offered) == (True, 40)
    assert reminder.is_simulated is extension.is_simulated is False


@pytest.mark.parametrize(("of", "is_small"), [(0, True), (29, True), (30, False)])
def test_few_are_called_few(of, is_small):
    assert measure_rate(0, of).is_small is is_small
