"""Datasets by name."""

from collections.abc import Sequence
from typing import Any

from kedro.io import CatalogProtocol

from loantap.datasets.staged import Publishable

Catalog = CatalogProtocol[Any, Any]


def is_parameter(name: str) -> bool:
	"""Whether a dataset is a parameter, or a group of them."""
	return name == "parameters" or name.startswith("params:")


def publishable(catalog: Catalog, names: Sequence[str]) -> list[Publishable]:
	"""The datasets of these names that hold back what they saved."""
	datasets = (catalog.get(name) for name in dict.fromkeys(names))
	return [dataset for dataset in datasets if isinstance(dataset, Publishable)]
