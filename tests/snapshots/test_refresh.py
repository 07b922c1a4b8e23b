import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset
from loantap.portfolio.errors import InputError
from tests.snapshots.small_source import AS_OF, SmallSource, day, extraction, order

ROWS = 4_000


@dataclass
class Copy:
	folder: Path
	source: SmallSource

	def extract(self, since=None, as_of=AS_OF, overlap=timedelta(days=1)):
		snapshot = SnapshotDataset(filepath=str(self.folder), part_rows=1_000)
		snapshot.save(extraction(self.source, since, as_of, overlap))
		snapshot.publish()
		assert_frame_equal(order(snapshot.load()), self.source.rows())
		return self.source.readings[-1]

	def contents(self):
		files = self.folder.iterdir()
		return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def copy(tmp_path):
	made = Copy(tmp_path / "loan_events", SmallSource())
	made.source.fill(ROWS)
	made.extract()
	made.source.readings.clear()
	return made


def test_only_what_changed_is_read_and_that_is_told(copy, caplog):
	caplog.set_level(logging.INFO)
	copy.source.change(5, 2_500, balance=0.5, at=day(20))

	assert copy.extract() == datetime.fromisoformat("2016-01-02 18:39")
	assert "warehouse, table loan_events: 2 of 4,000 rows are new since 2016-01-02 18:39:00" in caplog.messages
	assert copy.extract() == day(19)
	assert "0 of 4,000 rows are new since 2016-01-19" in caplog.text


def test_changes_without_any_since_recent_rows_were_replaced_every_byte_stays_as_well(copy):
	last = copy.source.rows()["updated_at"].max()
	copy.source.change(3_500, 3_600, balance=0.5, at=last + timedelta(hours=1))
	copy.extract()
	before = copy.contents()

	assert any(name.startswith("outdated") for name in before)
	assert copy.extract() is not None
	assert copy.contents() == before


def test_read_in_full_the_same_rows_leave_every_byte_as_it_was(copy):
	before = {name: content for name, (content, _) in copy.contents().items()}

	assert copy.extract(since="all", as_of=date(2016, 4, 1)) is None
	assert {name: content for name, (content, _) in copy.contents().items()} == before


def test_files_without_much_change_stay(copy):
	before = set(copy.contents())
	copy.source.change(5, 2_500, balance=0.5, at=day(20))
	copy.extract()

	# The list of outdated rows is new, and so is the part with the new ones.
	assert len(before - set(copy.contents())) == 0
	assert len(set(copy.contents()) - before) == 2


def test_a_file_of_which_much_is_outdated_is_written_anew(copy):
	before = set(copy.contents())
	copy.source.change(*range(1_000, 1_300), balance=0.5, at=day(20))
	copy.extract()

	assert len(before - set(copy.contents())) == 1


def test_a_small_last_part_is_filled_up(copy):
	for number in range(5):
		copy.source.fill(100, first=10_000 + 100 * number, updated_at=day(20 + number))
		copy.extract()

	assert len(list(copy.folder.glob("part-*"))) == ROWS / 1_000 + 1


@pytest.mark.parametrize(
	"change",
	[
		lambda source: source.insert(("new", 1, 0.5, day(20))),
		lambda source: source.insert(("new", 1, 0.5, day(3))),
		lambda source: source.insert(("new", 1, 0.5, None)),
		lambda source: source.insert((None, 1, 0.5, day(20)), (None, None, None, day(20))),
		lambda source: source.insert(*[("new", 1, 0.5, day(20))] * 3),
		lambda source: source.change(7, balance=float("nan"), at=day(20)),
		lambda source: source.sql("UPDATE rows SET balance = NULL, updated_at = ? WHERE loan_id = 'loan-7'", day(20)),
		lambda source: source.sql("UPDATE rows SET updated_at = NULL, balance = 9 WHERE loan_id = 'loan-7'"),
	],
	ids=[
		"a new row",
		"committed late",
		"without a time",
		"without a key",
		"repeated",
		"not a number",
		"missing",
		"its time went missing",
	],
)
def test_changes_of_any_kind_arrive_without_a_full_reading(change, copy):
	change(copy.source)

	assert copy.extract() is not None
	assert copy.extract() is not None


def test_rows_removed_while_they_are_recent_go(copy):
	copy.source.fill(50, first=10_000, updated_at=day(20))
	copy.extract()
	copy.source.sql("DELETE FROM rows WHERE loan_id = 'loan-10007'")

	assert copy.extract() == day(19)
	copy.source.sql("UPDATE rows SET updated_at = ?", day(20))
	copy.extract()
	copy.source.sql("DELETE FROM rows")
	assert copy.extract() == day(19)


# Where changes alone would not do, every row is read, and a warning says why.


@pytest.mark.parametrize(
	"change",
	[
		lambda source: source.sql("DELETE FROM rows WHERE loan_id = 'loan-7'"),
		lambda source: source.sql("DELETE FROM rows"),
		lambda source: source.sql("UPDATE rows SET updated_at = ? WHERE loan_id = 'loan-0'", day(1)),
		lambda source: source.insert(("new", 1, 0.5, day(1))),
		lambda source: source.insert(("loan-7", 1, 0.5, day(20))),
		lambda source: source.sql("UPDATE rows SET updated_at = updated_at - INTERVAL 9 DAY"),
	],
	ids=[
		"a row was removed",
		"all rows were",
		"the first changed without a new time",
		"a row with an old time",
		"a second row of an older key",
		"clocks were set back",
	],
)
def test_drift_is_noticed_and_mended(change, copy, caplog):
	change(copy.source)

	assert copy.extract() is None
	assert "Every row is read" in caplog.text
	assert "the table has" in caplog.text


