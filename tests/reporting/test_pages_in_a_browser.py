from contextlib import closing

import pytest
from playwright.sync_api import expect

from loantap.project.pdf import print_page
from loantap.reporting.book.page import render_book
from loantap.reporting.insights.finding_tables import plot_segments
from loantap.reporting.insights.policy_tables import list_rules, tabulate_targets
from loantap.reporting.insights.sections import PageSection, describe_policies, describe_rules, render_insights
from loantap.reporting.model_card.page import render_model_card
from loantap.reporting.watchlist_page import render_watchlist
from loantap.surveillance.book.build import measure_book
from tests.reporting import test_eda_page
from tests.reporting.card_material import make_card
from tests.reporting.charts.test_charts import make_frontier
from tests.reporting.insights.test_tables import make_policies, make_rule_tests, make_targets
from tests.support.browser import launched
from tests.surveillance.book.test_book import AS_OF, tell
from tests.surveillance.help.test_plan_help import LATE, plan_them
from tests.surveillance.watchlist.test_build_watchlist import ORIGINS, list_them, months_of

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def browser():
	with launched() as chromium:
		yield chromium


@pytest.fixture
def save(tmp_path_factory):
	def write(html):
		path = tmp_path_factory.mktemp("pages") / "page.html"
		path.write_text(html, "utf-8")
		return path

	return write


@pytest.fixture
def insights(save, findings, summary, make_summary, economics):
	targets = tabulate_targets(make_targets(), "npv 2026-11")
	frontier = make_frontier("contractual", "capped")
	sections = [
		describe_policies(make_policies(), frontier, targets, "mid", ["mid", "hard"]),
		describe_rules(list_rules(make_rule_tests(), "mid", "capped")),
		PageSection("findings", "Segments", plots=plot_segments(findings, 0.2)),
	]
	return save(render_insights(summary, sections, make_summary(), economics))


@pytest.fixture
def model_card(save):
	return save(render_model_card(make_card("simulated")))


@pytest.fixture
def exploration(save):
	return save(test_eda_page.render(test_eda_page.make_loans(), "simulated"))


@pytest.fixture
def book(save):
	return save(render_book(measure_book(*tell(), AS_OF), ORIGINS, AS_OF))


@pytest.fixture
def watchlist(save):
	found = list_them(months_of("drifts", dti_change_3m=[6.0]), months_of("late", days_past_due=[60.0]))
	plans = plan_them({}, LATE).assign(loan_id=found.entries["loan_id"])
	return save(render_watchlist(found.entries, plans, found.account, ORIGINS, "an assumption"))


@pytest.fixture
def visit(browser):
	opened = []

	def open_page(path, anchor="", **window):
		page = browser.new_page(**window)
		opened.append(page)
		page.goto(f"{path.as_uri()}{anchor}")
		return page

	yield open_page
	for page in opened:
		page.close()


def region(page, name):
	return page.get_by_role("region", name=name)


def press(page, name):
	page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
	("name", "table", "drawn"),
	[
		("insights", "Table: Grade", ["#chart-frontier svg", "#chart-rules svg"]),
		("model_card", "Scorecard of lending", []),
		("exploration", "Purpose by outcome", []),
		("book", "Condition of the months", ["#chart-default svg", "#chart-rolls svg", "#chart-arrears svg"]),
		("watchlist", "The list", []),
	],
)
def test_a_page_fits_its_window_with_every_table_open_and_asks_for_nothing(
	browser, name, table, drawn, viewport, request
):
	path = request.getfixturevalue(name)
	asked, said = [], []
	with closing(browser.new_page(viewport=viewport)) as page:
		page.on("request", lambda request: asked.append(request.url))
		page.on("console", lambda message: said.append(message.text))

		page.goto(path.as_uri())
		page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

		for chart in drawn:
			expect(page.locator(chart).first).to_be_visible()
		expect(region(page, table)).to_be_visible()
		assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
		assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
		assert said == []  # the policy of a page lets its own scripts run


def test_a_point_of_a_chart_says_its_figures_and_another_scenario_can_be_chosen(visit, insights):
	frontier = visit(insights).locator("#chart-frontier")

	frontier.locator("g.mark-symbol.role-mark path").last.hover()
	expect(frontier.page.locator("#vg-tooltip-element")).to_contain_text("+70 [+60, +80]")
	title = "Scenario {}, paid loans: whole term"
	expect(frontier.locator("text", has_text=title.format("mid"))).to_be_visible()
	frontier.get_by_label("hard").check()
	expect(frontier.locator("text", has_text=title.format("hard"))).to_be_visible()
	expect(frontier.locator("text", has_text="expected NPV").first).to_be_visible()


