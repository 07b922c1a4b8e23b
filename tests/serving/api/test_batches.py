import csv
import io
import json
import threading
import weakref

import pytest

from loantap.serving.api import batches
from loantap.serving.api.schemas import Batch
from loantap.serving.api.worker import make_app
from tests.conftest import MADE_UP_LOAN
from tests.serving.api.served import BATCH, SCORE, expect
from tests.tables.test_reading_files import PACKED

CSV = "text/csv"


def write(rows, delimiter=","):
	out = io.StringIO()
	written = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
	written.writeheader()
	written.writerows(rows)
	return out.getvalue().encode()


def list_invalid(results):
	return [place for place, result in enumerate(results) if result["decision"] == "invalid"]


def test_rows_that_cannot_be_scored_keep_their_place_with_the_reason(api):
	good, wrong = api.make_application(), api.make_application(dti=-1)
	answer = api.post(BATCH, {"applications": [good, wrong, {"dti": False}, good]}).json

	told = Batch.model_validate(answer)

	assert list_invalid(answer["results"]) == [1, 2]
	assert told.results[1].reasons == ["dti '-1.0': below 0"]
	assert any("dti: neither a number" in reason for reason in told.results[2].reasons)
	assert told.counts["invalid"] == 2
	assert sum(told.counts.values()) == told.n == 4


def test_an_id_that_is_there_twice_is_told_at_the_second_place(api):
	rows = [api.make_application(application_id=given) for given in ("a", "b", " a ", None, None)]

	results = api.decide_all(rows)

	assert list_invalid(results) == [2]
	assert "the same as that of row 0" in results[2]["reasons"][0]


@pytest.mark.parametrize(
	("body", "field"),
	[
		({}, "applications"),
		({"applications": []}, "applications"),
		({"applications": [{}, None]}, "applications[1]"),
		({"applications": [{}], "more": 1}, "more"),
	],
)
def test_a_body_that_is_no_batch_is_refused(api, body, field):
	assert expect(api.post(BATCH, body), 422, "invalid-body").errors[0].field == field


@pytest.mark.parametrize(
	"given",
	[{"json": {"applications": [{}] * 10_001}}, {"data": write([MADE_UP_LOAN] * 10_001), "content_type": CSV}],
	ids=["json", "csv"],
)
def test_more_rows_than_a_batch_may_have_are_refused(api, given):
	told = expect(api.post(BATCH, **given), 413, "too-large")

	assert "more than 10,000 applications" in told.detail


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_csv_file_is_read_as_a_run_reads_it(api, delimiter):
	rows = [api.make_application(application_id=f"c{n}", term=" 36 months") for n in range(3)]
	rows[1]["dti"] = "x"

	in_csv = api.post(BATCH, data=write(rows, delimiter), content_type=CSV).json["results"]

	assert in_csv[1]["reasons"] == ["dti 'x': not a number"]
	for a, b in zip(in_csv, api.decide_all(rows), strict=True):
		assert a["decision"] == b["decision"]
		assert a.get("probability_of_default") == b.get("probability_of_default")


def test_the_answer_is_csv_where_it_is_asked_for(api):
	rows = [api.make_application(application_id="d1"), api.make_application(application_id="d2", term="48 months")]

	answer = api.post(BATCH, {"applications": rows}, headers={"Accept": CSV})

	assert answer.content_type == "text/csv; charset=utf-8"
	told = list(csv.DictReader(io.StringIO(answer.text)))
	assert [(row["application_id"], row["row"]) for row in told] == [("d1", "0"), ("", "1")]
	assert told[1]["decision"] == "invalid"
	assert told[1]["reason_1"] == "term '48 months': not 36 or 60"
	assert float(told[0]["probability_of_default"]) > 0
	assert told[0]["model_name"] == "loantap-lending-demo"


def test_a_line_that_does_not_fit_is_told_at_its_place(api):
	text = write([api.make_application()] * 3).decode().splitlines()
	text[2] += ",1,2"

	results = api.post(BATCH, data="\n".join(text), content_type=CSV).json["results"]

	assert list_invalid(results) == [1]
	assert "line 3: it has" in results[1]["reasons"][0]


@pytest.mark.parametrize(
	("text", "said"),
	[
		(b"", "no line with anything in it"),
		(b"\x00\x01\x02", "text"),
		(b"a,b\n1,2\n", "missing"),
		(b",".join(b"wrong%d" % n for n in range(27)) + b"\n" + b"1," * 26 + b"1\n", "missing"),
		*(pytest.param(pack("a,b"), "Unpack it", id=name) for name, pack in PACKED.items()),
	],
)
def test_what_is_no_file_of_applications_is_refused(api, text, said):
	told = expect(api.post(BATCH, data=text, content_type=CSV), 400, "not-csv")

	assert said in told.detail
	assert told.errors[0].remedy


