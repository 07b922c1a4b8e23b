import io
from datetime import date
from zipfile import ZipFile

import pyarrow as pa
import pytest

from loantap.portfolio.errors import InputError
from loantap.tables import text_bytes
from loantap.tables.files import TableFile
from tests.support.workbook import write_workbook

HEADER = ["loan_amnt", "int_rate", "annual_inc", "emp_title"]
ROWS = [["15200", "21.21", "76100", 'Clerk, "first"'], ["20000", "6.44", "81600", None]]
TEXT = b'loan_amnt,int_rate,annual_inc,emp_title\n15200,21.21,76100,"Clerk, ""first"""\n20000,6.44,81600,\n'


def zipped(**members):
    written = io.BytesIO()
    with ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def zst(content):
    return pa.compress(content, "zstd", asbytes=True)


@pytest.mark.parametrize(
    "content",
    [
        zipped(loans=TEXT),
        zipped(**{"loans": TEXT, "__MACOSX/loans": b"x", "folder/": b""}),
        zst(TEXT),
        zst(TEXT[:50]) + zst(TEXT[50:]),
    ],
    ids=["zip", "zip of macOS", "zst", "zst in two frames"],
)
@pytest.mark.parametrize("block", [16, 1 << 23])
def test_a_packed_file_is_read_as_the_text_in_it(content, block, tmp_path, monkeypatch):
    monkeypatch.setattr(text_bytes, "BLOCK_BYTES", max(block, text_bytes._TAIL_BYTES))
    path = tmp_path / "loans.csv"
    path.write_bytes(content)

    rows = TableFile(path).to_frame()

    assert rows.columns.to_list() == HEADER
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == ROWS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped(a=TEXT, b=TEXT), "it holds 2 files: a, b. Give an archive of one file"),
        (zipped(**{"folder/": b""}), "it holds no files"),
        (zipped(**{"[Content_Types].xml": b"", "xl": b""}), "it is an Excel workbook. Name it .xlsx"),
        (zipped(a=zipped(b=TEXT)), "it is a ZIP archive, not a CSV"),
        (zipped(a=TEXT).replace(b"15200", b"15201", 1), "it is damaged or cut short"),
        (zst(TEXT * 9)[:-9], "it is damaged or cut short"),
    ],
    ids=["two files", "none", "a workbook", "one in another", "damaged", "zst cut short"],
)
def test_a_packed_file_without_one_text_is_refused(content, said, tmp_path):
    path = tmp_path / "loans.zip"
    path.write_bytes(content)

    with pytest.raises(InputError) as refused:
        TableFile(path).to_frame()
    assert said in str(refused.value)


def test_a_workbook_is_read_as_the_text_of_its_sheet(tmp_path):
    rows = [["March"], [], ["issue_d", *HEADER], [date(2015, 12, 1), 15200, 21.21, 76100, "Clerk\nfirst"],
            [date(2016, 1, 1), 20000, 6.5, None, None]]  # fmt: skip
    file = TableFile(write_workbook(tmp_path / "Loans.XLSX", empty=[], loans=rows))
    found = file.to_frame().astype(object)

    assert found.where(found.notna(), None).to_numpy().tolist() == [
        ["2015-12-01", "15200", "21.21", "76100", "Clerk first"],
        ["2016-01-01", "20000", "6.5", None, None],
    ]
    assert "header on line 3, the lines above it left out" in file.notes


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ({"a": [HEADER], "b": [HEADER]}, "it holds 2 sheets with anything in them: a, b"),
        ({"a": []}, "it holds no sheets with anything in them"),
        (None, "it cannot be read as a workbook"),
    ],
    ids=["two sheets", "nothing", "no workbook"],
)
def test_a_workbook_without_one_sheet_is_refused(sheets, said, tmp_path):
    path = tmp_path / "loans.xlsx"
    path.write_bytes(b"PK\x03\x04")
    if sheets is not None:
        write_workbook(path, **sheets)

    with pytest.raises(InputError, match=said):
        TableFile(path)
