import csv
import gzip
import io
import logging
import re
import uuid
from decimal import Decimal
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


def write(content, path, **options):
	path.write_bytes(content.encode() if isinstance(content, str) else content)
	return TableFile(path, **options)


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
	"a byte-order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
	"no line end at the end": PLAIN.rstrip("\n"),
	"CR LF": PLAIN.replace("\n", "\r\n"),
	"CR": PLAIN.replace("\n", "\r"),
	"CR at the very end": PLAIN.rstrip("\n") + "\r",
	"CR CR LF": PLAIN.replace("\n", "\r\r\n"),
	"mixed line ends": PLAIN.replace("\n", "\r\n", 2),
	"empty lines": PLAIN.replace("\nH", "\n\nH") + "\n \n\n",
	"rows of nothing below": PLAIN + ",,,,\n,,,,\n",
	"everything in quotes": "\n".join(f'"{line}"'.replace(",", '","') for line in PLAIN.split()) + "\n",
	"a ZIP archive of macOS": zipped(**{"loans": PLAIN, "__MACOSX/loans": "x", "folder/": ""}),
	**{form: pack(PLAIN) for form, pack in PACKED.items()},
}
TOLD = [
	("values separated by semicolons", semicolons(PLAIN)),
	("values separated by tabs", PLAIN.replace(",", "\t")),
	("values separated by bars", PLAIN.replace(",", "|")),
	("values separated by semicolons", "sep=;\n" + semicolons(PLAIN)),
	("usual spelling", PLAIN.replace(HEADER, HEADER.upper())),
	("usual spelling", PLAIN.replace(HEADER, HEADER.replace("_", " ").title())),
	("usual spelling", PLAIN.replace(HEADER, HEADER.replace(",", " , "))),
	("header on line 3, the lines above", "Applications of March\n\n" + PLAIN),
	("header on line 2, the lines above", "March,,,,\n" + PLAIN),
	("below the table, from line 5 on, left out", PLAIN + "Total,64500,,,\n"),
	("from line 5 on, left out", PLAIN + "\nTotal: 3 rows\nExported from the CRM in March\n"),
	("the comma at the end of", PLAIN.replace(HEADER, HEADER + ",")),
	("percent signs left out in ", PLAIN.replace("21.21", "21.21%").replace("11.9", "11.9 %")),
	(
		"commas between thousands left out in annual_inc",
		PLAIN.replace("147500", '"147,500"').replace("76100", '"76,100"'),
	),
	("commas between thousands left out", PLAIN.replace("147500", '"1,47,500"')),
	(
		"decimal commas read as points in int_rate, annual_inc, dti",
		semicolons(PLAIN).replace(".", ",").replace("147500", "147.500"),
	),
	("decimal commas read as points in int_rate, dti", re.sub(r"(\d+)\.(\d+)", r'"\1,\2"', PLAIN)),
]


@pytest.mark.parametrize(
	("said", "content"),
	[*(("", content) for content in FORMS.values()), *TOLD],
	ids=[*FORMS, *(said for said, _ in TOLD)],
)
def test_what_is_plain_is_read_and_told_in_one_line(said, content, path, expected, caplog):
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
SPOILT = [
	("6 values and the header 5 names", "147500", "147,500"),
	("6 values and the header 5 names", "23.26", "23,26"),
	("4 values and the header 5 names", ",12.45", ""),
	("a quotation mark stands inside a value", "147500", '147"500'),
	("a quotation mark stands inside a value", "29300", '"29"300'),
	("4 values and the header 5", "29300,12.45", '"29300,12.45"'),
	("it repeats the header", "H2,29300,12.45,147500,23.26", HEADER),
]


