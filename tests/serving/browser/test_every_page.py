from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.serving.api.served import LARGE
from tests.serving.browser.person import DESK, PHONE, Person

PAGES = ("Score", "Queue", "Decisions", "Batch", "Portfolio", "Policy", "Model", "Watch-list", "Monitoring")
# What is drawn there, and so is no text that a test without a browser reads.
CHARTS = {"Portfolio": "Expected NPV above 0", "Model": "Observed default rate", "Monitoring": "PSI"}
# How much wider than its frame the document or the part that scrolls is.
OVERFLOW = """
    [document.documentElement, document.querySelector("[data-testid=stMain]")]
        .map(one => one.scrollWidth - one.clientWidth)
"""


@pytest.fixture(scope="module", params=[DESK, PHONE])
def person(request, browser, served):
	"""With something on each page."""
	served.decide(**LARGE)
	somebody = Person(browser, served.pages, served.make_key("Ravi Menon"), request.param)
	yield somebody
	somebody.page.context.close()


@pytest.mark.parametrize("title", PAGES)
def test_a_page_fits_its_window_and_asks_nobody_else(person, title):
	person.go(title)
	if title == "Score":
		person.press("Decide")
		person.see("Offers side by side")
	if title in CHARTS:
		expect(person.page.get_by_role("img").filter(has_text=CHARTS[title])).to_be_visible()
	for fold in person.page.get_by_test_id("stMain").locator("summary").all():
		fold.click()
	person.wait()

	assert person.page.evaluate(OVERFLOW) == [0, 0]
	expect(person.page.get_by_test_id("stException")).to_have_count(0)
	hosts = {urlsplit(url).hostname for url in person.asked if "://" in url}
	assert hosts == {"127.0.0.1"}


def test_score_needs_no_mouse(person):
	person.go("Queue")
	person.tab_to("Score")
	person.page.keyboard.press("Enter")
	expect(person.page.get_by_role("heading", name="Score", level=1)).to_be_visible()
	person.tab_to("Fill in an example")
	person.page.keyboard.press("Enter")
	# What is typed before the example has come is overwritten by it.
	person.wait()
	person.tab_to("Application id")
	person.page.keyboard.type("keys-alone")
	person.tab_to("Decide")
	person.page.keyboard.press("Enter")

	person.see("Offers side by side")
