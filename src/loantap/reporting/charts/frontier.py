"""The frontier: what each default rate among approved loans costs in profit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import altair as alt
import pandas as pd

from loantap.reporting.charts.frame import INK, MUTED, colour_by, dress_chart, hover
from loantap.reporting.formatting import count, money, percent
from loantap.reporting.page_table import list_rows, with_interval

_FAMILIES: Final = {
    "npv_hurdle": "Expected NPV above a hurdle",
    "profit_score_hurdle": "Profit score above a hurdle",
    "capped_default_rate": "Expected default rate at most a cap",
    "pd_cutoff": "PD below a cut-off",
}
# Policies that have a point of their own, what they are called beside it, and on which side: they
# lie close together. The oracle lies far above all others.
_POINTS: Final = {
    "approve_all": ("everybody", "right below"),
    "bands": ("top tenth declined", "left below"),
    "grade_term_npv": ("grade by term", "right below"),
    "npv": ("expected NPV", "right above"),
    "f2_threshold": ("F2 threshold", "right below"),
}
_SIDES: Final[Mapping[str, tuple[Literal["left", "right"], int, int]]] = {
    "right above": ("left", 8, -8),
    "right below": ("left", 8, 10),
    "left above": ("right", -8, -8),
    "left below": ("right", -8, 10),
}
_TOLD: Final = ("Policy", "Approved", "Default rate of approved", "Profit per application", "n")
_CAPPED: Final = "capped_default_rate"
_PAID_LIVES: Final = {"contractual": "to the end of their term", "capped": "prepaid"}
_HEIGHT: Final = 340


def chart_frontier(
    frontier: pd.DataFrame, outlook: tuple[str, str], scenarios: Sequence[str]
) -> alt.LayerChart:
    """Profit per application against the default rate among approved loans.

    Readers choose the scenario, and how long paid loans have run.

    Args:
        frontier: one row per point: `family`, `is_policy`, `label`, `hurdle`, `n`,
            `approval_rate`, `default_rate_approved` and `profit` with `_low` and `_high`,
            `sample`, `scenario`, `paid_life`.
        outlook: the scenario and paid life shown first.
        scenarios: that can be chosen.
    """
    shown = _word(frontier)
    lines = shown[shown["family"].isin(_FAMILIES) & ~shown["is_policy"]]
    lines = lines.assign(series=lines["family"].map(_FAMILIES))
    points = _name_points(shown[shown["is_policy"]])
    chosen = [
        alt.param(name=name, value=first, bind=alt.binding_radio(options=options, labels=labels,
                                                                 name=f"{heading}: "))
        for name, first, options, labels, heading in (
            ("scenario", outlook[0], list(scenarios), list(scenarios), "Scenario"),
            ("paid_life", outlook[1], list(_PAID_LIVES), list(_PAID_LIVES.values()), "Paid loans"),
        )
    ]  # fmt: skip
    is_chosen = "datum.scenario == scenario && datum.paid_life == paid_life"
    # One scale for every choice, so that a change of scenario can be seen.
    rates = lines["default_rate_approved"].agg(["min", "max"]).tolist()
    x = alt.X("default_rate_approved:Q", title="Default rate among approved loans",
              axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=rates, nice=True))  # fmt: skip
    y = alt.Y("profit:Q", title="Imputed profit per application", axis=alt.Axis(format=",.0f"))
    colour = colour_by("series", list(_FAMILIES.values()))
    base = alt.Chart(lines).transform_filter(is_chosen)
    policies = alt.Chart(points).transform_filter(is_chosen)
    layers = [
        base.mark_rule(opacity=0.25, strokeWidth=2).encode(
            x, alt.Y("profit_low:Q", title=""), colour, y2="profit_high:Q"
        ),
        base.mark_line(strokeWidth=2, point={"size": 30}).encode(
            x, y, colour, order="path:Q", tooltip=hover(*_TOLD)
        ),
        alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=MUTED).encode(y="y:Q"),
        policies.mark_point(filled=True, size=80, color=INK, opacity=1).encode(
            x, y, tooltip=hover(*_TOLD)
        ),
        *(
            _write_names(policies, side).encode(x, y, text="name:N")
            for side in points["side"].unique()
        ),
    ]
    layers[0] = layers[0].add_params(*chosen)
    return dress_chart(layers, height=_HEIGHT)


def _name_points(policies: pd.DataFrame) -> pd.DataFrame:
    """The policies that have a point of their own, with their short name and its side."""
    is_cap = policies["family"].str.startswith(_CAPPED)
    points = policies[policies["family"].isin(_POINTS) | is_cap]
    named = [
        (f"cap {hurdle:.0%}", "left above") if family.startswith(_CAPPED) else _POINTS[family]
        for family, hurdle in zip(points["family"].astype(str), points["hurdle"], strict=True)
    ]
    return points.assign(name=[name for name, _ in named], side=[side for _, side in named])


def _write_names(policies: alt.Chart, side: str) -> alt.Chart:
    align, dx, dy = _SIDES[side]
    on_side = policies.transform_filter(alt.datum.side == side)
    named: alt.Chart = on_side.mark_text(align=align, dx=dx, dy=dy, fontSize=12, color=INK)
    return named


def _word(frontier: pd.DataFrame) -> pd.DataFrame:
    """The points of cross-validation, with what they say when they are pointed at."""
    shown = frontier[frontier["sample"].eq("cv") & frontier["default_rate_approved"].notna()]
    told = [
        {
            "Policy": str(row["label"]),
            "Approved": percent(row["approval_rate"]),
            "Default rate of approved": with_interval(row, "default_rate_approved", percent),
            "Profit per application": with_interval(row, "profit", money),
            "n": count(row["n"]),
        }
        for row in list_rows(shown)
    ]
    figures = ["family", "is_policy", "label", "hurdle", "scenario", "paid_life",
               "default_rate_approved", "profit", "profit_low", "profit_high"]  # fmt: skip
    # A line goes from its strictest point to its widest: by its cap, or by the share approved.
    path = shown["hurdle"].where(shown["family"].eq(_CAPPED), shown["approval_rate"])
    words = pd.DataFrame(told, index=shown.index, columns=list(_TOLD))
    hurdle = shown["hurdle"].where(shown["is_policy"])
    return pd.concat([shown[figures].assign(path=path, hurdle=hurdle), words], axis=1)
