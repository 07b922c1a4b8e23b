import threading
import warnings
from concurrent.futures import CancelledError

import pytest
from sklearn.exceptions import ConvergenceWarning

from loantap.model.training.threads import fitting_threads


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
