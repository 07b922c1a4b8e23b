"""What came out of a run."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from loantap.datasets import BatchedDataset, StagedDataset
from loantap.hooks.saved import Catalog
from loantap.model.validation.evaluation import measure_out_of_fold
from loantap.portfolio.assembly import portfolio_origin
from loantap.registry.connection import registry_address
from loantap.reporting.terminal.details import RunResults

_PROMOTION = re.compile(r"modeling\.(\w+)\.promotion")
_PREDICTIONS = re.compile(r"modeling\.(\w+)\.predictions")
_METRICS, _VINTAGES = "evaluation.metrics", "evaluation.vintage_analysis"
_ACCOUNT, _OFFERS_ACCOUNT = "scoring.scoring_account", "offers.offers_account"
_MODEL = ["model_name", "model_version"]


def collect_results(catalog: Catalog, names: Sequence[str], project: Path) -> RunResults:
  """What the closing summary tells."""
  saved = {name: catalog.get(name) for name in names}
  written = {n: _near(d.filepath) for n, d in saved.items() if isinstance(d, StagedDataset)}

  def load(name: str) -> Any:
    return catalog.load(name) if name in saved else None

  metrics = _load_metrics(catalog, names)
  return RunResults(
    reconciliation=load("reconciliation"),
    metrics=metrics,
    promotions=_load_promotions(catalog, names),
    vintages=load(_VINTAGES),
    reports=[path for path in written.values() if path.parent.name == "08_reporting"],
    scores=written.get("scores"),
    decisions=_tally(saved.get("scores"), ["decision", *_MODEL]),
    scoring_account=load(_ACCOUNT),
    offers=written.get("offers"),
    offers_account=load(_OFFERS_ACCOUNT),
    offering_models=_tally(saved.get("offers"), _MODEL),
    next_steps=_tell_next_steps(names, project),
  )


def _load_metrics(catalog: Catalog, saved: Sequence[str]) -> dict[str, Any] | None:
  """What was evaluated; of a run that only trained, what it has: out of fold."""
  if _METRICS in saved:
    found: dict[str, Any] = catalog.load(_METRICS)
    return found
  kept = [name for name in saved if isinstance(catalog.get(name), StagedDataset)]
  made = [of for name in kept if (of := _PREDICTIONS.fullmatch(name))]
  if not made:
    return None
  blocks = {of[1]: {"cv": measure_out_of_fold(catalog.load(of[0]))} for of in made}
  origin = portfolio_origin(catalog.load("reconciliation"))
  return blocks | {"origin": origin, "target": catalog.load("target")}


def _load_promotions(catalog: Catalog, saved: Sequence[str]) -> dict[str, Any]:
  return {of[1]: catalog.load(name) for name in saved if (of := _PROMOTION.fullmatch(name))}


def _tally(made: object, columns: list[str]) -> pd.DataFrame | None:
  """How many rows hold what, without loading a file that may exceed memory."""
  return made.tally(columns) if isinstance(made, BatchedDataset) else None


def _near(path: Path) -> Path:
  here = Path.cwd()
  return path.relative_to(here) if path.is_relative_to(here) else path


def _tell_next_steps(saved: Sequence[str], project: Path) -> str:
  has_make = (project / "Makefile").is_file()
  if any(map(_PREDICTIONS.fullmatch, saved)) or _METRICS in saved:
    if not has_make:
      address = registry_address().replace(f"sqlite:///{Path.cwd()}/", "sqlite:///")
      return f"mlflow ui --backend-store-uri {address} (search and metrics)"
    explore = "make viz (lineage), make ui (search and metrics)"
    if _METRICS in saved:
      return f"{explore}\nkedro run --pipelines scoring --params applications=FILE.csv"
    return f"kedro run --pipelines evaluation (reports)\n{explore}"
  if has_make and {"reconciliation", "sources.portfolio"} & set(saved):
    return "kedro run --pipelines training (models and reports)"
  return ""
