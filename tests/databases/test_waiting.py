import gc
import logging
import threading
import time
import weakref

import pyarrow as pa
import pytest

from loantap.databases.backends import waiting
from loantap.databases.backends.interface import SourceDownError
from loantap.databases.backends.waiting import Caller, Deadline, Patience, persist, read_ahead
from loantap.portfolio.errors import InputError

SCHEMA = pa.schema([("number", pa.int64())])
DOWN = SourceDownError("warehouse", "the system does not answer", "Check that it is up")


def deadline(time_limit_s=30, silence_limit_s=10):
	return Deadline("warehouse", Patience(time_limit_s, silence_limit_s))


def make_reader(numbers):
	batches = (pa.record_batch({"number": [number]}) for number in numbers)
	return pa.RecordBatchReader.from_batches(SCHEMA, batches)


def fail_because_of_another():
	try:
		int("Pwd=s3cret")
	except ValueError as error:
		raise DOWN from error


def wait_until(condition):
	ends = time.monotonic() + 5
	while not condition():
		assert time.monotonic() < ends, "it did not happen"
		time.sleep(0.01)


class TestReadingAhead:
	def test_no_more_is_fetched_than_a_batch_ahead_so_that_memory_does_not_grow(self):
		fetched = []

		def numbers():
			for number in range(100):
				fetched.append(number)
				yield number

		reader = read_ahead(lambda: make_reader(numbers()), deadline())
		for _ in range(3):
			reader.read_next_batch()
		wait_until(lambda: len(fetched) == 5)
		time.sleep(0.1)

		# Three are taken, one waits, one is held by the thread.
		assert fetched == [0, 1, 2, 3, 4]

	def test_silence_counts_as_down(self):
		before, answers = threading.active_count(), threading.Event()
		reader = read_ahead(lambda: make_reader(n for n in range(2) if answers.wait()), deadline(silence_limit_s=0.2))

		with pytest.raises(SourceDownError, match=r"nothing came for 0.2 s\..* silence_limit_s"):
			reader.read_all()

		# What comes too late is dropped, and the thread with it.
		answers.set()
		wait_until(lambda: threading.active_count() == before)

	def test_steady_but_slow_reading_ends_at_the_time_limit_and_is_not_tried_again(self):
		limit = deadline(time_limit_s=0.3)

		with pytest.raises(InputError, match=r"longer than its time limit of 0.3 s\. Raise") as e:
			read_ahead(lambda: make_reader(slowly(0.05, 100)), limit).read_all()
		assert not isinstance(e.value, SourceDownError)

	@pytest.mark.parametrize("after", [0, 3])
	def test_an_error_arrives_where_the_rows_are_wanted_without_what_led_to_it(self, after):
		def numbers():
			yield from range(after)
			fail_because_of_another()

		def open_reader():
			return make_reader(iter(numbers()) if after else iter(list(numbers())))

		with pytest.raises(SourceDownError) as refused:
			read_ahead(open_reader, deadline()).read_all()
		assert refused.value.__cause__ is None
		assert refused.value.__context__ is None

	@pytest.mark.parametrize("read", [0, 1, 50], ids=["unread", "begun", "exhausted"])
	def test_the_thread_and_its_connection_end_with_the_reader(self, read):
		before = threading.active_count()
		closed = threading.Event()

		def numbers():
			try:
				yield from range(50)
			finally:
				closed.set()

		reader = read_ahead(lambda: make_reader(numbers()), deadline())
		for _ in range(read):
			reader.read_next_batch()
		del reader

		assert closed.is_set() or not read
		wait_until(lambda: threading.active_count() == before)

	def test_an_error_keeps_no_connection_open(self):
		closed = threading.Event()

		class Connection:
			def __del__(self):
				closed.set()

		def numbers():
			connection = Connection()
			yield 1
			raise SourceDownError("warehouse", f"the connection broke ({id(connection)})", "Wait")

		gc.disable()
		try:
			with pytest.raises(SourceDownError):
				read_ahead(lambda: make_reader(numbers()), deadline()).read_all()
			wait_until(closed.is_set)
		finally:
			gc.enable()


