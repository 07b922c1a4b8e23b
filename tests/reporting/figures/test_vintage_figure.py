import numpy as np
import pandas as pd
import pytest

from loantap.reporting.figures.frame import Title
from loantap.reporting.figures.vintages import plot_vintages

LENDING = Title("lending", "real", 3_000, not_for_lending=False)


def with_bounds(table, *names):
  bounds = {f"{n}_low": table[n] - 0.05 for n in names}
  return table.assign(**bounds, **{f"{n}_high": table[n] + 0.06 for n in names})


@pytest.fixture
def origins():
  table = pd.DataFrame(
    {
      "origin": pd.to_datetime(["2012-07-01", "2013-01-01", "2013-07-01"]),
      "until": pd.to_datetime(["2012-12-01", "2013-06-01", "2013-12-01"]),
      "n": [np.nan, 439, 612],
      "roc_auc": [np.nan, 0.65, 0.67],
    }
  )
  return with_bounds(table, "roc_auc")


@pytest.fixture
def vintages():
  table = pd.DataFrame(
    {
      "issue_year": [2009, 2012, 2013, 2013, 2014],
      "term_months": [36, 36, 36, 60, 36],
      "interpretable": [True, True, True, False, False],
      "n": [12, 454, 1_051, 243, 1_055],
      "default_rate": [0.1, 0.18, 0.11, 0.31, 0.18],
      "mean_pd": [0.12, 0.16, 0.15, 0.32, 0.16],
      "roc_auc": [np.nan, 0.62, 0.66, 0.6, 0.68],
    }
  )
  return with_bounds(table, "default_rate", "roc_auc")


def points(axes, label):
  (drawn,) = [c for c in axes.containers if str(c.get_label()).startswith(label)]
  return np.round(drawn[0].get_xydata(), 4).tolist()


def test_aucs_are_drawn_by_issue_year_and_by_origin(origins, vintages):
  upper, _ = plot_vintages(origins, vintages, 36, LENDING).axes

  assert points(upper, "by issue year") == [[2012, 0.62], [2013, 0.66]]
  # An origin stands in the middle of the half year it judges; one that was skipped is not drawn.
  assert points(upper, "out of time") == [[2012.75, 0.65], [2013.25, 0.67]]


def test_the_censored_part_is_shaded_and_says_so(origins, vintages):
  upper, lower = plot_vintages(origins, vintages, 36, LENDING).axes

  for axes in (upper, lower):
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (2013.5, 2014.5)
  words = " ".join(text.get_text() for text in lower.texts)
  assert "resolved only" in words
  assert "interpretable" in words
  (hollow,) = [c for c in upper.containers if "resolved" in str(c.get_label())]
  assert hollow[0].get_markerfacecolor() == "white"


def test_without_a_censored_part_nothing_is_shaded(origins, vintages):
  matured = vintages.assign(interpretable=True)

  assert not any(axes.patches for axes in plot_vintages(origins, matured, 36, LENDING).axes)
