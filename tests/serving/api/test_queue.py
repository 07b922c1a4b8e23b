import pytest

from loantap.serving.cases.case import Cases, DecidedCase, Overrides, Reason
from tests.serving.api.test_bad_requests import expect

# Above the highest amount that is approved without a person.
LARGE = {"loan_amnt": 36_000, "installment": 1230.39, "annual_inc": 400_000}


def refer(api, **changes):
  made = api.decide(**(LARGE | changes))
  assert made["decision"] == "refer"
  assert made["case"] == "open"
  return str(made["id"])


def test_a_referred_decision_waits_in_the_queue_with_its_amount(own_api):
  older = refer(own_api, application_id="q-1")
  newer = refer(own_api, loan_amnt=36_500, installment=1247.48)

  by_age = Cases.model_validate(own_api.get("/v1/cases").json)
  by_amount = own_api.get("/v1/cases?order=amount").json["items"]

  assert [case.decision_id for case in by_age.items] == [older, newer]
  assert [case["decision_id"] for case in by_amount] == [newer, older]
  assert (by_age.items[0].application_id, by_age.items[0].amount) == ("q-1", 36_000)
  assert (by_age.n, by_age.reasons) == (2, list(Reason))


def test_deciding_is_a_record_of_its_own_and_the_decision_stays(own_api):
  decision = refer(own_api)
  # Whose key has it is for nobody else.
  assert "taken_by_key" not in own_api.post(f"/v1/cases/{decision}/take").json
  body = {"decision": "approve", "reason": "income confirmed", "note": "seen\nthe payslip"}

  told = DecidedCase.model_validate(own_api.post(f"/v1/cases/{decision}/decide", body).json)

  assert (told.state, told.outcome, told.note) == ("closed", "approve", "seen\nthe payslip")
  kept = own_api.get(f"/v1/decisions/{decision}").json
  assert (kept["decision"], kept["case"]) == ("refer", "closed")
  override = kept["events"][-1]
  assert override["id"] == told.override
  assert override["public"] == {"decision": "approve", "reason": "income confirmed"}
  assert override["note"] == "seen\nthe payslip"
  counted = Overrides.model_validate(own_api.get("/v1/overrides").json)
  assert (counted.n, counted.by_outcome) == (1, {"approve": 1})
  assert counted.by_person[0].person == "tests"


@pytest.mark.parametrize(
  ("body", "field"),
  [
    ({"decision": "refer"}, "decision"),
    ({"decision": ["approve"]}, "decision"),
    ({"reason": "luck"}, "reason"),
    ({"note": 5}, "note"),
    ({"note": "\x00"}, "note"),
    ({"note": "x" * 2_001}, "note"),
    ({"by": "me"}, "by"),
  ],
)
def test_a_decision_on_a_case_that_cannot_be_used_is_refused(api, body, field):
  whole = {"decision": "approve", "reason": "credit policy"} | body

  told = expect(api.post("/v1/cases/dec_0/decide", whole), 422, "invalid-body")

  assert told.errors[0].field == field
