import pandas as pd
import pytest

from loantap.reporting.figures.interval_plot import compare, make_rate_axis, make_ratio_axis, place_rates
from loantap.reporting.formatting import (
  NOTHING,
  decimal,
  decimal_interval,
  explain_segmentation,
  name_segmentation,
  percent,
)


@pytest.mark.parametrize(
  ("highest", "end", "last"), [(0.48, 0.5, "50%"), (1.0, 1.0, "100%"), (0.02, 0.02, "2%"), (0.0, 0.01, "1%")]
)
def test_a_rate_axis_runs_from_zero_to_a_round_figure(highest, end, last):
  axis = make_rate_axis(highest)

  assert axis.end == pytest.approx(end)
  assert axis.ticks[0].label == "0%"
  assert axis.ticks[-1].label == last
  assert 2 <= len(axis.ticks) <= 8


def test_a_ratio_and_its_inverse_lie_at_equal_distance_from_one():
  axis = make_ratio_axis([0.5, 1.7])

  assert axis.place(1) == 50
  assert axis.place(1.5) - 50 == pytest.approx(50 - axis.place(1 / 1.5), abs=0.02)
  assert [tick.label for tick in axis.ticks] == ["0.5", "1", "2"]


@pytest.mark.parametrize(
  ("low", "high", "side"), [(0.21, 0.3, "above"), (0.1, 0.19, "below"), (0.1, 0.3, "near"), (0.2, 0.3, "near")]
)
def test_a_segment_stands_out_only_when_its_whole_interval_does(low, high, side):
  assert compare(low, high, reference=0.2) == side


def test_a_segment_of_a_few_loans_never_stands_out_and_may_reach_beyond_the_axis():
  segments = pd.DataFrame({"segment": ["x"], "loans": [1], "default_rate": [1.0], "low": [0.207], "high": [1.0]})

  (dot,) = place_rates(segments, make_rate_axis(0.5), reference=0.2)

  assert (dot.position, dot.is_cut, dot.is_outside) == ("few", True, True)
  assert dot.hover == "x: 100.0% charged off, 95% interval 20.7 to 100.0%, n 1"


def test_what_is_missing_is_shown_as_a_dash_and_nothing_has_a_minus_before_zero():
  assert percent(float("nan")) == decimal(None) == NOTHING
  assert decimal(-0.00004, 4) == "0.0000"
  assert decimal_interval(-0.0112, -0.00001, 4) == "-0.0112 to 0.0000"


def test_a_segmentation_is_named_in_words_and_explained_by_the_data_dictionary():
  assert name_segmentation("dti_pct") == "Debt-to-income ratio (DTI)"
  assert explain_segmentation("grade") == "Risk grade given by the incumbent engine"
  assert explain_segmentation("dti_pct").endswith("(percent)")
  assert not explain_segmentation("star_sign")
