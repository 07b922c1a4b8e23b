import pytest

from loantap.model.validation.evaluation import JudgedModel
from loantap.pipelines.insights import nodes
from loantap.policy.fairness.policy_audit import list_policies
from loantap.policy.fairness.schemas import FAIRNESS_BY_POLICY, FAIRNESS_FRONTIER
from loantap.policy.money.imputed import tabulate_profits
from loantap.policy.options import InsightsOptions
from tests.policy.fairness.approvals import OPTIONS, decide, predict
from tests.policy.money.economics import make_economics


@pytest.fixture(scope="module")
def insights_options():
  return InsightsOptions.model_construct(fairness=OPTIONS)


@pytest.fixture(scope="module")
def judged(simulated_loans):
  predictions = predict(simulated_loans)
  return JudgedModel("loantap-lending-demo", "3", True, "3", predictions, {})


def test_every_policy_is_audited_and_the_npv_policy_is_priced(judged, simulated_loans, insights_options):
  economics = make_economics()
  approvals = decide(judged.predictions, simulated_loans)
  profits = tabulate_profits(simulated_loans, economics)

  audited, priced = nodes.audit_policies(judged, approvals, simulated_loans, profits, economics, insights_options)

  FAIRNESS_BY_POLICY.validate(audited)
  assert audited["policy"].unique().tolist() == list_policies(approvals)
  assert audited.groupby(["policy", "proxy"])["n"].sum().eq(len(simulated_loans)).all()
  FAIRNESS_FRONTIER.validate(priced)
  approved = approvals.loc[approvals["sample"] != "out_of_time", "npv"].sum()
  assert priced.loc[priced["target_ratio"].isna(), "approved"].eq(approved).all()
