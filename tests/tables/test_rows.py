import pandas as pd
import pytest

from loantap.tables.rows import gather_batches


@pytest.mark.parametrize(
  ("sizes", "rows", "expected"),
  [
    ([3, 3, 3, 3], 6, [6, 6]),
    ([3, 3, 3], 5, [6, 3]),
    ([3], 5, [3]),
    ([9, 1], 5, [9, 1]),
    ([0], 5, [0]),
    ([], 5, []),
    ([2, 2], 1, [2, 2]),
  ],
)
def test_the_same_rows_come_in_fewer_batches(sizes, rows, expected):
  whole = pd.DataFrame({"loan_id": [str(n) for n in range(sum(sizes))]})
  starts = [sum(sizes[:n]) for n in range(len(sizes))]
  batches = (whole[a : a + n] for a, n in zip(starts, sizes, strict=True))

  gathered = list(gather_batches(batches, rows))

  assert [len(batch) for batch in gathered] == expected
  if gathered:
    pd.testing.assert_frame_equal(pd.concat(gathered, ignore_index=True), whole)
