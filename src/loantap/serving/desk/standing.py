"""What decides at one moment: model, policy, rules and prices."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from loantap.model.scoring.assessed import Problem
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import Decider
from loantap.policy.lab.rules import Rule
from loantap.policy.offers.maker import OfferMaker
from loantap.policy.options import OffersOptions
from loantap.policy.score_table import APPLICATION_ID, name_one
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import SIMULATED
from loantap.serving.audit.records import Entry, Kind
from loantap.serving.desk.fields import ApplicationFields

# The record has these elsewhere.
_SAID: Final = ("application_id", "model_name", "model_version")

_FOUND: Final = (
	"probability_of_default",
	"score",
	"expected_npv",
	"amount",
	"interest_rate_pct",
	"term_months",
	"unlike",
)


class InvalidApplicationError(Exception):
	"""An application that cannot be scored."""

	def __init__(self, problems: Sequence[Problem]) -> None:
		super().__init__("; ".join(problem.reason for problem in problems))
		self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Standing:
	"""What decides at one moment; `made_by` is kept with each decision.

	`maker` is None without a model for offers.
	"""

	underwriter: Underwriter
	maker: OfferMaker | None
	made_by: Mapping[str, object] = field(init=False, repr=False, compare=False)
	fields: ApplicationFields = field(init=False, repr=False, compare=False)
	offer_fields: ApplicationFields = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		object.__setattr__(self, "made_by", _describe_maker(self.underwriter))
		object.__setattr__(self, "fields", ApplicationFields(self.underwriter.needed))
		taken = self.maker.scorer.columns if self.maker else ()
		object.__setattr__(self, "offer_fields", ApplicationFields(taken))

	def decide(self, application: Mapping[str, Any], as_of: pd.Timestamp) -> Entry:
		"""What to keep of a decided application, or `InvalidApplicationError`."""
		underwriter = self.underwriter
		scored = underwriter.scorer.score_one(application, as_of)
		if scored.probability_of_default is None:
			raise InvalidApplicationError(underwriter.scorer.read_one(application, as_of)[1])
		decided = underwriter.conclude_one(application, scored, as_of)
		found: dict[str, object] = {
			"probability_of_default": decided.probability_of_default,
			"score": decided.score,
			"expected_npv": decided.expected_npv,
			"amount": scored.columns.get("loan_amount"),
			"interest_rate_pct": scored.columns.get("interest_rate_pct"),
			"term_months": scored.columns.get("term_months"),
			"unlike": scored.unlike > 0,
		}
		public = describe_decision(self.made_by, as_of, decided.decision, found.__getitem__)
		personal = {
			"application": dict(application),
			APPLICATION_ID: _name_application(application),
			"reasons": [reason for reason in decided.reasons if reason],
		}
		return Entry(Kind.DECISION, public, personal)

	def offer(self, application: Mapping[str, Any], as_of: pd.Timestamp) -> Entry:
		"""What to keep of offers to one applicant, or `InvalidApplicationError`."""
		if self.maker is None:
			raise ValueError("no offers can be made without a model")
		offers, policy = self.list_offers(application, as_of), self.maker.decider.policy
		public = {
			**_describe(self.maker.scorer, policy.name, policy.short_digest),
			"as_of": str(as_of.date()),
			"n": sum(offer["offer"] > 0 for offer in offers),
		}
		personal = {"application": dict(application), APPLICATION_ID: _name_application(application), "offers": offers}
		return Entry(Kind.OFFERS, public, personal)

	def list_offers(self, application: Mapping[str, Any], as_of: pd.Timestamp) -> list[dict[str, Any]]:
		"""The offers to one applicant, as they are told."""
		if self.maker is None:
			raise ValueError("no offers can be made without a model")
		_, problems = self.maker.scorer.read_one(application, as_of)
		if problems:
			raise InvalidApplicationError(problems)
		offers = map(asdict, self.maker.make_offers_one(application, as_of))
		return [{name: value for name, value in offer.items() if name not in _SAID} for offer in offers]


def make_standing(
	lending: Scorer, application: Scorer | None, decider: Decider, rules: tuple[Rule, ...], offers: OffersOptions
) -> Standing:
	"""Put together what decides; `InputError` if no offer could have bands or amounts."""
	maker = None if application is None else OfferMaker(application, offers, decider)
	return Standing(Underwriter(lending, decider, rules), maker)


def describe_decision(
	made_by: Mapping[str, object], as_of: pd.Timestamp, decision: str, find: Callable[[str], object]
) -> dict[str, object]:
	"""The public part of a decision's record; `find` gives its parts by name."""
	return {**made_by, "as_of": str(as_of.date()), "decision": decision, **{name: find(name) for name in _FOUND}}


def _describe_maker(underwriter: Underwriter) -> dict[str, object]:
	described = _describe(underwriter.scorer, underwriter.policy_version, underwriter.policy_digest)
	if underwriter.rules:
		described["rules"] = [rule.model_dump(mode="json") for rule in underwriter.rules]
		described["policy_alone"] = underwriter.decider.policy.short_digest
	return described


def _describe(scorer: Scorer, policy: str, digest: str) -> dict[str, object]:
	origin = scorer.trained.facts.origin
	return {
		"model": {"name": scorer.name, "version": scorer.version, "origin": origin},
		"policy": {"version": policy, "digest": digest},
		"simulated": origin == SIMULATED,
	}


def _name_application(application: Mapping[str, Any]) -> str | None:
	return name_one(application) if APPLICATION_ID in application else None


def find_today() -> pd.Timestamp:
	"""The day in UTC on which applications are decided; the same object all day: readers remember by it."""
	return _of_day(int(time.time() // 86_400))


@lru_cache(maxsize=2)
def _of_day(days: int) -> pd.Timestamp:
	return pd.Timestamp(days, unit="D")
