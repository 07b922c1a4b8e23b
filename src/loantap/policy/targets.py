"""Whom a policy approves of loans of the past, what that earned, and whether it reaches its targets."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import Decided, Decider, Decision
from loantap.policy.money.cash_flows import VALUED_BY, Economics, PaidLife, Scenario
from loantap.policy.money.returns import TERMS, Estimate, estimate_mean, estimate_share, impute_flows, name_bounds
from loantap.policy.offers.concentration import find_largest
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.errors import InputError

# What is read of each loan that a policy is tried on, by canonical name.
TRIED_COLUMNS = ("loan_id", *TERMS, "state")
_DTYPES = {
	"target": "str",
	"limit": "float64",
	**dict.fromkeys(name_bounds("reached"), "float64"),
	"n": "int64",
	"holds": "bool",
}


@dataclass(frozen=True, slots=True)
class TargetCheck:
	"""One target, and the share of `n` loans (of the concentration: of their principal) that the policy reaches.

	Bounds are 95% (Wilson; of the concentration as in `find_largest`). It `holds` unless it is told apart from being
	reached.
	"""

	target: str
	limit: float
	reached: float
	reached_low: float
	reached_high: float
	n: int
	holds: bool

	@property
	def verdict(self) -> str:
		"""`MISSED`, `holds`, or `not told apart` where the limit lies within the interval."""
		if not self.holds:
			return "MISSED"
		is_near = self.reached_low <= self.limit <= self.reached_high
		return "not told apart" if is_near else "holds"


def check_targets(decided: Decided, loans: pd.DataFrame, targets: Targets) -> list[TargetCheck]:
	"""Whether a policy reaches its targets on loans of known outcome, none of them invalid.

	LoanTap's addresses are made up: of its own loans the concentration says nothing.
	"""
	n, approved = len(loans), loans[decided.approves]
	referred = decided.count(Decision.REFER)
	passed = referred + len(approved)
	checks = []
	if n:
		checks += [
			_check("review_capacity", targets.review_capacity, referred, n),
			_check("min_approval_rate", targets.min_approval_rate, passed, n, is_floor=True),
		]
	if len(approved):
		bad = int(approved["is_charged_off"].sum())
		checks.append(_check("max_default_rate", targets.max_default_rate, bad, len(approved)))
	largest = find_largest(approved["state"], approved["loan_amount"])
	if largest is not None:
		limit, bounds = targets.max_concentration, (largest.value, largest.low, largest.high)
		checks.append(TargetCheck("max_concentration", limit, *bounds, len(approved), largest.low <= limit))
	return checks


def tabulate_targets(checks: Iterable[TargetCheck]) -> pd.DataFrame:
	"""One row per target, with the attributes of `TargetCheck`."""
	rows = [asdict(check) for check in checks]
	return pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)


def _check(target: str, limit: float, count: int, loans: int, *, is_floor: bool = False) -> TargetCheck:
	reached = estimate_share(count, loans)
	holds = reached.high >= limit if is_floor else reached.low <= limit
	return TargetCheck(target, limit, reached.value, reached.low, reached.high, loans, holds)


def tabulate_approvals(predictions: pd.DataFrame, approved: BoolArray, profit: FloatArray) -> pd.DataFrame:
	"""Approval rate of each sample of predictions, default rate of what is approved, and what it earned.

	One row per sample; rates with 95% bounds (Wilson), the default rate missing of nobody; `profit` per application in
	currency (95%, normal).
	"""
	judged = predictions.assign(approves=approved, earned=np.where(approved, profit, 0.0))
	samples = judged.groupby("sample", sort=False, observed=True)
	return pd.DataFrame([{"sample": sample, **_count(rows)} for sample, rows in samples])


def impute_profit(
	predictions: pd.DataFrame, loans: pd.DataFrame, scenario: Scenario, economics: Economics
) -> FloatArray:
	"""Imputed NPV of the loan of each row, over the contractual life, in currency."""
	known = loans.set_index("loan_id").loc[predictions["loan_id"]]
	return impute_flows(known, scenario, economics, PaidLife.CONTRACTUAL).npv


def decide_loans(predictions: pd.DataFrame, loans: pd.DataFrame, decider: Decider) -> Decided:
	"""What a policy decides on each row of predictions, whether or not it is unlike the training."""
	terms = loans.set_index("loan_id")[list(VALUED_BY[1:])]
	rows = predictions[["loan_id", VALUED_BY[0]]].join(terms, on="loan_id")
	return decider.decide_columns(*(rows[name].to_numpy(float) for name in VALUED_BY))


def _count(rows: pd.DataFrame) -> dict[str, float]:
	outcomes = rows.loc[rows["approves"], "is_charged_off"]
	loans, approved = len(rows), len(outcomes)
	return (
		{"n": loans, "approved": approved}
		| estimate_share(approved, loans).named("approval_rate")
		| estimate_share(int(outcomes.sum()), approved).named("default_rate_approved")
		| estimate_mean(rows["earned"].to_numpy()).named("profit")
	)


@dataclass(frozen=True, slots=True)
class Trial:
	"""What a policy does to loans of known outcome.

	`gain` is the change of imputed profit per application against approving all, in currency; loans referred count as
	approved, paid ones run for their contract.
	"""

	loans: int
	shares: dict[str, float]
	gain: Estimate
	targets: Sequence[TargetCheck]


def try_policy(decider: Decider, predictions: pd.DataFrame, loans: pd.DataFrame, economics: Economics) -> Trial:
	"""Let a policy, approved or not, decide on loans of known outcome that the model did not see."""
	if predictions.empty:
		raise InputError("policy", "there are no loans to try it on", "Run modeling first")
	known = loans.set_index("loan_id").loc[predictions["loan_id"]].reset_index()
	decided = decide_loans(predictions, known, decider)
	flows = impute_flows(known, decider.scenario, economics, PaidLife.CONTRACTUAL)
	is_declined = decided.decisions.codes == list(Decision).index(Decision.DECLINE)
	return Trial(
		loans=len(known),
		shares={
			decision.value: decided.count(decision) / len(known)
			for decision in (Decision.APPROVE, Decision.REFER, Decision.DECLINE)
		},
		gain=estimate_mean(np.where(is_declined, -flows.npv, 0.0)),
		targets=check_targets(decided, known, decider.policy.targets),
	)
