"""The waterfall of a decision: the points of each fact."""

from collections.abc import Sequence
from html import escape
from itertools import accumulate
from typing import Final

from loantap.reporting.formatting import capitalize_first, decimal, signed
from loantap.serving.api.schemas import Contribution

_LARGEST: Final = 10
# Small ones are told together.
_NOTHING: Final = 0.05


def list_steps(contributions: Sequence[Contribution]) -> list[tuple[str, float]]:
    """Facts and points, largest first; one fact's features, and small facts, together."""
    points: dict[str, float] = {}
    for one in contributions:
        points[one.label] = points.get(one.label, 0.0) + one.points
    ordered = sorted(points.items(), key=lambda step: -abs(step[1]))
    shown = [step for step in ordered[:_LARGEST] if abs(step[1]) >= _NOTHING]
    rest = sum(step[1] for step in ordered[len(shown) :])
    return [*shown, ("all others", rest)] if abs(rest) >= _NOTHING else shown


def write_waterfall(base: float, contributions: Sequence[Contribution], score: int) -> str:
    """A table from every loan's base points to the score, with bars; it reads as text, too."""
    steps = list_steps(contributions)
    ends = [*accumulate((points for _, points in steps), initial=base)]
    low = min(ends)
    width = max(ends) - low or 1.0
    rows = [_write_row("Where every loan starts", decimal(base, 1))]
    for (label, points), start in zip(steps, ends, strict=False):
        left = 100 * (min(start, start + points) - low) / width
        way, mark = ("up", "▲") if points > 0 else ("down", "▼")
        place = f"left:{left:.2f}%;width:{100 * abs(points) / width:.2f}%"
        bar = f'<i class="{way}" style="{place}"></i>'
        rows.append(_write_row(capitalize_first(label), f"{mark} {signed(points)}", bar))
    rows.append(_write_row("Score", str(score)))
    return f'<table class="lt-waterfall">{"".join(rows)}</table>'


def _write_row(label: str, points: str, bar: str = "") -> str:
    cells = f"<th scope=row>{escape(label)}</th><td class=num>{points}</td>"
    return f"<tr>{cells}<td>{bar}</td></tr>"
