from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.config import OmegaConfigLoader
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation.type_extractor import TypeExtractor

from loantap import settings
from loantap.datasets import SnapshotDataset, SourceTableDataset
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import SYSTEM_OF, Table
from tests.conftest import PROJECT

Outputs = dict[str, Any]

PIPELINES = register_pipelines()
MODELS = TypeExtractor(PIPELINES).extract_types_from_pipelines()
AS_OF = "2026-11-23"
_GRID = {"folds": 3, "balancing": ["none"], "l1_ratios": [0], "inverse_penalties": [0.1, 1], "jobs": 1}
_CHALLENGED = _GRID | {"challenger": {"trees": 20}, "promotion": {"resamples": 100}}
SMALL = {
	"modeling": {"benchmark": _GRID, "published_replica": _GRID, "lending": _CHALLENGED, "application": _CHALLENGED},
	"evaluation": {"resamples": 100},
}


class _Batches(MemoryDataset):
	"""Keeps all batches of a node that saves several, also when no later node needs them."""

	def __init__(self):
		super().__init__(copy_mode="assign")
		self._batches: list[pd.DataFrame] = []

	def _release(self):
		pass

	def save(self, data):
		if not _is_frame(data):
			super().save(data)
			return
		self._batches.append(data)
		super().save(data if len(self._batches) == 1 else _join(self._batches))


def _load_configuration(**given):
	return OmegaConfigLoader(str(PROJECT / "conf"), env="local", runtime_params=given, **settings.CONFIG_LOADER_ARGS)


def load_options(**given):
	"""The shipped parameters, with a small grid and what is given, validated, by catalog name."""
	parameters = _load_configuration(**{"as_of": AS_OF, **SMALL, **given})["parameters"]
	return {
		f"params:{path}": model.model_validate(reduce(lambda at, name: at[name], path.split("."), parameters))
		for path, model in MODELS.items()
	}


def run(pipeline, inputs, datasets=None, **given):
	"""Run a pipeline; returns what each of its nodes made, if anything, by name.

	Inputs are handed over as they are, so that a node that changes one is found out.
	"""
	held: dict[str, AbstractDataset[Any, Any]] = {
		name: MemoryDataset(data, copy_mode="assign") for name, data in {**load_options(**given), **inputs}.items()
	}
	for name in PIPELINES[pipeline].all_outputs():
		held[name] = _Batches()
	catalog = DataCatalog({**held, **(datasets or {})})
	before = {name: data.copy() for name, data in inputs.items() if _is_frame(data)}
	SequentialRunner().run(PIPELINES[pipeline], catalog)
	for name, data in before.items():
		pd.testing.assert_frame_equal(inputs[name], data, obj=f"input {name}")
	made = filter(catalog.exists, PIPELINES[pipeline].all_outputs())
	return {name: _joined(catalog.load(name)) for name in made}


def run_on_files(pipeline, files, inputs, **given):
	"""Run `scoring` or `offers` on the shipped catalog, from the file of applications to another.

	What else it reads and writes, and the warehouse, are beside the applications. If it fails,
	nothing of what it wrote is published.
	"""
	folder = files["applications"].parent
	parameters = {name: str(path) for name, path in files.items()}
	shipped = _load_configuration(as_of=AS_OF, **parameters)["catalog"]
	used = {name: shipped[name] for name in PIPELINES[pipeline].datasets() if name in shipped}
	for name in used.keys() - inputs.keys() - {"applications", "scores", "offers"}:
		if "dataset" in (entry := used[name]):
			entry["dataset"]["filepath"] = str(folder / Path(entry["dataset"]["filepath"]).name)
	warehouse = {"backend": "duckdb", "path": str(folder / "warehouse.duckdb")}
	catalog = DataCatalog.from_config(used, {"warehouse_output": warehouse})
	for name, data in {**load_options(**given), **inputs}.items():
		catalog[name] = MemoryDataset(data, copy_mode="assign")
	written: list[Any] = [catalog.get(name) for name in PIPELINES[pipeline].all_outputs() if name in used]
	try:
		SequentialRunner().run(PIPELINES[pipeline], catalog)
	except BaseException:
		for dataset in written:
			dataset.discard()
		raise
	for dataset in written:
		dataset.publish()


def ingest(sources, folder, **given):
	"""Run `ingestion` on the rows of the three source tables, out of embedded databases."""
	datasets: dict[str, AbstractDataset[Any, Any]] = {}
	for table in Table:
		source = make_source(table, folder)
		source.save(sources[f"source_{table}"])
		datasets[f"source_{table}"] = source
		datasets[f"ingestion.raw_{table}"] = SnapshotDataset(filepath=str(folder / table))
	return run("ingestion", {}, datasets, **given)


def make_source(table, folder):
	return SourceTableDataset(
		system=SYSTEM_OF[table],
		table=table,
		query=f"loantap.pipelines.ingestion:sql/{table}.sql",
		credentials={"backend": "duckdb", "path": str(folder / f"{table}.duckdb")},
	)


def _join(batches):
	texts = batches[0].columns[batches[0].dtypes == "category"]
	return pd.concat([b.astype(dict.fromkeys(texts, "str")) for b in batches], ignore_index=True)


def _joined(data):
	return pd.concat(data, ignore_index=True) if isinstance(data, Iterator) else data


def _is_frame(data):
	return isinstance(data, pd.DataFrame)
