"""What hooks share: which datasets a run saved."""

from __future__ import annotations

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol

from loantap.datasets.staged import Publishable

Catalog = CatalogProtocol[Any, Any]


def is_parameter(name: str) -> bool:
    """Whether a dataset is a parameter, or a group of them."""
    return name == "parameters" or name.startswith("params:")


class SavedDatasets:
    """Remembers which datasets a run saved, in order."""

    def __init__(self) -> None:
        self._saved: list[str] = []

    @hook_impl
    def after_context_created(self) -> None:
        """Start with nothing saved."""
        self._saved = []

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remember what was saved."""
        self._saved.append(dataset_name)


def publishable(catalog: Catalog, names: list[str]) -> list[Publishable]:
    """The datasets of these names that hold back what they saved."""
    datasets = (catalog.get(name) for name in dict.fromkeys(names))
    return [dataset for dataset in datasets if isinstance(dataset, Publishable)]
