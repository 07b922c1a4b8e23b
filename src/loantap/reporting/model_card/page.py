"""The model card, after Mitchell et al., *Model cards for model reporting*, FAT* 2019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import decimal
from loantap.reporting.model_card.model_section import ModelSection, word_section
from loantap.reporting.model_card.sections import VintageSection, make_leakage_section, word_fairness
from loantap.reporting.model_card.verdict import Reports, reach_verdict, tabulate_headline
from loantap.reporting.shell import read_script, render_page

_ORDER: Final = ("lending", "application", "benchmark", "published_replica")
_APPROVERS: Final = ("Model owner", "Independent validation", "Credit policy", "Risk")


@dataclass(frozen=True, slots=True)
class FeatureRow:
	"""One feature as the card lists it, with the columns that it `uses`.

	`exclusion` says why no lending decision may rest on it; `adverse` is the side held against a borrower, `high`, `low`
	or either.
	"""

	name: str
	phrase: str
	uses: Sequence[str]
	exclusion: str = ""
	adverse: str = ""


@dataclass(frozen=True, slots=True)
class PolicyLimit:
	"""The PDs at which the decision on loans of one term and rate (nominal, yearly, in percent) changes.

	Between the two, fractions, a person decides.
	"""

	term_months: float
	rate_pct: float
	approve_below: float
	decline_above: float


@dataclass(frozen=True, slots=True)
class PolicySummary:
	"""The credit policy as the card shows it, by id and version; limits by term, then by rate.

	Units as in `Rules`.
	"""

	name: str
	digest: str
	approved_by: str
	scenario: str
	min_margin: float
	default_price: float
	max_pd: float
	max_amount: float
	limits: Sequence[PolicyLimit]


@dataclass(frozen=True, slots=True)
class DataSummary:
	"""The loans behind the models; `target` has the structure of `target.json`.

	`unfilled`: columns in which no loan has a value, with the features computed from them.
	"""

	origin: str
	target: Mapping[str, Any]
	first_issue_month: date
	last_issue_month: date
	beyond_income: BeyondIncome
	unfilled: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BeyondIncome:
	"""Loans whose borrowers owe more a month than they earn: DTI over 100%.

	Of `joint` applications it is the first borrower's alone. `highest_dti` is a fraction, missing where no loan states
	any.
	"""

	loans: int
	joint: int
	highest_dti: float


@dataclass(frozen=True, slots=True)
class CardData:
	"""What a model card says about loans, all features and the policy."""

	summary: DataSummary
	features: Sequence[FeatureRow]
	leakage_report: Mapping[str, Any]
	policy: PolicySummary


@dataclass(frozen=True, slots=True)
class CardModels:
	"""What a model card says about every model; `scorecards` of those that may be lent on."""

	sections: Sequence[ModelSection]
	scorecards: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ModelCard:
	"""All that a model card shows; the reports have the structures of their JSON files."""

	as_of: date
	data: CardData
	models: CardModels
	vintages: VintageSection
	metrics: Mapping[str, Any]
	stability: Mapping[str, Any]
	fairness: Mapping[str, Any]
	limits: Sequence[str] = ()


def render_model_card(card: ModelCard) -> str:
	"""Render the model card as one HTML document."""
	models = sorted(card.models.sections, key=lambda model: _ORDER.index(model.name))
	phrases = {feature.name: feature.phrase for feature in card.data.features}
	scorecards = card.models.scorecards
	leakage = card.data.leakage_report
	reports = Reports(card.metrics, card.vintages.report, card.stability, card.fairness, leakage, phrases)
	lent_on = [model for model in models if model.for_lending]
	sections = [word_section(model, card.metrics[model.name], scorecards.get(model.name), phrases) for model in models]
	return render_page(
		"model_card.html",
		origin=card.data.summary.origin,
		title="Model card: probability of default",
		scripts=[read_script("unfold.js")],
		card=card,
		versions={model.name: model.version for model in models},
		verdicts=[reach_verdict(model, reports) for model in lent_on],
		headline=tabulate_headline(lent_on, card.metrics, card.fairness),
		sections=[section for section in sections if section.model.for_lending],
		appendix=[section for section in sections if not section.model.for_lending],
		leakage=make_leakage_section(leakage),
		vintages=card.vintages,
		stability_gist=_tell_stability(card.stability),
		fairness=word_fairness(card.fairness),
		approvers=_APPROVERS,
		few_loans=FEW_LOANS,
	)


def _tell_stability(report: Mapping[str, Any]) -> str:
	tested = [
		f"{name} {decimal(row['psi'])}, by chance up to {decimal(row['psi_chance'])}"
		for name, model in report["models"].items()
		for row in model["populations"][:1]
	]
	return f"PSI of the test split: {'; '.join(tested)}" if tested else ""