def test_an_error_arrives_without_what_led_to_it_and_the_next_question_is_answered():
	with Caller("warehouse", 5) as caller:
		with pytest.raises(SourceDownError) as refused:
			caller.call(fail_because_of_another)
		assert caller.call(lambda: "rows") == "rows"
		assert not caller.gave_up
	assert refused.value.__cause__ is None
	assert refused.value.__context__ is None


def test_who_gives_up_has_the_rest_done_when_the_driver_is_back():
	before, answers, closed = threading.active_count(), threading.Event(), threading.Event()
	with Caller("warehouse", 0.2) as caller:
		with pytest.raises(SourceDownError, match=r"no answer came for 0.2 s\. .*time_limit_s"):
			caller.call(answers.wait)
		assert caller.gave_up
		caller.call_later(closed.set)
	assert not closed.is_set()

	answers.set()
	assert closed.wait(5)
	wait_until(lambda: threading.active_count() == before)


def test_who_interrupts_the_waiting_gives_up_as_well(monkeypatch):
	def interrupt(*_):
		raise KeyboardInterrupt

	monkeypatch.setattr(waiting, "wait", interrupt)
	with Caller("warehouse", 5) as caller:
		with pytest.raises(KeyboardInterrupt):
			caller.call(lambda: "rows")
		assert caller.gave_up


def test_an_answer_is_not_held_until_the_next_question():
	class Rows:
		pass

	with Caller("warehouse", 5) as caller:
		held = weakref.ref(caller.call(Rows))
		wait_until(lambda: held() is None)


def slowly(pause_s, count):
	for number in range(count):
		time.sleep(pause_s)
		yield number


class TestPersisting:
	@pytest.fixture(autouse=True)
	def _short_pauses(self, monkeypatch):
		monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.01)

	def test_each_attempt_that_failed_is_told_until_one_succeeds(self, caplog):
		outcomes = iter([DOWN, DOWN, "rows"])

		def attempt():
			outcome = next(outcomes)
			if isinstance(outcome, Exception):
				raise outcome
			return outcome

		with caplog.at_level(logging.WARNING):
			assert persist(attempt, deadline()) == "rows"

		first, second = caplog.messages
		assert first.startswith("warehouse: the system does not answer. Check that it is up. Attem")
		assert ". Attempt 1 failed after 0 s; the next one follows in" in first
		assert second.startswith("warehouse: as before. Attempt 2 failed after")

	def test_at_the_time_limit_it_is_said_how_often_and_for_how_long(self, caplog):
		said = r"does not answer; tried \d+ times in \d+ s\. Check"
		with caplog.at_level(logging.WARNING), pytest.raises(InputError, match=said) as e:
			persist(self.fail, deadline(time_limit_s=0.5))

		assert not isinstance(e.value, SourceDownError)
		assert e.value.__context__ is None
		# Pauses of 10, 20, 40, 80, 160 ms and up to 10 more each, rather than one every 10 ms.
		assert 2 <= len(caplog.messages) <= 6

	def test_no_pause_is_made_that_would_end_after_the_time_limit(self, monkeypatch):
		monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.4)
		limit = deadline(time_limit_s=0.3)

		with pytest.raises(InputError, match="tried 1 time in 0 s"):
			persist(self.fail, limit)
		assert limit.elapsed_s < 0.3

	def test_what_failed_is_told_when_time_runs_out_in_a_later_attempt(self):
		limit = deadline(time_limit_s=0.3)
		outcomes = iter([DOWN])

		def attempt():
			for error in outcomes:
				raise error
			time.sleep(0.4)
			limit.require_time()

		with pytest.raises(InputError, match=r"does not answer; tried 2 times in"):
			persist(attempt, limit)

	def test_another_error_ends_it_at_once(self):
		def attempt():
			raise InputError("warehouse", "the login is refused", "Correct it")

		with pytest.raises(InputError, match=r"^warehouse: the login is refused\. Correct it$"):
			persist(attempt, deadline())

	def fail(self):
		raise DOWN
