from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from loantap.reporting.terminal.system_findings import tabulate_findings

LONG = "data/00_sources/" + "a_rather_long_folder/" * 5 + "warehouse.duckdb"
FINDINGS = pd.DataFrame(
  [
    ("warehouse", "connection", "fine", "answered [in 0.1 s]", ""),
    ("warehouse", "table loans", "fault", f"{LONG} is missing", "Have it restored"),
    ("appstream", "table applications", "note", "a new column is ignored", ""),
  ],
  columns=["where", "check", "outcome", "found", "remedy"],
)


def show(width):
  said = StringIO()
  Console(file=said, width=width).print(tabulate_findings(FINDINGS))
  return said.getvalue()


@pytest.mark.parametrize("width", [60, 80, 300])
def test_nothing_is_cut(width):
  text = show(width)

  assert max(map(len, text.splitlines())) <= width
  assert "\N{HORIZONTAL ELLIPSIS}" not in text
  # A long path goes on in the next line, below its beginning.
  assert LONG in "".join(text.split())
  for words in ("warehouse", "appstream", "fault", "Have it restored", "[in 0.1 s]"):
    assert words in text
