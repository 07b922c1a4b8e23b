from __future__ import annotations

import pytest

from loantap.reporting.insights_page import render_insights
from tests.reporting.page_outline import HOSTILE, Outline, assert_self_contained, read_text


@pytest.fixture
def page(segments, recommendation, make_summary) -> str:
    return render_insights(segments, [recommendation], make_summary())


def test_the_page_is_one_file_that_loads_nothing(page):
    assert_self_contained(page)
    assert len(page.encode()) < 6_000_000


def test_the_page_states_its_portfolio_with_interval_and_what_the_rate_is_not(page):
    text = read_text(page)

    assert "page made on 2017-03-01" in text
    assert "n = 1,000 resolved loans issued from June 2007 to December 2016" in text
    assert "20.0% 95% interval 17.6 to 22.6%" in text
    assert "Only resolved loans" in text
    assert "issue years can therefore not be compared" in text


def test_simulated_data_is_called_simulated_first_thing(segments, make_summary):
    page = render_insights(segments, [], make_summary(origin="simulated"))

    text = read_text(page)
    assert text.strip().startswith("SIMULATED DATA")
    assert "(simulated data)</title>" in page


def test_real_data_is_not_called_simulated(segments, make_summary):
    page = render_insights(segments, [], make_summary("real", monthly_events_origin="real"))

    assert "simulated" not in read_text(page).lower()


def test_simulated_events_of_real_loans_are_called_simulated(page):
    assert "Monthly events: SIMULATED" in read_text(page)
    assert "SIMULATED DATA" not in read_text(page)


def test_segments_follow_their_order_within_a_segmentation(page):
    section = page[page.index('id="by-grade"') : page.index('id="by-purpose"')]
    names = [part.split("</span>")[0] for part in section.split('<span class="name">')[1:-1]]

    assert names == ["A", "B", "C"]


def test_a_segment_is_drawn_where_its_rate_is_and_told_in_words(page):
    section = page[page.index('id="by-grade"') : page.index('id="by-purpose"')]

    # The axis ends at 60%: the interval of the largest honest segment, grade C.
    assert '<line class="interval" x1="67.33%" x2="99.33%" y1="50%" y2="50%"/>' in section
    assert '<circle cx="83.33%"' in section
    assert "C: 50.0% charged off, 95% interval 40.4 to 59.6%, n 100" in section
    assert 'x1="33.33%" x2="33.33%"' in section  # the portfolio's 20%


def test_the_table_holds_every_segment(page):
    assert "debt consolidation 999 99.0% 199 19.9% 17.6 to 22.5%" in read_text(page)


def test_the_pincode_stands_apart_at_the_end_as_an_audit_finding(page):
    text = read_text(page)

    assert page.index('id="by-pincode"') > page.index('id="by-purpose"')
    assert "Audit finding: Pincode Built from the outcome, never to be lent on." in text
    assert text.index("11650") > text.index("Audit finding: Pincode")


def test_a_segment_keeps_its_name_however_hostile(segments, recommendation, make_summary):
    hostile = segments.assign(segment=HOSTILE)
    card = recommendation | {"title": HOSTILE}

    page = render_insights(hostile, [card], make_summary())

    outline = Outline(page)
    assert "script" not in outline.tags
    names = {a.get("title") for a in outline.attributes if a["tag"] == "li" and "title" in a}
    assert all(name.startswith(HOSTILE) for name in names)


def test_a_recommendation_shows_what_it_declines_and_what_that_earns(page):
    text = read_text(page)

    assert (
        "No loan of grade C Declines 100 of 1,000 approved loans; 50.0% of them were charged off "
        "(95% interval 40.4 to 59.6%), 16.7% of those kept." in text
    )
    assert (
        "Profit per application: +23 (95% interval +11 to +35), imputed, scenario mid, "
        "against approving all" in text
    )
    assert "n = 1,000, all judged loans; adjusted p &lt; 0.001" in text
    assert "rate is too low" not in text


def test_a_rule_that_holds_after_the_policy_alone_shows_its_figures_there(
    segments, recommendation, make_summary
):
    page = render_insights(segments, [recommendation | {"holds": False}], make_summary())

    text = read_text(page)
    assert "Declines 40 of 700 approved loans; 60.0% of them" in text
    assert "after the NPV policy" in text


def test_a_rule_against_cheap_loans_says_to_raise_the_rate(segments, recommendation, make_summary):
    page = render_insights(segments, [recommendation | {"cause": "price"}], make_summary())

    assert "their rate is too low. Raise it before declining." in read_text(page)


def test_without_recommendations_the_page_says_so(segments, make_summary):
    assert "supports no change" in read_text(render_insights(segments, [], make_summary()))


def test_a_segmentation_comes_with_its_meaning_and_unit(segments, make_summary):
    by_income = segments.replace({"segmentation": {"grade": "annual_income"}})

    text = read_text(render_insights(by_income, [], make_summary()))

    assert "Annual income Yearly income as stated (currency per year)." in text


def test_without_audit_segments_there_is_no_audit_section(segments, make_summary):
    page = render_insights(segments[~segments["audit_only"]], [], make_summary())

    assert_self_contained(page)
    assert "Audit finding" not in page


def test_an_audit_alone_is_still_an_audit(segments, make_summary):
    page = render_insights(segments[segments["audit_only"]], [], make_summary())

    assert "never to be lent on" in page


def test_the_same_tables_give_the_same_bytes_and_stay_as_they_were(
    segments, recommendation, make_summary
):
    before = segments.copy()

    pages = {render_insights(segments, [recommendation], make_summary()) for _ in range(2)}

    assert len(pages) == 1
    assert segments.equals(before)
