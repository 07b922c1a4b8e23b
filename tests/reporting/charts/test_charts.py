import json

import pandas as pd
import pytest

from loantap.reporting.charts.findings import chart_driver_years, chart_drivers, chart_fairness_price, chart_rules
from loantap.reporting.charts.frame import to_spec
from loantap.reporting.charts.frontier import Place, chart_frontier, place_names
from loantap.reporting.insights.policy_tables import list_rules
from loantap.reporting.shell import write_spec
from tests.reporting.insights.test_tables import make_rule_tests
from tests.reporting.page_outline import HOSTILE
from tests.spread import spread, spread_all

NAN = float("nan")


def rows_of(chart, column):
	"""The longest where several have it."""
	sets = to_spec(chart)["datasets"].values()
	return max((rows for rows in sets if column in rows[0]), key=len)


def make_frontier(*paid_lives):
	return pd.DataFrame(
		[
			{
				"family": family,
				"label": family,
				"is_policy": is_policy,
				"sample": sample,
				"scenario": scenario,
				"paid_life": paid_life,
				"n": 4_715,
				"approval_rate": share,
				"hurdle": hurdle,
				**spread_all(default_rate_approved=(rate, 0.01), profit=(profit, 10)),
			}
			for family, is_policy, rate, profit, share, hurdle in (
				("npv_hurdle", False, 0.3, 100, 0.1, 0.02),
				("npv_hurdle", False, 0.1, 50, 0.9, 0),
				("npv_hurdle", False, NAN, 0, 0, 0.5),
				("npv", True, 0.2, 80.4, 0.6, NAN),
				("capped_default_rate", False, 0.15, 60, 0.6, 0.15),
				("capped_default_rate_19", True, 0.18, 70, 0.7, 0.19),
				("oracle", True, 0, 900, 0.7, NAN),
			)
			for sample in ("cv", "test")
			for scenario in ("mid", "hard")
			for paid_life in paid_lives
		]
	)


def test_the_frontier_holds_the_points_of_cross_validation_that_approve_somebody():
	chart = chart_frontier(make_frontier("capped"), ("mid", "capped"), ["mid", "hard"])

	points = rows_of(chart, "name")
	line = next(rows for rows in to_spec(chart)["datasets"].values() if "series" in rows[0])
	# A line goes by the share approved, that of caps by the cap.
	assert [(row["default_rate_approved"], row["path"]) for row in line[::2]] == [(0.3, 0.1), (0.1, 0.9), (0.15, 0.15)]
	# The oracle lies far above all others and has no point.
	assert [row["name"] for row in points[::2]] == ["expected NPV", "cap 19%"]
	assert points[0]["Profit per application"] == "+80 [+70, +90]"
	assert points[0]["n"] == "4,715"


def make_drivers():
	return pd.DataFrame(
		[
			{
				"factor": phrase,
				"phrase": phrase,
				"role": role,
				"year": year,
				"rank": rank,
				"loans": 5_239,
				"lowest_segment": "A",
				"lowest_rate": 0.06,
				"highest_segment": "F",
				"highest_rate": 0.36,
				"finding": "drives default",
				**spread("strength", strength, 1),
			}
			for phrase, role, rank, strengths in (
				("DTI", "applicant", 2, {0: 2.4, 2014: -1.2, 2015: NAN}),
				("grade", "lender", 1, {0: 7.6, 2014: 6.0, 2015: 9.0}),
			)
			for year, strength in strengths.items()
		]
	)


def test_drivers_are_ranked_over_all_years_with_what_they_say():
	rows = rows_of(chart_drivers(make_drivers()), "phrase")

	assert [(row["phrase"], row["whose"]) for row in rows] == [("grade", "set by the lender"), ("DTI", "the applicant's")]
	assert rows[0]["Strength, points"] == "7.6 [6.6, 8.6]"
	assert rows[0]["Lowest"] == "A: 6.0%"
	assert rows[0]["n"] == "5,239"


