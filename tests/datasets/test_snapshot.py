"""A snapshot can be read at every moment, whatever becomes of the run that brings it up to date."""

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
from tests.conftest import require
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
    """What is published already."""
    snapshot.save(extraction(source))
    snapshot.publish()
    return source.rows()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_again(folder):
    """As another process reads it."""
    return order(SnapshotDataset(filepath=str(folder)).load())


class TestLoading:
    def test_all_rows_are_there_typed_and_ordered_as_in_the_source(self, snapshot):
        source = SmallSource()
        source.insert(("b", 2, 0.1, day(1)), ("a", None, None, None), (None, 3, 1 / 3, day(2)))
        snapshot.save(extraction(source))

        rows = snapshot.load()

        assert rows["loan_id"].fillna("none").tolist() == ["b", "a", "none"]
        assert rows["balance"].dropna().tolist() == [0.1, 1 / 3]
        assert [str(kind) for kind in rows.dtypes] == [
            "str",
            "float64",
            "float64",
            "datetime64[us]",
        ]
        assert rows["updated_at"].dropna().tolist() == [day(1), day(2)]

    def test_a_source_without_rows_makes_a_snapshot_with_its_columns(self, snapshot):
        snapshot.save(extraction(SmallSource()))

        assert snapshot.load().columns.tolist() == COLUMNS
        assert len(snapshot.load()) == 0

    def test_rows_lie_in_parts_of_a_bounded_size(self, last_good, folder):
        listed = json.loads((folder / "manifest.json").read_text("utf-8"))

        assert [part["rows"] for part in listed["parts"]] == [1_000, 1_000, 500]
        names = {part["name"] for part in listed["parts"]} | {"manifest.json"}
        assert set(contents(folder)) == names

    def test_the_list_says_where_the_rows_are_from(self, last_good, folder):
        listed = json.loads((folder / "manifest.json").read_text("utf-8"))

        assert listed["source"] == "warehouse, table loan_events"
        assert listed["key"] == ["loan_id", "month"]
        assert listed["columns"]["updated_at"] == "timestamp[us]"
        assert listed["as_of"] == "2016-03-31"

    @pytest.mark.parametrize("damage", ["a part is gone", "a bit of a part", "the list"])
    def test_a_damaged_snapshot_is_named_with_the_remedy(self, damage, last_good, snapshot, folder):
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
        case "a part is cut":
            path.write_bytes(path.read_bytes()[:-100])
        case "a bit of a part":
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
        case "the list":
            (folder / "manifest.json").write_text("{", encoding="utf-8")


def fail_for_want_of_an_inode(*_):
    raise OSError("no inode is left")


class TestPublication:
    def test_nothing_is_there_before_it(self, snapshot, source, folder):
        snapshot.save(extraction(source))

        assert not SnapshotDataset(filepath=str(folder)).exists()
        assert snapshot.exists()
        assert_frame_equal(order(snapshot.load()), source.rows())

    def test_until_then_others_read_the_last_good_snapshot(
        self, last_good, snapshot, source, folder
    ):
        source.change(3, 700, balance=0.5, at=day(30))
        snapshot.save(extraction(source))

        assert_frame_equal(read_again(folder), last_good)
        assert_frame_equal(order(snapshot.load()), source.rows())
        snapshot.publish()
        assert_frame_equal(read_again(folder), source.rows())

    def test_it_leaves_no_file_that_is_not_listed(self, last_good, snapshot, source, folder):
        for number in range(4):
            source.change(number, balance=0.5, at=day(30 + number))
            snapshot.save(extraction(source))
            snapshot.publish()

        listed = json.loads((folder / "manifest.json").read_text("utf-8"))
        names = {part["name"] for part in listed["parts"]} | {listed["outdated"], "manifest.json"}
        assert set(contents(folder)) == names

    def test_what_is_discarded_leaves_every_byte_as_it_was(
        self, last_good, snapshot, source, folder
    ):
        before = contents(folder)
        source.change(3, 700, balance=0.5, at=day(30))
        snapshot.save(extraction(source))
        snapshot.discard()
        snapshot.publish()

        assert contents(folder) == before
        assert_frame_equal(order(snapshot.load()), last_good)

    def test_what_cannot_be_published_can_be_discarded(
        self, last_good, snapshot, source, folder, monkeypatch
    ):
        before = contents(folder)
        source.change(3, 700, balance=0.5, at=day(30))
        snapshot.save(extraction(source))
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", fail_for_want_of_an_inode)
            with pytest.raises(OSError, match="no inode"):
                snapshot.publish()
        snapshot.discard()

        assert contents(folder) == before
        assert_frame_equal(order(snapshot.load()), last_good)
        # Another run may have the folder.
        SnapshotDataset(filepath=str(folder)).save(extraction(source))

    def test_a_second_save_of_a_run_takes_the_place_of_the_first(self, last_good, snapshot, source):
        source.change(3, balance=0.5, at=day(30))
        snapshot.save(extraction(source))
        source.change(4, balance=0.5, at=day(31))
        snapshot.save(extraction(source))

        assert_frame_equal(order(snapshot.load()), source.rows())


