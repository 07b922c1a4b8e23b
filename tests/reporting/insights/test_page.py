import pandas as pd
import pytest

from loantap.reporting.formatting import PageTable
from loantap.reporting.insights.finding_tables import plot_segments
from loantap.reporting.insights.policy_tables import list_rules
from loantap.reporting.insights.sections import (
	PageSection,
	describe_audit,
	describe_claims,
	describe_drivers,
	describe_fairness,
	describe_findings,
	describe_rules,
	render_insights,
)
from tests.reporting.charts.test_charts import make_drivers, make_fairness_frontier
from tests.reporting.insights.test_tables import make_audit, make_rule_tests
from tests.reporting.page_outline import HOSTILE, Outline, assert_self_contained, read_section, read_text
from tests.spread import spread


@pytest.fixture
def render(summary, make_summary, economics):
	def with_sections(*sections, said=summary, **portfolio):
		return render_insights(said, sections, make_summary(**portfolio), economics)

	return with_sections


@pytest.fixture
def page(render, findings):
	lent_on = findings[findings["role"].ne("audit")]
	segments = PageSection("findings", "Segments", plots=plot_segments(lent_on, 0.2))
	return render(segments, describe_audit(findings, 0.2))


def test_the_page_is_one_file_that_loads_nothing(page):
	assert_self_contained(page)
	assert len(page.encode()) < 2_000_000


def test_findings_come_first_then_the_portfolio_and_at_the_end_what_profit_is_counted_by(page):
	text = read_text(page).replace("\N{NO-BREAK SPACE}", " ")

	assert page.index("The safest loans lose money") < page.index("<nav")
	assert text.index("What lending is assumed to cost") > text.index("11650")
	for told in (
		"The safest loans lose money At 5%. At others -366 (-467 to -265) per loan; n = 815",
		"Decide by expected NPV 62%. +105 (+73 to +137) per application; n = 4,715",
		"Too few to say No figure in money; n = 3",
		"page made on 2017-03-01",
		"n = 1,000 resolved loans issued from June 2007 to December 2016",
		"200 charged off, 20.0% (95% interval 17.6 to 22.6%)",
		"Only resolved loans",
		"issue years can therefore not be compared",
		"Loss given default (LGD) 70% 30% to 100% the Basel framework",
	):
		assert told in text


def test_money_is_green_or_red_only_beyond_chance(page, render, summary):
	assert page.count('class="money gain"') == 1
	assert page.count('class="money loss"') == 1
	summary["findings"][0]["money"] |= {"high": 0.0}
	summary["actions"][0]["money"] |= {"low": 0.0}

	doubtful = render(said=summary)

	assert 'class="money gain"' not in doubtful
	assert 'class="money loss"' not in doubtful


def test_simulated_data_is_called_simulated_and_no_other(page, render):
	simulated = render(origin="simulated")
	real = render(origin="real", monthly_events_origin="real")

	assert read_text(simulated).strip().startswith("SIMULATED DATA")
	assert "(simulated data)</title>" in simulated
	assert "simulated" not in read_text(real).lower()
	# Simulated events of real loans.
	assert "Monthly events: SIMULATED" in read_text(page)
	assert "SIMULATED DATA" not in read_text(page)


def test_a_segment_is_drawn_where_its_rate_is_and_told_in_words(page):
	section = page[page.index('id="by-grade"') : page.index('id="by-purpose"')]

	names = [part.split("</span>")[0] for part in section.split('<span class="name">')[1:-1]]
	assert names == ["A", "B", "C"]
	# The axis ends at 60%: the interval of the largest honest segment, grade C.
	assert '<line class="interval" x1="67.33%" x2="99.33%" y1="50%" y2="50%"/>' in section
	assert '<circle cx="83.33%"' in section
	assert "C: 50.0% charged off, 95% interval 40.4 to 59.6%, n 100" in section
	assert 'x1="33.33%" x2="33.33%"' in section  # the portfolio's 20%


def test_the_pincode_stands_apart_as_an_audit_and_without_what_it_earns(page):
	text = read_section(page, "audit")

	assert page.index('id="by-pincode"') > page.index('id="by-purpose"')
	assert "Built from the outcome, never to be lent on." in text
	assert "11650 100 100 100.0% 96.3 to 100.0% +2.0 [-1.0, +5.0] no difference shown" in text
	assert "-366" not in text


