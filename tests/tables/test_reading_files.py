import csv
import gzip
import io
import logging
import uuid
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT
from loantap.tables import csv_blocks, text_bytes
from loantap.tables.files import TableFile
from loantap.tables.rows import MappedFile
from loantap.tables.tasks import write_as_parquet

HEADER = "application_id,loan_amnt,int_rate,annual_inc,dti"
ROWS = ["H0,15200,21.21,76100,11.42", "H1,20000,6.44,81600,11.9", "H2,29300,12.45,147500,23.26"]
PLAIN = "\n".join([HEADER, *ROWS, ""])


def write(content, path):
  path.write_bytes(content.encode() if isinstance(content, str) else content)
  return TableFile(path)


def read(content, path):
  return write(content, path).to_frame()


@pytest.fixture
def path(tmp_path):
  return tmp_path / "new.csv"


@pytest.fixture
def expected(path):
  rows = read(PLAIN, path)
  assert list(rows.columns) == HEADER.split(",")
  assert rows.to_numpy().tolist() == [row.split(",") for row in ROWS]
  return rows


def semicolons(text):
  return text.replace(",", ";")


def zipped(**members):
  written = io.BytesIO()
  with ZipFile(written, "w") as archive:
    for name, content in members.items():
      archive.writestr(name, content)
  return written.getvalue()


def zst(text):
  """In two frames."""
  return b"".join(pa.compress(half.encode(), "zstd", asbytes=True) for half in (text[:50], text[50:]))


PACKED = {"gzip": lambda text: gzip.compress(text.encode()), "zip": lambda text: zipped(new=text), "zst": zst}


