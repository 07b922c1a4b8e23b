import pytest

from loantap.reporting.charts.names import Place, place_names


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