def test_hostile_text_stays_text(render, findings, summary):
	claims = pd.DataFrame(
		{"said": [HOSTILE], "verdict": ["not shown"], "answer": ["n = 5"], "asked": ["more of it"], "instead": ["nothing"]}
	)
	summary["findings"][0]["title"] = HOSTILE
	hostile = plot_segments(findings.assign(segment=HOSTILE), 0.2)
	folded = PageTable("Folded", ("a", HOSTILE), [["1", "2"]], "A note", is_folded=True)

	page = render(PageSection("extra", "Extra", HOSTILE, tables=[folded], plots=hostile), describe_claims(claims))

	assert_self_contained(page)
	assert HOSTILE not in page
	outline = Outline(page)
	names = {a.get("title") for a in outline.attributes if a["tag"] == "li" and "title" in a}
	assert names
	assert all(name.startswith(HOSTILE) for name in names)
	assert '<a href="#extra">Extra</a>' in page
	assert "<summary>Folded</summary>" in page
	text = read_text(page)
	assert "not shown n = 5 more of it nothing" in text
	assert "A note" in text


def make_information():
	values = pd.DataFrame(
		[("dti_pct", "applicant", 0.1, 0.05, 0.2, 0.01, 500), ("pincode", "audit", 0.9, 0.8, 1.0, 0.01, 500)],
		columns="factor role iv iv_low iv_high iv_chance loans".split(),
	)
	bins = pd.DataFrame(
		[
			{"factor": "dti_pct", "bin": name, "default_rate": 0.15, "loans": loans}
			for name, loans in (("below 20", 30), ("20 and more", 29))
		]
	)
	return values, bins


def test_drivers_come_with_the_chart_of_years_where_there_is_one():
	drivers = make_drivers()

	whole = describe_drivers(drivers, *make_information())
	yearless = describe_drivers(drivers[drivers["year"].eq(0)], *make_information())

	assert [chart.anchor for chart in whole.charts] == ["chart-drivers", "chart-driver-years"]
	# What nothing may be lent on is no driver.
	assert [row[0] for row in whole.tables[2].rows] == ["Debt-to-income ratio (DTI)"]
	# Nor is a bin of few loans told.
	assert whole.tables[2].rows[0][-1] == "below 20 (15.0%)"
	assert [chart.anchor for chart in yearless.charts] == ["chart-drivers"]
	assert {chart.loans for chart in whole.charts} == {5_239}


def test_a_factor_that_cannot_be_judged_has_no_rates():
	drivers = make_drivers().assign(lowest_segment="", lowest_rate=float("nan"), finding="too few loans to say")

	row = describe_drivers(drivers, *make_information()).tables[0].rows[0]

	assert row[3] == "\N{EN DASH}"
	assert row[4] == "F: 36.0%"


def test_rules_without_a_figure_have_a_table_and_no_chart():
	rules = list_rules(make_rule_tests(), "mid", "capped")
	none = rules.assign(profit_change=float("nan"))

	assert len(describe_rules(rules).charts) == 1
	assert describe_rules(none).charts == []
	assert len(describe_rules(none).tables) == 1


def test_findings_and_audit_share_the_factors_between_them(findings):
	worded = findings.assign(
		phrase="x", stability="x", **dict.fromkeys(("profit_capped", "profit_capped_low", "profit_capped_high"), 1.0)
	)
	years = pd.DataFrame([{"segmentation": "grade", "segment": "A", "year": 2014, **spread("effect", 1.0, 1.0)}])

	lent_on = describe_findings(worded, years, 0.2)
	audit = describe_audit(findings, 0.2)

	assert [plot.anchor for plot in lent_on.plots] == ["by-grade", "by-purpose"]
	assert [plot.anchor for plot in audit.plots] == ["by-pincode"]
	assert audit.is_audit
	assert not lent_on.is_audit


def test_fairness_without_a_frontier_has_no_chart():
	frontier = make_fairness_frontier()

	shown = describe_fairness(make_audit(), frontier, "mid", "contractual", 0.17)
	empty = describe_fairness(make_audit(), frontier.head(0), "mid", "contractual", 0.17)

	assert [chart.loans for chart in shown.charts] == [5_239]
	assert empty.charts == []
