"""`make validate` on what a demo run has left."""

import json
import shutil
from contextlib import chdir

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from loantap.registry.commands import main
from loantap.registry.judged import note_predictions
from loantap.registry.models import PREDICTIONS, ModelVersion
from loantap.registry.validation import gather
from loantap.validation.validate import PARTS, run_part, validate
from tests.registry.registered import artifacts_of
from tests.reporting.page_outline import read_section

LENDING = ModelVersion("loantap-lending-demo", "1")


def start(project, *words):
  with chdir(project.folder):
    return CliRunner().invoke(main, ["--registry", f"sqlite:///{project.folder / 'mlflow.db'}", "validate", *words])


@pytest.fixture
def evidence(demo, tmp_path):
  assert demo.mlflow
  folder = artifacts_of(LENDING) / "evidence"
  kept = shutil.copytree(folder, tmp_path / "kept")
  yield folder
  shutil.rmtree(folder)
  shutil.copytree(kept, folder)


@pytest.fixture(scope="module")
def material(demo):
  assert demo.mlflow
  return gather(LENDING, demo.folder / "data")[1]


def test_an_honest_run_agrees_and_an_altered_report_is_named(demo, evidence):
  before = json.loads((evidence / "evidence.json").read_text("utf-8"))["files"]
  ended = start(demo)
  told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))

  assert (ended.exit_code, told["differing"]) == (0, []), ended.output
  assert {check["part"] for check in told["checks"]} == set(PARTS)
  after = json.loads((evidence / "evidence.json").read_text("utf-8"))["files"]
  assert [entry["file"] for entry in after if entry not in before] == ["validation.html", "validation.json"]
  assert not any(path.is_dir() for path in evidence.iterdir())
  page = (evidence / "validation.html").read_text("utf-8")
  assert f"All {len(told['checks'])} figures agree" in read_section(page, "verdict")
  assert told["raw_sha256"] in page
  assert "SIMULATED DATA" in page

  metrics = json.loads((evidence / "metrics.json").read_text("utf-8"))
  metrics["test"]["roc_auc"] += 0.001
  (evidence / "metrics.json").write_text(json.dumps(metrics), "utf-8")
  ended = start(demo, LENDING.name, LENDING.version)

  assert ended.exit_code == 1
  assert "1 of" in ended.output
  page = (demo.reporting / "validation.html").read_text("utf-8")
  assert "DIFFER: Metrics: test: roc_auc." in read_section(page, "verdict")


def table(name, column, change, where="index == index"):
  """Change the first of some rows."""

  def plant(raw, files):
    rows = (raw if name == "raw" else files[name]).copy()
    first = rows.query(where).index[0]
    rows.loc[first, column] = change(rows.loc[first, column])
    return (rows, files) if name == "raw" else (raw, files | {name: rows})

  return plant


def report(name, *path, change=lambda value: value[::-1] if isinstance(value, list) else value + 0.3):
  """Change a value; by default add to a number, or turn a list round."""

  def plant(raw, files):
    content = place = json.loads(json.dumps(files[name]))
    for step in path[:-1]:
      place = place[step]
    place[path[-1]] = change(place[path[-1]])
    return raw, files | {name: content}

  return plant


def rows(name, change):
  """Replace a table by what becomes of it."""
  return lambda raw, files: (raw, files | {name: change(files[name])})


def both(*plants):
  """One after the other."""

  def plant(raw, files):
    for each in plants:
      raw, files = each(raw, files)
    return raw, files

  return plant


def more(value):
  return value + 0.1


def plant_threshold(raw, files):
  """Another threshold wherever one is told; decisions out of fold stay."""
  told = rows(PREDICTIONS, lambda of: of.assign(threshold=of["threshold"] + 0.3 * (of["sample"] != "out_of_time")))
  places = [("metrics.json", "cv"), ("metrics.json", "test"), ("thresholds.json", "chosen")]
  return both(told, *(report(*place, "threshold") for place in places))(raw, files)


def plant_exception(raw, files):
  """List a loan that is on the EMI."""
  listed, judged = files[EXCEPTIONS], files[PREDICTIONS]["loan_id"]
  regular = judged[~judged.isin(listed["loan_id"])].iloc[0]
  return raw, files | {EXCEPTIONS: pd.concat([listed, listed[:1].assign(loan_id=regular, difference=0)])}


