import re

import pytest
from matplotlib.figure import Figure

from loantap.reporting.model_card.vintage_section import VintageSection
from loantap.reporting.shell import _environment
from tests.reporting.page_outline import HOSTILE, read_text
from tests.spread import spread

FIGURES = {
  "n": 1_357,
  "charged_off": 169,
  "mean_pd": 0.155,
  "ece": 0.038,
  "ece_perfect_low": 0.013,
  "ece_perfect_high": 0.034,
  **spread("default_rate", 0.1245, 0.018),
  **spread("observed_to_expected", 0.8, 0.1),
  **spread("roc_auc", 0.639, 0.05),
}
ORIGIN = {
  "origin": "2013-01",
  "until": "2013-06",
  "trained_loans": 936,
  "trained_charge_offs": 159,
  "settled_loans": 55,
  "settled_charge_offs": 2,
  "skipped": "",
}
UNMEASURED = dict.fromkeys(FIGURES)
VINTAGE = {"issue_year": 2013, "term_months": 36, "interpretable": True}
LEVELS = {name: None for name in FIGURES if name.startswith(("observed", "ece"))}
EXTERNAL = FIGURES | {
  "model_name": "loantap-lending",
  "model_version": "3",
  "first_issue_month": "2007-06",
  "last_issue_month": "2010-12",
  "training_loans": 4_715,
  "is_overlap_checked": True,
  **spread("rate_roc_auc", 0.635, 0.01),
  **spread("auc_gain", 0.0191, 0.007),
  **spread("psi", 0.028, 0.01),
}


def make_report(**changes):
  model = {
    "rolling_origin": {"pooled": FIGURES, "origins": [ORIGIN | FIGURES]},
    "vintages": [VINTAGE | FIGURES, VINTAGE | FIGURES | LEVELS | {"issue_year": 2014, "interpretable": False}],
  }
  return {
    "origin": "real",
    "definition": {
      "outcomes_as_of": "2017-03-01",
      "term_months": 36,
      "first_origin": "2012-07-01",
      "step_months": 6,
      "last_month": "2013-12-01",
    },
    "caveats": {"rolling_origin": "KNOWN.", "vintages": "CENSORED.", "external": "LEVELS."},
    "models": {"lending": model | changes},
  }


VERSIONS = {"lending": "loantap-lending version 3"}


def render(report, figures=None):
  template = _environment().from_string(
    "<head></head>{% with vintages = section %}{% include 'card/vintages.html' %}{% endwith %}"
  )
  return template.render(section=VintageSection(report, figures or {}), versions=VERSIONS)


def read(report):
  return read_text(render(report))


def test_every_figure_has_its_number_of_loans_its_interval_and_what_was_settled_by_then():
  text = read(make_report())

  assert "all together 1,357 169 charged off 12.4% 10.7 to 14.2% 15.5%" in text
  assert "0.639 0.589 to 0.689 0.80 0.70 to 0.90 0.038 perfect: 0.013 to 0.034" in text
  assert "2013-01 936 159 charged off settled by then: 55" in text
  assert "KNOWN." in text


def test_an_origin_that_was_skipped_says_why():
  skipped = ORIGIN | UNMEASURED | {"skipped": "9 charge-offs among the 80 loans"}
  text = read(make_report(rolling_origin={"pooled": None, "origins": [skipped]}))

  assert "skipped: 9 charge-offs among the 80 loans" in text
  assert "all together" not in text


def test_a_later_vintage_is_labelled_and_has_no_levels():
  text = read(make_report())

  assert "2014 resolved only 36" in text
  assert "2013 resolved only" not in text
  later = text[text.index("2014 resolved only") :]
  assert re.search(r"0\.589 to 0\.689 – – ", later)
  assert "CENSORED. They raise no alarm." in text


def test_the_external_portfolio_is_compared_with_the_rate_and_claims_no_more_than_was_checked():
  text = read(make_report(external=EXTERNAL))
  unchecked = read(make_report(external=EXTERNAL | {"is_overlap_checked": False}))

  for told in (
    "issued 2007-06 to 2010-12",
    "0.639 0.589 to 0.689 0.635 0.625 to 0.645 0.019 0.012 to 0.026",
    "0.028 0.018 to 0.038 against 4,715",
    "LEVELS.",
    "loantap-lending version 3 was trained on none of them.",
  ):
    assert told in text
  assert "whether it has seen any of these cannot be checked" in unchecked
  assert "trained on none" not in unchecked
  assert "have seen:" not in unchecked


def test_figures_are_inlined_with_their_description():
  html = render(make_report(), {"lending": Figure()})

  assert re.search(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="AUC of lending', html)


@pytest.mark.parametrize("place", ["model_name", "first_issue_month"])
def test_what_is_shown_is_escaped(place):
  html = render(make_report(external=EXTERNAL | {place: HOSTILE}))

  assert "<script>" not in html
