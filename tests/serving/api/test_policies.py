from dataclasses import replace

import pandas as pd
import pytest

from loantap.serving.api.service_schemas import ActivePolicy, Policies, Proposal, Trial
from loantap.serving.desk.standing import find_today
from loantap.serving.keys.keys import Scope
from tests.policy.shipped import make_lab
from tests.serving.api.served import expect, make_api

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
	replayed = own_api.replay(before)
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


DTI = next(rule for rule in make_lab().rules if rule.id == "dti_at_most_30")
RECOMMENDED = {
	"origin": "simulated",
	"tested": [],
	"recommendations": [{"id": DTI.id, "rule": DTI.model_dump(mode="json")}],
}
HIGH = {"dti": 31, "annual_inc": 150_000}
LOW = {"dti": 12, "annual_inc": 150_000}


@pytest.fixture
def ruled(tmp_path, lending, application):
	api = make_api(tmp_path, lending, application)
	configure(api, rule_ids=(DTI.id,), recommendations=RECOMMENDED)
	return api


def configure(api, **changes):
	desk = api.office.desk
	desk._configured = replace(desk._configured, **changes)
	desk._made_of = None
	desk.renew()


def test_a_rule_declines_alone_in_a_batch_and_in_a_file_alike(ruled):
	rows = [ruled.make_application(**HIGH), ruled.make_application(**LOW)]
	scores = ruled.office.desk.standing.underwriter.underwrite(pd.DataFrame(rows), find_today())

	alone = [ruled.decide(**HIGH), ruled.decide(**LOW)]
	batch = ruled.decide_all(rows)

	assert [each["decision"] for each in alone] == ["decline", "approve"]
	assert [each["decision"] for each in batch] == scores["decision"].tolist()
	assert alone[0]["reasons"][0] == scores.loc[0, "reason_1"]
	assert alone[0]["policy"]["version"] == "npv 2026-11 + dti_at_most_30"
	assert alone[0]["policy"]["digest"] == scores.loc[0, "policy_digest"]


def test_a_replay_applies_the_rules_of_the_time(ruled):
	made = ruled.decide(**HIGH)
	configure(ruled, rule_ids=())
	assert ruled.decide(**HIGH)["decision"] == "approve"

	replayed = ruled.replay(made)

	assert (replayed["same"], replayed["replayed"]["decision"]) == (True, "decline")


def test_what_a_rule_declined_stays_declined_when_a_policy_is_tried(ruled):
	ruled.decide(**HIGH)
	ruled.decide(**LOW)
	proposal = propose(ruled, review_margin=0.5)

	tried = ruled.post(f"/v1/policies/{proposal}/try").json

	assert tried["before"] == {"approve": 1, "refer": 0, "decline": 1}
	assert tried["after"] == {"approve": 0, "refer": 1, "decline": 1}
	assert tried["changes"] == [{"from": "approve", "to": "refer", "n": 1}]


def test_a_rule_tested_on_loans_of_another_origin_stops_decisions(ruled):
	with pytest.raises(ValueError, match="real loans, and the model in use"):
		configure(ruled, recommendations=RECOMMENDED | {"origin": "real"})

	assert ruled.client.get("/readyz").status_code == 503
	assert "real loans" in ruled.office.desk.trouble