def test_a_year_with_too_few_loans_has_no_field():
	chart = chart_driver_years(make_drivers())

	fields = [(row["phrase"], row["year"], row["strength"]) for row in rows_of(chart, "year")]
	assert fields == [("DTI", 2014, -1.2), ("grade", 2014, 6.0), ("grade", 2015, 9.0)]
	rect = to_spec(chart)["layer"][0]
	assert rect["encoding"]["y"]["sort"] == ["grade", "DTI"]
	assert rect["encoding"]["color"]["scale"]["domain"] == [-9.0, 9.0]
	# -1.2 [-2.2, -0.2] is told from chance.
	assert all(row["is_told"] for row in rows_of(chart, "year"))
	pale = chart_driver_years(make_drivers().assign(strength_low=-1.0, strength_high=9.0))
	assert not any(row["is_told"] for row in rows_of(pale, "year"))
	drivers = make_drivers()
	assert chart_driver_years(drivers[drivers["year"].eq(0)]) is None


def test_a_rule_of_too_few_loans_has_no_dot():
	rules = list_rules(make_rule_tests(), "mid", "capped").query("rule_id == 'dti'")

	(row,) = rows_of(chart_rules(rules), "profit_change")

	assert row["after"] == "Rule alone, against approving all"
	assert row["Beside"] == "Rule alone, against approving all"
	assert row["Profit change"] == "+23 [+13, +33]"
	assert row["Declines"] == "86"
	(named,) = rows_of(chart_rules(rules), "name")
	assert named["name"] == ["DTI, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}5,239"]


def make_fairness_frontier():
	frontier = pd.DataFrame(
		[
			{
				"phrase": "Housing, which may stand for wealth",
				"n": 5_239,
				"scenario": scenario,
				"paid_life": "contractual",
				"target_ratio": ratio,
				**spread("default_rate_approved", 0.22, 0.02),
				**spread_all(worst_ratio=(ratio, 0.1), lost_per_application=(lost, 2)),
			}
			for scenario in ("mid", "hard")
			# What .8 asks for is reached today; income reaches the same as housing at .9.
			for ratio, lost in ((0.8, 0.0), (0.8, 0.0), (0.9, 4.5))
		]
	)
	other = frontier.tail(1).assign(phrase="Income", scenario="mid", worst_ratio=0.901)
	return pd.concat([frontier, other])


def test_the_price_of_fairness_is_drawn_in_one_scenario():
	rows = rows_of(chart_fairness_price(make_fairness_frontier(), "mid", "contractual"), "group")

	assert [(row["group"], row["worst_ratio"], row["shift"]) for row in rows] == [
		("Housing", 0.8, 0),
		("Housing", 0.9, -3.5),
		("Income", 0.901, 3.5),
	]
	assert rows[1]["Profit lost per application"] == "4.5 [2.5, 6.5]"


def test_a_specification_cannot_end_the_element_that_it_stands_in():
	spec = {"title": f"</script>{HOSTILE}"}

	written = write_spec(spec)

	assert "<" not in written
	assert json.loads(written) == spec


@pytest.mark.parametrize(
	("names", "at", "sides", "places"),
	[
		(["a"], (0.5, 0.5), {}, [Place("left", 8, -8)]),
		(["a"], (0.5, 0.5), {"a": "right"}, [Place("right", -8, -8)]),
		# At the edge it stands within the plot.
		(["grade by term"], (1.0, 0.5), {}, [Place("right", -8, -8)]),
		# Two of one spot do not lie over one another.
		(["expected", "everybody"], (0.5, 0.5), {}, [Place("left", 8, -8), Place("left", 8, 10)]),
		# This one has room on a desk only.
		(["a name that is longer than the plot on a phone"], (0.2, 0.5), {}, [Place("left", 8, -8, is_wide=True)]),
	],
)
def test_a_name_stands_where_it_can_be_read(names, at, sides, places):
	assert place_names(names, [at] * len(names), 300, sides) == places


def test_where_there_is_no_room_there_is_no_name():
	crowd = [(0.5, 0.5)] * 30

	places = place_names(["somebody"] * 30, crowd, 300)

	assert places[0] is not None
	assert places[-1] is None
