import csv
import io
import re
from collections import defaultdict

from playwright.sync_api import FilePayload, expect

from loantap.reporting.formatting import capitalize_first, money, percent, signed
from tests.serving.api.test_batches import write

HEADLINES = {"approve": "Approve", "refer": "Refer to a person", "decline": "Decline"}
BATCH = "/v1/applications/score-batch"
INCOME, DEBT = "Yearly income", "Debt to income (DTI), %"


def fill_in(person, application_id):
	person.go("Score")
	person.write(INCOME, "1")
	person.press("Fill in an example")
	expect(person.find_field(INCOME)).to_have_value(re.compile(r"^60000(\.00)?$"))
	person.write("Application id", application_id)


def test_an_application_is_scored_and_the_figures_are_those_on_record(asha, served):
	fill_in(asha, "e2e-score")
	asha.write(INCOME, "75000")
	asha.press("Decide")
	told = asha.page.get_by_text(re.compile(r"recorded as dec_\w+$"))
	expect(told).to_be_visible()
	asha.wait()
	made = told.inner_text().split()[-1]

	kept = served.get(f"/v1/decisions/{made}")
	assert kept["input"]["annual_inc"] == 75_000
	assert kept["person"] == "Asha Rao"
	headline = HEADLINES[kept["decision"]]
	expect(asha.page.get_by_role("heading", name=headline, exact=True)).to_be_visible()
	assert asha.read_figure("Probability of default") == percent(kept["probability_of_default"])
	assert asha.read_figure("Score") == str(kept["score"])
	assert asha.read_figure("Expected NPV") == money(kept["expected_npv"])
	assert kept["reasons"]
	for reason in kept["reasons"]:
		asha.see(reason)
	# The waterfall begins with what moves the score most.
	points = defaultdict(float)
	for one in kept["contributions"]:
		points[one["label"]] += one["points"]
	largest = max(points, key=lambda label: abs(points[label]))
	moved = asha.page.locator(".lt-waterfall tr").nth(1)
	expect(moved).to_contain_text(capitalize_first(largest))
	expect(moved).to_contain_text(signed(points[largest]))
	expect(asha.page.locator(".lt-offer").filter(has_text="As asked")).to_contain_text("12,000")
	assert f"<td>{made}</td>" in asha.download("Decision sheet")
	assert "Your application e2e-score" in asha.download("Letter to the applicant")


def test_a_value_out_of_range_is_told_at_its_field_and_nothing_is_decided(asha, served):
	fill_in(asha, "e2e-range")

	asha.write(DEBT, "99999")

	expect(asha.page.get_by_role("alert").filter(has_text="allowed range")).to_be_attached()
	asha.press("Decide")
	asha.write(DEBT, "18.5")
	asha.write("Monthly instalment", "3000")
	asha.press("Decide")
	# The API alone knows how fields go together.
	asha.see("12,000 at 14% over 36 months make 410.13 a month, not 3,000.00")
	asha.see("Give that instalment, or correct amount, rate or term")
	expect(asha.page.get_by_text("contradicted by amount")).to_have_count(1)
	assert served.get("/v1/decisions?application_id=e2e-range")["items"] == []


def test_a_batch_with_bad_rows_is_decided_as_the_api_decides_it(asha, served):
	example = served.example
	rows = [
		example | {"annual_inc": "90000"},
		example | {"annual_inc": "-5"},
		example | {"annual_inc": "40000"},
		example | {"term": "7 months"},
	]
	content = write(rows)
	asha.go("Batch")
	file = FilePayload(name="e2e.csv", mimeType="text/csv", buffer=content)
	asha.page.locator("input[type=file]").set_input_files(file)
	asha.press("Decide")

	asha.see("Rows with errors")
	assert asha.read_figure("Invalid") == "2"
	for row, fault in (("2", "annual_inc '-5': below 0"), ("4", "term '7 months': not 36 or 60")):
		cells = asha.page.locator("tr").filter(has_text=fault).first.locator("td")
		expect(cells).to_have_text([row, fault])
	told = list(csv.DictReader(io.StringIO(asha.download("Download the results"))))
	answer = served.post(BATCH, content=content, headers={"Content-Type": "text/csv"})["results"]
	assert len(told) == len(answer) == 4
	for ours, theirs in zip(told, answer, strict=True):
		assert ours["decision"] == theirs["decision"]
		assert ours["reasons"] == "; ".join(theirs["reasons"])
