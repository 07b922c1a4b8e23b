from dataclasses import replace

import pytest
from kedro.io import DatasetError

from loantap.datasets import ServiceCountsDataset
from loantap.serving.api.metrics import Metrics
from loantap.serving.api.schemas import Decision
from loantap.serving.api.service_schemas import Fields, Ready
from tests.serving.api.served import OFFERS, SCORE, expect, make_api


@pytest.fixture
def empty_api(tmp_path):
	return make_api(tmp_path, None, None)


def test_ready_says_which_model_and_policy_decide(api):
	told = Ready.model_validate(api.client.get("/readyz").json)

	assert told.status == "ready"
	of = {"name": "loantap-lending-demo", "version": "3", "origin": "simulated"}
	assert told.checks["model"] == {"ok": True, "state": "fresh", "detail": "the registry confirms it", **of}
	assert told.checks["policy"]["detail"] == "npv 2026-11"
	assert told.checks["audit"]["ok"]


def test_without_a_champion_it_is_not_ready_and_says_what_to_run(empty_api):
	answer = empty_api.client.get("/readyz")

	assert answer.status_code == 503
	told = Ready.model_validate(answer.json)
	assert told.status == "not ready"
	assert told.checks["model"]["state"] == "none"
	assert "kedro run" in told.checks["model"]["detail"]
	assert empty_api.client.get("/healthz").json == {"status": "alive"}


@pytest.mark.parametrize("path", [SCORE, OFFERS, "/v1/applications/score-batch"])
def test_without_a_champion_nothing_is_decided(empty_api, path):
	body = {"applications": [{}]} if path.endswith("batch") else {}

	assert "kedro run" in expect(empty_api.post(path, body), 503, "no-model").detail
	expect(empty_api.get("/v1/model"), 503, "no-model")


def test_without_a_champion_the_documentation_works(empty_api):
	for path in ("/docs", "/docs/docs.js", "/docs/docs.css", "/openapi.json", "/v1/schema/application", "/metrics"):
		assert empty_api.client.get(path).status_code == 200, path


def test_without_a_model_for_offers_applications_are_decided_all_the_same(tmp_path, lending):
	api = make_api(tmp_path, lending, None)

	assert api.client.get("/readyz").status_code == 200
	expect(api.post(OFFERS, api.make_application()), 503, "no-model")
	asked = api.post(f"{SCORE}?offers=true", api.make_application())
	told = Decision.model_validate(asked.json)
	assert (told.decision, told.offers) == ("approve", [])
	assert "`make run`" in told.no_offers
	assert api.get(f"/v1/decisions/{told.id}").json["no_offers"] == told.no_offers


def test_a_last_good_model_decides_and_is_called_so(own_api, lending):
	loaded = own_api.office.desk.lending.loaded
	own_api.office.desk.lending._loaded = replace(loaded, doubt="the registry does not answer")

	ready = own_api.client.get("/readyz")

	assert ready.status_code == 200
	checked = ready.json["checks"]["model"]
	assert checked["state"] == "last good"
	assert "does not answer" in checked["detail"]
	assert own_api.get("/v1/model").json["state"] == "last good"
	assert own_api.decide()["id"]


def test_a_log_that_cannot_be_written_makes_it_not_ready(api, monkeypatch):
	monkeypatch.setattr(api.office.store, "is_writable", lambda: False)

	answer = api.client.get("/readyz")

	assert answer.status_code == 503
	assert "audit.db" in answer.json["checks"]["audit"]["detail"]


def test_the_fields_say_what_the_data_dictionary_says(api):
	told = Fields.model_validate(api.client.get("/v1/schema/application").json)

	fields = {field.name: field for field in told.fields}
	dti, purpose, address = fields["dti"], fields["purpose"], fields["address"]
	assert (dti.unit, dti.minimum, dti.maximum, dti.required) == ("percent", 0, 9_999, True)
	assert purpose.kind == "category"
	assert "debt_consolidation" in purpose.values
	assert (address.required, address.personal) == (False, True)
	assert "loan_status" not in fields
	assert api.post(SCORE, told.example).status_code == 200


def test_what_happens_is_counted(own_api):
	made = own_api.decide()
	own_api.post(SCORE, {})

	told = own_api.client.get("/metrics").text

	counted = f'loantap_decisions_total{{decision="{made["decision"]}",model="loantap-lending-demo"'
	assert f'{counted},policy="npv 2026-11",version="3"}} 1.0' in told
	assert f'loantap_requests_total{{route="{SCORE}",status="422"}} 1.0' in told
	assert f'loantap_request_seconds_count{{route="{SCORE}"}} 2.0' in told
	assert "loantap_audit_waiting 0.0" in told


def test_monitoring_reads_how_many_requests_failed_and_how_long_decisions_took(own_api, tmp_path):
	own_api.decide()
	own_api.post(SCORE, {})
	own_api.client.get("/healthz")
	saved = tmp_path / "metrics.txt"
	saved.write_text(own_api.client.get("/metrics").text)

	counts = ServiceCountsDataset(filepath=str(saved)).load()

	assert counts.statuses == {"200": 1, "422": 1}
	assert counts.seconds[-1] == (float("inf"), 2)
	saved.write_text("no metrics {")
	with pytest.raises(DatasetError, match="Save what the API answers to GET /metrics"):
		ServiceCountsDataset(filepath=str(saved)).load()


def test_looks_that_fail_are_counted():
	metrics = Metrics(are_shared=False)
	metrics.count_failure("registry")

	assert b'loantap_refresh_failures_total{of="registry"} 1.0' in metrics.write()
