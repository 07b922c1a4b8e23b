import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest

from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.turns import GroupCommit
from loantap.serving.errors import AuditUnavailableError
from tests.serving.entries import ANN, BOB, keep, make_decision, other_program
from tests.support.waiting import wait_until


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
		"""The others come in this order while the first leads."""
		futures = []
		for number, work in enumerate(works):
			futures.append(self._threads.submit(self.commits.do, work))
			wait_until(lambda number=number: self.groups and len(self.commits) >= number)
		return futures

	def finish(self):
		self.go.set()
		self._threads.shutdown()


@pytest.mark.parametrize(
	("works", "groups"),
	[
		([Work(name) for name in "abcde"], ["a", "bcde"]),
		([Work("a"), Work("b"), Work("c", is_alone=True), Work("d"), Work("e")], ["a", "b", "c", "de"]),
		([Work("a"), Work("b", 6), Work("c", 4), Work("d", 1), Work("e", 99), Work("f")], ["a", "bc", "d", "e", "f"]),
	],
	ids=["in order", "what is alone shares with nobody", "a group has so many rows at most"],
)
def test_who_comes_meanwhile_is_carried_out_together(works, groups):
	bench = Bench()
	bench.start(works)
	assert {work.state for work in works} == {""}
	bench.finish()

	assert ["".join(group) for group in bench.groups] == groups
	assert {work.state for work in works} == {"done"}
	assert len(bench.commits) == 0


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


def test_where_the_log_is_held_each_is_told_its_own_reason(shared):
	store, other = shared
	made = []

	def hold_and_fail():
		other.execute("BEGIN IMMEDIATE")
		fail()

	failed, refused = Group(store).append(hold_and_fail, lambda: made.append(1) or make_decision(2))

	assert isinstance(failed, ZeroDivisionError)
	assert isinstance(refused, AuditUnavailableError)
	assert made == [1]


def test_a_group_that_was_not_kept_does_not_show_that_the_log_can_be_written(shared):
	store, other = shared
	other.execute("BEGIN IMMEDIATE")
	with pytest.raises(ZeroDivisionError):
		store.append_made(fail, ANN)
	assert not store.is_writable()
	with pytest.raises(AuditUnavailableError):
		keep(store, 1)
	assert not store.is_writable()
	other.rollback()
	keep(store, 1)
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