def test_the_insights_page_is_printed_with_charts_plots_and_every_table_that_says_more(visit, insights):
	page = visit(insights)
	expect(page.locator("#chart-frontier svg").first).to_be_visible()
	page.emulate_media(media="print")
	expect(page.locator("#by-grade .plot")).to_be_visible()
	expect(region(page, "Table: Grade")).to_be_hidden()
	expect(region(page, "Rules tried")).to_be_visible()
	expect(region(page, "Scenario hard, paid loans to")).to_be_visible()
	shown = page.evaluate(
		"[...document.querySelectorAll('#by-grade .axis text')]"
		".filter(t => getComputedStyle(t).display !== 'none').map(t => t.textContent)"
	)
	# Paper has room for every second tick.
	assert shown == ["0%", "40%", "80%"]
	expect(page.locator(".vega-bindings").first).to_be_hidden()
	# A4 less its margins, in pixels: what is wider would be cut or shrink the whole print.
	page.set_viewport_size({"width": 710, "height": 1000})
	assert page.evaluate("document.documentElement.scrollWidth") <= 710
	page.close()

	printed = print_page(insights)

	assert printed == insights.with_suffix(".pdf")
	assert printed.read_bytes().startswith(b"%PDF-")
	assert len(printed.read_bytes()) > 50_000


def test_without_scripts_everything_can_still_be_read(visit, insights, model_card):
	page = visit(insights, java_script_enabled=False)
	expect(page.get_by_role("heading", name="Decide by expected NPV")).to_be_visible()
	expect(page.locator("#chart-frontier")).to_have_text("")
	expect(page.get_by_role("heading", name="Table of scenario mid").first).to_be_visible()

	card = visit(model_card, java_script_enabled=False)
	card.locator("#model-lending summary").filter(has_text="Metrics").click()
	expect(region(card, "Metrics of lending")).to_be_visible()
	expect(card.locator("#unfold")).to_be_hidden()


def test_a_link_opens_every_fold_around_what_it_points_to(visit, model_card):
	page = visit(model_card, viewport=PHONE)
	inside = region(page, "Approval ratios of lending")
	assert not inside.is_visible()

	page.get_by_role("navigation").get_by_role("link", name="Fairness").click()

	expect(page.get_by_role("heading", name="Fairness by proxy groups")).to_be_in_viewport()
	expect(inside).to_be_visible()
	elsewhere = visit(model_card, "#model-benchmark")
	expect(elsewhere.get_by_text("No decision may rest on it").first).to_be_visible()


def test_folds_open_by_the_keyboard_all_at_once_and_in_print(visit, model_card):
	page = visit(model_card)
	metrics = region(page, "Metrics of lending")

	page.locator("#model-lending summary").filter(has_text="Metrics").press("Enter")
	expect(metrics).to_be_visible()
	press(page, "Open everything")
	expect(region(page, "Scorecard of lending")).to_be_visible()
	press(page, "Close everything")
	expect(metrics).to_be_hidden()
	page.emulate_media(media="print")
	expect(metrics).to_be_visible()


def test_the_book_opens_what_a_link_points_to_and_then_everything(visit, book):
	page = visit(book, viewport=PHONE)
	faults = region(page, "Condition of the months")
	expect(faults).to_be_hidden()

	page.get_by_role("link", name="The data").click()

	expect(faults).to_be_visible()
	expect(region(page, "By state")).to_be_hidden()
	press(page, "Open everything")
	expect(region(page, "By state")).to_be_visible()


@pytest.mark.parametrize(("queue", "shown"), [("counselling", ["drifts"]), ("all", ["drifts", "late"])])
def test_the_watch_list_shows_the_loans_of_a_queue_or_all(visit, watchlist, queue, shown):
	page = visit(watchlist, viewport=PHONE)
	loans = page.locator("#list tbody code").filter(visible=True)

	page.get_by_label("restructuring").check()
	expect(loans).to_have_text(["late"])
	page.get_by_label(queue).check()
	expect(loans).to_have_text(shown)


@pytest.mark.parametrize(("scheme", "card"), [("light", "255, 255, 255"), ("dark", "28, 34, 41")])
def test_the_report_of_skrub_has_our_colours_and_no_row_of_a_borrower(visit, exploration, scheme, card):
	page = visit(exploration, color_scheme=scheme)

	first = page.locator("#column-summaries-panel .column-summary").first
	expect(first).to_be_visible()
	expect(first).to_have_css("background-color", f"rgb({card})")
	expect(page.get_by_role("button", name="Associations")).to_be_visible()
	expect(page.get_by_role("button", name="Table", exact=True)).to_be_hidden()
	expect(page.get_by_text("SIMULATED DATA").first).to_be_visible()
