"""The credit policy: a versioned file by one person, approved by a second one."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from loantap.policy.money.cash_flows import Economics, Scenario
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import Options, Portion

_FILE = "conf/base/parameters_policy.yml"
# At this price hardly anything but the PD decides.
MAX_DEFAULT_PRICE = 5.0


def _require_words(text: str) -> str:
	if not text.strip():
		raise ValueError("it is blank")
	return text


Words = Annotated[str, AfterValidator(_require_words)]


class Rules(Options):
	"""What decides.

	A loan is worth making from a hurdle on: an expected NPV per unit of principal of `min_margin` and of `default_price`
	times its PD, so that risky loans have to earn more. A person decides within `review_margin` of it, and on amounts
	above `max_loan_amount`, in currency.
	"""

	min_margin: Annotated[float, Field(ge=-MAX_DEFAULT_PRICE, le=0.5)]
	default_price: Annotated[float, Field(ge=0, le=MAX_DEFAULT_PRICE)] = 0.0
	review_margin: Annotated[float, Field(ge=0, le=0.5)]
	max_probability_of_default: Annotated[float, Field(gt=0, le=1)]
	max_loan_amount: Annotated[float, Field(gt=0)]

	def find_highest_pd(self, margin: float) -> float:
		"""The highest PD approved of a loan priced to earn `margin` per unit of principal; 0 where none is."""
		left = margin - self.min_margin - self.review_margin
		if self.default_price == 0:
			return self.max_probability_of_default if left >= 0 else 0.0
		return min(max(left / self.default_price, 0.0), self.max_probability_of_default)


class Targets(Options):
	"""What the rules were chosen to reach on past loans; reported, never enforced by row.

	`max_concentration` is of the principal, and of the expected loss, in one state.
	"""

	review_capacity: Portion
	min_approval_rate: Portion
	max_default_rate: Portion
	max_concentration: Portion


class CreditPolicy(Options):
	"""One version of the credit policy; `digest` is the SHA-256 of all else and of the scenario, as approved."""

	id: Words
	version: Words
	author: Words
	approved_by: str | None
	effective_from: date
	scenario: str
	rules: Rules
	targets: Targets
	digest: str | None

	@model_validator(mode="after")
	def _is_approved_by_another(self) -> CreditPolicy:
		approver = fold_name(self.approved_by or "")
		if not approver:
			raise ValueError(f"{self} was not approved by a second person; have one run loantap-policy approve")
		if approver == fold_name(self.author):
			raise ValueError(f"{self} was approved by its author; a second person must approve it")
		return self

	def __str__(self) -> str:
		return f"policy {self.name}"

	@property
	def name(self) -> str:
		"""Id and version, as recorded with each decision."""
		return f"{self.id} {self.version}"

	@property
	def short_digest(self) -> str:
		"""The first digits of the digest, as shown and recorded with each decision."""
		return (self.digest or "")[:12]

	def find_scenario(self, economics: Economics) -> Scenario:
		"""The scenario that decides; refused where there is none of that name."""
		if self.scenario not in economics.scenarios:
			raise InputError(
				str(self), f"there is no scenario {self.scenario}", f"Give one of {', '.join(economics.scenarios)} in {_FILE}"
			)
		return economics.scenarios[self.scenario]


def fold_name(name: str) -> str:
	"""A name without case, kind and number of blanks, to compare it."""
	return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def digest_policy(policy: CreditPolicy, scenario: Scenario) -> str:
	"""SHA-256 of what a policy says and of its scenario's assumptions, in hexadecimal."""
	content = policy.model_dump(mode="json", exclude={"digest"})
	# A policy approved before there was a price of default still is.
	if not policy.rules.default_price:
		del content["rules"]["default_price"]
	text = json.dumps([content, scenario.model_dump()], sort_keys=True)
	return hashlib.sha256(text.encode()).hexdigest()


def require_as_approved(policy: CreditPolicy, economics: Economics) -> None:
	"""Refuse a policy that was changed, or whose scenario was, after it was approved."""
	if policy.digest == digest_policy(policy, policy.find_scenario(economics)):
		return
	raise InputError(
		str(policy),
		f"it or its scenario {policy.scenario} was changed after {policy.approved_by} approved it",
		f"Undo the change, or give it a new version in {_FILE} and have a second person run loantap-policy approve",
	)


def require_in_force(policy: CreditPolicy, day: date) -> None:
	"""Refuse to decide by a policy before it takes effect."""
	if policy.effective_from <= day:
		return
	raise InputError(
		str(policy),
		f"it takes effect on {policy.effective_from}, after {day}, the day of the run",
		f"Decide by the version before until then: put it back into {_FILE}",
	)
