from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from loantap.portfolio.dictionary import portfolio_columns

# Positive and negative requests for each route; what they do to the log is the log's business.
BOUNDED = settings(
	max_examples=12,
	phases=[Phase.explicit, Phase.generate],
	suppress_health_check=list(HealthCheck),
	deadline=None,
	database=None,
)
HELD = (
	"not_a_server_error",
	"status_code_conformance",
	"content_type_conformance",
	"response_schema_conformance",
	"response_headers_conformance",
)


@pytest.fixture(scope="module")
def document(api):
	answer = api.client.get("/openapi.json")
	assert answer.status_code == 200
	return dict(answer.json)


def test_it_is_of_version_3_1_and_says_how_to_come_in(document):
	assert document["openapi"] == "3.1.0"
	scheme = document["components"]["securitySchemes"]["key"]
	assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_route_is_described_with_its_problems(document):
	for path, methods in document["paths"].items():
		for method, route in methods.items():
			where = f"{method} {path}"
			assert route["summary"], where
			is_open = not path.startswith("/v1/") or path == "/v1/schema/application"
			assert ("security" in route) != is_open, where
			expected = {"400", "500"} | (set() if is_open else {"401", "403", "429", "503"})
			assert expected <= route["responses"].keys(), where
			assert ("requestBody" in route) <= ({"413", "415"} <= route["responses"].keys()), where


def test_every_field_has_meaning_unit_range_and_example(document):
	schema = document["components"]["schemas"]["Application"]

	for column in portfolio_columns():
		field = schema["properties"][column.source_name]
		assert field["description"].startswith(column.meaning)
		assert column.unit in field["description"]
		if column.minimum is not None:
			number = field["anyOf"][0]
			assert (number["minimum"], number["maximum"]) == (column.minimum, column.maximum)
		if column.name != "loan_status":
			assert field["examples"]
	assert schema["additionalProperties"] is False


@pytest.mark.slow
def test_requests_made_from_the_document_are_answered_as_it_says(api, document):
	api.watch_loans()
	checks = [CHECKS.get_one(name) for name in HELD]
	answered = Counter()

	def ask(case):
		case.headers = {**(case.headers or {}), "Authorization": f"Bearer {api.key}"}
		answer = case.call(app=api.app)
		case.validate_response(answer, checks=checks)
		answered[case.operation.label, answer.status_code] += 1

	for operation in schemathesis.openapi.from_dict(document).get_all_operations():
		BOUNDED(given(case=operation.ok().as_strategy())(ask))()
	assert len({label for label, _ in answered}) > 20
	assert {200, 404, 422} <= {status for _, status in answered}
