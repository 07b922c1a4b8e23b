"""What is asked of a model that may be lent on, besides its metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loantap.model.validation.external import ExternalResult
from loantap.model.validation.vintages import VintageAnalysis


@dataclass(frozen=True, slots=True)
class Audit:
    """The audits of one model; `external` is empty where no external sample is given."""

    scorecard: Mapping[str, Any]
    fairness: Mapping[str, Any]
    stability: Mapping[str, Any]
    vintages: VintageAnalysis
    external: Sequence[ExternalResult]