def reword(*words):
  """Write another value into the reasons of the made-up case, and where it is told."""
  old, new = words

  def change(example):
    return json.loads(json.dumps(example).replace(old, new))

  return change


EXCEPTIONS, COMPARED = "instalment_exceptions.parquet", "policy_comparison.parquet"
NPV = "policy == 'npv' and scenario == 'mid' and paid_life == 'capped' and sample == 'cv'"
PLANTED = {
  "Outcomes: outcomes that are not the raw status": table(
    "raw", "loan_status", lambda s: "Charged Off" if s == "Fully Paid" else "Fully Paid"
  ),
  "Outcomes: outcomes that are not the raw status:": table("raw", "loan_status", lambda _: "Current"),
  "Record: loans not in the raw data": table(PREDICTIONS, "loan_id", lambda _: "?"),
  "Metrics: cv: ece": report("metrics.json", "cv", "ece"),
  "Metrics: test: roc_auc_low": report("metrics.json", "test", "roc_auc_low"),
  "Metrics: out_of_time: ks_high": report("metrics.json", "out_of_time", "ks_high"),
  "Metrics: cv: ece_perfect_high": report("metrics.json", "cv", "ece_perfect_high"),
  "Metrics: out_of_time: loans": rows(PREDICTIONS, lambda of: of[of["sample"] != "out_of_time"]),
  "Record: loans twice in a sample": rows(PREDICTIONS, lambda of: pd.concat([of, of[:1]])),
  "Split: cv: loans that the split or the predictions lack": rows(PREDICTIONS, lambda of: of[1:]),
  "Published: 08_reporting/metrics.json: figures": report("08_reporting/metrics.json", "lending", "test", "roc_auc"),
  "Published: 08_reporting/lending/scorecard.json: figures": report("08_reporting/lending/scorecard.json", "n"),
  "Thresholds: metrics.json, test: best threshold": report("metrics.json", "test", "threshold"),
  "Thresholds: metrics.json, cv: best threshold": plant_threshold,
  "Thresholds: cv: thresholds of loans": table(PREDICTIONS, "threshold", more, "sample == 'cv'"),
  "Thresholds: cv: decisions off": table(PREDICTIONS, "declined", lambda d: not d, "sample == 'cv'"),
  "Thresholds: test: decisions off": table(PREDICTIONS, "declined", lambda d: not d, "sample == 'test'"),
  "Thresholds: trade-off: recall": report("thresholds.json", "thresholds", 40, "recall"),
  "EMI: off the EMI, as listed": table("raw", "instalment", more),
  "EMI: listed twice": rows(EXCEPTIONS, lambda of: pd.concat([of, of[:1]])),
  "EMI: listed, and not off the EMI": plant_exception,
  "EMI: EMI of those listed": table(EXCEPTIONS, "emi", more),
  "Points: test: log-odds, from PD and points": table("scorecard.parquet", "points", more),
  "Points: scorecard.parquet: bands": rows("scorecard.parquet", lambda of: of[::-1]),
  "Points: scorecard.json: base points": report("scorecard.json", "base_points"),
  "Points: scorecard.json: loans of": report("scorecard.json", "features", 0, "attributes", 0, "n"),
  "Points: scorecard.json: mean points of": report("scorecard.json", "features", 1, "attributes", 0, "points"),
  "Scores: scorecard.json: order": report("scorecard.json", "bands"),
  "Scores: scorecard.json: default_rate of": report("scorecard.json", "bands", 2, "default_rate"),
  "Scores: made-up case: points": report("scorecard.json", "base_points"),
  "Scores: made-up case: score": report("scorecard.json", "example", "score", change=lambda score: score + 1),
  "Scores: made-up case: reasons are not the strongest": report("scorecard.json", "example", "reasons"),
  "Scores: made-up case: reasons that quote": report("scorecard.json", "example", "reasons", change=reword("%", "1%")),
  "Scores: made-up case: values with other points": report("scorecard.json", "example", change=reword("%", "1%")),
  "Scores: made-up case: remedies": report(
    "scorecard.json", "example", change=reword("an income of ", "an income of 1; ")
  ),
  "Decisions: cv: approval_rate_low": report("fairness.json", "models", "lending", "approvals", 0, "approval_rate_low"),
  "Decisions: cv: profit": report("fairness.json", "models", "lending", "approvals", 0, "profit"),
  "Decisions: test: profit_low": report("fairness.json", "models", "lending", "approvals", 1, "profit_low"),
  "Targets: review_capacity_low": table("target_checks.parquet", "reached_low", more),
  "Targets: limits": table("target_checks.parquet", "limit", more),
  "Targets: targets that do not hold": table("target_checks.parquet", "holds", lambda holds: not holds),
  "Money: mid, capped: NPV": table("imputed_profits.parquet", "npv_mid_capped", more),
  "Money: cv, mid, capped: profit": table(COMPARED, "profit", more, NPV),
  "Money: cv, mid, capped: gain_to_approve_all": table(COMPARED, "gain_to_approve_all_low", more, NPV),
  "Refit: test: PDs": table(PREDICTIONS, "probability_of_default", lambda pd_: pd_ / 2, "sample == 'test'"),
}


