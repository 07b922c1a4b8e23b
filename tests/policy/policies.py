"""Credit policies as tests need them: approved, with other rules where they are given."""

from typing import Any

from loantap.policy.credit_policy import CreditPolicy, digest_policy
from loantap.policy.decisions import Decider, make_decider
from loantap.policy.money.cash_flows import Economics
from tests.policy.money.economics import make_economics
from tests.policy.shipped import read_shipped

ECONOMICS = make_economics()


def read_policy(**changed: Any) -> dict[str, Any]:
  return read_shipped("policy", **changed)


def make_policy(economics: Economics = ECONOMICS, **rules: Any) -> CreditPolicy:
  """The shipped policy with other rules, approved as it then is."""
  written = read_policy()
  policy = CreditPolicy.model_validate(written | {"rules": written["rules"] | rules})
  digest = digest_policy(policy, policy.find_scenario(economics))
  return policy.model_copy(update={"digest": digest})


def make_test_decider(**rules: Any) -> Decider:
  return make_decider(make_policy(**rules), ECONOMICS)
