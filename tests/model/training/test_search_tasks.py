import threading
import warnings
from concurrent.futures import CancelledError

import pytest
from sklearn.exceptions import ConvergenceWarning

from loantap.model.training.path_search import collect, group_by_balance, list_paths, share_out
from loantap.model.training.threads import fitting_threads
from tests.conftest import training_options

OPTIONS = training_options(
  "lending", balancing=("smote", "class_weights", "none"), l1_ratios=(0, 1), inverse_penalties=(100, 0.01, 1)
)
CANDIDATES = OPTIONS.candidates
LABELS = [candidate.label for candidate in CANDIDATES]


@pytest.mark.parametrize("jobs", [1, 2, 3, 4, 5, 8])
def test_every_candidate_is_tried_once_on_every_fold(jobs):
  tasks = share_out(5, group_by_balance(CANDIDATES), jobs)
  tried = sorted((t.fold, index) for t in tasks for way in t.ways for index in way)

  assert tried == [(fold, index) for fold in range(5) for index in range(len(CANDIDATES))]


def test_the_last_fold_is_shared_where_threads_would_have_nothing_to_do():
  ways = group_by_balance(CANDIDATES)

  assert [(t.fold, len(t.ways)) for t in share_out(5, ways, 2)] == [(0, 2), (1, 2), (2, 2), (3, 2), (4, 1), (4, 1)]
  # What resamples takes longest, so it starts first.
  assert [t.ways for t in share_out(5, ways, 2)[-2:]] == [[ways[1]], [ways[0]]]
  assert [len(t.ways) for t in share_out(5, ways, 1)] == [2] * 5


def test_each_path_goes_from_the_strongest_penalty_and_l1_starts_from_l2():
  plain, _ = group_by_balance(CANDIDATES)
  found = []
  for path in list_paths(CANDIDATES, plain):
    found.append(([LABELS[index] for index in path.members], sorted(path.starts)))
    assert path.penalties == [0.01, 1.0, 100.0]
    path.solutions.update(dict.fromkeys(path.penalties))

  def of(way, penalty):
    return [f"{way} {penalty} C={c}" for c in ("0.01", "1", "100")]

  assert found == [
    (of("class_weights", "L2"), []),
    (of("class_weights", "L1"), [0.01, 1.0, 100.0]),
    (of("none", "L2"), []),
    (of("none", "L1"), [0.01, 1.0, 100.0]),
  ]


def test_scores_come_back_in_the_order_of_folds_and_candidates():
  tasks = share_out(3, [[1], [0]], 2)
  done = [{index: {"f2": 10.0 * t.fold + index} for way in t.ways for index in way} for t in tasks]

  assert collect(zip(tasks, done, strict=True), 3, 2) == [
    [{"f2": 0.0}, {"f2": 1.0}],
    [{"f2": 10.0}, {"f2": 11.0}],
    [{"f2": 20.0}, {"f2": 21.0}],
  ]


def test_what_was_interrupted_ends_after_the_fit_at_hand():
  fits = []
  has_begun, is_interrupted = threading.Event(), threading.Event()

  def search(threads):
    for number in range(100):
      threads.go_on()
      fits.append(number)
      has_begun.set()
      is_interrupted.wait(10)

  tasks = []

  def interrupt_two_searches():
    with fitting_threads(1) as threads:
      tasks.extend(threads.submit(search, threads) for _ in range(2))
      has_begun.wait(10)
      threading.Timer(0.05, is_interrupted.set).start()
      raise KeyboardInterrupt

  with pytest.raises(KeyboardInterrupt):
    interrupt_two_searches()

  running, waiting = tasks
  assert fits == [0]
  assert isinstance(running.exception(), CancelledError)
  assert waiting.cancelled()


def test_what_does_not_converge_is_not_told_by_a_thread_and_later_is():
  def warn():
    warnings.warn("not converged", ConvergenceWarning, stacklevel=1)

  with fitting_threads(2) as threads:
    [threads.submit(warn).result() for _ in range(4)]

  with pytest.warns(ConvergenceWarning):
    warn()
