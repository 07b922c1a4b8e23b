import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loantap.serving.desk.fields import application_columns
from tests.serving.api.served import BATCH, OFFERS, SCORE, expect

JSON = "application/json"


@pytest.mark.parametrize(
	("field", "value", "problem", "remedy"),
	[
		("dti", False, "neither a number", "Give a number from 0 to 9,999 (percent)"),
		("dti", "12 percent", "not a number", "Give a number"),
		("dti", -1, "below 0", "Give a number from 0 to 9,999 (percent)"),
		("annual_inc", 1e300, "larger than any number", "smaller"),
		("annual_inc", 100_000_001, "above 1e+08", "to 100,000,000"),
		("open_acc", 1.5, "not a whole number", "Give a whole number"),
		("term", 48, "not 36 or 60", "Give one of 36, 60"),
		("sub_grade", "H9", "not one of", "Give one of A1"),
		("purpose", 5, "neither a text nor null", "Give a text"),
		("purpose", "x" * 101, "longer than 100 characters", "Shorten it"),
		("int_rate", 0.12, "contradicted by the instalment", "12 for 12%"),
		("installment", 3_000, "make 410.13 a month", "Give that instalment"),
		("anual_inc", 1, "unknown field", "Did you mean annual_inc?"),
		("loan_amount", 1, "unknown field", "Leave it out"),
		("application_id", "a\x00b", "control character", "printable"),
	],
)
def test_a_value_that_cannot_be_used_is_told_with_its_field_and_the_remedy(api, field, value, problem, remedy):
	told = expect(api.score({field: value}), 422, "invalid-application")

	found = {error.field: error for error in told.errors}
	assert problem in found[field].problem
	assert remedy in found[field].remedy


def test_all_that_is_wrong_is_told_at_once(api):
	body = api.make_application(dti=-1, term="48 months", open_acc="x")

	told = expect(api.post(SCORE, body), 422, "invalid-application")

	assert {error.field for error in told.errors} == {"dti", "term", "open_acc"}


def test_a_missing_field_is_named_with_its_meaning(api):
	body = api.make_application()
	del body["dti"], body["emp_length"]

	told = expect(api.post(SCORE, body), 422, "invalid-application")

	remedies = {error.field: error.remedy for error in told.errors}
	assert remedies == {"dti": "Give it", "emp_length": "Give it, or null where it is not known"}
	assert "monthly debt payments" in told.errors[-1].problem + told.errors[0].problem


@pytest.mark.parametrize(
	("text", "said"),
	[
		(b"", "EOF"),
		(b"[]", "a list where an object is expected"),
		(b'{"dti": NaN}', "expected value"),
		(b'{"dti": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion limit"),
		(b'{"a":' * 100 + b"1" + b"}" * 100, "nested too deeply"),
	],
)
def test_what_is_no_json_is_refused(api, text, said):
	answer = api.post(SCORE, data=text, content_type=JSON)

	told = expect(answer, 400, "not-json")
	assert said in told.errors[0].problem
	assert "RFC 8259" in told.errors[0].remedy


@pytest.mark.parametrize("path", [SCORE, OFFERS, BATCH])
def test_a_name_given_twice_is_refused_however_deep(api, path):
	text = json.dumps(api.make_application())
	twice = text[:-1] + ', "dti": 3}'
	body = f'{{"applications": [{twice}]}}' if path == BATCH else twice

	told = expect(api.post(path, data=body, content_type=JSON), 400, "not-json")

	assert told.errors[0].model_dump() == {"field": "dti", "problem": "given twice", "remedy": "Give it once"}


def test_a_colon_in_a_text_is_not_taken_for_another_name(api):
	assert api.decide(title="a: b: c", emp_title='"quoted": "text"')["id"]


@pytest.mark.parametrize(
	("header", "value", "said"),
	[
		("Content-Type", "text/plain", "text/plain"),
		("Content-Type", "", "not given"),
		("Content-Type", "application/json; charset=utf-16", "utf-16"),
		("Content-Encoding", "gzip", "Send the body as it is"),
	],
)
def test_another_content_type_and_a_compressed_body_are_refused(api, header, value, said):
	told = expect(api.post(SCORE, data=b"{}", headers={"Content-Type": JSON, header: value}), 415, "wrong-type")

	assert said in f"{told.detail} {told.errors[0].remedy}"
	assert told.errors[0].field == header


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "Application/JSON"])
def test_json_may_say_that_it_is_utf_8(api, kind):
	answer = api.post(SCORE, data=json.dumps(api.make_application()), content_type=kind)

	assert answer.status_code == 200


