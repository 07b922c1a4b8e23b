import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from loantap.tables.ordered import PLACE, group_rows, pair_groups, sort_rows
from loantap.tables.rows import frame_of

ROWS = 2_000


@pytest.fixture(scope="module")
def rows():
  rng = np.random.default_rng(1)
  ids = pd.Series([f"{number:03x}" for number in rng.integers(0, 300, ROWS)], dtype="str")
  ids[::50] = np.nan
  return pd.DataFrame({"id": ids, "value": rng.random(ROWS)})


@pytest.fixture(scope="module")
def ordered(rows):
  return rows.sort_values("id", kind="stable", ignore_index=True)


def batches(rows, size):
  return (rows[start : start + size] for start in range(0, len(rows), size))


def test_rows_come_in_order_and_equal_ones_as_they_came(rows):
  reader = pa.Table.from_pandas(rows, preserve_index=False).to_reader(max_chunksize=300)
  sorted_rows = pd.concat(map(frame_of, sort_rows(reader, "id")), ignore_index=True)

  expected = rows.assign(**{PLACE: range(ROWS)}).sort_values("id", kind="stable", ignore_index=True)
  assert_frame_equal(sorted_rows, expected)


@pytest.mark.parametrize("size", [1, 10, 100, 10_000])
def test_a_group_holds_all_rows_of_its_values(ordered, size):
  groups = list(group_rows(batches(ordered, 77), "id", size))

  assert_frame_equal(pd.concat(groups), ordered)
  assert sum(group["id"].nunique() for group in groups) == ordered["id"].nunique()
  assert max(map(len, groups)) < size + 77 + 40


def test_rows_in_another_order_are_no_groups(rows):
  with pytest.raises(ValueError, match="not in the order of id"):
    list(group_rows([rows], "id"))


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1_000), (1_000, 1), (50, 70), (9_999, 9_999)])
def test_rows_of_one_value_are_in_one_pair(ordered, ours, theirs):
  known = ordered.dropna()
  left = known[known["id"] > "010"].reset_index(drop=True)
  right = known[known["id"].str.endswith(("1", "5", "a"))].reset_index(drop=True)

  pairs = list(
    pair_groups(group_rows(batches(left, 13), "id", ours), group_rows(batches(right, 13), "id", theirs), "id")
  )

  assert_frame_equal(pd.concat([one for one, _ in pairs]), left)
  assert_frame_equal(pd.concat([other for _, other in pairs]), right)
  places = [{*one["id"], *other["id"]} for one, other in pairs]
  assert sum(map(len, places)) == len(set().union(*places))


def test_a_table_without_rows_has_a_pair_all_the_same(ordered):
  known = ordered.dropna()
  empty = known.head(0)

  assert [tuple(map(len, pair)) for pair in pair_groups([empty], [empty], "id")] == [(0, 0)]
  sizes = [tuple(map(len, pair)) for pair in pair_groups([empty], [known], "id")]
  assert sizes == [(0, len(known))]
