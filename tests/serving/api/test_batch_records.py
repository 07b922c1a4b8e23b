import json
import weakref

import pytest

from loantap.serving.api import batches
from tests.serving.api.served import BATCH, SCORE
from tests.serving.api.test_batches import CSV, write

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

  results = api.post(BATCH, {"applications": rows}).json["results"]

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
  rows = [api.make_application(application_id="queued", loan_amnt=40_000, annual_inc=1_000_000)]

  [result] = api.post(BATCH, {"applications": rows}).json["results"]

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

  answer = own_api.post(BATCH, {"applications": list_rows(own_api)})

  assert answer.status_code == 200
  assert alive == [None]