def test_batches_take_turns_and_too_many_are_refused(api, monkeypatch):
	monkeypatch.setattr("loantap.serving.api.batches._PATIENCE", 0.05)
	app = make_app(api.office)
	deciding, go_on = threading.Event(), threading.Event()
	append = api.office.store.append_batch

	def wait(*given):
		deciding.set()
		go_on.wait(10)
		return append(*given)

	monkeypatch.setattr(api.office.store, "append_batch", wait)
	answers = []

	def ask():
		headers = {"Authorization": f"Bearer {api.key}"}
		body = {"applications": [api.make_application()]}
		answers.append(app.test_client().post(BATCH, json=body, headers=headers))

	first = threading.Thread(target=ask)
	first.start()
	deciding.wait(10)
	ask()
	go_on.set()
	first.join()

	assert expect(answers[0], 503, "overloaded")
	assert answers[1].status_code == 200
	assert answers[0].headers["Retry-After"] == "5"


# Of a made-up application: what is hard to write, or to tell from the row behind it.
ODD = [
	{"application_id": "odd-1", "title": 'a "quoted", title'},
	{"application_id": "odd-2", "emp_title": 'x","y'},
	{"application_id": "odd-3", "title": "100% of }, { and \\"},
	{"application_id": None, "emp_title": "Zoë 🐢"},
	{"application_id": 17, "annual_inc": "52000.50"},
	{"dti": -1},
	{"application_id": "odd-4", "loan_amnt": 39_999.99, "int_rate": 24.5, "annual_inc": 12_000},
]


def list_rows(api):
	return [api.make_application(**change) for change in ODD]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("rows", [slice(None), slice(0, 2), slice(2, 3), slice(5, 6)])
def test_each_application_is_kept_as_it_was_sent(api, rows, indent):
	given = list_rows(api)[rows]
	body = json.dumps({"applications": given}, indent=indent, ensure_ascii=indent is None)

	told = api.post(BATCH, data=body.encode(), content_type="application/json").json

	for result in told["results"]:
		if result["decision"] == "invalid":
			continue
		record = api.office.store.find(result["id"])
		assert record.personal["application"] == given[result["row"]]
		assert record.personal["reasons"] == result["reasons"]
	assert api.office.store.verify().is_ok


def test_the_record_of_a_row_says_what_that_of_one_application_says(api):
	rows = [row for row in list_rows(api) if row["dti"] != -1]

	results = api.decide_all(rows)

	assert len({result["decision"] for result in results}) > 1
	for row, result in zip(rows, results, strict=True):
		alone = api.post(SCORE, row).json
		kept, kept_alone = (api.office.store.find(one["id"]) for one in (result, alone))
		assert [*kept.public] == [*kept_alone.public, "row"]
		for name, value in kept_alone.public.items():
			is_same = pytest.approx(value) if type(value) is float else value
			assert kept.public[name] == is_same, name
		assert kept.personal == kept_alone.personal
		assert [*result] == ["row", *alone]
		assert result["reasons"] == alone["reasons"]


@pytest.mark.parametrize("sent", ["application/json", CSV])
@pytest.mark.parametrize("wanted", ["application/json", CSV])
def test_a_repeated_batch_is_answered_byte_for_byte(api, sent, wanted):
	rows = [{"application_id": None, "title": "", "emp_title": "", **row} for row in list_rows(api)]
	body = write(rows) if sent == CSV else json.dumps({"applications": rows}).encode()
	headers = {"Idempotency-Key": f"{sent} {wanted}".replace(" ", "-"), "Accept": wanted}

	first, again = (api.post(BATCH, data=body, content_type=sent, headers=headers) for _ in range(2))

	assert first.status_code == 200, first.text
	assert first.data == again.data
	assert b"invalid" in first.data


def test_referred_rows_are_in_the_queue_with_their_amount(api):
	[result] = api.decide_all([api.make_application(loan_amnt=40_000, annual_inc=1_000_000)])

	assert result["decision"] == "refer"
	case = api.office.cases.find(result["id"])
	assert (case.state, case.amount) == ("open", 40_000)


def test_applications_take_no_memory_any_more_while_their_records_are_kept(own_api, monkeypatch):
	made, alive = [], []
	applications, keep = batches.Applications, own_api.office.store.append_batch

	def make(*given):
		one = applications(*given)
		made.append(weakref.ref(one))
		return one

	def look(*given):
		alive.extend(one() for one in made)
		return keep(*given)

	monkeypatch.setattr(batches, "Applications", make)
	monkeypatch.setattr(own_api.office.store, "append_batch", look)

	assert own_api.decide_all(list_rows(own_api))
	assert alive == [None]
