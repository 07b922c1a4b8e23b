import hashlib
import json

import pytest

from loantap.model.promotion.digest import digest_predictions
from loantap.registry.evidence import EXPECTED, RunRecord, add_files, attach_evidence, list_figures
from loantap.registry.models import register
from tests.registry.registered import PREDICTIONS, artifacts_of, make_release, tags_of

RUN = RunRecord(
  command="kedro run --params loans=2000",
  git_commit="0" * 40,
  parameters={"modeling.lending.folds": 5},
  origin="simulated",
)
METRICS = {
  "cv": {"n": 1_800, "roc_auc": 0.71, "ece": 0.012},
  "test": {"n": 200, "roc_auc": 0.69, "roc_auc_low": 0.61, "roc_auc_high": 0.77},
  "out_of_time": None,
}


def write(folder, name, content):
  path = folder / name
  path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
  return path


@pytest.fixture
def model(active_run, lending_model):
  return register(make_release(lending_model))


@pytest.fixture
def pack(model, tmp_path):
  files = {"metrics.json": write(tmp_path, ".metrics.staged.json", METRICS)}
  attach_evidence(model, "lending", files, RUN)
  return artifacts_of(model) / "evidence"


@pytest.fixture
def index(pack):
  return json.loads((pack / "evidence.json").read_text("utf-8"))


def test_the_run_that_made_it_is_named(index):
  assert index["model"] == {
    "name": "loantap-lending-demo",
    "version": "1",
    "namespace": "lending",
    "origin": "simulated",
  }
  assert index["run"] == {
    "command": RUN.command,
    "git_commit": RUN.git_commit,
    "parameters": RUN.parameters,
    "origin": RUN.origin,
  }


def test_the_index_is_laid_out_for_people(pack):
  assert (pack / "evidence.json").read_text("utf-8").startswith('{\n  "model": {\n    "name": ')


def test_a_version_is_found_by_predictions_that_were_attached_later(model, tmp_path):
  later = PREDICTIONS.assign(probability_of_default=0.2)
  later.to_parquet(tmp_path / "later.parquet")

  attach_evidence(model, "lending", {"predictions.parquet": tmp_path / "later.parquet"}, RUN)

  assert tags_of(model)["predictions_sha256"] == digest_predictions(later)


def test_files_made_after_the_run_join_the_index_or_replace_their_namesakes(pack, index, model, tmp_path):
  later = tmp_path / "later"
  later.mkdir()
  for name in ("metrics.json", "validation.json"):
    write(later, name, {})

  add_files(model, later)

  now = json.loads((artifacts_of(model) / "evidence" / "evidence.json").read_text("utf-8"))
  sizes = {entry["file"]: entry["bytes"] for entry in index["files"]}
  expected = sizes | {"metrics.json": 2, "validation.json": 2}
  assert sorted((entry["file"], entry["bytes"]) for entry in now["files"]) == sorted(expected.items())
  assert now["figures"] == index["figures"]


def test_every_file_has_its_digest_the_model_itself_as_well_and_what_is_absent_is_named(index, pack):
  evidence = {"metrics.json", "predictions.parquet", "promotion.json", "training.json"}
  assert {path.name for path in pack.iterdir()} == evidence | {"evidence.json"}
  assert json.loads((pack / "metrics.json").read_text("utf-8")) == METRICS
  digests = {entry["file"]: entry["sha256"] for entry in index["files"]}
  assert set(digests) == evidence | {"MLmodel", "model.skops", "input_example.json"}
  for name, digest in digests.items():
    folder = pack if name in evidence else pack.parent
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
  assert set(index["absent"]) == set(EXPECTED) - evidence
  assert "model_card.html" in index["absent"]


def test_each_figure_tells_where_it_is_on_how_many_loans_and_within_what_bounds(index):
  figures = {figure["key"]: figure for figure in index["figures"]}

  assert set(figures) == {"cv.roc_auc", "cv.ece", "test.roc_auc"}
  assert figures["test.roc_auc"] == {
    "file": "metrics.json",
    "key": "test.roc_auc",
    "sample": "test",
    "n": 200,
    "value": 0.69,
    "low": 0.61,
    "high": 0.77,
  }


def test_of_a_report_on_several_models_the_own_part_is_listed():
  report = {
    "origin": "real",
    "models": {
      "lending": {"vintages": [{"year": "2013", "n": 20, "roc_auc": 0.7}]},
      "application": {"vintages": [{"year": "2013", "n": 20, "roc_auc": 0.6}]},
    },
  }

  (figure,) = list_figures("vintage_analysis.json", report, "lending")

  assert figure["key"] == "models.lending.vintages.0.roc_auc"
  assert figure["value"] == 0.7
  assert list_figures("vintage_analysis.json", report, "benchmark") == []


def test_a_report_may_be_a_list():
  (figure,) = list_figures("x.json", [{"n": 3, "auc": 0.5}], "lending")

  assert figure == {"file": "x.json", "key": "0.auc", "sample": "0", "n": 3, "value": 0.5}


def test_the_range_of_a_perfect_ece_is_listed_though_it_bounds_no_figure():
  block = {"n": 20, "ece": 0.02, "ece_perfect_low": 0.01, "ece_perfect_high": 0.04}

  listed = {figure["key"]: figure for figure in list_figures("x.json", block, "lending")}

  assert set(listed) == {"ece", "ece_perfect_low", "ece_perfect_high"}
  assert "low" not in listed["ece"]