def examine(material, part, plant):
  """Whether each figure of a part agrees after a change, and why the part failed."""
  raw, files = plant(material.raw, material.files)
  checks = []
  failure = run_part(PARTS[part], material._replace(raw=raw, files=files), checks)
  return {check.figure: check.agrees for check in checks}, failure


@pytest.mark.parametrize("name", PLANTED)
def test_a_difference_that_is_planted_is_named(material, name):
  part, _, figure = name.partition(": ")

  found, failure = examine(material, part, PLANTED[name])

  assert not failure
  assert [agrees for told, agrees in found.items() if told.startswith(figure)][:1] == [False]


def test_a_difference_in_one_of_many_is_named_by_what_differs(material):
  first = material.files["imputed_profits.parquet"]["loan_id"][0]
  of_loan, _ = examine(material, "Money", PLANTED["Money: mid, capped: NPV"])
  published, _ = examine(material, "Published", PLANTED["Published: 08_reporting/metrics.json: figures"])

  assert [figure for figure, agrees in of_loan.items() if not agrees][1] == f"mid, capped: NPV, {first}"
  assert "08_reporting/metrics.json: figures unlike the evidence's: test.roc_auc" in published


def without(name, **columns):
  """A table without some rows."""
  return rows(name, lambda of: of[~np.logical_and.reduce([of[column] == value for column, value in columns.items()])])


BROKEN = {
  "Record: predictions.parquet: it has no loan of the sample test": without(PREDICTIONS, sample="test"),
  "Thresholds: predictions.parquet: it has no loan of the sample cv": without(PREDICTIONS, sample="cv"),
  "Metrics: metrics.json: it lacks 'default_rate'": report("metrics.json", "cv", change=lambda of: {"n": of["n"]}),
  "Published: 08_reporting/fairness.json: it is empty": lambda raw, files: (
    raw,
    files | {"08_reporting/fairness.json": {}},
  ),
  "EMI: instalment_exceptions.parquet: it lacks 'difference'": rows(
    EXCEPTIONS, lambda of: of.drop(columns="difference")
  ),
  "Points: model_input.parquet: it has loans twice": rows("model_input.parquet", lambda of: pd.concat([of, of[:1]])),
  "Scores: scorecard.json: it is not as it should be": report("scorecard.json", "example", change=lambda _: []),
  "Decisions: fairness.json: it lacks 'lending'": report("fairness.json", "models", change=lambda _: {}),
  "Decisions: fairness.json: it lacks 'cv'": report(
    "fairness.json", "models", "lending", "approvals", change=lambda _: []
  ),
  "Targets: target_checks.parquet: it is empty": rows("target_checks.parquet", lambda of: of[:0]),
  "Targets: target_checks.parquet: it lacks 'max_default_rate'": without(
    "target_checks.parquet", target="max_default_rate"
  ),
  "Money: imputed_profits.parquet, policy_comparison.parquet: it lacks": without(COMPARED, policy="npv"),
  "Refit: training.json: none of its candidates": report("training.json", "candidates", change=lambda _: []),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_part_without_what_it_needs_fails_and_says_what(material, name):
  part, _, told = name.partition(": ")

  _, failure = examine(material, part, BROKEN[name])

  assert failure.startswith(told)
  assert "Run `--pipelines training`" in failure


def test_a_loan_that_the_raw_data_lack_is_named_and_every_part_goes_on(material):
  lost = material.files[PREDICTIONS].query("sample == 'test'")["loan_id"].iloc[0]

  found = validate(material._replace(raw=material.raw.drop(lost)))

  assert not found.failed
  assert set(found.checks) == set(PARTS)
  assert f"loans not in the raw data: {lost}" in [check.figure for check in found.checks["Record"] if not check.agrees]
  assert not all(check.agrees for check in found.checks["Money"])


def test_absent_and_damaged_files_are_named_and_the_other_parts_go_on(demo, evidence):
  (evidence / "metrics.json").write_text("{", "utf-8")
  for name in ("training.json", "scorecard.json"):
    (evidence / name).unlink()
  (demo.folder / "data" / "07_model_output" / "imputed_profits.parquet").write_text("PAR", "utf-8")
  shutil.rmtree(demo.reporting)

  ended = start(demo)

  told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))
  why = {
    "Published": "metrics.json: it is not there",
    "Metrics": "metrics.json: it is damaged",
    "Thresholds": "metrics.json: it is damaged",
    "Points": "scorecard.json: it is not there",
    "Scores": "scorecard.json: it is not there",
    "Money": "imputed_profits.parquet: it is damaged",
    "Refit": "training.json: it is not there",
  }
  assert ended.exit_code == 1
  assert told["failed"].keys() == why.keys()
  assert [part for part, words in why.items() if words not in told["failed"][part]] == []
  assert told["differing"] == []
  assert {check["part"] for check in told["checks"]} >= {"Record", "EMI", "Decisions", "Targets"}
  assert "7 parts could NOT BE VALIDATED" in " ".join(ended.output.split())
  page = (demo.reporting / "validation.html").read_text("utf-8")
  assert "imputed_profits.parquet: it is damaged" in read_section(page, "verdict")


