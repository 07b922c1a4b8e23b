"""What a policy would have done to loans of the past, before its approval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.policy.approvals import decide_loans
from loantap.policy.decisions import Decider, Decision
from loantap.policy.money.imputed import TERMS, impute_flows
from loantap.policy.money.returns import Estimate, estimate_mean
from loantap.policy.money.scenarios import Economics, PaidLife
from loantap.policy.targets import TargetCheck, check_targets
from loantap.portfolio.errors import InputError

# What is read of each loan, by canonical name.
TRIED_COLUMNS = ("loan_id", *TERMS, "state")


@dataclass(frozen=True, slots=True)
class Trial:
  """What a policy does to loans of known outcome.

  `gain` is the change of imputed profit per application against approving all, in currency; loans referred count as
  approved, paid loans run for their contract.
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
