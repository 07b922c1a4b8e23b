from datetime import date

import pytest

from loantap.portfolio.errors import InputError
from loantap.tables.files import TableFile
from tests.support.workbook import write_workbook

HEADER = ["issue_d", "loan_amnt", "int_rate", "emp_title"]


def test_a_workbook_is_read_as_the_text_of_its_sheet(tmp_path):
  rows = [
    ["March"],
    [],
    HEADER,
    [date(2015, 12, 1), 15200, 21.21, 'Clerk,\n"first"'],
    [],
    [date(2016, 1, 1), 20000, 6.5, None],
  ]
  file = TableFile(write_workbook(tmp_path / "Loans.XLSX", empty=[], loans=rows))

  assert file.to_frame().fillna("none").to_numpy().tolist() == [
    ["2015-12-01", "15200", "21.21", 'Clerk, "first"'],
    ["2016-01-01", "20000", "6.5", "none"],
  ]
  assert "header on line 3, the lines above it left out" in file.notes


@pytest.mark.parametrize(
  ("sheets", "said"),
  [
    ({"a": [HEADER], "b": [HEADER]}, "it holds 2 sheets with anything in them: a, b"),
    ({"a": []}, "it holds no sheets with anything in them"),
    ({"a": [HEADER, [("XFD60000", 1)]]}, "the sheet reaches to XFD60000. Delete"),
    ({"a": [HEADER, *[["", 1, rate, ""] for rate in (18.125, "18,5")]]}, "decimals begin with a comma here and"),
    (None, "it cannot be read as a workbook"),
  ],
)
def test_a_workbook_without_one_sheet_is_refused(sheets, said, tmp_path):
  path = tmp_path / "loans.xlsx"
  path.write_bytes(b"PK\x03\x04")
  if sheets is not None:
    write_workbook(path, **sheets)

  with pytest.raises(InputError, match=said):
    TableFile(path).to_frame()
