from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from loantap.reporting.terminal.run_summary import tabulate_findings, tell_account

NONE = {"rows": 0, "first_rows": []}


def make_account(**changes):
	good = {"rows": 4_000, "invalid": 0, "invalid_share": 0.0, "causes": [], "has_ids": True}
	return good | {"without_id": NONE, "repeated": NONE, "alike": NONE} | changes


def test_causes_are_told_with_their_rows():
	causes = [
		{"rows": 299, "first_rows": [1, 2, 3, 4, 1_005], "example": "dti 'x': not a number"},
		{"rows": 1, "first_rows": [7], "example": "term '48': not 36 or 60"},
	]

	told = tell_account(make_account(invalid=300, invalid_share=0.075, causes=causes))

	assert told[0].startswith("300 of 4,000 could not be scored (7.5%)")
	assert told[1:] == [
		"  299 (rows 1, 2, 3, 4, 1,005, ...): dti 'x': not a number",
		"  1 (row 7): term '48': not 36 or 60",
	]


def test_rarer_causes_are_counted_together():
	causes = [{"rows": n, "first_rows": [n], "example": str(n)} for n in (9, 8, 7, 6, 5, 2, 1)]

	told = tell_account(make_account(invalid=38, causes=causes))

	assert told[-1] == "  3 for other reasons"
	assert len(told) == 7


@pytest.mark.parametrize(
	("name", "said"),
	[
		("without_id", "2 (rows 4, 9) without an application_id, not written back"),
		("repeated", "2 (rows 4, 9) with an application_id of an earlier row: the last is"),
		("alike", "2 (rows 4, 9) with an application_id that differs from another only in"),
	],
)
def test_odd_ids_are_told(name, said):
	told = tell_account(make_account(**{name: {"rows": 2, "first_rows": [4, 9]}}))

	assert told[0].startswith(said)
	assert tell_account(make_account(has_ids=False)) == []


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
