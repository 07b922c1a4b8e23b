import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from loantap.serving.audit.group_commit import GroupCommit


@dataclass
class Work:
  name: str
  rows: int = 1
  is_alone: bool = False
  state: str = ""


class Bench:
  """A group commit whose first group takes until it is let go."""

  def __init__(self, fail=lambda _: False, patience=60):
    self.groups: list[list[str]] = []
    self.go = threading.Event()
    self._fail = fail
    self.commits = GroupCommit(self._carry_out, self._give_up, 10, patience)
    self._threads = ThreadPoolExecutor(16)

  def _carry_out(self, group):
    self.groups.append([work.name for work in group])
    if not self.go.wait(10):
      raise TimeoutError
    if self._fail(group):
      raise RuntimeError("broken")
    for work in group:
      work.state = "done"

  @staticmethod
  def _give_up(work):
    work.state = "given up"

  def start(self, works):
    """The first leads, the others come in this order while it does."""
    futures = []
    for number, work in enumerate(works):
      futures.append(self._threads.submit(self.commits.do, work))
      while len(self.groups) < 1 or len(self.commits) < number:
        time.sleep(0.001)
    return futures

  def finish(self):
    self.go.set()
    self._threads.shutdown()


def test_who_comes_meanwhile_is_carried_out_together_in_order():
  bench = Bench()
  works = [Work(name) for name in "abcde"]
  bench.start(works)
  assert [work.state for work in works] == [""] * 5
  bench.finish()

  assert bench.groups == [["a"], ["b", "c", "d", "e"]]
  assert {work.state for work in works} == {"done"}
  assert len(bench.commits) == 0


def test_what_is_alone_shares_with_nobody():
  bench = Bench()
  works = [Work("a"), Work("b"), Work("c", is_alone=True), Work("d"), Work("e")]
  bench.start(works)
  bench.finish()

  assert bench.groups == [["a"], ["b"], ["c"], ["d", "e"]]
  assert {work.state for work in works} == {"done"}


def test_a_group_has_so_many_rows_at_most():
  bench = Bench()
  bench.start([Work("a"), Work("b", 6), Work("c", 4), Work("d", 1), Work("e", 99), Work("f")])
  bench.finish()

  assert bench.groups == [["a"], ["b", "c"], ["d"], ["e"], ["f"]]


def test_an_error_is_raised_in_the_leader_and_the_others_are_given_up():
  bench = Bench(fail=lambda group: "b" in [work.name for work in group])
  works = [Work(name) for name in "abc"]
  futures = bench.start(works)
  bench.finish()

  assert [work.state for work in works] == ["done", "given up", "given up"]
  with pytest.raises(RuntimeError, match="broken"):
    futures[1].result()
  assert futures[2].result() is None
  bench.commits.do(later := Work("d"))
  assert later.state == "done"


def test_who_waits_for_a_leader_that_hangs_gives_up_and_the_others_go_on():
  bench = Bench(patience=0.2)
  works = [Work("hangs"), Work("alone", is_alone=True), Work("behind")]
  hanging, *waiting = bench.start(works)

  for future in waiting:
    future.result(5)
  assert [work.state for work in works] == ["", "given up", "given up"]
  assert not hanging.done()

  bench.go.set()
  hanging.result(5)
  later = Work("later")
  bench.commits.do(later)
  bench.finish()
  assert [works[0].state, later.state] == ["done", "done"]
  assert bench.groups == [["hangs"], ["later"]]