@pytest.mark.parametrize(
  ("name", "left_out"),
  [("application", {"Targets", "Money"}), ("published-replica", {"Targets", "Money", "Points", "Scores", "Decisions"})],
)
def test_other_models_agree_and_what_is_not_made_of_them_is_said(demo, name, left_out):
  ended = start(demo, f"loantap-{name}-demo", "1")

  assert ended.exit_code == 0, ended.output
  told = json.loads((demo.reporting / "validation.json").read_text("utf-8"))
  assert {check["part"] for check in told["checks"]} == set(PARTS) - left_out
  assert {words.partition(":")[0] for words in told["not_validated"]} >= left_out


def test_files_of_another_version_are_not_held_against_this_one_and_files_of_none_are(demo):
  path = demo.folder / "data" / "07_model_output" / "lending" / PREDICTIONS
  pd.read_parquet(path).assign(probability_of_default=0.5).to_parquet(path)
  assert gather(LENDING, demo.folder / "data")[1].absent == {}

  client = mlflow.MlflowClient()
  other = client.create_model_version(LENDING.name, str(path.parent))
  note_predictions(ModelVersion(LENDING.name, other.version), path)
  try:
    absent = gather(LENDING, demo.folder / "data")[1].absent
  finally:
    client.delete_model_version(LENDING.name, other.version)

  assert absent.keys() == {"Split", "Published", "EMI", "Points", "Targets", "Money", "Refit"}
  assert f"are of {LENDING.name} version {other.version}: validate that one" in absent["Money"]


def test_what_cannot_be_validated_says_what_to_do(demo, evidence, empty_project):
  said = {"no version is registered": start(empty_project), "there is no version 9": start(demo, LENDING.name, "9")}
  pd.read_parquet(evidence / PREDICTIONS).drop(columns="threshold").to_parquet(evidence / PREDICTIONS)
  said["it lacks 'threshold'. Run"] = start(demo)
  (evidence / PREDICTIONS).write_text("PAR", "utf-8")
  said["no predictions.parquet that can be read (it is damaged"] = start(demo)
  (evidence / PREDICTIONS).unlink()
  said["no predictions.parquet that can be read. Run"] = start(demo)
  (demo.folder / "data" / "01_raw" / "loans" / "manifest.json").unlink()
  said["there are no raw loans"] = start(demo)

  for words, ended in said.items():
    assert ended.exit_code == 1
    assert words in " ".join(ended.output.split())
