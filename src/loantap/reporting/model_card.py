"""The model card: what the models are for, what they are made of and how far to trust them.

Structure after Mitchell et al., *Model cards for model reporting*, FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from loantap.reporting.card_tables import (
    CandidatesTable,
    CoefficientsTable,
    Comparison,
    MetricsTable,
    compare_with_published,
    tabulate_candidates,
    tabulate_coefficients,
    tabulate_metrics,
)
from loantap.reporting.inline_figure import embed_svg
from loantap.reporting.shell import render_page

_NAMESPACES: Final = ("lending", "application", "benchmark", "published_replica")
_REPLICA: Final = "published_replica"
_NEVER_LENT_ON: Final = frozenset({"benchmark", "published_replica"})
_CAPTIONS: Final = {
    "roc": "ROC curve: how well the model ranks loans",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration: what was predicted against what happened",
    "thresholds": "What each threshold would mean",
}
_APPROVERS: Final = ("Model owner", "Independent validation", "Credit policy", "Risk")


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature as the card lists it.

    Attributes:
        name: its column.
        phrase: what it is, in plain words.
        uses: columns of the portfolio it is computed from.
        exclusion: why no lending decision may rest on it; empty when it may.
    """

    name: str
    phrase: str
    uses: Sequence[str]
    exclusion: str = ""


@dataclass(frozen=True, slots=True)
class PolicyBand:
    """One band of the decision policy: PDs from `lowest_pd` to below `highest_pd`."""

    decision: str
    lowest_pd: float
    highest_pd: float
    meaning: str


@dataclass(frozen=True, slots=True)
class DataSummary:
    """The resolved loans behind the models; rates are fractions, bounds a 95% interval."""

    origin: str
    loans: int
    charged_off: int
    default_rate: float
    low: float
    high: float
    first_issue_month: date
    last_issue_month: date


@dataclass(frozen=True, slots=True)
class ModelCard:
    """All that a model card shows.

    Attributes:
        as_of: the date the card speaks of.
        data: the loans behind the models.
        metrics: the structure of `metrics.json`; a block may be None.
        purposes: what each namespace is for, in words.
        candidates: per namespace, one row per candidate: `candidate`, `mean_f2`, `std_f2`,
            `mean_log_loss`, `mean_roc_auc`, `converged`, `within_one_standard_error`,
            `chosen`, `fit_seconds`.
        coefficients: per namespace, one row per input of the model: `feature`, `coefficient`,
            `odds_ratio`.
        features: all features, those excluded from lending too.
        leakage_report: the structure of `leakage_report.json`: `features`, a list of
            `feature`, `auc`, `caught`, `reasons`, `used_by`.
        figures: per namespace, figures by kind: `roc`, `precision_recall`, `calibration`,
            `thresholds`.
        policy_version: version of the decision policy.
        policy: its bands, from the lowest PD up.
        identity: what identifies the models: registered names, revision, seed.
        limits: known limits of this data and these models, beside the standing ones.
        not_for_lending: namespaces no decision may rest on, beside the two that never may.
    """

    as_of: date
    data: DataSummary
    metrics: Mapping[str, Any]
    purposes: Mapping[str, str]
    candidates: Mapping[str, pd.DataFrame]
    coefficients: Mapping[str, pd.DataFrame]
    features: Sequence[FeatureRow]
    leakage_report: Mapping[str, Any]
    figures: Mapping[str, Mapping[str, Figure]]
    policy_version: str
    policy: Sequence[PolicyBand]
    identity: Mapping[str, str] = field(default_factory=dict)
    limits: Sequence[str] = ()
    not_for_lending: Collection[str] = ()

    def may_be_lent_on(self, namespace: str) -> bool:
        """Whether decisions may rest on the model of a namespace."""
        return namespace not in _NEVER_LENT_ON and namespace not in self.not_for_lending


@dataclass(frozen=True, slots=True)
class CardFigure:
    """An evaluation figure as the page embeds it."""

    source: str
    caption: str


@dataclass(frozen=True, slots=True)
class NamespaceSection:
    """What the card says about one model."""

    name: str
    anchor: str
    purpose: str
    for_lending: bool
    metrics: MetricsTable
    candidates: CandidatesTable | None
    coefficients: CoefficientsTable | None
    figures: Sequence[CardFigure]
    comparison: Comparison | None


def render_model_card(card: ModelCard) -> str:
    """Render the model card as one HTML document with its figures inlined."""
    leakage = sorted(card.leakage_report["features"], key=lambda f: (not f["caught"], -f["auc"]))
    return render_page(
        "model_card.html",
        origin=card.data.origin,
        title="Model card: probability of default",
        card=card,
        sections=[_make_section(name, card) for name in _order_namespaces(card.metrics)],
        leakage=leakage,
        approvers=_APPROVERS,
    )


def _order_namespaces(metrics: Mapping[str, Any]) -> list[str]:
    given = [name for name in metrics if name != "origin"]
    known = [name for name in _NAMESPACES if name in given]
    return [*known, *(name for name in given if name not in known)]


def _make_section(name: str, card: ModelCard) -> NamespaceSection:
    candidates = card.candidates.get(name)
    coefficients = card.coefficients.get(name)
    return NamespaceSection(
        name=name,
        anchor="model-" + name.replace("_", "-"),
        purpose=card.purposes.get(name, ""),
        for_lending=card.may_be_lent_on(name),
        metrics=tabulate_metrics(card.metrics[name]),
        candidates=None if candidates is None else tabulate_candidates(candidates),
        coefficients=None if coefficients is None else tabulate_coefficients(coefficients),
        figures=[
            CardFigure(embed_svg(figure), _CAPTIONS.get(kind, kind.replace("_", " ").capitalize()))
            for kind, figure in card.figures.get(name, {}).items()
        ],
        comparison=compare_with_published(card.metrics[name]) if name == _REPLICA else None,
    )
