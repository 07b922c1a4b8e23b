"""Every table of a run's summary, for `summary=full`, and the results it is made from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loantap.portfolio.dictionary import SIMULATED


class FirstThatFits:
	"""The first of several forms, widest first, that the terminal has room for; else the last."""

	def __init__(self, *forms: RenderableType) -> None:
		self._forms = forms

	def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
		unlimited = options.update(max_width=1_000)
		for form in self._forms[:-1]:
			if Measurement.get(console, unlimited, form).maximum <= options.max_width:
				yield form
				return
		yield self._forms[-1]


@dataclass(frozen=True, slots=True)
class RunResults:
	"""What a run made, of all that its summary tells; None or empty where it made nothing of it.

	Reports have the structures of their JSON files. `decisions` and `offering_models` count `rows` of the files of scores
	and offers by `decision`, `model_name` and `model_version`.
	"""

	reconciliation: pd.DataFrame | None = None
	metrics: Mapping[str, Any] | None = None
	promotions: Mapping[str, Any] = field(default_factory=dict)
	vintages: Mapping[str, Any] | None = None
	reports: Sequence[Path] = ()
	scores: Path | None = None
	decisions: pd.DataFrame | None = None
	scoring_account: Mapping[str, Any] | None = None
	offers: Path | None = None
	offers_account: Mapping[str, Any] | None = None
	offering_models: pd.DataFrame | None = None
	next_steps: str = ""

	def external(self) -> dict[str, Mapping[str, Any]]:
		"""What was found on an external sample, by model; empty where none was given."""
		models = (self.vintages or {"models": {}})["models"]
		return {name: found["external"] for name, found in models.items() if "external" in found}


_SAMPLES: Final = {"cv": "cross-validated", "test": "test", "out_of_time": "out of time"}
# What `metrics.json` holds besides its models.
OF_ALL_MODELS: Final = ("origin", "target")
NOT_FOR_LENDING: Final = ("benchmark", "published_replica")
_NOTE: Final = "* not for lending. No loan is decided by F2"


def tabulate_metrics(metrics: Mapping[str, Any]) -> RenderableType:
	"""AUC, ECE and F2 with n and bounds, per model and sample of `metrics.json`."""
	title = "Models - SIMULATED DATA" if metrics["origin"] == SIMULATED else "Models"
	return FirstThatFits(_tabulate(metrics, title, between=" "), _stack(metrics, title))


def _tabulate(metrics: Mapping[str, Any], title: str, between: str) -> Table:
	table = Table(title=title, title_justify="left", caption=_NOTE, caption_justify="left")
	for name in ("model", "sample"):
		table.add_column(name, no_wrap=True)
	for name in ("n", "AUC", "ECE", "F2", "F2 declining all", "approved"):
		table.add_column(name, justify="right", no_wrap=True)
	for model, blocks in _list_models(metrics):
		shown = model
		for label, block in blocks:
			table.add_row(shown, label, *_list_figures(block, between))
			shown = ""
	return table


def _stack(metrics: Mapping[str, Any], title: str) -> Table:
	"""For 80 columns."""
	table = Table(
		title=title,
		title_justify="left",
		caption=_NOTE,
		caption_justify="left",
		box=None,
		pad_edge=False,
		padding=(0, 1, 0, 0),
	)
	table.add_column("", no_wrap=True)
	for name in ("n", "AUC", "ECE", "F2", "F2, all\ndeclined", "approved"):
		table.add_column(name, justify="right", no_wrap=True)
	for model, blocks in _list_models(metrics):
		table.add_row(model.replace(" *", "*"))
		for label, block in blocks:
			table.add_row(f" {label}", *_list_figures(block, "\n"))
	return table


def _list_models(metrics: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, Mapping[str, float] | None]]]]:
	for model, blocks in metrics.items():
		if model not in OF_ALL_MODELS:
			shown = f"{model} *" if model in NOT_FOR_LENDING else model
			yield shown, [(_SAMPLES[s], blocks[s]) for s in _SAMPLES if s in blocks]


def _list_figures(block: Mapping[str, float] | None, between: str) -> list[str]:
	if block is None:
		return ["", "too few loans", "", "", "", ""]
	return [
		f"{block['n']:,}",
		_with_bounds(block, "roc_auc", between),
		f"{block['ece']:.3f}",
		_with_bounds(block, "f2", between),
		f"{block['f2_decline_all']:.3f}",
		f"{block['approval_rate']:.0%}",
	]


def _with_bounds(block: Mapping[str, float], name: str, between: str) -> str:
	if f"{name}_low" not in block:
		return f"{block[name]:.3f}"
	# In its own line the interval has no room to spare.
	comma = ", " if between == " " else ","
	bounds = f"[{block[f'{name}_low']:.3f}{comma}{block[f'{name}_high']:.3f}]"
	return f"{block[name]:.3f}{between}{bounds}"


def list_details(results: RunResults) -> Iterator[RenderableType]:
	"""Every table of the summary."""
	if results.reconciliation is not None:
		yield _tabulate_rows(results.reconciliation)
	if results.metrics is not None:
		yield tabulate_metrics(results.metrics)
	if lines := list(_tell_promotions(results.promotions)):
		yield Group(Text("Promotion"), *lines)
	yield from _tell_external(results.external())
	if results.reports:
		yield Text("\n  ".join(["Reports", *map(str, results.reports)]))


def _tell_promotions(promotions: Mapping[str, Any]) -> Iterator[RenderableType]:
	for model, promotion in promotions.items():
		if model in NOT_FOR_LENDING:
			continue
		verdict = promotion["champion"]
		yield _indent(verdict["headline"])
		for condition in verdict["conditions"]:
			answer = "yes" if condition["holds"] else "NO"
			yield _indent(f"{condition['name']}: {answer}, {condition['evidence']}", by=4)


def _tell_external(found: Mapping[str, Mapping[str, Any]]) -> Iterator[RenderableType]:
	if not found:
		return
	any_ = next(iter(found.values()))
	yield Text(
		f"External sample: {any_['n']:,} loans issued {any_['first_issue_month']} to "
		f"{any_['last_issue_month']}, {any_['charged_off']:,} charged off"
	)
	for row in found.values():
		overlap = (
			"it was trained on none of them"
			if row["is_overlap_checked"]
			else "whether it was trained on any of them CANNOT BE CHECKED"
		)
		yield _indent(
			f"{row['model_name']} version {row['model_version']}: AUC {_bounded(row, 'roc_auc')}, the interest rate "
			f"alone {_bounded(row, 'rate_roc_auc')}, gain {_bounded(row, 'auc_gain')}; {overlap}"
		)


def _bounded(row: Mapping[str, float], name: str) -> str:
	return f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"


def _indent(text: str, by: int = 2) -> Padding:
	return Padding(Text(text), (0, 0, 0, by))


def _tabulate_rows(reconciliation: pd.DataFrame) -> Table:
	table = Table(title="Rows per source", title_justify="left")
	table.add_column("source table")
	table.add_column("origin")
	names = ["extracted", "kept", "running", "left_out", "quarantined"]
	# Of a book without running loans they are not worth their width.
	for name in ("running", "left_out"):
		if not reconciliation[name].any():
			names.remove(name)
	for name in names:
		table.add_column(name.replace("_", " "), justify="right")
	for row in reconciliation.itertuples():
		origin = Text("SIMULATED", style="bold yellow") if row.origin == SIMULATED else "real"
		table.add_row(str(row.table), origin, *(f"{getattr(row, name):,}" for name in names))
	return table