@pytest.mark.parametrize(("cause", "old", "new"), SPOILT)
def test_a_row_that_does_not_fit_keeps_its_place(cause, old, new, path, expected):
	rows = read(PLAIN.replace(old, new) + "H3,1000,5,2000,3\n", path)

	assert rows["application_id"].tolist()[:2] == ["H0", "H1"]
	assert rows["application_id"][3] == "H3"
	assert rows["application_id"][2] == ("application_id" if new == HEADER else "H2")
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
# Files that are refused: what the one message says, content, and the name where it matters.
REFUSED = [
	# What is no text in UTF-8.
	("it is UTF-16 text, not a CSV. Save it as UTF-8", UTF16),
	("it is UTF-16 text or no text at all", UTF16[2:]),
	("line 3: byte 0xE9 is not UTF-8; the file may be in Latin-1", PLAIN.replace("H1", "Hé").encode("latin-1")),
	("line 3: it holds a NUL byte", PLAIN.replace("H1", "H\0")),
	# What is packed.
	("it is damaged or cut short", b"PK\x03\x04" + b"\x00" * 99),
	("it holds 2 files: a, b. Give an archive of one file", zipped(a=PLAIN, b=PLAIN)),
	("it holds no files", zipped(**{"folder/": ""})),
	("it is a ZIP archive, not a CSV", zipped(a=zipped(b=PLAIN))),
	("it is damaged or cut short", zipped(a=PLAIN).replace(b"15200", b"15201", 1)),
	("it is damaged or cut short", zst(PLAIN)[:-9]),
	# Files of another form.
	("it is an Excel workbook. Name it .xlsx", zipped(**{"[Content_Types].xml": "", "xl": ""})),
	("it is an Excel workbook", b"\xd0\xcf\x11\xe0" + b"\x00" * 99),
	("it is a Parquet file, not a CSV. Name it .parquet", PARQUET),
	# What has no rows or no names.
	(NOTHING, ""),
	(NOTHING, "\n\r\n\n"),
	(NOTHING, b"\xef\xbb\xbf \n"),
	("no column of the header has a name", '""\n1\n'),
	("line 1: a quotation mark in the header", '"'),
	("line 1: a quotation mark in the header", '"' + PLAIN),
	("it is damaged or cut short", gzip.compress(PLAIN.encode())[:-12], "new.csv.gz"),
	# Quotation marks.
	(f"line 3: {NOT_CLOSED}", PLAIN.replace("H1,20000", 'H1,"20000')),
	(f"line 3: {NOT_CLOSED}", PLAIN.replace("H1", '"H1')),
	(f"line 4: {NOT_CLOSED}", PLAIN.replace("23.26", '"23.26')),
	(f"line 2: {NOT_CLOSED}", PLAIN.replace(",15200", ',"15200').replace("20000", '20000"')),
	(f"line 2: {NOT_CLOSED}", PLAIN.replace("76100", '"76\n100"')),
	# It would make two applications of one.
	("line 3: a carriage return stands alone", PLAIN.replace("H1,", "H1\r,")),
	("line 3: a carriage return stands alone", PLAIN.replace("H1,", "H1\r,").replace("\n", "\r\n")),
	# Rows that do not fit the header.
	("line 2: this row has 6 values and the header 5 names, and 3 of 3 rows do not fit. Either", COMMA_EACH),
	(
		"Either there is one comma too many, or the header lacks the name of the first column",
		"\n".join([HEADER, *(f"{n},{row}" for n, row in enumerate(ROWS))]),
	),
	("line 2: this row has 6 values and the header 5 names, and 2 of 3 rows do not fit", COMMA_EACH.replace(",6.44", "")),
	("has 5 values and the header 6", PLAIN.replace(HEADER, HEADER + ",note")),
	("line 1: this line looks like a row", f"{ROWS[0]}\n{PLAIN}"),
	# Names.
	("column annual_inc is there 2 times: 'annual_inc' (4), 'annual_inc' (5)", PLAIN.replace("dti", "annual_inc")),
	("'annual_inc' (4), ' Annual Inc' (5)", PLAIN.replace("dti", " Annual Inc")),
	# Numbers that can be read in two ways.
	(
		"column annual_inc: '147,300' may be 147300 or 147.300, and no other number of the file",
		f'{HEADER}\nH0,15200,21,"147,300",11\n',
	),
	("may be 147300 or 147.300", f"{semicolons(HEADER)}\nH0;15200;21;147,300;11\n"),
	(
		"column dti: decimals begin with a comma here and with a point in column int_rate",
		semicolons(PLAIN).replace("11.42", "11,42"),
	),
	# Parquet.
	("its name says Parquet", PLAIN, "new.parquet"),
	("whose end is missing", PARQUET[:-9], "new.parquet"),
	("it is damaged", b"PAR1", "new.pq"),
	("it is damaged", PARQUET[:4] + b"\0" * 60 + PARQUET[64:], "new.parquet"),
	("column dti is there 2 times", parquet(dti=pa.array([1.0]), **{"DTI ": pa.array([2.0])}), "new.parquet"),
	("bytes that are no text", parquet(purpose=pa.array([b"\xff\xfe"])), "new.parquet"),
]


