import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from loantap.storage.bucket import KEY, Bucket, BucketDownError, Lease, LeaseHeldError, LeaseLostError

SHORT_S = 3.0


@pytest.fixture
def take(bucket):
	taken = []

	def take(owner, lasts_s=60.0, on_lost=lambda: None, through=bucket):
		lease = Lease(through, owner, on_lost, lasts_s)
		taken.append(lease)
		lease.acquire()
		return lease

	yield take
	for each in taken:
		each.release()


def test_who_has_it_keeps_others_out_until_it_is_given_back(take):
	first = take("first")
	with pytest.raises(LeaseHeldError, match=r"run first, since .* UTC"):
		take("second")
	first.require()
	first.release()

	take("third").require()


def test_of_many_at_once_one_has_it(take):
	start = threading.Barrier(6)

	def try_it(number):
		start.wait()
		try:
			return take(str(number))
		except LeaseHeldError:
			return None

	with ThreadPoolExecutor(6) as threads:
		outcomes = list(threads.map(try_it, range(6)))
	assert len([each for each in outcomes if each]) == 1


def test_a_task_that_goes_on_keeps_it_beyond_its_time(take):
	first = take("first", SHORT_S)
	time.sleep(SHORT_S + 2.5)
	with pytest.raises(LeaseHeldError):
		take("second")
	first.require()


def kill(lease):
	"""As the system does it: nothing is given back, nothing renewed."""
	lease._ending.set()
	lease._thread.join()


def test_the_lease_of_a_dead_task_is_taken_over_when_its_time_has_passed(take):
	dead = take("dead", SHORT_S)
	kill(dead)
	with pytest.raises(LeaseHeldError, match="run dead"):
		take("early")
	time.sleep(SHORT_S + 2.1)
	take("next").require()

	with pytest.raises(LeaseLostError):
		dead.require()


def test_a_task_whose_lease_was_taken_is_told_and_leaves_the_other_alone(take, bucket):
	told = threading.Event()
	first = take("first", SHORT_S, told.set)
	bucket.write(KEY, b"of another")

	assert told.wait(SHORT_S)
	with pytest.raises(LeaseLostError, match="start the task again"):
		first.require()
	first.release()
	assert bucket.read(KEY).body == b"of another"


class Failing(Bucket):
	"""Does not answer; what it was asked to write it may have written."""

	fails, is_written = 0, False

	def write_if(self, key, body, etag):
		if self.fails:
			self.fails -= 1
			if self.is_written:
				super().write_if(key, body, etag)
			raise BucketDownError("bucket", "down", "later")
		return super().write_if(key, body, etag)


@pytest.mark.parametrize("is_written", [False, True])
def test_a_bucket_that_is_away_for_a_moment_costs_nothing(take, bucket, is_written):
	failing = Failing(bucket.name)
	first = take("first", SHORT_S, through=failing)
	failing.fails, failing.is_written = 2, is_written
	time.sleep(SHORT_S)

	assert failing.fails == 0
	first.require()


def test_a_bucket_that_stays_away_ends_the_lease_before_another_can_have_it(take, bucket):
	failing, told = Failing(bucket.name), threading.Event()
	first = take("first", SHORT_S, told.set, failing)
	failing.fails = 1000
	started = time.monotonic()

	assert told.wait(SHORT_S + 1)
	assert time.monotonic() - started < SHORT_S + 1
	with pytest.raises(LeaseLostError):
		first.require()
	with pytest.raises(LeaseHeldError):
		take("second")
	failing.fails = 0
