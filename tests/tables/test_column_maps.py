import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from loantap.portfolio import cleaning
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import FAULT, GIVEN_ID
from loantap.tables.column_maps.column_map import read_column_map
from loantap.tables.files import TableFile
from tests.conftest import AS_OF, MADE_UP_LOAN, read_portfolio

# A lender that writes numbers and dates in another way, and has neither address nor listing.
EXPORT = (
	"Contract;Sum;Years;Rate;EMI;Class;Sub;Salary;Opened;State;Second;Joint\n"
	"K-1;12.000,00;3;12,00 %;398,57;B;B4;5.000,00;31/01/2014;closed;;no\n"
	"K-2;€ 24.000;3;12,00 %;797,14;B;B4;5.000,00;05/02/2014;written off;6.000,00;yes\nIntermediate sum;;;;;;;;;;;\n"
	"K-3;12.000,00;3;12,00 %;398,57;B;B4;n/a;2014-02-01;closed;9.000;no\nprinted on Monday\n"
)
MAP = {
	"notes": ["Intermediate sum"],
	"below": 1,
	"columns": {name: {"value": MADE_UP_LOAN[name]} for name in MADE_UP_LOAN.keys() - {"address", "initial_list_status"}}
	| {
		"loan_id": "Contract",
		"loan_amnt": {"column": "Sum", "unit": "decimal_comma"},
		"term": {"column": "Years", "unit": "years"},
		"int_rate": {"column": "Rate", "unit": ["decimal_comma", "percent"]},
		"installment": {"column": "EMI", "unit": "decimal_comma"},
		"grade": {"column": "Class", "words": {"2": "B"}},
		"sub_grade": "Sub",
		"annual_inc": {
			"column": "Salary",
			"instead": {"column": "Second", "when": {"Joint": "YES"}},
			"unit": ["decimal_comma", "per_month"],
		},
		"issue_d": {"column": "Opened", "date": "%d/%m/%Y"},
		"loan_status": {"column": "State", "words": {"closed": "Fully Paid", "Written-off": "Charged Off"}},
		"title": {"text": "{Class} of {State}"},
		"mort_acc": {"column": "Mortgages", "optional": True},
	},
}


@pytest.fixture
def mapped(tmp_path):
	"""Writes a map, of changed columns or as a text, and a file, and opens the file by it."""

	def open_file(content=EXPORT, columns=None, name="export.csv", **changes):
		path, given = tmp_path / name, tmp_path / "map.yml"
		if not isinstance(columns, str):
			columns = yaml.safe_dump(MAP | changes | {"columns": MAP["columns"] | (columns or {})})
		given.write_text(columns, "utf-8")
		if isinstance(content, pa.Table):
			pq.write_table(content, path)
		else:
			path.write_text(content, "utf-8")
		return TableFile(path, column_map=read_column_map(str(given)))

	return open_file


def test_a_file_of_another_lender_becomes_one_of_loantap(mapped):
	file = mapped()
	rows = file.to_frame()

	made = {
		GIVEN_ID: ["K-1", "K-2", "K-3"],
		"loan_amnt": ["12000.00", "24000", "12000.00"],
		"term": ["36"] * 3,
		"int_rate": ["12.00"] * 3,
		"annual_inc": ["60000", "72000", "n/a"],
		"issue_d": ["Jan-2014", "Feb-2014", "2014-02-01"],
		"loan_status": ["Fully Paid", "Charged Off", "Fully Paid"],
		"title": ["B of closed", "B of written off", "B of closed"],
		"purpose": ["debt_consolidation"] * 3,
	}
	assert rows[list(made)].to_dict("list") == made
	assert rows[["address", "initial_list_status", "mort_acc"]].isna().all(axis=None)
	assert rows[FAULT].isna().to_list() == [True, True, False]
	assert "without initial_list_status, mort_acc, address: missing in every row" in file.notes
	assert "notes between the rows left out" in file.notes


def test_what_the_map_cannot_read_makes_a_bad_row_and_the_others_go_on(mapped):
	[batch] = mapped().read_plain([*MADE_UP_LOAN, GIVEN_ID])
	cleaned = read_portfolio(batch, AS_OF, 0.5)

	assert cleaned.rows["loan_id"].to_list() == ["K-1", "K-2"]
	assert cleaned.rows["annual_income"].to_list() == [60_000, 72_000]
	assert cleaned.quarantine["reason"].to_list() == ["column issue_d: '2014-02-01' is not of the form %d/%m/%Y"]
	assert cleaned.quarantine["loan_id"].to_list() == ["K-3"]


@pytest.mark.parametrize(
	("ids", "kept", "repeats"),
	[(["7", "8", "7"], ["7", "8"], [3]), ([None, "8", "9"], ["8", "9"], []), ([None] * 3, [], [2, 3])],
	ids=["a loan twice", "one without", "none has one"],
)
@pytest.mark.parametrize("rows", [1, 3], ids=["in batches", "at once"])
def test_loans_are_named_as_the_file_names_them_where_it_does(ids, kept, repeats, rows):
	changes = [{"dti": str(number)} if any(ids) else {} for number in range(3)]
	file = pd.DataFrame([MADE_UP_LOAN | change for change in changes], dtype="str").assign(**{GIVEN_ID: ids})
	cleaned = list(cleaning.read_portfolio([file[at : at + rows] for at in range(0, 3, rows)], AS_OF, 0.7))
	good, bad = pd.concat([c.rows for c in cleaned]), pd.concat([c.quarantine for c in cleaned])

	assert bad["row"].to_list() == repeats
	assert good["loan_id"].to_list()[-len(kept) or 3 :] == kept
	assert good["loan_id"].is_unique


