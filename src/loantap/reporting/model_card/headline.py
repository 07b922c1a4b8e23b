"""The figures of the models that may be lent on, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loantap.reporting.formatting import count, name_sample
from loantap.reporting.model_card.model_section import ModelSection
from loantap.reporting.model_card.tables import SAMPLES, Cell, make_cell

_OF_METRICS: Final = ("default_rate", "roc_auc", "ks", "ece")
_OF_POLICY: Final = ("approval_rate", "default_rate_approved")


@dataclass(frozen=True, slots=True)
class HeadlineRow:
  """A model in one sample, in words; `loans` is empty where nothing was measured.

  `cells` are default rate, AUC, KS, ECE; approval rate under the policy and default rate among the approved.
  """

  sample: str
  loans: str
  cells: Sequence[Cell]


def tabulate_headline(
  models: Sequence[ModelSection], metrics: Mapping[str, Any], fairness: Mapping[str, Any]
) -> dict[str, list[HeadlineRow]]:
  """A row per model and sample, from `metrics.json` and `fairness.json`."""
  return {model.name: _tabulate(metrics[model.name], fairness["models"].get(model.name)) for model in models}


def _tabulate(blocks: Mapping[str, Any], audit: Mapping[str, Any] | None) -> list[HeadlineRow]:
  approvals = {row["sample"]: row for row in audit["approvals"]} if audit else {}
  rows = []
  for sample in SAMPLES:
    block = blocks.get(sample)
    approved = approvals.get(sample) if block else None
    measured = [make_cell(block, figure) for figure in _OF_METRICS]
    # The range of a perfect model says more of an ECE than its own interval, in the table of metrics.
    measured[-1] = replace(measured[-1], interval="")
    rows.append(
      HeadlineRow(
        sample=name_sample(sample),
        loans=count(block["n"]) if block else "",
        cells=[*measured, *(make_cell(approved, figure) for figure in _OF_POLICY)],
      )
    )
  return rows
