import pandas as pd
import pytest

from loantap.model.scoring.scorecard import SCALE
from loantap.portfolio.errors import InputError
from loantap.serving.api.schemas import Decisions, KeptDecision, Replay
from loantap.serving.desk.replay import Replayer
from tests.serving.api.served import expect


def test_a_kept_decision_shows_what_went_in_and_what_each_feature_was_worth(api):
	made = api.decide(application_id="k-1")

	kept = KeptDecision.model_validate(api.find(made))

	assert kept.input == api.make_application(application_id="k-1")
	points = kept.base_points + sum(each.points for each in kept.contributions)
	assert round(points) == kept.score == made["score"]
	assert {each.feature for each in kept.contributions} == set(
		api.office.desk.standing.underwriter.scorer.feature_set.features
	)
	assert (kept.person, kept.erased, kept.events) == ("tests", False, [])
	assert SCALE.lowest < kept.score < SCALE.highest


def test_where_the_model_cannot_be_had_the_decision_is_shown_without_points(api, monkeypatch):
	made = api.decide()

	def fail(*_):
		raise InputError("registry", "it does not answer", "Start it")

	monkeypatch.setattr(Replayer, "_find_scorer", fail)
	told = api.find(made)

	assert told["contributions"] == []
	assert told["unexplained"] == "registry: it does not answer. Start it"
	assert told["score"] == made["score"]


def test_decisions_are_found_by_what_they_say(api):
	made = [api.decide(application_id="s-1", annual_inc=income) for income in (60_000, 59_000)]
	before = made[1]["at"]

	def search(query=""):
		page = Decisions.model_validate(api.get(f"/v1/decisions?application_id=s-1&{query}").json)
		return [item.id for item in page.items]

	newest_first = [made[1]["id"], made[0]["id"]]
	assert search() == newest_first
	assert search(f"until={before}") == newest_first[1:]
	assert search(f"since={before}") == newest_first[:1]
	assert search("person=tests&model_version=3") == newest_first
	assert search("person=nobody") == search("policy_digest=000000000000") == []
	assert made[0]["id"] in search(f"decision={made[0]['decision']}")


def test_a_replay_says_that_the_decision_is_the_same_and_is_kept(api):
	made = api.decide()

	told = Replay.model_validate(api.replay(made))

	assert (told.same, told.differences) == (True, [])
	assert told.original == told.replayed
	assert told.original.probability_of_default == made["probability_of_default"]
	events = api.find(made)["events"]
	assert [(event["kind"], event["public"]["same"]) for event in events] == [("replay", True)]


def test_a_replay_under_an_idempotency_key_is_kept_once(api):
	path = f"/v1/decisions/{api.decide()['id']}"
	headers = {"Idempotency-Key": "replay-once"}

	first = api.post(f"{path}/replay", headers=headers)
	second = api.post(f"{path}/replay", headers=headers)

	assert first.data == second.data
	assert len(api.get(path).json["events"]) == 1


def test_a_replay_takes_the_day_of_the_decision(api, monkeypatch):
	made = api.decide(issue_d="Jan-2014")
	monkeypatch.setattr("loantap.serving.api.scoring.find_today", lambda: pd.Timestamp("2030-01-01"))

	assert api.replay(made)["differences"] == []


def test_a_decision_that_comes_out_otherwise_is_told_by_name(api):
	record = api.office.store.find(api.decide()["id"])
	record.public["score"] += 1
	record.personal["reasons"] = []

	assert api.office.desk.replayer.replay(record).differences == ["score", "reasons"]


def test_a_decision_whose_policy_is_not_known_cannot_be_replayed(api):
	record = api.office.store.find(api.decide()["id"])
	record.public["policy"]["digest"] = "0" * 12

	with pytest.raises(InputError, match="none of digest 000000000000"):
		api.office.desk.replayer.replay(record)


def test_erasing_takes_the_person_out_and_leaves_the_decision(api):
	made = api.decide(application_id="e-1")
	path = f"/v1/decisions/{made['id']}"

	erased = api.ask("DELETE", f"{path}/personal", json={"reason": "asked for"})

	assert erased.json == {"id": made["id"], "erased": 1}
	kept = api.get(path).json
	assert kept["erased"] is True
	assert "input" not in kept
	assert (kept["application_id"], kept["reasons"]) == (None, [])
	assert kept["probability_of_default"] == made["probability_of_default"]
	assert api.get("/v1/decisions?application_id=e-1").json["items"] == []
	expect(api.post(f"{path}/replay"), 410, "erased")
	assert api.office.store.verify().is_ok


@pytest.mark.parametrize(
	"body", [{}, {"reason": " "}, {"reason": 1}, {"reason": "x" * 501}, {"reason": "a", "more": 1}]
)
def test_nothing_is_erased_without_a_reason(api, body):
	made = api.decide()

	answer = api.ask("DELETE", f"/v1/decisions/{made['id']}/personal", json=body)

	expect(answer, 422, "invalid-body")
	assert "erased" not in api.find(made)


def test_an_invalid_application_leaves_no_record(api):
	api.score({"dti": -1, "application_id": "i-1"})

	assert api.get("/v1/decisions?application_id=i-1").json["items"] == []
