from dataclasses import replace

import pandas as pd
import pytest

from loantap.serving.desk.standing import find_today
from tests.policy.lab.shipped import make_lab
from tests.serving.api.served import BATCH, make_api
from tests.serving.api.test_policies import propose

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
  batch = ruled.post(BATCH, {"applications": rows}).json["results"]

  assert [each["decision"] for each in alone] == ["decline", "approve"]
  assert [each["decision"] for each in batch] == scores["decision"].tolist()
  assert alone[0]["reasons"][0] == scores.loc[0, "reason_1"]
  assert alone[0]["policy"]["version"] == "npv 2026-11 + dti_at_most_30"
  assert alone[0]["policy"]["digest"] == scores.loc[0, "policy_digest"]


def test_a_replay_applies_the_rules_of_the_time(ruled):
  made = ruled.decide(**HIGH)
  configure(ruled, rule_ids=())
  assert ruled.decide(**HIGH)["decision"] == "approve"

  replayed = ruled.post(f"/v1/decisions/{made['id']}/replay").json

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
