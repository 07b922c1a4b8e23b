import pytest

from loantap.serving.cases.case import Outcome, Reason
from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.documents import write_letter, write_sheet
from tests.serving.api.test_queue import refer

NOTE = "the neighbour called"
INTERNAL = (NOTE, "Meera", "fraud", "robability", "Score", "secret-model", "npv 2026-11")


REFERRED = {
  "id": "dec_1",
  "at": "2026-11-28T10:00:00Z",
  "decision": "refer",
  "simulated": True,
  "reasons": ["the amount is above the highest", "The yearly income: <b>1</b>"],
  "case": None,
  "application_id": None,
  "probability_of_default": 0.2,
  "score": 600,
  "expected_npv": None,
  "model": {"name": "secret-model", "version": "1", "origin": "real"},
  "policy": {"version": "npv 2026-11", "digest": "0"},
}


def decide(outcome, reason):
  event = {
    "id": "ovr_1",
    "kind": "case_decided",
    "at": "2026-12-01T09:00:00Z",
    "note": NOTE,
    "person": "Meera Iyer",
    "public": {"decision": outcome, "reason": reason},
  }
  return Decision.model_validate(REFERRED | {"events": [event]})


def test_the_letter_names_reasons_but_nothing_of_the_model():
  letter = write_letter(Decision.model_validate(REFERRED | {"decision": "decline"}))

  assert "The yearly income: &lt;b&gt;1&lt;/b&gt;" in letter
  assert "SIMULATED" in letter
  for internal in INTERNAL:
    assert internal not in letter


def test_what_the_api_tells_of_a_case_becomes_a_letter(api):
  case = refer(api, application_id="A-9")
  api.post(f"/v1/cases/{case}/take")
  said = {"decision": "decline", "reason": Reason.OTHER, "note": NOTE}
  api.post(f"/v1/cases/{case}/decide", said)
  made = Decision.model_validate(api.get(f"/v1/decisions/{case}").json)

  letter = write_letter(made)

  assert "We are sorry that we cannot offer you this loan." in letter
  assert "Your application A-9" in letter
  # Why a person had to decide is past; what weighed against the applicant is not.
  assert "above the highest that is approved" in made.reasons[0]
  assert "above the highest that is approved" not in letter
  assert all(reason in letter for reason in made.reasons[1:])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_letter_tells_what_stays_in_the_house(outcome, reason):
  letter = write_letter(decide(outcome, reason))

  for internal in (*INTERNAL, "the highest"):
    assert internal not in letter
  is_withdrawn = (outcome, reason) == ("decline", Reason.WITHDRAWN)
  assert ("What weighed most" in letter) == (outcome == "decline" and not is_withdrawn)
  assert ("we do not go on" in letter) == is_withdrawn
  assert ("can be approved" in letter) == (outcome == "approve")
  assert "<p>01 December 2026</p>" in letter


def test_a_fact_that_a_person_named_is_the_reason():
  letter = write_letter(decide("decline", Reason.TOO_MUCH_DEBT))

  assert "<ul><li>There is too much other debt.</li></ul>" in letter


def test_the_sheet_has_both_decisions_and_no_zero_for_what_is_not_known():
  sheet = write_sheet([("Yearly income", "60,000")], decide("decline", Reason.POLICY))

  for told in (
    "Yearly income</th><td>60,000",
    "over the life of the loan</th><td>none",
    "Decision</th><td>Decline",
    "Decided by</th><td>Meera Iyer",
    "credit policy",
    "Decision of model and policy</th><td>Refer to a person",
  ):
    assert told in sheet
