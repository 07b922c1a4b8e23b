import json

import numpy as np
import pandas as pd
import pytest

from loantap.model.validation.plain import make_plain


@pytest.mark.parametrize(
  ("given", "expected"),
  [
    (0.123456789, 0.123457),
    (np.float64(1234567.8), 1234570.0),
    (float("nan"), None),
    (np.int64(5), 5),
    (np.bool_(True), True),
    ("a text", "a text"),
    (None, None),
    ((1, 2.5), [1, 2.5]),
    ({1: [np.nan]}, {"1": [None]}),
  ],
)
def test_each_kind_of_figure(given, expected):
  made = make_plain(given)

  assert made == expected
  assert type(made) is type(expected)


def test_a_table_is_a_list_of_rows_wherever_it_stands():
  table = pd.DataFrame({"group": pd.Categorical(["OWN", "RENT"]), "n": [3, 4], "auc": [0.7, None]})

  made = make_plain({"groups": table})

  assert made == {"groups": [{"group": "OWN", "n": 3, "auc": 0.7}, {"group": "RENT", "n": 4, "auc": None}]}
  assert json.loads(json.dumps(made, allow_nan=False)) == made
