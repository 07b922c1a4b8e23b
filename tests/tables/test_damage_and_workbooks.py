from datetime import date
from xml.sax.saxutils import escape
from zipfile import ZipFile

import pytest

from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT
from loantap.tables.files import TableFile

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# The second format shows a number as a day.
_STYLES = f'<styleSheet {_MAIN}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
HEADER = "application_id,note,loan_amnt,emp_title,term,annual_inc,dti,purpose,address"
SOUND = "\n".join(
	[
		HEADER,
		'H1,ok,12000,"Clerk, senior",36 months,60000,18.5,car,"1 Made Up Road\r\nTown, OK 22690"',
		'H2,,9000,"The ""best"" cook",60 months,41000,7,house,"2 Made Up Road\r\nTown, OK 22690"',
		"H3,fine,7500,Nurse,36 months,52000,11.25,car,3 Made Up Road Town NV 48052",
		'H4,ok,15000,,36 months,,31,wedding,"4 Made Up Road, Town NV 48052"',
		"H5,ok,15000,Driver,36 months,75000,,car,5 Made Up Road Town NV 48052",
		"",
	]
)
FIRST_ROW = len(HEADER) + 1
# Places tried: a prime apart, so that in time every kind of place is among them.
STEP = 7
NAMES = ["issue_d", "loan_amnt", "int_rate", "emp_title"]


def write_workbook(path, **sheets):
	"""Write sheets by name, each as rows of cells; None is an empty cell, a pair one at its place."""
	own = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets))
	with ZipFile(path, "w") as archive:
		archive.writestr("_rels/.rels", _link(officeDocument="xl/workbook"))
		archive.writestr("xl/workbook.xml", f'<workbook {_MAIN} xmlns:r="{_OF}"><sheets>{own}</sheets></workbook>')
		archive.writestr("xl/_rels/workbook.xml.rels", _link(*map(str, range(len(sheets))), styles="styles"))
		archive.writestr("xl/styles.xml", _STYLES)
		for number, rows in enumerate(sheets.values()):
			lines = "".join(f"<row>{''.join(map(_write, row))}</row>" for row in rows)
			archive.writestr(f"xl/{number}.xml", f"<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>")
	return path


def _link(*sheets, **others):
	parts = [("worksheet", sheet) for sheet in sheets] + list(others.items())
	links = (f'<Relationship Id="r{part}" Type="{_OF}/{kind}" Target="{part}.xml"/>' for kind, part in parts)
	every = "".join(links)
	return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{every}</Relationships>'


def _write(cell):
	if isinstance(cell, tuple):
		return f'<c r="{cell[0]}"><v>{cell[1]}</v></c>'
	if isinstance(cell, date):
		return f'<c s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
	if isinstance(cell, int | float):
		return f"<c><v>{cell}</v></c>"
	return "<c/>" if cell is None else f'<c t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'


@pytest.fixture
def path(tmp_path):
	return tmp_path / "new.csv"


def read(text, path):
	"""The rows, each with its fault; None where the file is refused."""
	path.write_bytes(text.encode())
	try:
		rows = TableFile(path).to_frame()
	except InputError:
		return None
	return rows if FAULT in rows else rows.assign(**{FAULT: None})


@pytest.mark.parametrize("stroke", ['"', ",", "\n", ',"', '""', '"\n"', ""])
def test_a_stroke_spoils_its_own_row_alone(stroke, path):
	rows = read(SOUND, path)
	assert rows[FAULT].isna().all()
	sound = {tuple(row) for row in rows.fillna("").to_numpy()}
	# Without a stroke, a letter is taken away.
	taken = 0 if stroke else 1
	for place in range(FIRST_ROW + len(stroke), len(SOUND), STEP):
		damaged = read(SOUND[:place] + stroke + SOUND[place + taken :], path)
		if damaged is None:
			continue
		good = damaged[damaged[FAULT].isna()].fillna("")
		others = {tuple(row) for row in good.to_numpy()} - sound
		assert len(others) <= 1, (place, others)
		assert len(sound & {tuple(row) for row in good.to_numpy()}) >= len(sound) - 2, place
		assert damaged.loc[damaged[FAULT].notna(), "loan_amnt"].isna().all()


@pytest.mark.parametrize(
	("old", "new", "line"),
	[
		# From the address of one row to that of the next: two lines, as an address may have.
		(
			'3 Made Up Road Town NV 48052\nH4,ok,15000,,36 months,,31,wedding,"4',
			'"3 Made Up Road Town NV 48052\nH4,ok,15000,,36 months,,31,wedding,4',
			6,
		),
		# Behind a mark astray the second line of the address looks like a row.
		('senior",', 'senior"",', 2),
	],
)
def test_a_row_is_neither_swallowed_nor_made_two(old, new, line, path):
	assert old in SOUND
	path.write_text(SOUND.replace(old, new), encoding="utf-8", newline="")

	with pytest.raises(InputError, match=f"new.csv, line {line}: a quotation mark opens a value"):
		TableFile(path)


def test_a_workbook_is_read_as_the_text_of_its_sheet(tmp_path):
	rows = [
		["March"],
		[],
		NAMES,
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
		({"a": [NAMES], "b": [NAMES]}, "it holds 2 sheets with anything in them: a, b"),
		({"a": []}, "it holds no sheets with anything in them"),
		({"a": [NAMES, [("XFD60000", 1)]]}, "the sheet reaches to XFD60000. Delete"),
		({"a": [NAMES, *[["", 1, rate, ""] for rate in (18.125, "18,5")]]}, "decimals begin with a comma here and"),
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
