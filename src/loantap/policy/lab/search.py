"""Search for rules of one and two conditions that would have raised profit.

It reads no geography, no home ownership and no other proxy of `policy/fairness/proxies.py` (income, years in
employment), and neither sub-grade nor instalment: grade, rate, amount and term say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from loantap.features.build import Values, tell_column
from loantap.features.definitions import FEATURES
from loantap.measures.intervals import Z95
from loantap.policy.fairness.proxies import PROXIES
from loantap.policy.lab.backtest import ALL, Candidate, FoundBy, JudgedLoans, estimate_change
from loantap.policy.lab.rules import LOAN_TO_INCOME, READABLE, Condition, Operator, Rule, name_rule
from loantap.policy.options import LabOptions
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import COLUMNS, GRADES

_SAID_BY_OTHERS = ("instalment", "sub_grade")
SEARCHED = tuple(name for name in READABLE if name not in PROXIES and name not in _SAID_BY_OTHERS)
_CHUNK = 32_768


@dataclass(frozen=True, slots=True)
class _Tally:
	"""Of each pair of conditions (on the diagonal: of each condition) taken as a rule.

	`gain` is of declining the loans, in currency, `squares` the sum of its squares.
	"""

	applications: int
	declined: FloatArray
	gain: FloatArray
	squares: FloatArray

	@property
	def low(self) -> FloatArray:
		"""Lower bound of the profit change per application (95%, normal)."""
		return _bound(self.gain, self.squares, self.applications, -Z95)

	@property
	def spared_high(self) -> FloatArray:
		"""Upper bound of what declining the loans that the second condition spares would gain.

		Row: the condition taken alone; column: the one added to it.
		"""
		gain = np.diag(self.gain)[:, None] - self.gain
		squares = np.diag(self.squares)[:, None] - self.squares
		return _bound(gain, squares, self.applications, Z95)


def _bound(gain: FloatArray, squares: FloatArray, applications: int, errors: float) -> FloatArray:
	mean = gain / applications
	variance = (squares / applications - mean**2) / max(applications - 1, 1)
	bound: FloatArray = mean + errors * np.sqrt(np.maximum(variance, 0))
	return bound


def list_candidates(loans: JudgedLoans, scenario: str, options: LabOptions) -> tuple[Candidate, ...]:
	"""The rules written by hand, and those found: alone, and after the NPV policy."""
	sample = loans.sample(ALL)
	rows = loans.is_searched[sample.places]
	places = sample.places[rows]
	columns = {name: _take(values, places) for name, values in loans.columns.items()}
	conditions = list_conditions(columns, options.edges)
	holds = hold_all(conditions, columns)
	gains = loans.gains[scenario, options.paid_life][places]
	# Two searches may find the same rule.
	found: dict[str, Candidate] = {}
	for looked_at in (np.ones(len(places), dtype=bool), sample.approved[scenario][rows]):
		for rule in search_rules(conditions, holds[:, looked_at], gains[looked_at], options):
			found[rule.id] = Candidate(rule, FoundBy.SEARCH)
	by_hand = [Candidate(rule, FoundBy.HAND) for rule in options.rules]
	return (*by_hand, *found.values())


def _take(values: FloatArray | Texts, places: IntArray) -> FloatArray | Texts:
	if isinstance(values, Texts):
		return Texts(values.codes[places], values.values)
	return values[places]


def search_rules(
	conditions: Sequence[Condition], holds: BoolArray, gains: FloatArray, options: LabOptions
) -> tuple[Rule, ...]:
	"""The rules that would have raised profit most, the surest first.

	The lower bound of a rule's gain is above zero. It has a second condition only where the loans which that one spares
	would surely have been a loss to decline; what it declines beyond the rules before it must be many loans, and gain.
	`holds` has one row per condition.
	"""
	if not len(gains):
		return ()
	order = _rank(conditions, _tally(holds, gains), options.min_loans)
	found: list[Rule] = []
	is_declined = np.zeros(len(gains), dtype=bool)
	for first, second in order:
		declines = holds[first] & holds[second]
		is_new = declines & ~is_declined
		is_other = is_new.sum() >= (1 - options.max_overlap) * declines.sum()
		if not is_other or not estimate_change(gains[is_new], len(gains)).low > 0:
			continue
		places = [first] if first == second else [first, second]
		found.append(name_rule([conditions[place] for place in places]))
		is_declined |= declines
		if len(found) == options.max_found:
			break
	return tuple(found)


def list_conditions(columns: Values, edges: int) -> list[Condition]:
	"""Every condition that is tried: at most and above each bound; grades from one on, up to one; each category."""
	return [found for name in SEARCHED for found in _conditions_on(name, columns, edges)]


def hold_all(conditions: Sequence[Condition], columns: Values) -> BoolArray:
	"""Whether each condition holds of each loan; one row per condition."""
	return np.stack([condition.holds(columns) for condition in conditions])


def _conditions_on(name: str, columns: Values, edges: int) -> list[Condition]:
	def one_of(values: Sequence[Any]) -> Condition:
		return Condition(column=name, operator=Operator.ONE_OF, value=tuple(values))

	if name == "grade":
		up_to = list(accumulate(GRADES))[:-1]
		return [one_of(part) for grades in up_to for part in (grades, GRADES[len(grades) :])]
	if name == LOAN_TO_INCOME:
		given = tell_column(name, [columns[used] for used in FEATURES[name].uses])  # type: ignore[misc]
	else:
		values = columns[name]
		if isinstance(values, Texts):
			return [one_of([text]) for text in COLUMNS[name].listed if text in values.values]
		if COLUMNS[name].values:
			return [one_of([value]) for value in COLUMNS[name].values]
		given = values
	return [
		Condition(column=name, operator=operator, value=bound)
		for bound in _bounds(given, edges)
		for operator in (Operator.AT_MOST, Operator.ABOVE)
	]


def _bounds(values: FloatArray, edges: int) -> list[float]:
	known = values[np.isfinite(values)]
	if not len(known):
		return []
	quantiles = np.quantile(known, np.arange(1, edges + 1) / (edges + 1))
	rounded = [float(f"{bound:.3g}") for bound in quantiles]
	return sorted({float(bound) for bound in np.clip(rounded, known.min(), known.max())})


def _tally(holds: BoolArray, gains: FloatArray) -> _Tally:
	conditions, loans = holds.shape
	sums = np.zeros((3, conditions, conditions))
	for start in range(0, loans, _CHUNK):
		# Single precision takes half the time; the search only ranks.
		some = holds[:, start : start + _CHUNK].astype("float32")
		of_some = gains[start : start + _CHUNK].astype("float32")
		for place, weighted in enumerate((some, some * of_some, some * of_some**2)):
			sums[place] += some @ weighted.T
	return _Tally(loans, *sums)


def _rank(conditions: Sequence[Condition], tally: _Tally, min_loans: int) -> list[tuple[int, int]]:
	"""One with itself is one condition."""
	names = np.array([condition.column for condition in conditions])
	low, spared = tally.low, tally.spared_high
	of_two = (names[:, None] != names) & (spared < 0) & (spared.T < 0)
	of_one = np.eye(len(names), dtype=bool)
	is_some = tally.declined >= min_loans
	is_not_all = tally.declined <= tally.applications - min_loans
	gains = (low > 0) & is_some & is_not_all
	first, second = np.nonzero(np.triu(gains & (of_one | of_two)))
	order = np.argsort(-low[first, second], kind="stable")
	return [(int(first[place]), int(second[place])) for place in order]
