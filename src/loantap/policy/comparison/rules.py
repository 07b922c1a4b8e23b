"""The policies, each learnt on past loans and then applied to others.

Of new loans a rule may use everything but `realised`. Without past ones a rule that has to learn approves everybody, as
today.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from loantap.policy.comparison.portfolio import Lesson, LoanValues
from loantap.policy.options import ComparisonOptions
from loantap.portfolio.arrays import BoolArray, FloatArray

Rule = Callable[[LoanValues, LoanValues], BoolArray]

APPROVE_ALL = "approve_all"
GRADE_TERM = "grade_term_npv"
CAPPED = "capped_default_rate"
NPV = "npv"
ORACLE = "oracle"
# Sums of so many PDs are no more exact.
_ROUNDING = 1e-9
# In the order in which pages show them.
LABELS: Mapping[str, str] = {
	APPROVE_ALL: "Approve everybody",
	"f2_threshold": "F2 threshold",
	"pd_cutoff": "PD cut-off",
	"bands": "Top tenth by PD declined",
	GRADE_TERM: "NPV by grade and term",
	CAPPED: "Default rate capped",
	NPV: "Expected NPV above 0",
	"profit_score": "Profit score",
	ORACLE: "Oracle (knows the outcome)",
}
POLICIES = tuple(LABELS)


@dataclass(frozen=True, slots=True)
class CapPrice:
	"""What keeps the expected default rate among approved loans at or below a cap, a fraction.

	A loan is approved where its expected NPV exceeds `price * (PD - cap)`, in currency: a loan below the cap is paid for
	what it adds.
	"""

	cap: float
	price: float
	lowest_pd: float

	@property
	def is_feasible(self) -> bool:
		"""Whether anybody can be approved under the cap."""
		return self.lowest_pd <= self.cap

	def approve(self, loans: LoanValues) -> BoolArray:
		"""Whether each loan is approved; nobody is under a cap that cannot be kept."""
		if not self.is_feasible:
			return np.zeros(len(loans), bool)
		return loans.expected > self.price * (loans.probability_of_default - self.cap)


def price_cap(expected: FloatArray, probability_of_default: FloatArray, cap: float) -> CapPrice:
	"""The lowest price at which the loans approved are expected to default at most at the cap.

	It maximises the expected NPV under the cap (Lagrangian; exact but for one loan). As the price rises, loans above the
	cap leave and loans below it come in, never back: one sort finds it.
	"""
	excess = probability_of_default - cap
	lowest = float(probability_of_default.min())
	over = float(excess[expected > 0].sum())
	if over <= _ROUNDING:
		return CapPrice(cap, 0.0, lowest)
	# Loans whose decision depends on the price, and the price at which it changes.
	moves = np.where(expected > 0, excess > 0, excess < 0)
	turns = expected[moves] / excess[moves]
	order = np.argsort(turns)
	turns = turns[order]
	relieved = np.cumsum(np.abs(excess[moves][order]))
	last = min(int(np.searchsorted(relieved, over)), len(turns) - 1)
	# Between this price and the next: rounding must not decide about a loan at either.
	after = int(np.searchsorted(turns, turns[last], side="right"))
	following = turns[after] if after < len(turns) else 2 * turns[last] + 1
	return CapPrice(cap, float((turns[last] + following) / 2), lowest)


def find_cutoff(past: LoanValues) -> float:
	"""The PD below which approving would have earned most; infinite where that is everywhere."""
	order = np.argsort(past.probability_of_default)
	pds = past.probability_of_default[order]
	earned = np.concatenate([[0.0], np.cumsum(past.realised[order])])
	# Loans of the same PD are decided alike.
	parts = np.concatenate([[True], pds[1:] > pds[:-1], [True]])[-len(earned) :]
	best = int(np.argmax(np.where(parts, earned, -np.inf)))
	return float(pds[best]) if best < len(pds) else float("inf")


def approve_by_bands(past: LoanValues, new: LoanValues, referred_share: float) -> BoolArray:
	"""Approve all but the share with the highest PDs, which is referred."""
	if not len(past):
		return np.ones(len(new), bool)
	return new.probability_of_default < np.quantile(past.probability_of_default, 1 - referred_share)


def approve_by_grade_and_term(past: LoanValues, new: LoanValues) -> BoolArray:
	"""Approve where loans of this grade and term earned; without any, as all loans."""
	cells = int(new.grade_term.max()) + 1
	earned = np.bincount(past.grade_term, past.realised, cells)
	is_known = np.bincount(past.grade_term, minlength=cells) > 0
	earns: BoolArray = np.where(is_known, earned > 0, past.realised.sum() >= 0)
	return earns[new.grade_term]


def approve_under_cap(past: LoanValues, new: LoanValues, cap: float) -> BoolArray:
	"""Approve at the price that the cap had among past loans."""
	if not len(past):
		return np.ones(len(new), bool)
	return price_cap(past.expected, past.probability_of_default, cap).approve(new)


def make_rules(options: ComparisonOptions) -> dict[str, Rule]:
	"""Every policy by its name, the caps rising."""
	rules: dict[str, Rule] = {
		APPROVE_ALL: lambda _, new: np.ones(len(new), bool),
		"f2_threshold": lambda _, new: ~new.declined,
		"pd_cutoff": lambda past, new: new.probability_of_default < find_cutoff(past),
		"bands": partial(approve_by_bands, referred_share=options.referred_share),
		GRADE_TERM: approve_by_grade_and_term,
	}
	for cap in sorted(options.caps):
		rules[name_cap(cap, options)] = partial(approve_under_cap, cap=cap)
	rules[NPV] = lambda _, new: new.margin > 0
	rules["profit_score"] = lambda _, new: new.profit_score > 0
	rules[ORACLE] = lambda _, new: new.realised > 0
	return rules


def name_cap(cap: float, options: ComparisonOptions) -> str:
	"""`capped_default_rate` for the cap that is shown, with its percentage for others."""
	return CAPPED if cap == options.shown_cap else f"{CAPPED}_{100 * cap:g}"


def decide_loans(values: LoanValues, lessons: list[Lesson], rules: Mapping[str, Rule]) -> dict[str, BoolArray]:
	"""Whether each policy approves each loan, learnt on the loans of its lesson."""
	approved = {name: np.zeros(len(values), bool) for name in rules}
	for lesson in lessons:
		past, new = values.take(lesson.past), values.take(lesson.decided)
		for name, rule in rules.items():
			approved[name][lesson.decided] = rule(past, new)
	return approved
