import threading
from collections import Counter

import pytest

from loantap.portfolio.errors import InputError
from loantap.storage.bucket import Bucket, BucketDownError
from loantap.storage.state import POINTER, OvertakenError, State
from tests.storage.conftest import read_files, write_files
from tests.support.local_server import serve


class Killed(BaseException):
	pass


class Counted(Bucket):
	"""Counts what is written, and is killed at one of them, before or after it is done."""

	def __init__(self, name, dies_at=None, *, is_done=False):
		super().__init__(name)
		self.written = Counter()
		self._dies_at, self._is_done = dies_at, is_done
		self._lock = threading.Lock()

	def _write(self, kind, do, *arguments):
		with self._lock:
			self.written[kind] += 1
			dies = sum(self.written.values()) == self._dies_at
		if dies and not self._is_done:
			raise Killed
		result = do(*arguments)
		if dies:
			raise Killed
		return result

	def upload(self, path, key):
		return self._write("object", super().upload, path, key)

	def write(self, key, body):
		return self._write("kept", super().write, key, body)

	def write_if(self, key, body, etag):
		return self._write("pointer", super().write_if, key, body, etag)


def publish(bucket, project, run="a"):
	state = State(bucket)
	state.read()
	return state.publish(project, run, lambda: None)


def restore(bucket, project, **options):
	state = State(bucket)
	return state.restore(project, state.read(), **options)


def test_what_one_folder_publishes_another_restores(bucket, tmp_path):
	write_files(tmp_path / "one", metrics="m", summary="s")
	(tmp_path / "one/data/.run").mkdir()
	(tmp_path / "one/data/.run/lock").touch()
	(tmp_path / "one/data/08_reporting/.metrics.lock").touch()
	(tmp_path / "one/data/09_serving").mkdir()
	(tmp_path / "one/data/09_serving/audit.db").touch()

	assert publish(bucket, tmp_path / "one") == 2
	assert restore(bucket, tmp_path / "two") == 2
	assert read_files(tmp_path / "two") == {"metrics": "m", "summary": "s"}


def test_what_has_not_changed_is_not_sent_again(bucket, tmp_path):
	counted = Counted(bucket.name)
	publish(counted, write_files(tmp_path, a="1", b="2"))
	assert publish(counted, tmp_path, "same") == 0
	assert State(bucket).read().run == "a"
	publish(counted, write_files(tmp_path, b="3"), "b")

	assert counted.written == {"object": 3, "pointer": 2, "kept": 1}
	(tmp_path / "data/08_reporting/a.json").unlink()
	publish(counted, tmp_path, "c")
	assert list(State(bucket).read().files) == ["data/08_reporting/b.json"]
	assert counted.written["object"] == 3


def test_what_is_here_already_is_not_fetched_again(bucket, tmp_path):
	publish(bucket, write_files(tmp_path / "one", a="1", b="2"))
	write_files(tmp_path / "two", a="1")

	assert restore(bucket, tmp_path / "two") == 1


def test_files_of_somebody_else_are_kept_until_they_are_given_up(bucket, tmp_path):
	publish(bucket, write_files(tmp_path / "one", a="1"))
	write_files(tmp_path / "two", a="mine", b="mine")

	with pytest.raises(InputError, match=r"a\.json: it is not that of .* 2 in all.*--replace"):
		restore(bucket, tmp_path / "two")
	assert read_files(tmp_path / "two") == {"a": "mine", "b": "mine"}
	restore(bucket, tmp_path / "two", replace=True)
	assert read_files(tmp_path / "two") == {"a": "1"}


def test_only_what_is_asked_for_is_fetched(bucket, tmp_path):
	for layer in ("06_models/last_good", "06_models/lending", "08_reporting"):
		(tmp_path / "one/data" / layer).mkdir(parents=True)
		(tmp_path / "one/data" / layer / f"{layer[:2]}{layer[-3:]}.txt").write_text(layer)
	publish(bucket, tmp_path / "one")
	restore(bucket, tmp_path / "two", only=["08_reporting", "06_models/last_good"])

	assert set(read_files(tmp_path / "two")) == {"08ing", "06ood"}


def test_an_object_that_was_damaged_is_not_restored(bucket, tmp_path):
	publish(bucket, write_files(tmp_path / "one", a="12"))
	file = State(bucket).read().files["data/08_reporting/a.json"]
	for damage in (b"21", b"1"):
		bucket.write(file.key, damage)
		with pytest.raises(InputError, match="is not what was published"):
			restore(bucket, tmp_path / "two")
	assert read_files(tmp_path / "two") == {}


def test_a_pointer_of_another_release_is_named(bucket):
	bucket.write(POINTER, b'{"run": "x", "of": "later"}')

	with pytest.raises(InputError, match=r"state/current\.json is not the record"):
		State(bucket).read()


