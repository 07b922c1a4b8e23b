"""The pages in a real browser: nothing is fetched, nothing overflows, on a desk and on a phone."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from loantap.policy.exploration import SAME_BY_DEFINITION, explore_outcomes
from loantap.project.pdf import print_page
from loantap.reporting.eda_page import render_eda
from loantap.reporting.insights.page import render_insights
from loantap.reporting.insights.policy_tables import list_rules, tabulate_targets
from loantap.reporting.insights.sections import (
    PageSection,
    describe_policies,
    describe_rules,
)
from loantap.reporting.insights.segment_plots import plot_segments
from loantap.reporting.model_card.page import render_model_card
from tests.reporting.card_material import make_card
from tests.reporting.charts.test_charts import make_frontier
from tests.reporting.insights.test_tables import make_policies, make_rule_tests, make_targets
from tests.support.browser import launched


@pytest.fixture(scope="module")
def browser():
    with launched() as chromium:
        yield chromium


@pytest.fixture
def insights(tmp_path, findings, summary, make_summary, economics):
    path = tmp_path / "insights.html"
    sections = [
        describe_policies(
            make_policies(),
            make_frontier("contractual", "capped"),
            tabulate_targets(make_targets(), "npv 2026-11"),
            "mid",
            ["mid", "hard"],
        ),
        describe_rules(list_rules(make_rule_tests(), "mid", "capped")),
        PageSection("findings", "Segments", plots=plot_segments(findings, 0.2)),
    ]
    page = render_insights(summary, sections, make_summary(), economics)
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def model_card(tmp_path):
    path = tmp_path / "model_card.html"
    path.write_text(render_model_card(make_card("simulated")), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
def test_the_insights_page_fits_its_window_and_asks_for_nothing(browser, insights, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked = []
    said = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))

    page.goto(insights.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    for drawn in ("#chart-frontier svg", "#chart-rules svg"):
        expect(page.locator(drawn).first).to_be_visible()
    expect(page.get_by_role("region", name="Table: Grade")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [insights.as_uri()]
    assert said == []
    page.close()


def test_a_point_of_a_chart_says_its_figures_and_another_scenario_can_be_chosen(browser, insights):
    page = browser.new_page()
    page.goto(insights.as_uri())
    frontier = page.locator("#chart-frontier")

    frontier.locator("g.mark-symbol.role-mark path").last.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("+70 [+60, +80]")
    expect(
        frontier.locator("text", has_text="Scenario mid, paid loans: whole term")
    ).to_be_visible()
    frontier.get_by_label("hard").check()
    expect(
        frontier.locator("text", has_text="Scenario hard, paid loans: whole term")
    ).to_be_visible()
    expect(frontier.locator("text", has_text="expected NPV").first).to_be_visible()
    page.close()


def test_the_insights_page_is_printed_with_charts_plots_and_every_table_that_says_more(
    browser, insights
):
    page = browser.new_page()
    page.goto(insights.as_uri())
    expect(page.locator("#chart-frontier svg").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#by-grade .plot")).to_be_visible()
    expect(page.get_by_role("region", name="Table: Grade")).to_be_hidden()
    expect(page.get_by_role("region", name="Rules tried")).to_be_visible()
    expect(page.get_by_role("region", name="Scenario hard, paid loans to")).to_be_visible()
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


def test_the_insights_page_can_be_read_without_scripts(browser, insights):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(insights.as_uri())

    expect(page.get_by_role("heading", name="Decide by expected NPV")).to_be_visible()
    expect(page.locator("#chart-frontier")).to_have_text("")
    expect(page.get_by_role("heading", name="Table of scenario mid").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_model_card_fits_its_window_with_every_table_open(browser, model_card, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(model_card.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    assert page.get_by_role("region", name="Scorecard of lending").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("data:")] == [model_card.as_uri()]
    page.close()


def test_a_link_of_the_contents_leads_to_its_section_and_opens_it(browser, model_card):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(model_card.as_uri())
    inside = page.get_by_role("region", name="Approval ratios of lending")
    assert not inside.is_visible()

    page.get_by_role("navigation").get_by_role("link", name="Fairness").click()

    expect(page.get_by_role("heading", name="Fairness by proxy groups")).to_be_in_viewport()
    expect(inside).to_be_visible()
    page.close()


def test_a_link_from_elsewhere_opens_every_fold_around_what_it_points_to(browser, model_card):
    page = browser.new_page()

    page.goto(f"{model_card.as_uri()}#model-benchmark")

    expect(page.get_by_text("No decision may rest on it").first).to_be_visible()
    page.close()


def test_folds_open_by_the_keyboard_and_all_at_once(browser, model_card):
    page = browser.new_page()
    page.goto(model_card.as_uri())
    metrics = page.get_by_role("region", name="Metrics of lending")

    page.locator("#model-lending summary").filter(has_text="Metrics").press("Enter")
    expect(metrics).to_be_visible()
    page.get_by_role("button", name="Open everything").click()
    expect(page.get_by_role("region", name="Scorecard of lending")).to_be_visible()
    page.get_by_role("button", name="Close everything").click()
    expect(metrics).to_be_hidden()
    page.close()


def test_print_shows_what_is_folded_away(browser, model_card):
    page = browser.new_page()
    page.goto(model_card.as_uri())

    page.emulate_media(media="print")

    expect(page.get_by_role("region", name="Metrics of lending")).to_be_visible()
    page.close()


def test_without_scripts_everything_can_still_be_read(browser, model_card):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(model_card.as_uri())

    page.locator("#model-lending summary").filter(has_text="Metrics").click()

    expect(page.get_by_role("region", name="Metrics of lending")).to_be_visible()
    expect(page.locator("#unfold")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(("width", "shown"), [(390, True), (1280, False)])
def test_a_table_says_that_it_scrolls_where_it_does(browser, model_card, width, shown):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(model_card.as_uri())
    hint = """
        getComputedStyle(document.querySelector("#figures .scroll"), "::before").display
    """

    assert (page.evaluate(hint) == "block") is shown
    page.close()


def test_the_verdict_is_on_the_first_screen(browser, model_card):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(model_card.as_uri())

    expect(page.get_by_role("heading", name="Decides on applications")).to_be_in_viewport()
    page.close()


@pytest.fixture
def exploration(tmp_path):
    loans = pd.DataFrame(
        {
            "home_ownership": ["OWN", "RENT", "MORTGAGE", "RENT"] * 50,
            "loan_amount": np.arange(200) * 100.0 + 1_000,
            "is_charged_off": np.tile([0, 0, 0, 1], 50),
        }
    )
    found = explore_outcomes(loans)
    page = render_eda(loans, found.numbers, found.levels, SAME_BY_DEFINITION,
                      origin="simulated", as_of=date(2026, 11, 23))  # fmt: skip
    path = tmp_path / "eda.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
def test_the_exploration_page_fits_its_window_and_asks_for_nothing(browser, exploration, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked = []
    said = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))

    page.goto(exploration.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    expect(page.get_by_role("region", name="Home ownership by outcome")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []  # the policy of the page lets skrub's scripts run
    page.close()


@pytest.mark.parametrize(("scheme", "card"), [("light", "255, 255, 255"), ("dark", "28, 34, 41")])
def test_the_report_of_skrub_has_our_colours_and_no_row_of_a_borrower(
    browser, exploration, scheme, card
):
    page = browser.new_page(color_scheme=scheme)

    page.goto(exploration.as_uri())

    first = page.locator("#column-summaries-panel .column-summary").first
    expect(first).to_be_visible()
    expect(first).to_have_css("background-color", f"rgb({card})")
    expect(page.get_by_role("button", name="Associations")).to_be_visible()
    expect(page.get_by_role("button", name="Table", exact=True)).to_be_hidden()
    page.close()


def test_the_exploration_page_says_whose_data_it_shows(browser, exploration):
    page = browser.new_page()

    page.goto(exploration.as_uri())

    assert page.get_by_text("SIMULATED DATA").first.is_visible()
    page.close()
