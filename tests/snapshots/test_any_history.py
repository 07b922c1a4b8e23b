import tempfile
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from loantap.datasets import SnapshotDataset
from tests.snapshots.small_source import SmallSource, day, extraction, order

# Few keys, so that they meet; the last number is how many days late a row is committed.
ROWS = st.tuples(
	st.sampled_from(["a", "b", "c", "d", "e", None]),
	st.sampled_from([1, 2, None]),
	st.sampled_from([0.0, 1.5, float("nan"), None]),
	st.sampled_from([0, 0, 0.5, 3]),
)


def chapters_of(*actions):
	happened = st.lists(st.tuples(st.sampled_from(actions), ROWS), max_size=5)
	return st.tuples(happened, st.sampled_from([0, 1, 3]))


HISTORIES = st.lists(chapters_of("insert", "repeat") | chapters_of("update", "lose time", "delete"), max_size=6)
SAME_KEY = "loan_id IS NOT DISTINCT FROM ? AND month IS NOT DISTINCT FROM ?"


def act(source, action, now):
	what, (key, month, balance, late) = action
	match what:
		case "insert":
			source.insert((key, month, balance, now - timedelta(days=late)))
		case "repeat":
			copied = "SELECT loan_id, month, balance, ? FROM rows"
			source.sql(f"INSERT INTO rows {copied} WHERE loan_id = ?", now, key)
		case "update":
			update = f"UPDATE rows SET balance = ?, updated_at = ? WHERE {SAME_KEY}"  # noqa: S608
			source.sql(update, balance, now, key, month)
		case "lose time":
			source.sql(f"UPDATE rows SET updated_at = NULL WHERE {SAME_KEY}", key, month)  # noqa: S608
		case "delete":
			source.sql(f"DELETE FROM rows WHERE {SAME_KEY}", key, month)  # noqa: S608


@pytest.mark.parametrize("part_rows", [3, 1_000], ids=["small parts", "one part"])
@settings(max_examples=30, deadline=None, derandomize=True)
@given(history=HISTORIES)
def test_a_snapshot_always_holds_the_rows_of_its_source(part_rows, history):
	source = SmallSource()
	start = [(key, 1, 0.0, day(1)) for key in "abcdefgh"]
	source.insert(*start)
	now = day(2)
	with tempfile.TemporaryDirectory() as folder:
		for happened, overlap in [([], 1), *history]:
			for action in happened:
				now += timedelta(hours=9)
				act(source, action, now)
			snapshot = SnapshotDataset(filepath=folder, part_rows=part_rows)
			snapshot.save(extraction(source, overlap=timedelta(days=overlap)))
			snapshot.publish()
			assert_frame_equal(order(snapshot.load()), source.rows())
