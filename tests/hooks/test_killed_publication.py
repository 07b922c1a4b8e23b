import multiprocessing
import shutil

import pytest

from tests.support.publishing import (
  KILLED,
  NEW,
  OLD,
  list_leftovers,
  make_old,
  make_old_model,
  recover_as_the_next_run,
  run_and_be_killed,
  run_with_model_and_be_killed,
  tell_state,
)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.publishing"])


def call(function, *arguments):
  process = _context.Process(target=function, args=arguments)
  process.start()
  process.join()
  return process.exitcode


def kill_before_each_step(project, run, recover):
  """How each run ended, and what all outputs say when the next one has begun."""
  good = project.with_name("good")
  shutil.copytree(project, good)
  found = []
  while not found or found[-1][0] == KILLED:
    step = len(found)
    shutil.rmtree(project)
    shutil.copytree(good, project)
    ended = call(run, project, step)
    recover(project)

    state = tell_state(project)
    assert len(set(state.values())) == 1, f"killed before step {step}: {state}"
    assert list_leftovers(project) == [], f"killed before step {step}"
    found.append((ended, state["loans"]))
  return found


@pytest.fixture
def project(tmp_path):
  folder = tmp_path / "project"
  folder.mkdir()
  return folder


def test_before_any_step_all_is_as_before_or_all_is_new(project):
  assert call(make_old, project) == 0

  found = kill_before_each_step(project, run_and_be_killed, recover_as_the_next_run)

  # Nothing is published before one certain step, and everything from there on.
  states = [state for _, state in found]
  assert states == sorted(states, key=[OLD, NEW].index)
  assert states.count(OLD) > 10
  assert states.count(NEW) > 10
  assert found[-1] == (0, NEW)


def test_before_any_step_of_a_verdict_the_champion_goes_with_the_files(project, empty_store):
  assert call(make_old_model, project, empty_store) == 0

  found = kill_before_each_step(
    # MLflow keeps its connection to a store for as long as the process lives.
    project,
    run_with_model_and_be_killed,
    lambda project: call(recover_as_the_next_run, project),
  )

  assert found == [(KILLED, NEW)] * 3 + [(0, NEW)]
