"""The champions, for a new one to be judged against."""

from __future__ import annotations

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from loantap.model.promotion.release import Champion
from loantap.registry.loading import load_champions


class ChampionsDataset(AbstractDataset[Any, dict[str, Champion]]):
    """Loads the champions of a namespace by origin of their loans; cannot be saved to.

    Args:
        namespace: which model.
        metadata: for Kedro-Viz and the documentation.
    """

    def __init__(self, *, namespace: str, metadata: dict[str, Any] | None = None) -> None:
        self._namespace = namespace
        self.metadata = metadata

    def load(self) -> dict[str, Champion]:
        """Those there are, {} for none; one that cannot be read counts as none, with a warning.

        Raises:
            RegistryDownError: the registry does not answer: the champion is not known, and
                nothing can be trained into its place.
        """
        return load_champions(self._namespace)

    def save(self, data: Any) -> NoReturn:  # noqa: ARG002
        """Refused: champions are made by promotion."""
        raise DatasetError("champions are made by promotion, not by saving")

    def _exists(self) -> bool:
        # No champion is an answer too.
        return True

    def _describe(self) -> dict[str, Any]:
        return {"namespace": self._namespace}
