"""The calibration plot of the Model page."""

from typing import Final

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, name_sample, percent, percent_interval

_TOLD: Final = ("Mean PD", "Default rate", "95% interval", "n")
_HEIGHT: Final = 340


def chart_calibration(reliability: pd.DataFrame) -> alt.LayerChart:
    """Observed default rate against predicted PD, in bins of each sample.

    Takes one row per bin: `sample`, `mean_pd`, `observed_rate` with `low` and `high`, `loans`.
    """
    told = pd.DataFrame(
        {
            "Mean PD": reliability["mean_pd"].map(percent),
            "Default rate": reliability["observed_rate"].map(percent),
            "95% interval": [
                percent_interval(low, high) for low, high in zip(reliability["low"], reliability["high"], strict=True)
            ],
            "n": reliability["loans"].map(count),
        }
    )
    columns = ["mean_pd", "observed_rate", "low", "high"]
    named = reliability["sample"].map(lambda name: name_sample(str(name)))
    bins = pd.concat([reliability[columns], told], axis=1).assign(series=named)
    end = round(float(reliability[["mean_pd", "high"]].max().max()), 2)
    perfect = pd.DataFrame({"mean_pd": [0.0, end], "observed_rate": [0.0, end]})
    percents = alt.Axis(format=".0%")
    x = alt.X("mean_pd:Q", title="Predicted probability of default", axis=percents)
    y = alt.Y("observed_rate:Q", title="Observed default rate", axis=percents)
    colour = colour_by("series", named.unique().tolist())
    base = alt.Chart(bins)
    return dress_chart(
        [
            alt.Chart(perfect).mark_line(color=MUTED, strokeDash=[4, 4]).encode(x, y),
            base.mark_rule(opacity=0.5, strokeWidth=2).encode(x, alt.Y("low:Q", title=""), colour, y2="high:Q"),
            base.mark_point(filled=True, size=60, opacity=1).encode(
                x, y, colour, tooltip=hover(*_TOLD, first=("series", "Sample"))
            ),
        ],
        height=_HEIGHT,
    )