def test_a_table_built_anew_with_the_same_ids_and_times_is_read_in_full(copy):
	"""As the embedded sources are in each run: all rows have one time, that of the run."""
	copy.source.sql("UPDATE rows SET updated_at = ?", day(20))
	copy.extract()
	copy.source.sql("UPDATE rows SET balance = balance + 1")

	assert copy.extract() is None


@pytest.mark.parametrize(
	("built", "as_of"),
	[(day(1), AS_OF), (day(20), date(2016, 1, 1)), (day(20), AS_OF), (day(40), AS_OF)],
	ids=["before", "then, on an early day", "then", "after"],
)
def test_rows_of_two_portfolios_are_never_mixed(built, as_of, copy):
	copy.source.sql("UPDATE rows SET updated_at = ?", day(20))
	copy.extract()
	copy.source.sql("DELETE FROM rows WHERE loan_id < 'loan-2'")
	copy.source.sql("UPDATE rows SET balance = balance + 1, updated_at = ?", built)

	copy.extract(as_of=as_of)


def test_when_max_rows_changed_they_are_read_once(copy):
	copy.source.change(*range(2_001), balance=0.5, at=day(20))

	assert copy.extract() is None
	assert copy.source.readings == [None]


@pytest.mark.parametrize("attribute", ["fingerprint", "key"])
def test_another_query_or_key_reads_all(attribute, copy):
	other = {"fingerprint": "77", "key": ("loan_id",)}[attribute]
	setattr(copy.source, attribute, other)

	assert copy.extract() is None
	assert copy.extract() is not None


def test_another_type_reads_all(copy):
	copy.source.sql("ALTER TABLE rows ALTER month TYPE DOUBLE")

	assert copy.extract() is None


@pytest.mark.parametrize("damage", ["gone", "cut", "list", "list of a later release"])
def test_a_damaged_snapshot_is_read_anew(damage, copy, caplog):
	part = min(copy.folder.glob("part-*"), key=lambda path: path.stat().st_mtime_ns)  # its rows are old
	if damage == "gone":
		part.unlink()
	elif damage == "cut":
		part.write_bytes(part.read_bytes()[:-50])
	else:
		manifest = copy.folder / "manifest.json"
		manifest.write_text("{}" if damage == "list" else manifest.read_text().replace("{", '{"new": 1,', 1))

	assert copy.extract() is None
	assert "Every row is read" in caplog.text


def test_damage_found_when_a_part_is_written_anew_is_not_passed_on(copy, caplog):
	copy.source.change(*range(300), balance=0.5, at=day(20))
	for part in copy.folder.glob("part-*"):
		content = bytearray(part.read_bytes())
		content[len(content) // 2] ^= 1  # among the balances
		part.write_bytes(content)

	assert copy.extract() is None
	assert "it is not what was written" in caplog.text


@pytest.fixture
def january(tmp_path):
	"""A snapshot of rows that were changed from the first to the 28th of January."""
	made = Copy(tmp_path / "january", SmallSource())
	made.source.fill(ROWS, minutes=10)
	made.extract()
	return made


def test_a_day_behind_the_snapshot_leaves_no_gap(january):
	january.source.change(7, balance=0.5, at=day(30))

	assert january.extract(since=date(2016, 3, 1)) == datetime.fromisoformat("2016-01-27 18:30")


def test_what_changed_without_a_new_time_is_found_by_reading_from_then_on(january):
	january.source.sql("UPDATE rows SET balance = 9 WHERE loan_id = 'loan-3000'")

	assert january.extract(since=date(2016, 1, 20)) == datetime.fromisoformat("2016-01-20")


def test_since_without_a_snapshot_every_row_is_read_and_that_is_said(tmp_path, caplog):
	caplog.set_level(logging.INFO)
	fresh = Copy(tmp_path / "loan_events", SmallSource())
	fresh.source.fill(10)

	assert fresh.extract(since=date(2016, 1, 3)) is None
	assert "there is no snapshot yet, so every row is read" in caplog.text


def test_rows_lost_in_a_full_reading_are_an_error(copy):
	copy.source.loses = 3

	with pytest.raises(DatasetError, match=r"3,997 rows were read of 4,000") as refused:
		copy.extract(since="all")
	assert isinstance(refused.value.__cause__, InputError)


def test_rows_lost_among_the_changes_are_noticed(copy, caplog):
	copy.source.change(5, 6, 7, balance=0.5, at=day(20))
	copy.source.loses = 1

	with pytest.raises(DatasetError, match=r"3,999 rows were read of 4,000"):
		copy.extract()
	assert "Every row is read" in caplog.text


def test_a_connection_cut_in_mid_read_starts_the_reading_again(copy):
	copy.source.batch_rows = 2_048
	copy.source.breaks_after = [1, 0]

	copy.extract(since="all")
	assert copy.source.readings == [None, None, None]


def test_a_source_that_changes_all_the_time_is_no_error_and_read_incrementally(copy):
	numbers = iter(range(10_000, 20_000))
	copy.source.meanwhile = lambda: copy.source.fill(1, first=next(numbers), updated_at=day(9))

	copy.extract(since="all")
	assert copy.extract() is not None
	assert copy.extract() is not None
