import csv
import io
import threading

import pytest

from loantap.serving.api.app import make_app
from loantap.serving.api.schemas import Batch
from tests.conftest import MADE_UP_LOAN
from tests.serving.api.served import BATCH
from tests.serving.api.test_bad_requests import expect
from tests.tables.test_reading_files import PACKED

CSV = "text/csv"


def write(rows, delimiter=","):
  out = io.StringIO()
  written = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
  written.writeheader()
  written.writerows(rows)
  return out.getvalue().encode()


def read(answer):
  assert answer.content_type == "text/csv; charset=utf-8"
  return list(csv.DictReader(io.StringIO(answer.text)))


def test_rows_that_cannot_be_scored_keep_their_place_with_the_reason(api):
  good, wrong = api.make_application(), api.make_application(dti=-1)
  rows = [good, wrong, {"dti": False}, good]

  told = Batch.model_validate(api.post(BATCH, {"applications": rows}).json)

  assert [result.decision == "invalid" for result in told.results] == [False, True, True, False]
  assert told.results[1].reasons == ["dti '-1.0': below 0"]
  assert any("dti: neither a number" in reason for reason in told.results[2].reasons)
  assert told.counts["invalid"] == 2
  assert sum(told.counts.values()) == told.n == 4


def test_an_id_that_is_there_twice_is_told_at_the_second_place(api):
  rows = [api.make_application(application_id=given) for given in ("a", "b", " a ", None, None)]

  results = api.post(BATCH, {"applications": rows}).json["results"]

  assert [result["decision"] == "invalid" for result in results] == [False, False, True, False, False]
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

  in_csv = api.post(BATCH, data=write(rows, delimiter), content_type=CSV).json
  in_json = api.post(BATCH, {"applications": rows}).json

  assert in_csv["results"][1]["reasons"] == ["dti 'x': not a number"]
  for a, b in zip(in_csv["results"], in_json["results"], strict=True):
    assert a["decision"] == b["decision"]
    assert a.get("probability_of_default") == b.get("probability_of_default")


def test_the_answer_is_csv_where_it_is_asked_for(api):
  rows = [api.make_application(application_id="d1"), api.make_application(application_id="d2")]
  rows[1]["term"] = "48 months"

  told = read(api.post(BATCH, {"applications": rows}, headers={"Accept": CSV}))

  assert [(row["application_id"], row["row"]) for row in told] == [("d1", "0"), ("", "1")]
  assert told[1]["decision"] == "invalid"
  assert told[1]["reason_1"] == "term '48 months': not 36 or 60"
  assert float(told[0]["probability_of_default"]) > 0
  assert told[0]["model_name"] == "loantap-lending-demo"


def test_a_line_that_does_not_fit_is_told_at_its_place(api):
  text = write([api.make_application()] * 3).decode().splitlines()
  text[2] += ",1,2"

  results = api.post(BATCH, data="\n".join(text), content_type=CSV).json["results"]

  assert [result["decision"] == "invalid" for result in results] == [False, True, False]
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

  assert [answer.status_code for answer in answers] == [503, 200]
  assert expect(answers[0], 503, "overloaded")
  assert answers[0].headers["Retry-After"] == "5"
