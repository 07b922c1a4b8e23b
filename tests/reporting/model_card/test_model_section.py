import pytest

from loantap.reporting.model_card.model_section import word_section
from tests.reporting.card_material import BLOCKS, STAGE, make_scorecard, make_section, make_verdict

PHRASES = {"dti_pct": "debt payments as a share of income"}


CALIBRATION = {"calibrated": True, "before": STAGE}


@pytest.mark.parametrize(("after", "shown"), [(STAGE, ["roc"]), (STAGE | {"ece": 0.01}, ["roc", "before_and_after"])])
def test_points_that_calibration_left_alone_are_not_shown_again(after, shown):
  section = make_section("lending", calibration=CALIBRATION | {"after": after})

  assert list(word_section(section, BLOCKS["lending"], None, PHRASES).figures) == shown


@pytest.mark.parametrize(
  ("challenger", "is_boosted"),
  [
    (None, False),
    (make_verdict("boosting", "logistic", promoted=False), False),
    (make_verdict("boosting", "logistic", promoted=True), True),
  ],
)
def test_where_the_challenger_went_forward_the_drivers_are_those_of_the_scorecard(challenger, is_boosted):
  promotion = {"champion": make_verdict(), "challenger": challenger}
  section = make_section("lending", promotion=promotion)

  worded = word_section(section, BLOCKS["lending"], make_scorecard(), PHRASES)

  assert worded.drivers.is_of_scorecard is section.is_boosted is is_boosted
  assert not worded.coefficients.is_of_scorecard
