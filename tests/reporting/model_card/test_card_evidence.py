import pytest

from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.page import render_model_card
from tests.reporting.card_material import STAGE, UNUSED_LINE, make_card, make_scorecard, make_section
from tests.reporting.page_outline import read_section, section_of


def read_calibration(**changes):
  calibration = {"recalibration": UNUSED_LINE, "before": STAGE, "after": STAGE} | changes
  section = make_section("lending", calibration=calibration)
  return read_section(render_model_card(make_card(sections=[section])), "model-lending")


@pytest.mark.parametrize(
  "told",
  [
    # Calibration: its line, then before and after side by side.
    "intercept -1.386 (-1.470 to -1.300), slope 0.912 (0.830 to 0.994), n = 4,715",
    "Mean PD 47.8% 19.1%",
    "Observed / expected 0.40 0.38 to 0.42 1.00 0.94 to 1.06",
    "ECE 0.287 perfect: 0.006 to 0.021 0.012 perfect: 0.006 to 0.021",
    "Log-loss 0.636 0.445",
    "n = 4,715; after: each loan recalibrated on the other folds",
    # Thresholds, of which declining everybody is the measure.
    "1.0% 0.550 0.530 to 0.570 25.0% 23.0 to 27.0% 99.0% 98.0 to 100.0% 1.0% 1.0 to 1.0% 8.0% 7.0 to 9.0%",
    "n = 4,715. Declining everybody has an F2 of 0.541",
    "the threshold that maximises F2 is 11.0%, and decides on no loan",
    # The scorecard, and an example that is nobody's.
    "up to 10% 2,000 +9.6 over 10% 2,715 -12.4",
    "575 to 599 800 200 25.0% 22.1 to 28.1% 24.0%",
    "A made-up application",
    "PD 26.1%, score 583.",
    "debt payments are 24.1% of income",
    "To begin with 611.2 Debt payments as a share of income 24.1% -28.2",
    "Sum, rounded 583",
    # What may make a PD extreme.
    "2 of 5,239 loans have a DTI above 100% (the highest: 189.9%).",
    "Joint applications among them: 1. In a joint application the DTI is",
  ],
)
def test_what_is_said_of_a_model_comes_with_its_evidence(told, lending):
  assert told in lending


def test_a_model_that_needs_no_recalibration_says_so():
  text = read_calibration(calibrated=True)

  assert "no fault with the PDs as fitted, so they are not recalibrated" in text
  assert "intercept" not in text
  assert "As fitted Mean PD 19.1% Default rate" in text
  assert "before and after" not in text


def test_bands_without_loans_are_shown_and_those_with_few_are_called_few():
  scorecard = make_scorecard()
  (band,) = scorecard["bands"]
  scorecard["bands"].append(band | {"lowest": 625, "highest": 649, "n": 29, "charged_off": 1})
  card = make_card(scorecards={"lending": scorecard})

  text = read_section(render_model_card(card), "model-lending")

  assert f"600 to 624 0 {NOTHING} {NOTHING} 625 to 649 too few to tell 29 1" in text
  assert "Bands of fewer than 30 loans are pale" in text


def test_a_model_that_is_not_lent_on_has_no_scorecard(page):
  assert "Scorecard" not in section_of(page, "model-benchmark")


def test_stability_is_judged_against_chance(page):
  text = read_section(page, "stability")

  assert "1 943 180 0.700 0.660 to 0.740" in text
  assert "issued 2014 1,200 3,515 0.051 0.031 to 0.082 up to 0.019" in text


def test_fairness_lists_every_group_with_its_intervals_under_each_rule(page):
  text = read_section(page, "fairness")

  auc = "0.710 0.680 to 0.740"
  rule = "30.0% 28.0 to 32.0% 0.72 0.68 to 0.76 65.0% 62.0 to 68.0%"
  for told in (
    "n = 4,715; policy version 2026-11",
    "Housing F2 threshold MORTGAGE RENT 0.72 0.68 to 0.76",
    "policy MORTGAGE RENT 0.72 0.68 to 0.76",
    "MORTGAGE 2,000 ",
    f"RENT 2,000 20.0% 18.2 to 21.8% 19.0% 1.05 0.95 to 1.15 {auc} {rule} {rule}",
    "can neither be shown nor ruled out",
  ):
    assert told in text
  assert text.count("1.00 the reference") == 4  # two proxies, two rules
  assert text.count("for this audit only, never lent on") == 1
  assert "Pincode for this audit only, never lent on F2 threshold" in text
