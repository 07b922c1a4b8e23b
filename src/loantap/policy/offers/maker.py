"""Offers to applicants: for a file and for one application."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from loantap.model.scoring.assessed import ApplicationTally
from loantap.model.scoring.scorer import REASONS, Scorer
from loantap.policy.credit_policy import Rules
from loantap.policy.decisions import DECISIONS, Decider
from loantap.policy.offers.choice import EMPTY, KINDS, Applicants, Kind, choose, decide, make_grid, make_sentences
from loantap.policy.offers.prices import PriceList, list_prices
from loantap.policy.options import OffersOptions, require_an_amount
from loantap.policy.score_table import APPLICATION_ID, categorise, name_applications, name_one
from loantap.portfolio.arrays import FloatArray, IntArray

# What offers depend on beside the PD.
_READ = ("loan_amount", "term_months", "annual_income", "dti_pct")
_APPROVE, _REFER, _INVALID = map(DECISIONS.index, ("approve", "refer", "invalid"))


@dataclass(frozen=True, slots=True)
class Offer:
	"""One offer to an applicant, or why there is none; the fields of the offers of a file.

	`offer` counts from 1; 0 where there is none, as numbers are None. Money is in currency, `instalment` (EMI) monthly,
	`rate_pct` nominal, yearly, in percent. The PD is of these terms (`is_counterfactual`: others than asked for), without
	an offer of those asked for. `decision`: `approve` for a loan as asked for, `refer` for another one or an application
	unlike those of the training, `decline` without an offer, `invalid` where it cannot be scored.
	"""

	application_id: str | None
	offer: int
	kind: str
	amount: float | None
	term_months: int | None
	rate_pct: float | None
	instalment: float | None
	probability_of_default: float | None
	is_counterfactual: bool
	expected_npv: float | None
	decision: str
	reason: str
	model_name: str
	model_version: str


@dataclass(frozen=True, slots=True)
class OfferTable:
	"""Offers of many applicants; arrays of one row per offer, at least one row per applicant.

	`applicant`, `kind`, `decision` and `reason` are places: the last three in `KINDS`, in `DECISIONS`, in the maker's
	sentences; `terms` are NaN where there is no offer, but for the PD.
	"""

	applicant: IntArray
	offer: IntArray
	kind: IntArray
	terms: Mapping[str, FloatArray]
	decision: IntArray
	reason: IntArray


@dataclass(frozen=True, slots=True)
class OfferMaker:
	"""Makes offers with one model, of PDs where no grade exists yet; costs and limits are the policy's."""

	scorer: Scorer
	options: OffersOptions
	decider: Decider
	_prices: tuple[PriceList, ...] = field(init=False, repr=False, compare=False)
	_sentences: tuple[str, ...] = field(init=False, repr=False, compare=False)
	_unlike: int = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		require_an_amount(self.options, self._rules)
		object.__setattr__(self, "_prices", list_prices(self.options, self.decider.scenario))
		reasons = make_sentences(self.options, self._rules)
		unlike = [f"{text[:1].upper()}{text[1:]}: a person decides" for text in self.scorer.support.sentences]
		object.__setattr__(self, "_sentences", (*reasons, *unlike))
		object.__setattr__(self, "_unlike", len(reasons))

	@property
	def _rules(self) -> Rules:
		return self.decider.policy.rules

	@property
	def columns(self) -> tuple[str, ...]:
		"""Source names of the columns that are read: the model's, and the identifier."""
		return (APPLICATION_ID, *(str(column.source_name) for column in self.scorer.columns))

	def make_offers_batch(
		self, applications: pd.DataFrame, first_row: int, as_of: pd.Timestamp, tally: ApplicationTally | None = None
	) -> pd.DataFrame:
		"""Offers for rows of a file in LoanTap format from `first_row` on.

		One row per application and offer, in order, with the fields of `Offer`; texts that repeat are categories.
		"""
		rows = applications.reset_index(drop=True)
		assessed = self.scorer.assess(rows, as_of, tally)
		numbers = (np.asarray(assessed.columns[name], dtype=float) for name in _READ)
		applicants = Applicants(assessed.probability_of_default, *numbers)
		table = self._offer(applicants, assessed.unlike)
		# What is wrong with an application comes after the reasons.
		sentences = (*self._sentences, *assessed.reasons.sentences)
		wrong = assessed.reasons.codes[REASONS.index("reason_1")] + len(self._sentences)
		invalid = np.isnan(applicants.probability_of_default)[table.applicant]
		reason = np.where(invalid, wrong[table.applicant], table.reason)
		return self._frame(table, name_applications(rows, first_row), reason, sentences)

	def make_offers_one(self, application: Mapping[str, object], as_of: pd.Timestamp) -> list[Offer]:
		"""Offers to one applicant, as in a frame, sooner; one without numbers where there is none."""
		scored = self.scorer.score_one(application, as_of)
		pd_ = np.nan if scored.probability_of_default is None else scored.probability_of_default
		numbers = (np.array([scored.columns[name]], dtype=float) for name in _READ)
		table = self._offer(Applicants(np.array([pd_]), *numbers), np.array([scored.unlike]))
		frame = {name: values.tolist() for name, values in table.terms.items()}
		identifier = name_one(application)
		wrong = scored.reasons[0] if np.isnan(pd_) else ""
		return [
			Offer(
				application_id=identifier,
				offer=int(table.offer[row]),
				kind=KINDS[table.kind[row]],
				amount=_number(frame["amount"][row]),
				term_months=_whole(frame["term_months"][row]),
				rate_pct=_number(frame["rate_pct"][row]),
				instalment=_number(frame["instalment"][row]),
				probability_of_default=_number(frame["probability_of_default"][row]),
				is_counterfactual=_is_counterfactual(KINDS[table.kind[row]]),
				expected_npv=_number(frame["expected_npv"][row]),
				decision=DECISIONS[table.decision[row]],
				reason=wrong or self._sentences[table.reason[row]],
				model_name=self.scorer.name,
				model_version=self.scorer.version,
			)
			for row in range(len(table.offer))
		]

	def _offer(self, applicants: Applicants, unlike: IntArray) -> OfferTable:
		"""An applicant unlike those of the training gets none that a person has not seen."""
		table = make_offers(applicants, self._prices, self.options, self._rules)
		found = unlike.astype("int64")[table.applicant]
		is_guess = (found > 0) & (table.decision == _APPROVE)
		return replace(
			table,
			decision=np.where(is_guess, _REFER, table.decision),
			reason=np.where(is_guess, self._unlike + found, table.reason),
		)

	def _frame(
		self, table: OfferTable, identifiers: pd.Series, reason: IntArray, sentences: tuple[str, ...]
	) -> pd.DataFrame:
		kinds = np.array([_is_counterfactual(kind) for kind in KINDS])
		used, places = np.unique(reason, return_inverse=True)
		one = np.zeros(len(table.offer), dtype="int8")
		terms = table.terms
		return pd.DataFrame(
			{
				APPLICATION_ID: identifiers.take(table.applicant).reset_index(drop=True),
				"offer": table.offer.astype("int64"),
				"kind": categorise(table.kind, KINDS),
				"amount": terms["amount"],
				"term_months": pd.Series(terms["term_months"]).astype("Int64"),
				"rate_pct": terms["rate_pct"],
				"instalment": terms["instalment"],
				"probability_of_default": terms["probability_of_default"],
				"is_counterfactual": kinds[table.kind],
				"expected_npv": terms["expected_npv"],
				"decision": categorise(table.decision, DECISIONS),
				"reason": categorise(places, [sentences[place] for place in used]),
				"model_name": categorise(one, [self.scorer.name]),
				"model_version": categorise(one, [self.scorer.version]),
			}
		)