@pytest.mark.parametrize(("path", "size"), [(SCORE, 1_000_001), (OFFERS, 1_000_001), (BATCH, 16_000_001)])
def test_a_body_that_is_too_large_is_refused_unread(api, path, size):
	answer = api.post(path, data=b" " * size, content_type=JSON)

	assert f"{size - 1:,} bytes" in expect(answer, 413, "too-large").detail


@pytest.mark.parametrize(
	"route",
	[
		"GET /nothing",
		"GET /v1/decisions/dec_0",
		f"GET /v1/decisions/{'x' * 3_000}",
		"POST /v1/decisions/dec_0/replay",
		"POST /v1/cases/dec_0/take",
		"POST /v1/policies/pol_0/activate",
	],
)
def test_what_is_not_there_is_said_to_be_not_there(api, route):
	expect(api.ask(*route.split()), 404, "not-found")


def test_another_method_is_refused(api):
	expect(api.get(SCORE), 405, "wrong-method")


@pytest.mark.parametrize(
	("query", "field"), [("offers=yes", "offers"), ("offers=true&offers=true", "offers"), ("ofers=true", "ofers")]
)
def test_a_parameter_that_cannot_be_used_is_refused(api, query, field):
	told = expect(api.post(f"{SCORE}?{query}", api.make_application()), 400, "bad-parameter")

	assert told.errors[0].field == field


SEARCHES = "limit=0 limit=501 limit=%D9%A1 since=yesterday until=0001-01-01T00:00:00%2B23:00 decision=invalid"


@pytest.mark.parametrize(
	"query", [*SEARCHES.split(), "person=", "application_id=a%0Ab", f"after={'x' * 301}", "page=2"]
)
def test_a_search_that_cannot_be_made_is_refused(api, query):
	told = expect(api.get(f"/v1/decisions?{query}"), 400, "bad-parameter")

	assert told.errors[0].field == query.partition("=")[0]


ANYTHING = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
	max_leaves=6,
)
NAMES = [*application_columns(), "application_id"]
ODD = st.sampled_from(
	[*"36 months,10+ years,< 1 year,Jan-2015,n/a,, ,inf,1e308,-0,٣,2015-01-01T23:30:00Z,C2,\x00".split(","), "9" * 60]
)
CHANGES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), ANYTHING | ODD, max_size=4)
BOUNDED = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


@BOUNDED
@given(changes=CHANGES, leave_out=st.sets(st.sampled_from(NAMES), max_size=2))
def test_no_application_whatever_is_in_it_ends_in_a_server_error(api, changes, leave_out):
	body = api.make_application(**changes)
	for name in leave_out:
		body.pop(name, None)
	for path in (SCORE, OFFERS):
		answer = api.post(path, data=json.dumps(body), content_type=JSON)
		assert answer.status_code in {200, 400, 422}, answer.text


@BOUNDED
@given(text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_end_in_a_server_error(api, text):
	for path, kind in ((SCORE, JSON), (BATCH, JSON), (BATCH, "text/csv"), ("/v1/policies", JSON)):
		answer = api.post(path, data=text, content_type=kind)
		assert answer.status_code in {400, 415, 422}, answer.text
