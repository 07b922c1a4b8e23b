import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loantap.snapshots import parts
from loantap.snapshots.parts import (
	DamagedSnapshotError,
	describe_part,
	read_rows,
	read_table,
	write_parts,
	writing_parts,
)
from tests.snapshots.small_source import day

SCHEMA = pa.schema([("loan_id", pa.string()), ("updated_at", pa.timestamp("us"))])


def make_batch(first, rows, at=None):
	ids = [f"loan-{number}" for number in range(first, first + rows)]
	return pa.record_batch([pa.array(ids), pa.array([at] * rows, pa.timestamp("us"))], SCHEMA)


def batches_of(sizes):
	first = 0
	for size in sizes:
		yield make_batch(first, size, day(1))
		first += size


def read_ids(folder, written):
	paths = [folder / part.name for part in written]
	none_outdated = [np.zeros(part.file_rows, dtype="bool") for part in written]
	return read_table(paths, none_outdated)["loan_id"].to_pylist()


@pytest.mark.parametrize("sizes", [[25], [10, 10, 5], [1] * 25, [3, 0, 19, 3]], ids=str)
def test_parts_are_filled_whatever_the_size_of_the_batches(sizes, tmp_path):
	written = write_parts(tmp_path, SCHEMA, batches_of(sizes), part_rows=10)

	assert [part.rows for part in written] == [10, 10, 5]
	assert read_ids(tmp_path, written) == [f"loan-{number}" for number in range(25)]


def test_the_same_rows_make_the_same_files(tmp_path):
	once = write_parts(tmp_path, SCHEMA, batches_of([25]), part_rows=10)
	again = write_parts(tmp_path, SCHEMA, batches_of([4, 20, 1]), part_rows=10)
	others = write_parts(tmp_path, SCHEMA, batches_of([26]), part_rows=10)

	assert again == once
	assert others[:2] == once[:2]
	assert others[2] != once[2]
	assert len(list(tmp_path.iterdir())) == 4


def test_no_rows_make_a_part_with_the_columns(tmp_path):
	[part] = write_parts(tmp_path, SCHEMA, [], part_rows=10)

	assert (part.rows, part.first_update, part.last_update) == (0, None, None)
	assert pq.read_schema(tmp_path / part.name) == SCHEMA


def test_a_part_knows_how_recent_its_rows_are(tmp_path):
	batches = [make_batch(0, 2, day(7)), make_batch(2, 3), make_batch(5, 1, day(4))]

	[part] = write_parts(tmp_path, SCHEMA, batches)

	assert (part.undated, part.first_update, part.last_update) == (3, day(4), day(7))
	# Outdated rows count in neither.
	part = describe_part(tmp_path / part.name, np.array([1, 0, 1, 1, 1, 1], dtype="bool"))
	assert (part.file_rows, part.rows, part.undated) == (6, 1, 0)
	assert (part.first_update, part.last_update) == (day(7), day(7))


@pytest.mark.parametrize(
	("batch", "recent"),
	[
		(make_batch(0, 1, day(5)), True),
		(make_batch(0, 1, day(4)), False),
		(make_batch(0, 1, None), True),
		(make_batch(0, 0, None), False),
	],
	ids=["as recent", "older", "without a time", "no rows"],
)
def test_only_a_part_that_may_hold_recent_rows_is_searched_for_them(batch, recent, tmp_path):
	[part] = write_parts(tmp_path, SCHEMA, [batch])

	assert part.may_hold_since(day(5)) is recent


def test_a_part_can_be_kept_between_rows_that_are_written(tmp_path):
	[kept] = write_parts(tmp_path, SCHEMA, [make_batch(100, 4, day(1))])
	with writing_parts(tmp_path, SCHEMA, part_rows=10) as writer:
		writer.write([make_batch(0, 3, day(1))])
		place = writer.keep(kept)
		writer.write([make_batch(3, 3, day(1))])
		written = writer.complete()

	assert place == 1
	assert written[1] == kept
	assert [part.rows for part in written] == [3, 4, 3]


def test_rows_are_read_in_groups_and_only_those_that_count(tmp_path, monkeypatch):
	monkeypatch.setattr(parts, "GROUP_ROWS", 10)
	[part] = write_parts(tmp_path, SCHEMA, batches_of([25]))
	counted = np.arange(25) % 2 == 0

	batches = list(read_rows(tmp_path / part.name, counted))

	assert [batch.num_rows for batch in batches] == [5, 5, 3]
	ids = [value for batch in batches for value in batch["loan_id"].to_pylist()]
	assert ids == [f"loan-{number}" for number in range(0, 25, 2)]


@pytest.mark.parametrize("where", [0.3, 0.6, 0.999], ids=str)
def test_a_damaged_part_is_an_error_wherever_the_damage_is(where, tmp_path):
	[part] = write_parts(tmp_path, SCHEMA, batches_of([5_000]))
	path = tmp_path / part.name
	content = bytearray(path.read_bytes())
	content[int(len(content) * where)] ^= 0xFF
	path.write_bytes(content)

	said = f"{part.name}: it is not what was written"
	with pytest.raises(DamagedSnapshotError, match=said):
		read_ids(tmp_path, (part,))
	with pytest.raises(DamagedSnapshotError, match=said):
		list(read_rows(path, np.ones(part.rows, dtype="bool")))


def test_a_missing_part_is_an_error(tmp_path):
	[part] = write_parts(tmp_path, SCHEMA, batches_of([5]))
	(tmp_path / part.name).unlink()

	with pytest.raises(DamagedSnapshotError, match=f"{part.name}: No such file"):
		read_ids(tmp_path, (part,))


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
	"""100 batches of 1.2 MB take no more than a few of them at a time."""
	monkeypatch.setattr(parts, "GROUP_ROWS", 15_001)
	pool = pa.default_memory_pool()
	held = []
	size = make_batch(0, 10_000, day(1)).nbytes

	def batches():
		for number in range(100):
			held.append(pool.bytes_allocated())
			yield make_batch(number * 10_000, 10_000, day(1))

	before = pool.bytes_allocated()
	write_parts(tmp_path, SCHEMA, batches(), part_rows=1_000_000)

	assert max(held) - before < 15 * size
