"""All of a run's results appear when it has succeeded, or none; champions change last."""

from __future__ import annotations

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

from loantap.datasets import RegisteredModelDataset, TargetTableDataset
from loantap.datasets.targets.target_table import publish_together
from loantap.hooks.saved import Catalog, SavedDatasets, publishable


class TransactionHook(SavedDatasets):
    """Publishes what a run saved when it has succeeded; forgets it when it has not."""

    def __init__(self) -> None:
        super().__init__()
        self._catalog: Catalog | None = None

    @hook_impl
    def after_context_created(self) -> None:
        """Forget what an interrupted run of this process saved: Kedro tells nobody of those."""
        if self._catalog is not None:
            self.on_pipeline_error(self._catalog)
        super().after_context_created()

    @hook_impl
    def before_pipeline_run(self, catalog: Catalog) -> None:
        """Remember where this run saves."""
        self._catalog = catalog

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, catalog: Catalog) -> None:
        """Publish tables and files; the models follow when the record is complete."""
        datasets = publishable(catalog, self._saved)
        try:
            # Databases first: one may refuse, and then no file is renamed either.
            publish_together(d for d in datasets if isinstance(d, TargetTableDataset))
            for dataset in datasets:
                if not isinstance(dataset, TargetTableDataset | RegisteredModelDataset):
                    dataset.publish()
        except BaseException:
            # What is published by now stays; Kedro tells nobody that a run failed at its very end.
            self.on_pipeline_error(catalog)
            raise
        self._catalog = None

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, catalog: Catalog) -> None:
        """Leave the last good outputs and aliases where they are."""
        self._catalog = None
        for dataset in publishable(catalog, self._saved):
            dataset.discard()


class PromotionHook(SavedDatasets):
    """Lets only a promoted model decide; moves champion aliases, last of all."""

    @hook_impl
    def before_node_run(self, node: Node, catalog: Catalog) -> dict[str, Any] | None:
        """In a run that trains and scores, score with what is in office when it has ended.

        Evaluation loads the same dataset to judge the version that the run saved.
        """
        if "scoring" not in node.tags:
            return None
        models = {name: catalog.get(name) for name in node.inputs if name in self._saved}
        return {
            name: dataset.load_deciding()
            for name, dataset in models.items()
            if isinstance(dataset, RegisteredModelDataset)
        }

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: Catalog) -> None:
        """Write the verdicts, and point the champions at the versions that are promoted."""
        for dataset in publishable(catalog, self._saved):
            dataset.publish()