def make_table(**typed):
	"""The first row of the export in Parquet, with some columns of another type."""
	names, row, *_ = (line.split(";") for line in EXPORT.splitlines())
	texts = {name: [value] * len(next(iter(typed.values()))) for name, value in zip(names, row, strict=True)}
	return pa.table(texts | typed)


def test_numbers_and_days_of_a_parquet_file_keep_their_types(mapped):
	numbers = {"Sum": [12_000], "Years": [3], "Rate": [12.0], "EMI": [398.57], "Salary": [5_000.5]}
	days = {"Opened": [pd.Timestamp("2014-01-31")]}
	others = {"Second": pa.array([None], pa.float64()), "State": pa.array(["closed"]).dictionary_encode()}

	row = mapped(make_table(**numbers, **days, **others), name="export.parquet").to_frame().iloc[0]

	assert (row["loan_amnt"], row["term"], row["annual_inc"]) == (12_000, 36, 60_006)
	assert row["issue_d"] == pd.Timestamp("2014-01-31")
	assert row["loan_status"] == "Fully Paid"


JOINT = {"Joint": ["yes", "yes"]}


@pytest.mark.parametrize(
	("typed", "name", "made"),
	[
		({"Class": [2.0, 7.5]}, "grade", ["B", "7.5"]),
		({"Salary": [0.5, 18.125], "Second": ["1.000,5", None], **JOINT}, "annual_inc", ["12006", "217.5"]),
		({"Salary": ["5.000", "6"], "Second": [" ", "N/A"], **JOINT}, "annual_inc", ["60000", "72"]),
	],
)
def test_texts_and_numbers_of_a_parquet_file_meet(typed, name, made, mapped):
	assert mapped(make_table(**typed), name="export.parquet").to_frame()[name].to_list() == made


def test_a_date_without_a_form_must_fit_one_alone(mapped):
	head, row, *_ = EXPORT.splitlines()

	def read(*dates):
		rows = [row.replace("31/01/2014", date) for date in dates]
		return mapped("\n".join([head, *rows, "end"]), {"issue_d": "Opened"}).to_frame()["issue_d"].to_list()

	assert read("31/01/2014", "03/03/2014", "2014-05-09") == ["Jan-2014", "Mar-2014", "May-2014"]
	assert read("201412", "20140331") == ["Dec-2014", "Mar-2014"]
	with pytest.raises(InputError) as refused:
		read("05/02/2014")
	assert refused.value.where.endswith("export.csv, column Opened")
	assert refused.value.problem == "'05/02/2014' may be Feb-2014 (%d/%m/%Y) or May-2014 (%m/%d/%Y)"
	assert "issue_d: {date: '%d/%m/%Y', ...}" in refused.value.remedy


@pytest.mark.parametrize(
	("name", "given", "said"),
	[
		("loan_amt", "Sum", "map.yml, loan_amt: LoanTap has no such column. Did you mean loan_amnt?"),
		("dti", {"unit": "furlongs"}, "columns.dti.unit.0: 'furlongs' cannot be used: Input"),
		("dti", {"value": "3"}, "columns.dti: give one of column, text and value"),
		("dti", {"kind": "x"}, "columns.dti.kind: 'x' cannot be used: Extra inputs are not permitted"),
		("title", {"text": "no braces"}, "text names no column"),
		("issue_d", {"date": "%d of %b"}, "'%d of %b' cannot be used: it has no year"),
		("dti", "Sum", "column Sum of the file is named twice, for dti and loan_amnt"),
		("grade", {"unit": "percent"}, "grade has a unit, and is no number"),
		("dti", {"unit": "years"}, "dti is in percent, and years is for what is in months"),
		("revol_bal", {"unit": "share"}, "and share is for what is in percent"),
		("installment", {"unit": "per_month"}, "and per_month is for what is in currency per year"),
		("dti", {"date": "%b-%Y"}, "dti has a date form, and is no date"),
		("grade", {"words": {"AA": "Z"}}, "grade 'AA': LoanTap has no 'Z'. Map it to one of A, B"),
		("loan_amnt", "Summe", "it, and the column map takes loan_amnt from it. Did you mean Sum"),
		("dti", {"optional": True}, "from it. Correct the map."),
	],
)
def test_a_map_that_cannot_be_meant_is_refused_before_a_row_is_read(name, given, said, mapped):
	with pytest.raises(InputError) as refused:
		mapped(columns={name: given if isinstance(given, str) or "text" in given else {"column": "D"} | given})
	assert said in f"{refused.value}."
	assert refused.value.remedy


@pytest.mark.parametrize(
	("text", "said"),
	[
		("columns: {grade: Class, dti: D, grade: K}", "grade stands there twice"),
		("columns: {grade: Class}", "it has no loan_amnt, term, int_rate"),
		("columns: [", "it is not YAML"),
		("grade: Class", "it maps no columns"),
		(None, "it cannot be read (No such file or directory). Name a YAML file, or a shipped map: lending_club"),
	],
)
def test_a_file_that_is_no_map_is_refused(text, said, tmp_path):
	path = tmp_path / "map.yml"
	if text is not None:
		path.write_text(text, "utf-8")

	with pytest.raises(InputError) as refused:
		read_column_map(str(path))
	assert str(path) in refused.value.where
	assert said in str(refused.value)


def test_the_lines_above_the_header_may_be_counted(mapped):
	above = "Sum;Rate;EMI\n" * 2

	assert len(mapped(above + EXPORT, above=2).to_frame()) == 3
	with pytest.raises(InputError, match=r"nothing stands below its first 39 lines\. Correct `above`"):
		mapped(EXPORT, above=39)
