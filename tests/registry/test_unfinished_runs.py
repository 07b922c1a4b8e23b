import mlflow
import pytest

from loantap.project.journal import Conclusion
from loantap.registry.models import OUTCOME, ModelVersion, promote
from loantap.registry.unfinished_runs import conclude_again, end_forgotten_run, end_run
from tests.registry.registered import champions, tags_of


def read_states(*run_ids):
  return [mlflow.get_run(run_id).info.status for run_id in run_ids]


def test_a_run_ends_as_is_said_with_those_nested_in_it(active_run):
  outer, nested = active_run.info.run_id, mlflow.start_run(nested=True).info.run_id

  end_run(outer, "FAILED")

  assert read_states(outer, nested) == ["FAILED", "FAILED"]
  assert mlflow.active_run() is None


def test_a_forgotten_run_is_ended_once_with_those_nested_in_it_that_still_run(registry):
  client = mlflow.MlflowClient()
  outer = client.create_run("1").info.run_id
  inner, done = (client.create_run("1", tags={"mlflow.parentRunId": outer}).info.run_id for _ in range(2))
  client.set_terminated(done)

  assert [end_forgotten_run(run_id) for run_id in (outer, outer, "0")] == [True, False, False]
  assert read_states(outer, inner, done) == ["KILLED", "KILLED", "FINISHED"]


@pytest.mark.parametrize(
  ("outcome", "displaced", "before", "after"),
  [
    ("promoted", None, None, "2"),
    ("promoted", "1", "1", "2"),
    ("promoted", "1", "2", "2"),
    ("promoted", "1", "3", "3"),  # somebody has moved the alias since
    ("kept", "1", "1", "1"),
  ],
)
def test_a_verdict_of_a_killed_run_is_written(outcome, displaced, before, after, registry):
  client = mlflow.MlflowClient()
  client.create_registered_model("loantap-lending")
  model = ModelVersion("loantap-lending", "2")
  for _ in range(3):
    client.create_model_version(model.name, str(registry))
  if before:
    promote(ModelVersion(model.name, before))

  promoted = outcome == "promoted"
  conclude_again(Conclusion(name=model.name, version="2", promoted=promoted, reason="r", displaced=displaced))

  assert champions() == {model.name: after}
  assert tags_of(model)[OUTCOME] == outcome
