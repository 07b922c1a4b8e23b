import re
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from loantap.reporting.terminal.results import RunResults
from loantap.reporting.terminal.run_summary import summarise_run
from tests.reporting.terminal.test_scoring_told import make_account


@pytest.fixture
def reconciliation():
  return pd.DataFrame(
    {
      "table": ["loans", "applications", "loan_events"],
      "origin": ["real", "real", "simulated"],
      "extracted": [5_239, 5_240, 101_234],
      "kept": [5_239, 5_239, 101_233],
      "running": [0, 0, 0],
      "left_out": [0, 0, 0],
      "quarantined": [0, 1, 1],
    }
  )


def test_a_book_that_lives_says_how_much_of_it(reconciliation):
  living = reconciliation.assign(running=[1_048, 1_048, 20_000], left_out=[12, 12, 300])
  said = say(RunResults(reconciliation=living))
  table = say(RunResults(reconciliation=living), full=True)

  assert "5,239 real loans, 1,048 of which still run; 12 left out" in said
  assert re.search(r"loan_events.*101,233\W+20,000\W+300\W+1\b", table)


@pytest.fixture
def metrics():
  block = {"n": 4_715, "roc_auc": 0.7123, "ece": 0.0123, "f2": 0.5789, "f2_decline_all": 0.5415, "approval_rate": 0.331}
  bounds = {"roc_auc_low": 0.66, "roc_auc_high": 0.76, "f2_low": 0.53, "f2_high": 0.62}
  blocks = {"cv": block, "test": block | bounds | {"n": 524}, "out_of_time": None}
  return {"lending": blocks, "benchmark": blocks, "origin": "real"}


def say(results, width=160, *, full=False):
  said = StringIO()
  Console(file=said, width=width).print(summarise_run(results, full=full))
  return said.getvalue()


def lines_of(text, label):
  lines = text.splitlines()
  first = next(n for n, line in enumerate(lines) if line.startswith(label))
  others = lines[first + 1 :]
  below = next((n for n, line in enumerate(others) if line[:1] != " "), len(others))
  return [lines[first].removeprefix(label).strip(), *(line.strip() for line in others[:below])]


def make_promotion(*, promoted, model="lending"):
  conditions = [
    {"name": "calibrated", "holds": True, "evidence": "ECE 0.0120 on 4,715 loans"},
    {"name": "better AUC", "holds": promoted, "evidence": "+0.001 [-0.002, +0.004]"},
  ]
  verb = "takes the place of" if promoted else "does not take the place of"
  headline = f"the new logistic model of {model} {verb} loantap-{model} version 3"
  verdict = {"promoted": promoted, "headline": headline, "conditions": conditions}
  return {"challenger": None, "champion": verdict}


def test_loans_are_counted_and_so_is_what_was_put_aside(reconciliation):
  assert lines_of(say(RunResults(reconciliation)), "Data") == [
    ("5,239 real loans; loan_events SIMULATED; 2 of 111,713 rows in quarantine (applications 1, loan_events 1)")
  ]


def test_where_nothing_was_put_aside_no_table_is_named(reconciliation):
  clean = reconciliation.assign(quarantined=0, origin="real")

  assert lines_of(say(RunResults(clean)), "Data") == ["5,239 real loans; 0 of 111,713 rows in quarantine"]
  assert lines_of(say(RunResults(clean.assign(origin="simulated"))), "Data") == [
    "5,239 loans of SIMULATED DATA; 0 of 111,713 rows in quarantine"
  ]


def test_a_new_model_is_told_with_its_conditions_or_what_it_failed_and_its_auc(metrics):
  def tell(*, promoted):
    promotions = {"lending": make_promotion(promoted=promoted)}
    return lines_of(say(RunResults(metrics=metrics, promotions=promotions)), "Champion")

  assert tell(promoted=True) == [
    (
      "The new logistic model of lending takes the place of loantap-lending version 3: "
      "all 2 conditions hold (calibrated, better AUC)"
    ),
    "AUC of the new model: 0.712 [0.660, 0.760] on 524 test loans",
  ]
  assert tell(promoted=False)[0] == (
    "The new logistic model of lending does not take the place of loantap-lending version "
    "3. Not met: better AUC (+0.001 [-0.002, +0.004])"
  )


