"""Where dots and intervals of an SVG plot without scripts lie, in per cent of its width."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from loantap.reporting.formatting import count, percent, percent_interval

# Below this a segment's rate says little: it is drawn pale and does not stretch the scale.
FEW_LOANS: Final = 30

_TICK_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_MAX_TICKS = 7


@dataclass(frozen=True, slots=True)
class Tick:
	"""A labelled position on an axis; `at` in per cent of the width."""

	at: float
	label: str


@dataclass(frozen=True, slots=True)
class Axis:
	"""A horizontal axis from `start` to `end`, linear or logarithmic."""

	start: float
	end: float
	ticks: tuple[Tick, ...]
	is_log: bool = False

	def place(self, value: float) -> float:
		"""Position of a value in per cent of the width, held inside the axis."""
		return _place(value, self.start, self.end, is_log=self.is_log)


@dataclass(frozen=True, slots=True)
class Dot:
	"""One row of an interval plot: positions are in per cent of the width, figures in words.

	`note` is interval and number of loans, `hover` all in one sentence. The whole interval lies `above` or `below` the
	reference, else `near`; `few` loans say too little. `is_cut`: the interval reaches beyond the axis; `is_outside`: the
	dot does.
	"""

	label: str
	value: str
	note: str
	hover: str
	at: float
	low: float
	high: float
	position: str
	is_cut: bool
	is_outside: bool


def make_rate_axis(highest: float) -> Axis:
	"""Axis for rates from 0 to the round figure at or above `highest`, at most 1."""
	top = min(max(highest, 0.01), 1.0)
	step = next((s for s in _TICK_STEPS if top / s <= _MAX_TICKS), _TICK_STEPS[-1])
	steps = math.ceil(round(top / step, 9))
	end = steps * step
	ticks = tuple(Tick(_place(i * step, 0, end, is_log=False), percent(i * step, 0)) for i in range(steps + 1))
	return Axis(0.0, end, ticks)


def make_ratio_axis(ratios: Sequence[float]) -> Axis:
	"""Logarithmic axis for odds ratios, symmetric about 1, in powers of 2 or of 10."""
	furthest = max((abs(math.log(r)) for r in ratios if r > 0), default=0.0)
	base = 2 if furthest <= math.log(8) else 10
	power = max(1, math.ceil(round(furthest / math.log(base), 9)))
	stride = math.ceil(power / 3)
	shown = range(-(power // stride) * stride, power + 1, stride)
	ends = float(base) ** -power, float(base) ** power
	ticks = tuple(Tick(_place(float(base) ** p, *ends, is_log=True), f"{float(base) ** p:,.4g}") for p in shown)
	return Axis(*ends, ticks, is_log=True)


def place_rates(segments: pd.DataFrame, axis: Axis, reference: float) -> list[Dot]:
	"""Rows of a plot of default rates, one per row of `segments`, compared with a rate.

	Each has `segment`, `loans`, `default_rate`, `low`, `high`, none missing.
	"""
	return [
		_place_rate(label, loans, (rate, low, high), axis, reference)
		for label, loans, rate, low, high in segments[["segment", "loans", "default_rate", "low", "high"]].itertuples(
			index=False, name=None
		)
	]


def _place_rate(label: object, loans: float, bounds: tuple[float, float, float], axis: Axis, reference: float) -> Dot:
	rate, low, high = bounds
	interval = percent_interval(low, high)
	known = count(loans)
	return Dot(
		label=str(label),
		value=percent(rate),
		note=f"{interval} · n {known}",
		hover=f"{label}: {percent(rate)} charged off, 95% interval {interval}, n {known}",
		at=axis.place(rate),
		low=axis.place(low),
		high=axis.place(high),
		position="few" if loans < FEW_LOANS else compare(low, high, reference),
		is_cut=high > axis.end,
		is_outside=rate > axis.end,
	)


def compare(low: float, high: float, reference: float) -> str:
	"""On which side of the reference an interval lies: `above`, `below` or `near`."""
	if low > reference:
		return "above"
	return "below" if high < reference else "near"


def _place(value: float, start: float, end: float, *, is_log: bool) -> float:
	held = min(max(value, start), end)
	share = math.log(held / start) / math.log(end / start) if is_log else (held - start) / (end - start)
	return round(100 * share, 2)
