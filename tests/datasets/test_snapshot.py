import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset
from loantap.datasets import snapshot as snapshot_module
from loantap.portfolio.errors import InputError
from loantap.snapshots import parts
from tests.snapshots.small_source import COLUMNS, SmallSource, day, extraction, order


@pytest.fixture
def folder(tmp_path):
	return tmp_path / "01_raw" / "loan_events"


@pytest.fixture
def snapshot(folder):
	return SnapshotDataset(filepath=str(folder), part_rows=1_000)


@pytest.fixture
def source():
	"""2,500 rows, hence three parts."""
	source = SmallSource()
	source.fill(2_500)
	return source


@pytest.fixture
def last_good(snapshot, source):
	publish(snapshot, source)
	return source.rows()


@pytest.fixture
def saved(last_good, snapshot, source):
	"""A snapshot that this run has brought up to date, and not published yet."""
	source.change(3, 700, balance=0.5, at=day(30))
	snapshot.save(extraction(source))
	return snapshot


def publish(snapshot, source, **asked):
	snapshot.save(extraction(source, **asked))
	snapshot.publish()


def contents(folder):
	return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_list(folder):
	return json.loads((folder / "manifest.json").read_text("utf-8"))


def open_again(folder):
	return SnapshotDataset(filepath=str(folder))


def assert_holds(snapshot, rows):
	assert_frame_equal(order(snapshot.load()), rows)


def test_all_rows_are_there_typed_and_ordered_as_in_the_source(snapshot):
	source = SmallSource()
	source.insert(("b", 2, 0.1, day(1)), ("a", None, None, None), (None, 3, 1 / 3, day(2)))
	snapshot.save(extraction(source))

	rows = snapshot.load()

	assert rows["loan_id"].fillna("none").tolist() == ["b", "a", "none"]
	assert rows["balance"].dropna().tolist() == [0.1, 1 / 3]
	kinds = ["str", "float64", "float64", "datetime64[us]"]
	assert [str(kind) for kind in rows.dtypes] == kinds
	assert rows["updated_at"].dropna().tolist() == [day(1), day(2)]


def test_a_source_without_rows_makes_a_snapshot_with_its_columns(snapshot):
	snapshot.save(extraction(SmallSource()))

	assert snapshot.load().columns.tolist() == COLUMNS
	assert len(snapshot.load()) == 0


def test_a_snapshot_its_list_names_parts_of_a_bounded_size_and_says_where_the_rows_are_from(last_good, folder):
	listed = read_list(folder)

	assert [part["rows"] for part in listed["parts"]] == [1_000, 1_000, 500]
	names = {part["name"] for part in listed["parts"]} | {"manifest.json"}
	assert set(contents(folder)) == names
	assert listed["source"] == "warehouse, table loan_events"
	assert listed["key"] == ["loan_id", "month"]
	assert listed["columns"]["updated_at"] == "timestamp[us]"
	assert listed["as_of"] == "2016-03-31"


@pytest.mark.parametrize("damage", ["a part is gone", "a bit of a part", "the list"])
def test_a_damaged_snapshot_is_named_with_the_remedy(damage, last_good, snapshot, folder):
	spoil(folder, damage)

	with pytest.raises(DatasetError) as refused:
		snapshot.load()
	assert isinstance(refused.value.__cause__, InputError)
	assert refused.value.__cause__.where == f"snapshot {folder}"
	assert "since=all" in refused.value.__cause__.remedy


