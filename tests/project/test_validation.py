"""`make validate` on what a demo run has left."""

import json
import shutil
from contextlib import chdir

import pandas as pd
import pytest
from click.testing import CliRunner

from loantap.registry.commands import main
from loantap.registry.models import PREDICTIONS, ModelVersion
from loantap.registry.validation import gather
from loantap.validation.validate import PARTS, validate
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


def report(name, *path):
  """Add to a number, or turn a list round."""

  def plant(raw, files):
    content = place = json.loads(json.dumps(files[name]))
    for step in path[:-1]:
      place = place[step]
    value = place[path[-1]]
    place[path[-1]] = value[::-1] if isinstance(value, list) else value + 0.3
    return raw, files | {name: content}

  return plant


def more(value):
  return value + 0.1


PLANTED = {
  "Record: outcomes that are not the raw status": table(
    "raw", "loan_status", lambda s: "Charged Off" if s == "Fully Paid" else "Fully Paid"
  ),
  "Record: loans not in the raw data": table(PREDICTIONS, "loan_id", lambda _: "?"),
  "Metrics: cv: ece": report("metrics.json", "cv", "ece"),
  "Metrics: test: roc_auc_low": report("metrics.json", "test", "roc_auc_low"),
  "Metrics: out_of_time: ks_high": report("metrics.json", "out_of_time", "ks_high"),
  "Metrics: cv: ece_perfect_high": report("metrics.json", "cv", "ece_perfect_high"),
  "Metrics: test: threshold": report("metrics.json", "test", "threshold"),
  "Metrics: test: decisions off the threshold": table(PREDICTIONS, "declined", lambda d: not d, "sample == 'test'"),
  "EMI: listed as off the EMI": table("raw", "instalment", more),
  "Points: test: log-odds, from PD and points": table("scorecard.parquet", "points", more),
  "Points: made-up case: points": report("scorecard.json", "base_points"),
  "Points: made-up case: reasons are not the strongest": report("scorecard.json", "example", "reasons"),
  "Decisions: cv: approval_rate_low": report("fairness.json", "models", "lending", "approvals", 0, "approval_rate_low"),
  "Money: mid, capped: NPV": table("imputed_profits.parquet", "npv_mid_capped", more),
  "Money: cv, mid, capped: per application": table(
    "policy_comparison.parquet",
    "profit",
    more,
    "policy == 'npv' and scenario == 'mid' and paid_life == 'capped' and sample == 'cv'",
  ),
  "Refit: test: PDs": table(PREDICTIONS, "probability_of_default", lambda pd_: pd_ / 2, "sample == 'test'"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_difference_that_is_planted_is_named(material, name):
  part, _, figure = name.partition(": ")
  raw, files = PLANTED[name](material.raw, material.files)

  found = {check.figure: check.agrees for check in PARTS[part][0](material._replace(raw=raw, files=files))}

  assert not found[figure]


def test_what_is_not_there_is_named(material):
  files = {name: file for name, file in material.files.items() if name != "model_input.parquet"}

  checks, left_out = validate(material._replace(files=files))

  assert set(PARTS) - set(checks) == {"Points", "Refit"}
  assert left_out[0] == "Points: model_input.parquet is not there for this version"


def test_what_cannot_be_validated_says_what_to_do(demo, evidence, empty_project):
  said = {"no version is registered": start(empty_project), "there is no version 9": start(demo, LENDING.name, "9")}
  pd.read_parquet(evidence / PREDICTIONS).drop(columns="threshold").to_parquet(evidence / PREDICTIONS)
  said["the files of the version lack 'threshold'. Run"] = start(demo)
  (evidence / PREDICTIONS).unlink()
  said["its evidence has no predictions.parquet. Run"] = start(demo)
  (demo.folder / "data" / "01_raw" / "loans" / "manifest.json").unlink()
  said["there are no raw loans"] = start(demo)

  for words, ended in said.items():
    assert ended.exit_code == 1
    assert words in ended.output
