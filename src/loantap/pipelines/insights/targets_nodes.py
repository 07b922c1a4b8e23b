"""The node of the `insights` pipeline that checks targets."""

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.policy.approvals import decide_loans
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.money.scenarios import Economics
from loantap.policy.targets import check_targets, tabulate_targets


def check_policy_targets(
    judged: JudgedModel, loans: pd.DataFrame, policy: CreditPolicy, economics: Economics
) -> pd.DataFrame:
    """What the policy reaches on loans judged in cross-validation, target by target."""
    predictions = judged.lifetime_predictions
    rows = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
    decided = decide_loans(rows, loans, make_decider(policy, economics))
    more = loans.set_index("loan_id")[["loan_amount", "state"]]
    known = rows[["loan_id", "is_charged_off"]].join(more, on="loan_id")
    return tabulate_targets(check_targets(decided, known, policy.targets))
