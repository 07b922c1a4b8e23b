import csv
import io

import pytest

from loantap.portfolio.amortisation import emi_of_one
from loantap.serving.api.service_schemas import Fields
from loantap.serving.dashboard.pages.batch import find_problem
from loantap.serving.keys.keys import Scope
from tests.serving.api.served import make_api
from tests.serving.dashboard.screen import Screen, fill, look, press, read_all


@pytest.fixture
def api(tmp_path, lending, application):
	return make_api(tmp_path, lending, application)


def _read_input(api, place=0):
	listed = api.get("/v1/decisions").json["items"]
	return api.get(f"/v1/decisions/{listed[place]['id']}").json["input"]


def test_the_form_begins_at_the_example_and_sends_it_as_it_stands(api, screen):
	example = api.get("/v1/schema/application").json["example"]

	said = read_all(press(screen.open("score"), "Decide"))

	assert "Probability of default" in said
	assert "<h4>As asked</h4><dl><dt>Amount</dt><dd>12,000</dd><dt>Term</dt><dd>36 months" in said
	given = _read_input(api)
	assert given["emp_length"] == float(str(example["emp_length"]).split()[0])
	assert given["term"] == float(str(example["term"]).split()[0])
	as_they_are = {"loan_amnt", "int_rate", "installment", "annual_inc", "dti", "sub_grade"}
	assert {name: given[name] for name in as_they_are} == {name: example[name] for name in as_they_are}


def test_what_if_has_the_instalment_of_its_own_terms(api, screen):
	page = press(screen.open("score"), "Decide")
	slider = next(one for one in page.slider if "loan_amnt" in str(one.key))

	slider.set_value(20_000.0)
	press(page, "Decide what if")

	given = _read_input(api)
	assert given["loan_amnt"] == 20_000.0
	assert given["installment"] == pytest.approx(emi_of_one(20_000, 14, 36), abs=0.01)
	assert _read_input(api, 1)["loan_amnt"] == 12_000


def test_an_instalment_left_empty_follows_from_the_terms(api, screen):
	page = screen.open("score")
	fill(page, "number_input", "Monthly instalment", None)

	press(page, "Decide")

	assert _read_input(api)["installment"] == pytest.approx(emi_of_one(12_000, 14, 36), abs=0.01)


def test_an_instalment_that_may_be_a_slip_is_decided_and_doubted(screen):
	page = screen.open("score")
	assert not press(page, "Decide").warning
	fill(page, "number_input", "Monthly instalment", 450.0)

	[told] = press(page, "Decide").warning

	assert "450.00 does not follow" in told.value
	assert "12,000 at 14% over 36 months make 410.13" in told.value


def test_without_a_model_for_offers_there_is_a_decision_and_it_says_what_to_run(tmp_path, lending, monkeypatch):
	screen = Screen.over(make_api(tmp_path, lending, None), monkeypatch, tmp_path)

	said = read_all(press(screen.open("score"), "Decide"))

	assert "<h2>Approve</h2>" in said
	assert "No offers can be made" in said
	assert "`make run`" in said


def test_a_key_that_asked_too_often_waits_and_loses_nothing_of_what_was_typed(api, screen):
	# Who asks, the model, the decision and its points.
	slow = api.make_key("Slow", [Scope.SCORE, Scope.READ], rate=4)
	page = press(screen.open("score", slow), "Decide")
	fill(page, "number_input", "Yearly income", 61_234.0)

	page = press(page, "Decide")

	assert "Too many requests with this key" in page.warning[0].value
	kept = next(one for one in look(page.run()).number_input if one.label == "Yearly income")
	assert kept.value == 61_234.0


def test_a_key_that_may_not_score_is_told_what_to_do(api, screen):
	said = screen.read("score", api.make_key("Ada", [Scope.READ]))

	assert "no right to score applications" in said


def test_choices_are_told_in_words_and_sent_as_the_source_has_them(api, screen):
	page = screen.open("score")
	purpose = next(one for one in page.selectbox if one.label.startswith("Purpose"))
	assert "Debt consolidation" in purpose.options

	purpose.set_value("small_business")
	press(page, "Decide")

	assert _read_input(api)["purpose"] == "small_business"


def _upload(app, content):
	return look(app.get("file_uploader")[0].upload("a.csv", content, "text/csv").run())


def _write_csv(api):
	example = api.get("/v1/schema/application").json["example"]
	text = io.StringIO()
	writer = csv.DictWriter(text, example)
	writer.writeheader()
	writer.writerows([example, {**example, "annual_inc": "-5"}])
	return text.getvalue().encode()


def _count(api):
	return len(api.get("/v1/decisions").json["items"])


def test_two_sessions_are_never_answered_with_each_other_s_decisions(api, screen):
	content = _write_csv(api)
	first = _upload(screen.open("batch"), content)
	first = press(press(first, "Decide"), "Decide")
	assert _count(api) == 1, "the same file in the same session is one batch"

	press(_upload(screen.open("batch"), content), "Decide")

	assert _count(api) == 2
	assert "Rows with errors" in read_all(first)


def test_wrong_columns_are_one_message(api):
	fields = Fields.model_validate(api.get("/v1/schema/application").json).fields
	needed = [one for one in fields if one.name in {"loan_amnt", "dti"}]

	problem = find_problem(",".join(f"x{n}" for n in range(27)) + "\n1", needed, 99)

	assert problem.startswith("These columns are missing: loan_amnt (Loan amount), dti (")