# The same three applications in other clothes, and what is said of it.
FORMS = {
  "a byte-order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), ""),
  "no line end at the end": (PLAIN.rstrip("\n"), ""),
  "CR LF": (PLAIN.replace("\n", "\r\n"), ""),
  "CR": (PLAIN.replace("\n", "\r"), ""),
  "CR at the very end": (PLAIN.rstrip("\n") + "\r", ""),
  "CR CR LF": (PLAIN.replace("\n", "\r\r\n"), ""),
  "mixed line ends": (PLAIN.replace("\n", "\r\n", 2), ""),
  "empty lines": (PLAIN.replace("\nH", "\n\nH") + "\n \n\n", ""),
  "rows of nothing below": (PLAIN + ",,,,\n,,,,\n", ""),
  "everything in quotes": ("\n".join(f'"{line}"'.replace(",", '","') for line in PLAIN.split()) + "\n", ""),
  **{form: (pack(PLAIN), "") for form, pack in PACKED.items()},
  "a ZIP archive of macOS": (zipped(**{"loans": PLAIN, "__MACOSX/loans": "x", "folder/": ""}), ""),
  "semicolons": (semicolons(PLAIN), "values separated by semicolons"),
  "tabs": (PLAIN.replace(",", "\t"), "values separated by tabs"),
  "bars": (PLAIN.replace(",", "|"), "values separated by bars"),
  "sep=": ("sep=;\n" + semicolons(PLAIN), "values separated by semicolons"),
  "upper case": (PLAIN.replace(HEADER, HEADER.upper()), "usual spelling"),
  "title case": (PLAIN.replace(HEADER, HEADER.replace("_", " ").title()), "usual spelling"),
  "blanks in the header": (PLAIN.replace(HEADER, HEADER.replace(",", " , ")), "usual spelling"),
  "a title above": ("Applications of March\n\n" + PLAIN, "header on line 3, the lines above"),
  "a title of many cells": ("March,,,,\n" + PLAIN, "header on line 2, the lines above"),
  "a total below": (PLAIN + "Total,64500,,,\n", "below the table, from line 5 on, left out"),
  "a count and a note below": (PLAIN + "\nTotal: 3 rows\nExported from the CRM in March\n", "from line 5 on, left out"),
  "a comma after the header": (PLAIN.replace(HEADER, HEADER + ","), "the comma at the end of"),
  "percent signs": (PLAIN.replace("21.21", "21.21%").replace("11.9", "11.9 %"), "percent signs left out in "),
  "quoted thousands": (
    PLAIN.replace("147500", '"147,500"').replace("76100", '"76,100"'),
    "commas between thousands left out in annual_inc",
  ),
  "lakhs": (PLAIN.replace("147500", '"1,47,500"'), "commas between thousands left out"),
  "decimal commas": (
    semicolons(PLAIN).replace(".", ",").replace("147500", "147.500"),
    "decimal commas read as points in int_rate, annual_inc, dti",
  ),
  "quoted decimal commas": (
    PLAIN.replace("21.21", '"21,21"')
    .replace("11.42", '"11,42"')
    .replace("6.44", '"6,44"')
    .replace("11.9", '"11,9"')
    .replace("12.45", '"12,45"')
    .replace("23.26", '"23,26"'),
    "decimal commas read as points in int_rate, dti",
  ),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_plain_is_read_and_told_in_one_line(form, path, expected, caplog):
  content, said = FORMS[form]
  caplog.set_level(logging.INFO, "loantap.tables")

  rows = read(content, path)

  values = rows.apply(lambda column: column.str.removesuffix(",0"))
  assert values.to_numpy().tolist() == expected.to_numpy().tolist()
  assert list(rows.columns) == list(expected.columns)
  told = [record.getMessage() for record in caplog.records if record.name.endswith("files")]
  assert len(told) == bool(said)
  assert not said or said in told[0]


def test_a_column_without_a_name_is_nobodys(path, expected):
  """As pandas writes a frame with its index."""
  numbered = [f"{n - 1 if n else ''},{line}" for n, line in enumerate(PLAIN.split())]

  rows = read("\n".join(numbered), path)

  pd.testing.assert_frame_equal(rows, expected)


def test_a_comma_after_the_header_makes_no_room_for_a_value_too_many(path):
  spoilt = PLAIN.replace(HEADER, HEADER + ",").replace("81600,11.9", "81,600,")

  rows = read(spoilt, path)

  assert rows["annual_inc"].fillna("none").tolist() == ["76100", "none", "147500"]
  assert rows[FAULT][1] == "line 3: it has 6 values and the header 5 names"


# Rows that do not fit keep their place and id, and say why; the line is that of the file.
SPOILT = {
  "thousands without quotes": ("147500", "147,500", "6 values and the header 5 names"),
  "a decimal comma": ("23.26", "23,26", "6 values and the header 5 names"),
  "a value too few": (",12.45", "", "4 values and the header 5 names"),
  "a mark in a number": ("147500", '147"500', "a quotation mark stands inside a value"),
  "marks around half a value": ("29300", '"29"300', "a quotation mark stands inside a value"),
  "marks around two values": ("29300,12.45", '"29300,12.45"', "4 values and the header 5"),
  "the header again": ("H2,29300,12.45,147500,23.26", HEADER, "it repeats the header"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_row_that_does_not_fit_keeps_its_place(fault, path, expected):
  old, new, cause = SPOILT[fault]

  rows = read(PLAIN.replace(old, new) + "H3,1000,5,2000,3\n", path)

  assert rows["application_id"].tolist()[:2] == ["H0", "H1"]
  assert rows["application_id"][3] == "H3"
  assert rows["application_id"][2] == ("application_id" if "header" in fault else "H2")
  pd.testing.assert_frame_equal(rows.loc[:1, expected.columns], expected.loc[:1])
  assert rows.iloc[2, 1:-1].isna().all()
  assert rows[FAULT].isna().tolist() == [True, True, False, True]
  assert rows[FAULT][2].startswith("line 4: ")
  assert cause in rows[FAULT][2]


def test_an_id_that_the_fault_may_have_moved_is_not_given(path):
  moved = "\n".join(",".join([*line.split(",")[1:], line.split(",")[0]]) for line in PLAIN.split())

  rows = read(moved.replace("147500", "147,500"), path)

  assert rows["application_id"].fillna("none").tolist() == ["H0", "H1", "none"]


def parquet(**columns):
  sink = io.BytesIO()
  pq.write_table(pa.table(columns), sink)
  return sink.getvalue()


PARQUET = parquet(application_id=pa.array(["H0", "H1"]), dti=pa.array([1.5, 2.5]))
UTF16 = PLAIN.encode("utf-16")
COMMA_EACH = PLAIN.replace("\n", ",\n").replace(HEADER + ",", HEADER)
NOT_CLOSED = "a quotation mark opens a value"
NOTHING = "it has no line with anything in it"
# Files that are refused: their name where it matters, content, and what the one message says.
REFUSED = {
  "UTF-16": (UTF16, "it is UTF-16 text, not a CSV. Save it as UTF-8"),
  "UTF-16 without a mark": (UTF16[2:], "it is UTF-16 text or no text at all"),
  "Latin-1": (
    PLAIN.replace("H1", "Hé").encode("latin-1"),
    "line 3: byte 0xE9 is not UTF-8; the file may be in Latin-1",
  ),
  "a NUL byte": (PLAIN.replace("H1", "H\0"), "line 3: it holds a NUL byte"),
  "a ZIP archive": (b"PK\x03\x04" + b"\x00" * 99, "it is damaged or cut short"),
  "a ZIP archive of two files": (zipped(a=PLAIN, b=PLAIN), "it holds 2 files: a, b. Give an archive of one file"),
  "a ZIP archive of none": (zipped(**{"folder/": ""}), "it holds no files"),
  "a ZIP archive in another": (zipped(a=zipped(b=PLAIN)), "it is a ZIP archive, not a CSV"),
  "a damaged ZIP archive": (zipped(a=PLAIN).replace(b"15200", b"15201", 1), "it is damaged or cut short"),
  "zst cut short": (zst(PLAIN)[:-9], "it is damaged or cut short"),
  "a workbook under another name": (
    zipped(**{"[Content_Types].xml": "", "xl": ""}),
    "it is an Excel workbook. Name it .xlsx",
  ),
  "an old workbook": (b"\xd0\xcf\x11\xe0" + b"\x00" * 99, "it is an Excel workbook"),
  "a Parquet file": (PARQUET, "it is a Parquet file, not a CSV. Name it .parquet"),
  "nothing": ("", NOTHING),
  "newlines only": ("\n\r\n\n", NOTHING),
  "a mark and blanks": (b"\xef\xbb\xbf \n", NOTHING),
  "a header of nothing": ('""\n1\n', "no column of the header has a name"),
  "a lone quotation mark": ('"', "line 1: a quotation mark in the header"),
  "a mark in the header": ('"' + PLAIN, "line 1: a quotation mark in the header"),
  "compressed and cut": ("new.csv.gz", gzip.compress(PLAIN.encode())[:-12], "it is damaged or cut short"),
  "a mark never closed": (PLAIN.replace("H1,20000", 'H1,"20000'), f"line 3: {NOT_CLOSED}"),
  "one in the first value": (PLAIN.replace("H1", '"H1'), f"line 3: {NOT_CLOSED}"),
  "one in the last value": (PLAIN.replace("23.26", '"23.26'), f"line 4: {NOT_CLOSED}"),
  "marks that pair across rows": (
    PLAIN.replace(",15200", ',"15200').replace("20000", '20000"'),
    f"line 2: {NOT_CLOSED}",
  ),
  "a value over two lines": (PLAIN.replace("76100", '"76\n100"'), f"line 2: {NOT_CLOSED}"),
  # It would make two applications of one.
  "a CR alone": (PLAIN.replace("H1,", "H1\r,"), "line 3: a carriage return stands alone"),
  "a CR alone among CR LF": (
    PLAIN.replace("H1,", "H1\r,").replace("\n", "\r\n"),
    "line 3: a carriage return stands alone",
  ),
  "a comma at the end of each row": (
    COMMA_EACH,
    "line 2: this row has 6 values and the header 5 names, and 3 of 3 rows do not fit. Either",
  ),
  "row names without a header": (
    "\n".join([HEADER, *(f"{n},{row}" for n, row in enumerate(ROWS))]),
    "Either there is one comma too many, or the header lacks the name of the first column",
  ),
  "a comma at the end of each row, and a value missing in one": (
    COMMA_EACH.replace(",6.44", ""),
    "line 2: this row has 6 values and the header 5 names, and 2 of 3 rows do not fit",
  ),
  "rows too short throughout": (PLAIN.replace(HEADER, HEADER + ",note"), "has 5 values and the header 6"),
  "a row above the header": (f"{ROWS[0]}\n{PLAIN}", "line 1: this line looks like a row"),
  "a column twice": (
    PLAIN.replace("dti", "annual_inc"),
    "column annual_inc is there 2 times: 'annual_inc' (4), 'annual_inc' (5)",
  ),
  "a column twice but for case and blanks": (
    PLAIN.replace("dti", " Annual Inc"),
    "'annual_inc' (4), ' Annual Inc' (5)",
  ),
  "an id twice": (PLAIN.replace("dti", "Application_ID"), "application_id is there 2 times"),
  "thousands or decimals": (
    f'{HEADER}\nH0,15200,21,"147,300",11\n',
    "column annual_inc: '147,300' may be 147300 or 147.300, and no other number of the file",
  ),
  "thousands or decimals, by semicolons": (
    f"{semicolons(HEADER)}\nH0;15200;21;147,300;11\n",
    "may be 147300 or 147.300",
  ),
  "two decimal marks": (
    semicolons(PLAIN).replace("11.42", "11,42"),
    "column dti: decimals begin with a comma here and with a point in column int_rate",
  ),
  "a Parquet file that is none": ("new.parquet", PLAIN, "its name says Parquet"),
  "a Parquet file without an end": ("new.parquet", PARQUET[:-9], "whose end is missing"),
  "a Parquet file of four bytes": ("new.pq", b"PAR1", "it is damaged"),
  "a Parquet file with a hole": ("new.parquet", PARQUET[:4] + b"\0" * 60 + PARQUET[64:], "it is damaged"),
  "a Parquet column twice": (
    "new.parquet",
    parquet(dti=pa.array([1.0]), **{"DTI ": pa.array([2.0])}),
    "column dti is there 2 times",
  ),
  "text in Parquet that is none": ("new.parquet", parquet(purpose=pa.array([b"\xff\xfe"])), "bytes that are no text"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_in_one_way_is_refused_in_one_message(what, tmp_path):
  *given, content, said = REFUSED[what]
  name = given[0] if given else "new.csv"

  with pytest.raises(InputError) as refused:
    read(content, tmp_path / name)

  assert name in refused.value.where
  assert said in str(refused.value)
  assert refused.value.remedy


def test_a_file_that_may_not_be_read_is_refused(path, monkeypatch):
  path.write_text(PLAIN, encoding="utf-8")

  def forbid(*_, **__):
    raise PermissionError(13, "Permission denied")

  monkeypatch.setattr(Path, "open", forbid)
  with pytest.raises(InputError, match=r"new.csv: it cannot be read \(Permission denied\)"):
    TableFile(path)


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_a_folder_is_refused(name, tmp_path):
  (tmp_path / name).mkdir()

  with pytest.raises(InputError, match="it cannot be read"):
    TableFile(tmp_path / name)


@pytest.mark.parametrize(
  ("name", "content"), [("new.csv", HEADER), ("new.parquet", parquet(dti=pa.array([], "double")))]
)
def test_a_header_without_rows_is_told(name, content, tmp_path):
  file = write(content, tmp_path / name)

  with pytest.raises(InputError, match="it has a header and no rows"):
    file.require_rows()


def test_one_slip_among_many_points_is_its_rows_own(path):
  many = "".join(f"A{n},15200,21.21,76100,11.42\n" for n in range(20))

  rows = read(f'{HEADER}\n{many}A20,15200,21.21,"76,100","11,42"\n', path)

  # What is no number in this file stays for whoever reads the value; thousands are plain.
  assert rows["dti"].iloc[20] == "11,42"
  assert rows["annual_inc"].iloc[20] == "76100"


class TestBlocks:
  """A file is read block by block; where the blocks end makes no difference."""

  @pytest.fixture(autouse=True)
  def _small_blocks(self, monkeypatch):
    monkeypatch.setattr(text_bytes, "BLOCK_BYTES", 97)
    monkeypatch.setattr(text_bytes, "_TAIL_BYTES", 31)

  @pytest.fixture
  def text(self):
    rows = [f'H{n},{n}000,"Clérk, {n}",{n}.5,"{n} Made Up Road\r\nTown, OK 22690"' for n in range(40)]
    return "\n".join(["application_id,loan_amnt,emp_title,dti,address", *rows, ""])

  @pytest.mark.parametrize(("size", "sizes"), [(7, [7] * 5 + [5]), (8, [8] * 5)])
  def test_every_row_is_there_once(self, size, sizes, text, path):
    path.write_text(text, encoding="utf-8", newline="")

    batches = list(TableFile(path, batch_rows=size).read(["application_id", "address"]))

    assert [len(batch) for batch in batches] == sizes
    rows = pd.concat(batches)
    assert rows["application_id"].tolist() == [f"H{n}" for n in range(40)]
    assert rows["address"].iloc[39] == "39 Made Up Road\r\nTown, OK 22690"

  @pytest.mark.parametrize("form", PACKED)
  def test_a_packed_file_is_read_as_the_text_in_it(self, form, text, path):
    pd.testing.assert_frame_equal(read(PACKED[form](text), path), read(text, path))

  def test_lines_are_counted_on(self, text, path):
    rows = read(text.replace("30000,", "30,000,") + "\n\nTotal: 40\n", path)

    assert rows[FAULT].dropna().to_dict() == {30: "line 62: it has 6 values and the header 5 names"}
    assert len(rows) == 40

  def test_a_mark_never_closed_is_found_before_the_end(self, text, path):
    path.write_text(text.replace("H20,", 'H20,"'), encoding="utf-8", newline="")
    batches = TableFile(path, batch_rows=4).read(["application_id"])
    first = next(batches)["application_id"].tolist()

    with pytest.raises(InputError, match="line 42: a quotation mark opens a value"):
      list(batches)

    assert first == ["H0", "H1", "H2", "H3"]

  def test_a_row_without_an_end_is_refused(self, text, path, monkeypatch):
    monkeypatch.setattr(text_bytes, "_LONGEST_ROW", 200)

    with pytest.raises(InputError, match="line 82: a row is longer than 200 bytes"):
      read(text + "x" * 1_000, path)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=8).filter(
  # A row of such a value alone, below the table, would be a total.
  lambda text: not text.strip().lower().startswith(("total", "sum", "count", "average", "mean"))
)
addresses = st.tuples(cells, cells).map("\r\n".join)


@settings(max_examples=25)
@given(
  st.lists(st.tuples(cells, cells, cells, addresses), min_size=1, max_size=5),
  st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
  st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_by_the_book_is_read_back(tmp_path_factory, rows, quoting, line_end):
  path = tmp_path_factory.mktemp("by_the_book") / "new.csv"
  rows = [(f"H{n}", *row) for n, row in enumerate(rows)]
  with path.open("w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file, quoting=quoting, lineterminator=line_end)
    writer.writerows([("application_id", "title", "emp_title", "purpose", "address"), *rows])

  read_back = TableFile(path).to_frame()

  assert [tuple(row) for row in read_back.fillna("").to_numpy()] == rows


@settings(max_examples=200)
@given(st.text(st.sampled_from('ab,"\n'), max_size=30))
def test_marks_in_order_mean_the_same_at_once_and_one_by_one(text):
  layout = csv_blocks.Layout("new.csv", ",", 3, 2)
  block = text.encode()
  raw = np.frombuffer(block, "uint8")
  try:
    slow = csv_blocks._read_one_by_one(block, layout, 1)
  except InputError:
    with pytest.raises(InputError):
      csv_blocks._read_quotes(block, raw, layout, 1)
    return

  fast = csv_blocks._read_quotes(block, raw, layout, 1)

  assert fast.left_open == slow.left_open
  assert fast.marked.tobytes() == slow.marked.tobytes()


@pytest.mark.parametrize(
  ("ids", "said"),
  [
    (pa.array([7, 2**60, None]), ["7", str(2**60), None]),
    (pa.array([7.0, 1e15 + 1, None]), ["7", "1000000000000001", None]),
    (pa.array([7.5, float("nan"), None]), ["7.5", None, None]),
    (pa.array([Decimal(12), Decimal(10**20), None], pa.decimal128(38, 0)), ["12", str(10**20), None]),
    (pa.array([Decimal("12.00"), Decimal("0.50"), None], pa.decimal128(9, 2)), ["12", "0.50", None]),
    (
      pa.array([uuid.UUID(int=7).bytes, uuid.UUID(int=2**127).bytes, None], pa.uuid()),
      [str(uuid.UUID(int=7)), str(uuid.UUID(int=2**127)), None],
    ),
    (pa.array([b"A-1", b"A-2", None], pa.binary()), ["A-1", "A-2", None]),
    (pa.array(["007", " x", None], pa.large_string()), ["007", " x", None]),
    (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b", None]),
  ],
  ids=["int64", "float", "fraction", "decimal", "decimal places", "uuid", "binary", "large_string", "dictionary"],
)
def test_ids_are_as_the_file_has_them(ids, said, tmp_path):
  read_back = read(parquet(application_id=ids), tmp_path / "new.parquet")["application_id"]

  assert read_back.astype("object").where(read_back.notna(), None).tolist() == said


@pytest.mark.parametrize(
  ("name", "change"),
  [
    ("new.parquet", lambda rows: rows.set_index("application_id")),
    ("NEW.PQ", lambda rows: rows.set_axis([7, 3, 5])),
    ("new.parq", lambda rows: rows.astype({"purpose": "category"})),
  ],
  ids=["ids as index", "numbers as index", "categories"],
)
def test_what_pandas_noted_is_not_obeyed(name, change, tmp_path):
  columns = {"application_id": ["H0", "H1", "H2"], "purpose": ["a", "b", "a"]}
  change(pd.DataFrame(columns)).to_parquet(tmp_path / name)

  read_back = TableFile(tmp_path / name).to_frame()

  assert {name: read_back[name].tolist() for name in columns} == columns
  assert read_back.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())])
def test_numbers_as_text_are_read_as_in_a_csv(kind, tmp_path):
  texts = pa.array(["147,300", "1,234.50", None]).cast(kind)

  rows = read(parquet(annual_inc=texts), tmp_path / "new.parquet")

  assert rows["annual_inc"].tolist()[:2] == ["147300", "1234.50"]


def test_decimals_are_numbers(tmp_path):
  incomes = parquet(annual_inc=pa.array([Decimal("147300.50")], pa.decimal128(12, 2)))

  assert read(incomes, tmp_path / "new.parquet")["annual_inc"][0] == 147300.5


def test_faults_travel_to_the_machines_of_a_cluster(path, tmp_path):
  path.write_text(PLAIN.replace("147500", "147,500"), encoding="utf-8")
  columns = ("application_id", "annual_inc")

  copied = write_as_parquet(MappedFile(path, columns, lambda rows, _: rows), tmp_path / "c.parquet")

  (here,), (there,) = (list(TableFile(at).read(columns)) for at in (path, copied.path))
  assert there["application_id"].astype("str").tolist() == ["H0", "H1", "H2"]
  assert there[FAULT].dropna().tolist() == here[FAULT].dropna().tolist()
  assert there[FAULT].isna().tolist() == [True, True, False]
