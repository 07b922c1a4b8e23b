import re

import pytest

from loantap.serving.api.schemas import Contribution
from loantap.serving.dashboard.decision_view import list_steps, write_waterfall


def make(*points):
  return [Contribution(feature="f", label=f"fact {n}", points=p) for n, p in enumerate(points)]


def test_the_largest_come_first_and_the_steps_add_up_to_what_the_features_do():
  points = [0.01, -5.0, *(1.0 + n / 10 for n in range(14))]

  steps = list_steps(make(*points))

  assert steps[0] == ("fact 1", -5.0)
  assert steps[-1][0] == "all others"
  assert len(steps) == 11
  assert sum(step[1] for step in steps) == pytest.approx(sum(points))


def test_features_of_one_fact_are_one_step():
  assert list_steps([*make(2.0), *make(1.5)]) == [("fact 0", 3.5)]


def test_each_bar_begins_where_the_one_before_it_ends():
  written = write_waterfall(600.0, make(-10.0, 5.0), 595)

  assert "<th scope=row>Fact 0</th><td class=num>▼ -10.0</td>" in written
  assert "▲ +5.0" in written
  assert re.findall(r'"(up|down)" style="left:([\d.]+)%;width:([\d.]+)%', written) == [
    ("down", "0.00", "100.00"),
    ("up", "0.00", "50.00"),
  ]
  assert ">595</td><td></td></tr></table>" in written
