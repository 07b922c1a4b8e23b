import json
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest

from loantap.datasets import JudgedModelDataset, RegisteredModelDataset
from loantap.model.scoring.judged import JudgedModel
from loantap.model.training.training_digests import digest_loans
from loantap.portfolio.errors import InputError
from loantap.registry.judged import load_judged, note_predictions
from loantap.registry.models import ModelVersion, register
from loantap.registry.reading import UnreadableModelError
from tests.registry.registered import PREDICTIONS, artifacts_of, make_champion, make_release, with_facts

REPORT = {"promotion": {"champion": {"promoted": True}}}

pytestmark = pytest.mark.usefixtures("active_run")


@pytest.fixture
def predictions(tmp_path):
  path = tmp_path / "predictions.parquet"
  PREDICTIONS.to_parquet(path)
  return path


@pytest.fixture
def report(tmp_path):
  path = tmp_path / "training.json"
  path.write_text(json.dumps(REPORT), "utf-8")
  return path


def test_in_a_run_that_trains_it_is_the_new_version_promoted_or_not(lending_model, predictions, report):
  make_champion(lending_model)
  # Another model than the champion, or nothing new would be registered.
  release = make_release(with_facts(lending_model, training_loans=3_999), promoted=False)

  RegisteredModelDataset(namespace="lending").save(release)
  judged = JudgedModelDataset(namespace="lending", predictions=str(predictions), training_report=str(report)).load()

  assert str(judged) == "loantap-lending-demo version 2"
  assert judged.is_new
  assert judged.champion == "loantap-lending-demo version 1"
  assert judged.lending_scorer.version == "2"
  pd.testing.assert_frame_equal(judged.predictions, PREDICTIONS)
  assert judged.training_report == REPORT


def test_a_demo_is_judged_itself_beside_a_real_champion(lending_model, predictions, report):
  real = make_champion(with_facts(lending_model, origin="real"))
  RegisteredModelDataset(namespace="lending").save(make_release(lending_model))

  judged = load_judged("lending", predictions, report)

  assert str(judged) == "loantap-lending-demo version 1"
  assert judged.champion == str(real)
  assert judged.training is None  # as of an older release


def test_later_it_is_the_version_that_made_the_predictions(lending_model, predictions, report):
  first = register(make_release(lending_model, promoted=False))
  note_predictions(first, predictions)
  make_champion(lending_model)

  judged = load_judged("lending", predictions, report)

  assert str(judged) == str(first)
  assert not judged.is_new
  assert judged.champion == "loantap-lending-demo version 2"


def test_a_model_that_must_not_be_lent_on_is_judged_but_neither_scores_nor_has_a_champion(
  lending_model, predictions, report
):
  model = make_champion(with_facts(lending_model, namespace="benchmark"))
  note_predictions(model, predictions)

  judged = load_judged("benchmark", predictions, report)

  assert (str(judged), judged.champion, judged.scorer, judged.training) == (str(model), "", None, None)


@pytest.mark.parametrize(("change", "is_known"), [(1e-15, True), (1e-8, False)])
def test_a_training_that_differs_in_its_last_bits_makes_the_same_predictions(
  change, is_known, lending_model, predictions, report
):
  note_predictions(make_champion(lending_model), predictions)
  pd_column = "probability_of_default"
  PREDICTIONS.assign(**{pd_column: PREDICTIONS[pd_column] + change}).to_parquet(predictions)

  with nullcontext() if is_known else pytest.raises(InputError, match="no version"):
    load_judged("lending", predictions, report)


def test_predictions_of_no_version_are_not_taken_for_those_of_the_champion(lending_model, predictions, report):
  make_champion(lending_model)

  with pytest.raises(InputError, match="no version in the model registry made them") as refused:
    load_judged("lending", predictions, report)
  assert "--pipelines training" in refused.value.remedy


def test_a_version_carries_the_loans_it_was_trained_on(lending_model, predictions, report, simulated_loans):
  training = digest_loans(simulated_loans, "lending")
  release = replace(make_release(lending_model), training=training)
  RegisteredModelDataset(namespace="lending").save(release)

  judged = load_judged("lending", predictions, report)

  assert judged.training is not None
  assert judged.training.count_shared(simulated_loans.head(9)) == 9
  (artifacts_of(ModelVersion(judged.name, judged.version)) / "evidence" / "training_loans.npz").write_bytes(b"damaged")
  with pytest.raises(UnreadableModelError, match=r"its training_loans\.npz is damaged"):
    load_judged("lending", predictions, report)


@pytest.mark.parametrize(
  ("name", "is_new", "promoted", "champion", "said"),
  [
    ("loantap-lending", True, True, "", "Champion from the end of this run on"),
    ("loantap-lending", True, False, "loantap-lending version 1", "Not champion: loantap-l"),
    ("loantap-lending", True, False, "", "Not champion, and no other version is"),
    ("loantap-lending", False, True, "loantap-lending version 2", "Champion"),
    ("loantap-lending", False, True, "loantap-lending version 3", "Not champion: loantap-le"),
    ("loantap-lending-demo", True, True, "loantap-lending version 1", "learnt from real loans"),
  ],
)
def test_it_says_which_version_decides(name, is_new, promoted, champion, said):
  told = JudgedModel(name, "2", is_new, champion, PREDICTIONS, REPORT).tell_standing(promoted=promoted)

  assert said in told
  assert ("not about it" in told) == (champion not in {"", f"{name} version 2"} and not said.startswith("Champion"))