@pytest.mark.parametrize("what", REFUSED, ids=lambda what: what[0])
def test_what_cannot_be_read_in_one_way_is_refused_in_one_message(what, tmp_path):
	said, content, name = (*what, "new.csv")[:3]

	with pytest.raises(InputError) as refused:
		read(content, tmp_path / name)

	assert name in refused.value.where
	assert said in str(refused.value)
	assert refused.value.remedy


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_a_folder_is_refused(name, tmp_path):
	(tmp_path / name).mkdir()

	with pytest.raises(InputError, match=rf"{name}: it cannot be read \(Is a directory\)"):
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
		batches = list(write(text, path, batch_rows=size).read(["application_id", "address"]))

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
		batches = write(text.replace("H20,", 'H20,"'), path, batch_rows=4).read(["application_id"])
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


UUIDS = [uuid.UUID(int=7), uuid.UUID(int=2**127)]
IDS = {
	"int64": (pa.array([7, 2**60, None]), ["7", str(2**60)]),
	"float": (pa.array([7.0, 1e15 + 1, None]), ["7", "1000000000000001"]),
	"fraction": (pa.array([7.5, float("nan"), None]), ["7.5", None]),
	"decimal": (pa.array([Decimal(12), Decimal(10**20), None], pa.decimal128(38, 0)), ["12", str(10**20)]),
	"decimal places": (pa.array([Decimal("12.00"), Decimal("0.50"), None], pa.decimal128(9, 2)), ["12", "0.50"]),
	"uuid": (pa.array([*(each.bytes for each in UUIDS), None], pa.uuid()), [str(each) for each in UUIDS]),
	"binary": (pa.array([b"A-1", b"A-2", None], pa.binary()), ["A-1", "A-2"]),
	"large_string": (pa.array(["007", " x", None], pa.large_string()), ["007", " x"]),
	"dictionary": (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b"]),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_as_the_file_has_them(kind, tmp_path):
	ids, said = IDS[kind]
	read_back = read(parquet(application_id=ids), tmp_path / "new.parquet")["application_id"]

	assert read_back.astype("object").where(read_back.notna(), None).tolist() == [*said, None]


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


TEXTS = pa.array(["147,300", "1,234.50", None])
KINDS = [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())]


@pytest.mark.parametrize(
	("incomes", "said"),
	[
		*((TEXTS.cast(kind), ["147300", "1234.50"]) for kind in KINDS),
		(pa.array([Decimal("147300.50")], pa.decimal128(12, 2)), [147300.5]),
	],
)
def test_numbers_as_text_are_read_as_in_a_csv_and_decimals_are_numbers(incomes, said, tmp_path):
	assert read(parquet(annual_inc=incomes), tmp_path / "new.parquet")["annual_inc"].tolist()[:2] == said


def test_faults_travel_to_the_machines_of_a_cluster(path, tmp_path):
	columns = ("application_id", "annual_inc")
	(here,) = write(PLAIN.replace("147500", "147,500"), path).read(columns)

	copied = write_as_parquet(MappedFile(path, columns, lambda rows, _: rows), tmp_path / "c.parquet")

	(there,) = TableFile(copied.path).read(columns)
	assert there["application_id"].astype("str").tolist() == ["H0", "H1", "H2"]
	assert there[FAULT].dropna().tolist() == here[FAULT].dropna().tolist()
	assert there[FAULT].isna().tolist() == [True, True, False]