@pytest.mark.parametrize("is_done", [False, True])
def test_a_publication_that_is_killed_at_any_step_leaves_the_old_state(bucket, tmp_path, is_done):
	publish(bucket, write_files(tmp_path / "old", a="old", b="old"))
	write_files(tmp_path / "new", a="new", b="new too", c="new as well")
	steps = 5  # three objects, the record of the old state, the pointer

	for step in range(1, steps + 1):
		with pytest.raises(Killed):
			publish(Counted(bucket.name, step, is_done=is_done), tmp_path / "new", "b")
		restore(bucket, tmp_path / str(step))
		is_new = is_done and step == steps
		expected = tmp_path / ("new" if is_new else "old")
		assert read_files(tmp_path / str(step)) == read_files(expected)
		assert len(State(bucket).list_runs()) == (2 if is_new else 1)
	publish(Counted(bucket.name, steps + 1), tmp_path / "new", "b")
	restore(bucket, tmp_path / "last")
	assert read_files(tmp_path / "last") == read_files(tmp_path / "new")


@pytest.mark.parametrize("first", [None, "old"])
def test_of_two_tasks_that_began_with_the_same_state_one_publishes(bucket, tmp_path, first):
	if first:
		publish(bucket, write_files(tmp_path / "old", a=first))
	one, two = State(bucket), State(bucket)
	one.read()
	two.read()
	one.publish(write_files(tmp_path / "one", a="one"), "one", lambda: None)

	with pytest.raises(OvertakenError, match="Nothing was published"):
		two.publish(write_files(tmp_path / "two", a="two"), "two", lambda: None)
	assert State(bucket).read().run == "one"


def test_who_may_publish_no_more_does_not(bucket, tmp_path):
	def refuse():
		raise InputError("lease", "lost", "again")

	state = State(bucket)
	with pytest.raises(InputError, match="lost"):
		state.publish(write_files(tmp_path, a="1"), "a", refuse)
	assert State(bucket).read() is None


def test_an_older_state_is_published_again(bucket, tmp_path):
	for run in "abc":
		publish(bucket, write_files(tmp_path / "one", a=run), run)
	state = State(bucket)
	assert [each.run for each in state.list_runs()] == ["c", "b", "a"]
	state.roll_back(state.find("a"), lambda: None)

	restore(bucket, tmp_path / "two")
	assert read_files(tmp_path / "two") == {"a": "a"}
	assert [each.run for each in state.list_runs()] == ["a", "c", "b"]
	with pytest.raises(InputError, match="no state of run z is kept"):
		state.find("z")


def test_a_write_whose_answer_was_lost_counts_as_done(bucket):
	assert bucket.write_if("k", b"mine", None) == bucket.write_if("k", b"mine", None) is not None
	assert bucket.write_if("k", b"other", None) is None
	assert bucket.write_if("k", b"other", '"0123"') is None
	assert bucket.write_if("gone", b"x", '"0123"') is None


@pytest.mark.parametrize(
	("status", "code", "kind", "message"),
	[
		(403, "AccessDenied", InputError, "access is denied .*s3:PutObject"),
		(400, "ExpiredToken", InputError, "credentials are expired .*new task"),
		(403, "InvalidAccessKeyId", InputError, "credentials are expired or not known"),
		(400, "AuthorizationHeaderMalformed", InputError, "in another region .*AWS_REGION"),
		(404, "NoSuchBucket", InputError, "no such bucket .*LOANTAP_BUCKET"),
		(400, "KMS.DisabledException", InputError, "Look up this answer"),
		(503, "SlowDown", BucketDownError, "too busy"),
	],
)
def test_each_refusal_says_what_to_mend(status, code, kind, message, signed_in, monkeypatch):
	"""The answers as S3 words them, since its stand-in gives few of them."""
	body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
	with serve(lambda *_: (status, body)) as port:
		monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
		with pytest.raises(InputError, match=f"bucket some-bucket: cannot read .*{message}") as told:
			State(Bucket("some-bucket")).read()
	assert type(told.value) is kind


def test_a_bucket_that_is_not_there_is_named(bucket):
	with pytest.raises(InputError, match=r"bucket loantap-nowhere: .*no such bucket \(NoSuchBucket"):
		State(Bucket("loantap-nowhere")).read()


def test_a_bucket_that_cannot_be_reached_is_for_later(signed_in, monkeypatch):
	monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

	with pytest.raises(BucketDownError, match="cannot be reached"):
		State(Bucket("any")).read()


def test_no_credentials_at_all_are_named(signed_in, monkeypatch):
	for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
		monkeypatch.delenv(name)
	monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
	monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

	with pytest.raises(InputError, match=r"Unable to locate credentials.*Give the task a role"):
		State(Bucket("any")).read()
