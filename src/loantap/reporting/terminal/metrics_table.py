"""Headline metrics at the end of a run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.terminal.fitting import FirstThatFits

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
  """For 80 columns: the model in a line of its own, bounds below the figure."""
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