@pytest.mark.parametrize("promoted", [True, False])
def test_another_lending_model_is_named_where_it_fared_otherwise(promoted):
  promotions = {
    "benchmark": make_promotion(promoted=not promoted),
    "application": make_promotion(promoted=not promoted),
    "lending": make_promotion(promoted=promoted),
  }
  alike = promotions | {"application": make_promotion(promoted=promoted)}

  told = lines_of(say(RunResults(promotions=promotions)), "Champion")[1:]

  said = "does not become champion" if promoted else "becomes champion"
  assert told == [f"application {said}"]
  assert "application" not in say(RunResults(promotions=alike))


def test_a_run_that_only_trained_tells_the_auc_out_of_fold(metrics):
  trained = {"application": {"cv": metrics["lending"]["cv"]}, "origin": "simulated"}

  assert lines_of(say(RunResults(metrics=trained)), "Model") == [
    ("AUC of application, trained on SIMULATED DATA: 0.712 out of fold on 4,715 training loans")
  ]

  untold = {"lending": {"cv": None, "test": None}, "origin": "real"}
  assert lines_of(say(RunResults(metrics=untold)), "Model") == ["AUC of lending: too few loans"]


def test_a_benchmark_alone_is_called_not_for_lending(metrics):
  alone = {"benchmark": metrics["benchmark"], "origin": "real"}

  assert "benchmark is not for lending" in say(RunResults(metrics=alone))
  assert "not for lending" not in say(RunResults(metrics=metrics))


def test_pages_are_named_the_model_card_first_and_the_others_counted():
  names = ("metrics.json", "eda.html", "[draft].html", "model_card.html", "fairness.json")

  text = say(RunResults(reports=[Path("data/08") / name for name in names]))

  assert lines_of(text, "Reports") == ["data/08/model_card.html, eda.html, [draft].html; 2 more in that folder"]

  text = say(RunResults(reports=[Path("data/08/leakage_report.json")]))
  assert lines_of(text, "Reports") == ["data/08/leakage_report.json"]


@pytest.mark.parametrize(("model", "is_warned"), [("loantap-lending", False), ("loantap-lending-demo", True)])
def test_scores_are_counted_by_decision_and_a_demo_model_is_called_simulated(model, is_warned):
  decisions = pd.DataFrame(
    {"decision": ["invalid", "approve"], "model_name": model, "model_version": "3", "rows": [1, 2]}
  )
  results = RunResults(scores=Path("out/[new].parquet"), decisions=decisions)

  path, counted = lines_of(say(results), "Scores")[:2]

  assert path == "out/[new].parquet"  # no markup in a path
  assert counted.startswith(f"2 approve, 1 invalid, by {model} version 3")
  assert ("SIMULATED DATA, not for decisions" in counted) is is_warned


def test_what_could_not_be_scored_is_told_without_being_asked_for():
  account = make_account(invalid=300)

  told = lines_of(say(RunResults(scores=Path("s"), scoring_account=account)), "Scores")

  assert told[1].startswith("300 of 4,000 could not be scored")


ACCOUNT = {
  "rows": 1_250,
  "invalid": 0,
  "invalid_share": 0.0,
  "causes": [],
  "has_ids": True,
  "without_id": {"rows": 9, "first_rows": [1]},
  "decisions": {"approve": 900, "refer": 200, "decline": 147, "invalid": 3},
  "kinds": {"as asked": 1_001, "smaller": 1_050, "none": 150},
  "no_offer": {},
}


def say_offers(model="loantap-application", **changes):
  models = pd.DataFrame({"model_name": [model], "model_version": ["3"], "rows": [2_200]})
  results = RunResults(
    offers=Path("out/[new].parquet"),
    offers_account=ACCOUNT | changes,
    offering_models=models if changes.get("rows", 1) else models.head(0),
  )
  return lines_of(say(results), "Offers")


def test_applicants_with_an_offer_are_counted():
  assert say_offers() == [
    "out/[new].parquet",
    (
      "1,100 of 1,250 applicants have an offer, 1,001 of them one of the loan as asked "
      "for, by loantap-application version 3"
    ),
  ]

  assert "SIMULATED DATA, not for decisions" in " ".join(say_offers("loantap-application-demo"))


def test_nobody_has_an_offer():
  none = say_offers(decisions={"decline": 1_250}, kinds={"none": 1_250})

  assert none[1].startswith("0 of 1,250 applicants have an offer, 0 of them")
  assert say_offers(rows=0)[1:] == ["0 applications: the file has a header and no rows"]