class TestOverlap:
    """Two runs at once, or a reader while a run publishes."""

    def test_a_second_run_is_refused_and_the_first_goes_on(
        self, last_good, snapshot, source, folder
    ):
        source.change(3, 700, balance=0.5, at=day(30))
        snapshot.save(extraction(source))
        other = SnapshotDataset(filepath=str(folder))

        with pytest.raises(DatasetError) as refused:
            other.save(extraction(source, since="all"))
        other.discard()
        snapshot.publish()

        error = refused.value.__cause__
        assert isinstance(error, InputError)
        assert error.where == f"snapshot {folder}"
        assert error.problem == "another run is bringing it up to date"
        assert_frame_equal(read_again(folder), source.rows())

    @pytest.mark.parametrize("end", ["publish", "discard"])
    def test_when_the_first_has_ended_the_second_gets_through(
        self, end, last_good, snapshot, source, folder
    ):
        source.change(3, 700, balance=0.5, at=day(30))
        snapshot.save(extraction(source))
        getattr(snapshot, end)()
        other = SnapshotDataset(filepath=str(folder))
        other.save(extraction(source))
        other.publish()

        assert_frame_equal(read_again(folder), source.rows())

    def test_after_a_failure_the_next_run_gets_through(self, snapshot, source, folder):
        source.breaks_after = [1] * 5
        with pytest.raises(DatasetError, match="the source is down"):
            snapshot.save(extraction(source))
        other = SnapshotDataset(filepath=str(folder))
        other.save(extraction(source))
        other.publish()

        assert_frame_equal(read_again(folder), source.rows())

    @pytest.mark.parametrize(
        "reading",
        [(snapshot_module, "read_outdated"), (parts, "check_content")],
        ids=["between list and files", "between checking and reading a file"],
    )
    def test_who_reads_while_a_run_publishes_gets_the_new_rows(
        self, reading, last_good, snapshot, source, folder, monkeypatch
    ):
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

        assert_frame_equal(read_again(folder), source.rows())

    def test_a_disk_without_locks_is_named(self, snapshot, source, folder, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        monkeypatch.setattr(fcntl, "flock", refuse)

        with pytest.raises(DatasetError) as refused:
            snapshot.save(extraction(source))
        error = refused.value.__cause__
        assert isinstance(error, InputError)
        assert "cannot be locked" in error.problem
        assert "a disk that can be written to" in error.remedy


class TestFailure:
    @pytest.mark.parametrize("since", [None, "all"])
    def test_of_the_source_leaves_every_byte_as_it_was(
        self, since, last_good, snapshot, source, folder
    ):
        before = contents(folder)
        source.change(*range(1_200), balance=0.5, at=day(30))
        source.batch_rows = 100
        source.breaks_after = [7] * 99

        with pytest.raises(DatasetError, match="the source is down"):
            snapshot.save(extraction(source, since=since))
        snapshot.publish()

        assert contents(folder) == before

    def test_of_the_first_extraction_leaves_nothing(self, snapshot, source, folder):
        source.breaks_after = [1] * 99

        with pytest.raises(DatasetError, match="the source is down"):
            snapshot.save(extraction(source))

        assert list(folder.iterdir()) == []
        assert not snapshot.exists()

    def test_what_a_killed_run_left_is_gone_after_the_next_save(
        self, last_good, snapshot, source, folder
    ):
        before = contents(folder)
        left = ["part-0123456789abcdef.parquet", "outdated-0123456789abcdef.parquet",
                ".unfinished.parquet", ".manifest.1-abc.staged.json"]  # fmt: skip
        for name in left:
            (folder / name).write_text("half a file", encoding="utf-8")
        (folder / ".spill").mkdir()
        (folder / ".spill" / "block").touch()

        assert_frame_equal(read_again(folder), last_good)
        snapshot.save(extraction(source))

        assert contents(folder) == before

    def test_files_of_others_are_left_alone(self, last_good, snapshot, source, folder):
        (folder / "README").touch()
        snapshot.save(extraction(source, since="all"))
        snapshot.publish()

        assert (folder / "README").exists()


class TestFullDisk:
    """Nothing half-written stays, and the message says where to make room."""

    PROGRAM = """
import resource
import signal
import sys
sys.path.insert(0, sys.argv[2])
from tests.snapshots.small_source import SmallSource, extraction
from loantap.datasets import SnapshotDataset
source = SmallSource()
source.fill(400_000)
if sys.argv[3] == "quota":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    SnapshotDataset(filepath=sys.argv[1]).save(extraction(source))
except Exception as error:
    print(error.__cause__)
"""

    def extract_into(self, folder, limit):
        return subprocess.run(
            [sys.executable, "-c", self.PROGRAM, folder, Path(__file__).parent, limit],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_a_quota_is_named(self, folder):
        said = self.extract_into(folder, "quota")

        assert said.startswith(f"snapshot {folder}: there is no room for it")
        assert "Make room on that disk" in said
        assert list(folder.iterdir()) == []

    def test_a_disk_that_is_full_is_named(self, tmp_path):
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
        is_small = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        require(is_small, "a small disk can be mounted by root only: run the tests as root")
        try:
            said = self.extract_into(tmp_path / "loan_events", "disk")
            assert "No space left on device" in said
            assert list((tmp_path / "loan_events").iterdir()) == []
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: S607