def spoil(folder, damage):
	path = max(folder.glob("part-*"), key=lambda part: part.stat().st_size)
	match damage:
		case "a part is gone":
			path.unlink()
		case "a bit of a part":
			content = bytearray(path.read_bytes())
			content[len(content) // 2] ^= 1
			path.write_bytes(content)
		case "the list":
			(folder / "manifest.json").write_text("{", encoding="utf-8")


def fail_for_want_of_an_inode(*_):
	raise OSError("no inode is left")


def test_publishing_until_then_others_read_the_last_good_snapshot(last_good, saved, source, folder):
	assert_holds(open_again(folder), last_good)
	assert_holds(saved, source.rows())
	saved.publish()
	assert_holds(open_again(folder), source.rows())


def test_publishing_leaves_no_file_that_is_not_listed(last_good, snapshot, source, folder):
	for number in range(4):
		source.change(number, balance=0.5, at=day(30 + number))
		publish(snapshot, source)

	listed = read_list(folder)
	names = {part["name"] for part in listed["parts"]} | {listed["outdated"], "manifest.json"}
	assert set(contents(folder)) == names


@pytest.mark.parametrize("is_tried", [False, True], ids=["at once", "after it failed"])
def test_what_is_discarded_leaves_every_byte_as_it_was(is_tried, last_good, snapshot, source, folder, monkeypatch):
	before = contents(folder)
	source.change(3, 700, balance=0.5, at=day(30))
	snapshot.save(extraction(source))
	if is_tried:
		with monkeypatch.context() as patched:
			patched.setattr(Path, "replace", fail_for_want_of_an_inode)
			with pytest.raises(OSError, match="no inode"):
				snapshot.publish()
	snapshot.discard()
	snapshot.publish()

	assert contents(folder) == before
	assert_holds(snapshot, last_good)
	# Another run may have the folder.
	open_again(folder).save(extraction(source))


def test_a_second_save_of_a_run_takes_the_place_of_the_first(saved, source):
	source.change(4, balance=0.5, at=day(31))
	saved.save(extraction(source))

	assert_holds(saved, source.rows())


# Two runs at once, or a reader while a run publishes.


@pytest.mark.parametrize("end", ["publish", "discard"])
def test_a_second_run_is_refused_until_the_first_has_ended(end, saved, source, folder):
	other = open_again(folder)

	with pytest.raises(DatasetError) as refused:
		other.save(extraction(source, since="all"))
	other.discard()

	error = refused.value.__cause__
	assert isinstance(error, InputError)
	assert error.where == f"snapshot {folder}"
	assert error.problem == "another run is bringing it up to date"
	getattr(saved, end)()
	publish(other, source)
	assert_holds(open_again(folder), source.rows())


@pytest.mark.parametrize(
	"reading",
	[(snapshot_module, "read_outdated"), (parts, "check_content")],
	ids=["between list and files", "between checking and reading a file"],
)
def test_who_reads_while_a_run_publishes_gets_the_new_rows(reading, last_good, snapshot, source, folder, monkeypatch):
	source.change(*range(2_500), balance=0.5, at=day(30))
	snapshot.save(extraction(source))
	module, name = reading
	read = getattr(module, name)

	def publish_meanwhile(*arguments):
		# Nothing is left then of the files that the old list names.
		found = read(*arguments) if name == "check_content" else None
		snapshot.publish()
		return found if name == "check_content" else read(*arguments)

	monkeypatch.setattr(module, name, publish_meanwhile)

	assert_holds(open_again(folder), source.rows())


def test_a_disk_without_locks_is_named(snapshot, source, folder, monkeypatch):
	def refuse(*_):
		raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

	monkeypatch.setattr(fcntl, "flock", refuse)

	with pytest.raises(DatasetError) as refused:
		snapshot.save(extraction(source))
	error = refused.value.__cause__
	assert isinstance(error, InputError)
	assert "cannot be locked" in error.problem
	assert "a disk that can be written to" in error.remedy


@pytest.mark.parametrize("since", [None, "all"])
def test_a_failure_of_the_source_leaves_every_byte_as_it_was(since, last_good, snapshot, source, folder):
	before = contents(folder)
	source.change(*range(1_200), balance=0.5, at=day(30))
	source.batch_rows = 100
	source.breaks_after = [7] * 99

	with pytest.raises(DatasetError, match="the source is down"):
		snapshot.save(extraction(source, since=since))
	snapshot.publish()

	assert contents(folder) == before


def test_a_failure_of_the_first_extraction_leaves_nothing(snapshot, source, folder):
	source.breaks_after = [1] * 99

	with pytest.raises(DatasetError, match="the source is down"):
		snapshot.save(extraction(source))

	assert list(folder.iterdir()) == []
	assert not snapshot.exists()


def test_what_a_killed_run_left_is_gone_after_the_next_save(last_good, snapshot, source, folder):
	before = contents(folder)
	left = [
		"part-0123456789abcdef.parquet",
		"outdated-0123456789abcdef.parquet",
		".unfinished.parquet",
		".manifest.1-abc.staged.json",
	]
	for name in left:
		(folder / name).write_text("half a file", encoding="utf-8")
	(folder / ".spill").mkdir()
	(folder / ".spill" / "block").touch()

	assert_holds(open_again(folder), last_good)
	snapshot.save(extraction(source))

	assert contents(folder) == before


def test_files_of_others_are_left_alone(last_good, snapshot, source, folder):
	(folder / "README").touch()
	publish(snapshot, source, since="all")

	assert (folder / "README").exists()


PROGRAM = """
import resource
import signal
import sys
sys.path.insert(0, sys.argv[2])
from tests.snapshots.small_source import SmallSource, extraction
from loantap.datasets import SnapshotDataset
source = SmallSource()
source.fill(50_000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, resource.RLIM_INFINITY))
try:
    SnapshotDataset(filepath=sys.argv[1]).save(extraction(source))
except Exception as error:
    print(error.__cause__)
"""


def test_nothing_half_written_stays_and_it_is_said_where_to_make_room(folder):
	said = subprocess.run(
		[sys.executable, "-c", PROGRAM, folder, Path(__file__).parent], capture_output=True, text=True, check=True
	).stdout

	assert said.startswith(f"snapshot {folder}: there is no room for it")
	assert "Make room on that disk" in said
	assert list(folder.iterdir()) == []