def make_external(*, is_checked):
  bounds = {"roc_auc": 0.655, "rate_roc_auc": 0.635, "auc_gain": 0.02}
  found = {f"{n}{end}": v + by for n, v in bounds.items() for end, by in (("", 0), ("_low", -0.01), ("_high", 0.01))}
  found |= {
    "n": 17_815,
    "charged_off": 2_600,
    "first_issue_month": "2007-06",
    "last_issue_month": "2010-12",
    "model_name": "loantap-lending",
    "model_version": "2",
    "is_overlap_checked": is_checked,
  }
  return {"models": {"application": {}, "lending": {"external": found}}}


@pytest.mark.parametrize("width", [80, 120])
def test_all_that_a_run_may_say_fits(width, metrics, reconciliation):
  results = RunResults(
    reconciliation=reconciliation,
    metrics=metrics | {"origin": "simulated"},
    promotions={"lending": make_promotion(promoted=False)},
    vintages=make_external(is_checked=True),
    reports=[Path("data/08_reporting") / f"page_{n}.html" for n in range(9)],
    next_steps="make viz\nkedro run",
  )

  lines = say(results, width).splitlines()

  assert len(lines) <= 20
  assert max(map(len, lines)) <= width
  assert "…" not in "".join(lines)


def line_of(text, *words):
  return next(line for line in text.splitlines() if all(word in line for word in words))


def test_metrics_of_each_sample_are_shown_with_their_bounds_and_f2_never_alone(metrics):
  text = say(RunResults(metrics=metrics | {"origin": "simulated"}), full=True)

  test = line_of(text, "test", "524", "33%")
  for figure in ("0.712 [0.660, 0.760]", "0.579 [0.530, 0.620]", "0.012"):
    assert figure in test
  cross_validated = line_of(text, "cross", "4,715")
  for figure in ("0.579", "0.541", "33%"):  # 0.541 is declining everybody's
    assert figure in cross_validated
  assert "too few loans" in line_of(text, "out of time")
  assert "Models - SIMULATED DATA" in text
  assert "SIMULATED" not in say(RunResults(metrics=metrics), full=True)


def test_every_condition_of_a_lending_model_is_told():
  promotions = {
    "benchmark": make_promotion(promoted=True, model="benchmark"),
    "lending": make_promotion(promoted=False),
  }

  text = say(RunResults(promotions=promotions), full=True)

  assert "calibrated: yes, ECE 0.0120 on 4,715 loans" in text
  assert "better AUC: NO, +0.001 [-0.002, +0.004]" in text
  assert "benchmark" not in text


@pytest.mark.parametrize(
  ("is_checked", "said"), [(True, "it was trained on none of them"), (False, "CANNOT BE CHECKED")]
)
def test_an_external_sample_is_shown_with_the_gain_over_the_rate(is_checked, said):
  results = RunResults(vintages=make_external(is_checked=is_checked))

  text = " ".join(say(results, 80, full=True).split())

  assert "External sample: 17,815 loans issued 2007-06 to 2010-12, 2,600 charged" in text
  assert "loantap-lending version 2: AUC 0.655 [0.645, 0.665], the interest rate" in text
  assert "gain 0.020 [0.010, 0.030]" in text
  assert said in text


def test_every_file_is_listed():
  text = say(RunResults(reports=(Path("data/a.html"), Path("data/[b].json"))), full=True)

  assert "Reports\n  data/a.html\n  data/[b].json" in text


def test_at_80_columns_nothing_is_cut_as_wide_as_the_figures_may_get(metrics, reconciliation):
  wide = {
    model: {s: b and b | {"n": 396_030} for s, b in blocks.items()}
    for model, blocks in metrics.items()
    if model != "origin"
  }
  wide |= {"published_replica": wide["benchmark"], "origin": "simulated"}

  text = say(RunResults(reconciliation, wide), 80, full=True)

  assert max(map(len, text.splitlines())) <= 80
  assert "…" not in text
  for figure in (
    "396,030",
    "0.712",
    "0.012",
    "0.579",
    "0.541",
    "33%",
    "[0.660,0.760]",
    "[0.530,0.620]",
    "published_replica*",
  ):
    assert figure in text
