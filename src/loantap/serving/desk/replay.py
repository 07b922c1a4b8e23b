"""Kept decisions made once more: replayed and explained with the means of then, or tried with another policy."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.model.scoring.scorecard import SCALE
from loantap.model.scoring.scorer import Scorer
from loantap.policy.decisions import DECISIONS, Decider, Decision
from loantap.policy.lab.rules import Rule
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.errors import InputError
from loantap.registry.models import ModelVersion
from loantap.registry.reading import load_version
from loantap.serving.audit.records import Record

_KEPT_MODELS: Final = 4
# Another processor may round.
_CLOSE: Final = 1e-9
_COMPARED: Final = ("decision", "probability_of_default", "score", "expected_npv", "reasons")


class PastPolicies(Protocol):
	"""Where past policies are found."""

	def find_decider(self, digest: str) -> Decider | None:
		"""What decided under a policy, by its digest's first digits; None: none was."""


@dataclass(frozen=True, slots=True)
class Replayed:
	"""A decision of then and now, and the names of what differs."""

	original: dict[str, Any]
	replayed: dict[str, Any]
	differences: list[str]


class Replayer:
	"""Makes kept decisions once more."""

	def __init__(self, policies: PastPolicies) -> None:
		self._policies = policies
		self._scorers: dict[ModelVersion, Scorer] = {}
		self._lock = threading.Lock()

	def replay(self, record: Record) -> Replayed:
		"""Make a decision once more that was kept with its application.

		`InputError` where the registry no longer has the model, or the policy is not known; `RegistryDownError` where the
		registry does not answer.
		"""
		public, personal = record.public, record.personal or {}
		underwriter = self._find_underwriter(public)
		made = underwriter.underwrite_one(personal["application"], _day_of(public))
		replayed = {
			"decision": made.decision,
			"probability_of_default": made.probability_of_default,
			"score": made.score,
			"expected_npv": made.expected_npv,
			"reasons": [reason for reason in made.reasons if reason],
		}
		original = {name: {**public, **personal}[name] for name in _COMPARED}
		differences = [n for n in _COMPARED if not _is_same(original[n], replayed[n])]
		return Replayed(original, replayed, differences)

	def explain(self, record: Record) -> dict[str, Any]:
		"""Points of each feature of a kept application (`SCALE`); raises as `replay`."""
		scorer = self._find_scorer(record.public["model"])
		personal = record.personal or {}
		effects = scorer.explain_one(personal["application"], _day_of(record.public))
		return {
			"base_points": SCALE.exact(scorer.scorecard.base),
			"contributions": [
				{"feature": name, "label": FEATURES[name].phrase, "points": -SCALE.factor * effect}
				for name, effect in effects.items()
			],
		}

	def know(self, scorer: Scorer) -> None:
		"""Remember a model that is loaded already."""
		with self._lock:
			version = ModelVersion(scorer.name, scorer.version)
			self._scorers.pop(version, None)
			self._scorers[version] = scorer
			while len(self._scorers) > _KEPT_MODELS:
				del self._scorers[next(iter(self._scorers))]

	def _find_underwriter(self, public: Mapping[str, Any]) -> Underwriter:
		scorer = self._find_scorer(public["model"])
		digest = public.get("policy_alone") or public["policy"]["digest"]
		decider = self._policies.find_decider(digest)
		if decider is None:
			raise InputError(
				f"policy {public['policy']['version']}",
				f"none of digest {digest} is in the policy book",
				"Restore the audit log's database, which holds the policies of the past",
			)
		rules = tuple(Rule.model_validate(rule) for rule in public.get("rules", ()))
		return Underwriter(scorer, decider, rules)

	def _find_scorer(self, model: Mapping[str, str]) -> Scorer:
		version = ModelVersion(model["name"], model["version"])
		scorer = self._scorers.get(version)
		if scorer is None:
			scorer = Scorer(load_version(version), version.name, version.version)
			self.know(scorer)
		return scorer


def _day_of(public: Mapping[str, Any]) -> pd.Timestamp:
	return pd.Timestamp(public["as_of"])


def _is_same(before: Any, now: Any) -> bool:
	if isinstance(before, float) and isinstance(now, float):
		return abs(before - now) <= _CLOSE * max(1.0, abs(before))
	return bool(before == now)


_SHOWN: Final = (Decision.APPROVE.value, Decision.REFER.value, Decision.DECLINE.value)
_APPROVE: Final = DECISIONS.index(Decision.APPROVE)
_DECLINE: Final = DECISIONS.index(Decision.DECLINE)


@dataclass(frozen=True, slots=True)
class Tried:
	"""A policy against the decisions that were made; expected NPV of what is approved, in currency.

	`changes`: from, to and number of those that differ.
	"""

	n: int
	before: dict[str, int]
	after: dict[str, int]
	changes: list[dict[str, str | int]]
	expected_npv_before: float
	expected_npv_after: float


def try_on_decisions(decider: Decider, kept: Sequence[Record], policies: PastPolicies) -> Tried:
	"""Let a policy decide once more on kept PDs and terms; nothing is scored again.

	What a rule of the policy lab declined stays declined.
	"""
	pds, amounts, rates, months, npvs = (
		np.array([record.public[name] for record in kept], dtype="float64")
		for name in ("probability_of_default", "amount", "interest_rate_pct", "term_months", "expected_npv")
	)
	unlike = np.array([record.public["unlike"] for record in kept], dtype="int64")
	terms = (pds, amounts, rates, months)
	before = np.array([DECISIONS.index(record.public["decision"]) for record in kept], dtype=int)
	decided = decider.decide_columns(*terms, unlike)
	after = decided.decisions.codes.astype(int)
	after[_find_ruled_out(kept, before, terms, unlike, policies)] = _DECLINE
	moved = Counter(zip(before.tolist(), after.tolist(), strict=True))
	changes = [{"from": DECISIONS[a], "to": DECISIONS[b], "n": n} for (a, b), n in moved.most_common() if a != b]
	return Tried(
		n=len(kept),
		before=_count(before),
		after=_count(after),
		changes=changes,
		expected_npv_before=float(np.nansum(npvs[before == _APPROVE])),
		expected_npv_after=float(np.nansum(decided.expected_npv[after == _APPROVE])),
	)


def _find_ruled_out(
	kept: Sequence[Record],
	before: IntArray,
	terms: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
	unlike: IntArray,
	policies: PastPolicies,
) -> IntArray:
	digests = np.array([record.public.get("policy_alone", "") for record in kept], dtype=object)
	found = []
	for digest in set(digests.tolist()) - {""}:
		decider = policies.find_decider(digest)
		if decider is None:
			continue
		rows = np.flatnonzero((digests == digest) & (before == _DECLINE))
		pds, amounts, rates, months = (term[rows] for term in terms)
		alone = decider.decide_columns(pds, amounts, rates, months, unlike[rows])
		found.append(rows[alone.decisions.codes != _DECLINE])
	return np.concatenate(found) if found else np.zeros(0, dtype="int64")


def _count(codes: IntArray) -> dict[str, int]:
	return {name: int((codes == DECISIONS.index(name)).sum()) for name in _SHOWN}
