import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from loantap.serving.audit import engines
from loantap.serving.audit.errors import AuditUnavailableError
from loantap.serving.audit.store import AuditStore
from tests.serving.entries import ANN, BOB, make_decision, other_program
from tests.support.waiting import wait_until


class Group:
  """Entries of which the first is made when all have come, so that the others are one group."""

  def __init__(self, store, patience=8.0):
    self.store = store
    store._works._patience = patience
    self.makers = []

  def append(self, *makes):
    def come_first():
      wait_until(lambda: self.store.waiting == len(makes))
      return make_decision(0)

    with ThreadPoolExecutor(len(makes) + 1) as pool:
      first = pool.submit(self.store.append_made, come_first, ANN)
      wait_until(lambda: self.store._works._is_led)
      others = []
      for n, make in enumerate(makes, start=1):
        others.append(pool.submit(self.store.append_made, self._note(make), BOB))
        wait_until(lambda n=n: self.store.waiting == n or first.done())
      first.result()
      return [other.exception() or other.result() for other in others]

  def _note(self, make):
    def noted():
      self.makers.append(threading.get_ident())
      return make()

    return noted


def test_one_thread_makes_all_of_a_group(store):
  group = Group(store)

  kept = group.append(*[lambda n=n: make_decision(n) for n in (1, 2, 3)])

  assert len(group.makers) == 3
  assert len(set(group.makers)) == 1
  assert [record.public for record in kept] == [make_decision(n).public for n in (1, 2, 3)]
  assert store.verify().n == 4


def fail():
  raise ZeroDivisionError


def test_what_one_fails_with_is_raised_for_it_alone(store):
  first, second, third = Group(store).append(lambda: make_decision(1), fail, lambda: make_decision(3))

  assert isinstance(second, ZeroDivisionError)
  assert [store.find(record.id) for record in (first, third)] == [first, third]
  assert store.verify().n == 3


def test_where_the_log_is_held_each_is_told_its_own_reason(sqlite_url, monkeypatch):
  monkeypatch.setattr(engines, "WAIT_SECONDS", 0.2)
  made = []

  def hold_and_fail():
    other.execute("BEGIN IMMEDIATE")
    fail()

  with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
    failed, refused = Group(store).append(hold_and_fail, lambda: made.append(1) or make_decision(2))

  assert isinstance(failed, ZeroDivisionError)
  assert isinstance(refused, AuditUnavailableError)
  assert made == [1]


def test_a_group_that_was_not_kept_does_not_show_that_the_log_can_be_written(sqlite_url, monkeypatch):
  monkeypatch.setattr(engines, "WAIT_SECONDS", 0.1)
  with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ZeroDivisionError):
      store.append_made(fail, ANN)
    assert not store.is_writable()
    with pytest.raises(AuditUnavailableError):
      store.append([make_decision(1)], ANN)
    assert not store.is_writable()
    other.rollback()
    store.append([make_decision(1)], ANN)
    other.execute("BEGIN IMMEDIATE")
    assert store.is_writable()


def test_an_interruption_leaves_each_its_own_reason(store):
  def interrupt():
    raise KeyboardInterrupt

  # The first of a group works for all of it, and is the one that is interrupted.
  worker, failed, other = Group(store).append(lambda: make_decision(1), fail, interrupt)

  assert isinstance(worker, KeyboardInterrupt)
  assert isinstance(failed, ZeroDivisionError)
  assert isinstance(other, AuditUnavailableError)
  assert store.verify().n == 1


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_what_was_given_up_before_it_was_made_is_not_made(store):
  group = Group(store, patience=1.0)

  def hang():
    time.sleep(2)
    return make_decision(1)

  first, second = group.append(hang, lambda: make_decision(2))

  assert first.public == make_decision(1).public
  assert isinstance(second, AuditUnavailableError)
  assert len(group.makers) == 1
  assert store.verify().n == 2


def test_what_was_given_up_while_another_program_holds_the_log_is_not_kept(sqlite_url):
  def hold_for_long():
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(2.5, other.rollback).start()
    return make_decision(1)

  with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
    first, second = Group(store, patience=1.0).append(hold_for_long, lambda: make_decision(2))

    assert first.public == make_decision(1).public
    assert isinstance(second, AuditUnavailableError)
    assert store.verify().n == 2
    with pytest.raises(AuditUnavailableError, match="waits for another writer"):
      raise second