def make_offers(
	applicants: Applicants, prices: tuple[PriceList, ...], options: OffersOptions, rules: Rules
) -> OfferTable:
	"""Price the grid of every applicant and choose from it."""
	grid = make_grid(applicants, prices, options, rules)
	choice = choose(grid, options)
	is_none = choice.kind == KINDS.index(Kind.NONE)
	applicant, place = np.nonzero((choice.column != EMPTY) | is_none)
	column = choice.column[applicant, place]
	kind = choice.kind[applicant, place]
	found = column != EMPTY
	terms = {
		"amount": grid.amount[applicant, column],
		"term_months": grid.term_months[column].astype("float64"),
		"rate_pct": grid.rate_pct[applicant, column],
		"instalment": grid.instalment[applicant, column],
		"expected_npv": grid.expected_npv[applicant, column],
	}
	numbers = {name: np.where(found, values, np.nan) for name, values in terms.items()}
	asked_pd = applicants.probability_of_default[applicant]
	offered_pd = grid.probability_of_default[applicant, column]
	is_invalid = np.isnan(asked_pd)
	return OfferTable(
		applicant,
		np.where(found, _count_up(applicant), 0),
		kind,
		numbers | {"probability_of_default": np.where(found, offered_pd, asked_pd)},
		np.where(is_invalid, _INVALID, decide(column, kind)),
		choice.reason[applicant, place],
	)


def _count_up(applicant: IntArray) -> IntArray:
	first = np.searchsorted(applicant, applicant)
	counted: IntArray = np.arange(len(applicant)) - first + 1
	return counted


def _is_counterfactual(kind: str) -> bool:
	return kind not in (Kind.AS_ASKED, Kind.NONE)


def _number(value: float) -> float | None:
	return None if np.isnan(value) else value


def _whole(value: float) -> int | None:
	return None if np.isnan(value) else int(value)
