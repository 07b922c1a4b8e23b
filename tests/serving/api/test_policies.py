import pytest

from loantap.serving.api.service_schemas import ActivePolicy, Policies, Proposal, Trial
from loantap.serving.keys.keys import Scope
from tests.serving.api.test_bad_requests import expect

STRICT = "2026-12"


def write(api, **changes):
  policy = api.get("/v1/policy").json["policy"] | {"version": STRICT}
  rules = {k: changes.pop(k) for k in list(changes) if k in policy["rules"]}
  return {"policy": policy | changes | {"rules": policy["rules"] | rules}}


def propose(api, **changes):
  answer = api.post("/v1/policies", write(api, **changes))
  assert answer.status_code == 201, answer.text
  return Proposal.model_validate(answer.json).id


def second(api):
  return api.make_key("Second Person", [Scope.ADMIN, Scope.READ])


def test_a_policy_decides_once_another_person_has_activated_it(own_api):
  before = own_api.decide()
  proposal = propose(own_api, max_loan_amount=1_000)
  assert own_api.decide()["policy"] == before["policy"]

  answer = own_api.post(f"/v1/policies/{proposal}/activate", key=second(own_api))

  active = ActivePolicy.model_validate(answer.json)
  assert active.approved_by == "Second Person"
  after = own_api.decide()
  assert after["policy"] == {"version": f"npv {STRICT}", "digest": active.digest}
  assert after["decision"] == "refer"
  assert "above the highest that is approved" in after["reasons"][0]
  replayed = own_api.post(f"/v1/decisions/{before['id']}/replay").json
  assert (replayed["same"], replayed["replayed"]["decision"]) == (True, before["decision"])


def test_rolling_back_puts_the_policy_before_in_force_again(own_api):
  expect(own_api.post("/v1/policies/rollback"), 409, "conflict")
  own_api.post(f"/v1/policies/{propose(own_api)}/activate", key=second(own_api))
  listed = Policies.model_validate(own_api.get("/v1/policies").json)
  assert [item.state for item in listed.items] == ["in force", "past"]
  assert listed.can_roll_back_to == "npv 2026-11"

  path = f"/v1/policies/rollback?from={listed.items[0].id}"
  active = own_api.post(path).json

  # As it is sent again where the answer was lost.
  assert "npv 2026-11 is, by tests" in expect(own_api.post(path), 409, "conflict").detail
  assert active["version"] == "npv 2026-11"
  assert own_api.decide()["policy"]["version"] == "npv 2026-11"


def test_a_trial_of_the_policy_in_force_changes_no_decision(own_api):
  incomes = (20_000, 60_000, 90_000, 200_000)
  made = [own_api.decide(annual_inc=income, dti=dti) for income in incomes for dti in (1, 18, 60)]
  policy = own_api.get("/v1/policies").json["items"][0]["id"]

  told = Trial.model_validate(own_api.post(f"/v1/policies/{policy}/try").json)

  assert told.before == told.after
  assert told.changes == []
  approved = sum(each["expected_npv"] for each in made if each["decision"] == "approve")
  assert told.expected_npv_before == pytest.approx(approved)
  assert told.expected_npv_after == pytest.approx(approved)
