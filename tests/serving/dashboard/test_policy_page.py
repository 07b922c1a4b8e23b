from datetime import UTC, datetime, timedelta

import pytest

from loantap.serving.api.service_schemas import ActivePolicy, Proposal
from loantap.serving.dashboard.client import ApiError
from loantap.serving.dashboard.policy_words import list_differences, read_content, word_rules
from loantap.serving.keys.keys import Scope
from tests.serving.api.served import EVERYTHING
from tests.serving.dashboard.screen import list_buttons, look, press, read_all

VERSION = "2026-12"


def propose(screen, **changes):
	"""Shares are in per cent."""
	app = screen.open("policy")
	for name, value in ({"version": VERSION} | changes).items():
		[field] = [
			one for one in [*app.text_input, *app.number_input, *app.date_input] if str(one.key).endswith(f":{name}")
		]
		field.set_value(value)
	return press(app, "Propose")


def name_active(api):
	return api.get("/v1/policy").json["version"]


@pytest.fixture
def second(api):
	return api.make_key("Second Person", EVERYTHING)


def test_two_people_change_a_policy(api, screen, second):
	before = api.get("/v1/policy").json["policy"]
	app = propose(screen, max_loan_amount=20_000, min_approval_rate=45)
	assert "npv 2026-12 is proposed" in read_all(app)
	[proposal] = [i for i in api.get("/v1/policies").json["items"] if i["state"] == "proposed"]
	assert proposal["policy"] == before | {
		"version": VERSION,
		"author": "tests",
		"effective_from": str(datetime.now(UTC).date()),
		"rules": before["rules"] | {"max_loan_amount": 20_000},
		"targets": before["targets"] | {"min_approval_rate": 0.45},
	}

	app = press(screen.open("policy", second), "Activate")

	assert "npv 2026-12 decides from now on" in read_all(app)
	assert "a loan of more than 20,000" in read_all(app)
	active = api.get("/v1/policy").json
	assert (active["version"], active["approved_by"]) == ("npv 2026-12", "Second Person")


def test_a_refusal_of_the_four_eyes_rule_is_told_as_what_it_is(api, screen, second, monkeypatch):
	propose(screen)
	app = screen.open("policy", second)
	# Another person with the key that proposed it, which only the API can tell.
	app.session_state["own_key"] = api.key
	monkeypatch.setattr("loantap.serving.dashboard.pages.policy._find_obstacle", lambda *_: "")

	app = press(look(app.run()), "Activate")

	[told] = app.warning
	assert told.value.startswith("**Another person must do this.**")
	assert "proposed it" in told.value
	assert name_active(api) == "npv 2026-11"


def test_a_policy_of_the_future_says_from_when_it_can_be_activated(screen, second):
	day = datetime.now(UTC).date() + timedelta(days=40)
	propose(screen, day=day)

	app = screen.open("policy", second)

	[button] = [one for one in app.button if one.label == "Activate"]
	assert button.disabled
	assert f"It can be activated from {day} on" in read_all(app)


def test_a_trial_tells_what_would_have_become_what(api, screen, second):
	made = [api.decide(annual_inc=60_000 + n)["decision"] for n in range(3)]
	propose(screen, max_loan_amount=1_000)

	app = press(screen.open("policy", second), "Try on the last 30 days")

	assert made == ["approve"] * 3
	said = read_all(app)
	assert "**3 of 3 decisions** would have been others" in said
	assert "approve → refer</td><td class=num>3<" in said
	assert name_active(api) == "npv 2026-11"


def test_a_policy_that_the_api_refuses_names_the_field(screen):
	app = propose(screen, version="2026-11", review_margin=1)

	told = read_all(app)
	assert "`policy.version`" in told
	assert "Give it a new version" in told


def test_rolling_back_asks_once_more(api, screen, second):
	propose(screen)
	app = press(screen.open("policy", second), "Activate")
	assert "Roll back to npv 2026-11" in list_buttons(app)

	app = press(press(app, "Roll back to npv 2026-11"), "No, leave it")
	assert name_active(api) == "npv 2026-12"
	app = press(press(app, "Roll back to npv 2026-11"), "Yes, roll back")

	assert "npv 2026-11 decides again" in read_all(app)
	assert name_active(api) == "npv 2026-11"


def test_who_may_only_read_sees_policies_and_no_way_to_change_them(api, screen):
	propose(screen)

	app = screen.open("policy", api.make_key("Reader", [Scope.READ]))

	assert set(list_buttons(app)) == {"Sign out", "Try on the last 30 days"}
	assert "no right to propose and activate policies" in read_all(app)


def test_a_difference_too_small_for_words_is_told_in_full(api):
	told = api.get("/v1/policy").json
	before = read_content(ActivePolicy.model_validate(told))
	rules = told["policy"]["rules"] | {"review_margin": 0.002_600_1}
	policy = told["policy"] | {"rules": rules}

	after = read_content(ActivePolicy.model_validate(told | {"policy": policy}))

	assert list_differences(before, after) == [("A person decides within", "0.0026", "0.0026001")]
	assert list_differences(before, before) == []
	assert len(word_rules(before)) == 5


def test_a_price_of_default_is_proposed_and_told_in_words(api, screen):
	app = propose(screen, min_margin=-5.44, default_price=0.32)

	assert "Least expected NPV rises for each point of PD, by" in read_all(app)
	proposed = api.get("/v1/policies").json["items"][0]
	rules = proposed["policy"]["rules"]
	assert (rules["min_margin"], rules["default_price"]) == (-0.0544, 0.32)
	content = read_content(Proposal.model_validate(proposed))
	_, _, decline, refer, _ = word_rules(content)
	assert "a floor: -2.50% of its principal at a PD of 10%, 3.90% at one of 30%" in decline
	assert "(-5.70% and 0.32% for each point of PD)" in decline
	assert "up to 0.52% of its principal more than that floor" in refer


def test_a_policy_in_another_form_is_refused_with_what_to_do(api):
	told = api.get("/v1/policy").json

	with pytest.raises(ApiError, match="same version"):
		read_content(ActivePolicy.model_validate(told | {"policy": {"rules": {}}}))


def test_a_trial_without_decisions_says_so(screen):
	app = press(propose(screen), "Try on the last 30 days")

	assert "no decision of the last 30 days" in read_all(app)


def test_a_version_without_a_name_is_not_sent(api, screen):
	app = propose(screen, version=" ")

	assert "Give the new version a name" in read_all(app)
	assert len(api.get("/v1/policies").json["items"]) == 1
