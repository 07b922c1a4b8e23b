import numpy as np
import pandas as pd
import pytest

from loantap.measures.intervals import wilson_bounds
from loantap.model.validation.evaluation import JudgedModel
from loantap.pipelines.insights import nodes
from loantap.policy.fairness import policy_audit
from loantap.policy.fairness.policy_audit import audit_policies, join_approvals, list_policies
from loantap.policy.money.returns import tabulate_profits
from loantap.policy.options import InsightsOptions
from loantap.policy.schemas import FAIRNESS_BY_POLICY, FAIRNESS_FRONTIER
from loantap.portfolio.errors import InputError
from tests.policy.fairness.approvals import OPTIONS, decide, predict
from tests.policy.shipped import ECONOMICS

POLICIES = ["approve_all", "nobody", "pd_cutoff", "npv"]


@pytest.fixture(scope="module")
def rows(simulated_loans):
	predictions = predict(simulated_loans)
	return join_approvals(predictions, decide(predictions, simulated_loans), simulated_loans)


@pytest.fixture(scope="module")
def audited(rows):
	return FAIRNESS_BY_POLICY.validate(audit_policies(rows, POLICIES, OPTIONS))


def line(audited, policy, proxy, group):
	is_it = (audited["policy"] == policy) & (audited["proxy"] == proxy)
	found = audited[is_it & (audited["group"] == group)]
	assert len(found) == 1
	return found.iloc[0]


def test_each_loan_is_there_once_as_judged_out_of_fold_or_on_test(rows, simulated_loans):
	assert sorted(rows["loan_id"]) == sorted(simulated_loans["loan_id"])
	assert set(rows["sample"]) == {"cv", "test"}
	assert not rows["probability_of_default"].eq(0.9).any()


def test_another_portfolio_is_one_message(simulated_loans):
	predictions = predict(simulated_loans)
	approvals = decide(predictions, simulated_loans)
	fewer = simulated_loans.iloc[7:]

	with pytest.raises(InputError, match=r"7 of .* judged loans have no approvals"):
		join_approvals(predictions, approvals, fewer)
	with pytest.raises(InputError, match=r"5 of .* judged loans have no approvals"):
		join_approvals(predictions, approvals.iloc[:-5], simulated_loans)


@pytest.mark.parametrize("policy", ["pd_cutoff", "npv"])
def test_rates_are_those_of_the_loans(policy, audited, rows):
	of = rows[rows["home_ownership"] == "RENT"]
	bad, approved = of["is_charged_off"].eq(1), of[policy]
	got = line(audited, policy, "home_ownership", "RENT")

	assert (got["n"], got["charged_off"]) == (len(of), bad.sum())
	assert (got["approved"], got["charged_off_approved"]) == (approved.sum(), (bad & approved).sum())
	assert got["approval_rate"] == pytest.approx(approved.mean())
	assert got["true_positive_rate"] == pytest.approx((~approved[bad]).mean())
	assert got["false_positive_rate"] == pytest.approx((~approved[~bad]).mean())
	assert got["default_rate_approved"] == pytest.approx(bad[approved].mean())
	expected = of.loc[approved, "probability_of_default"].sum()
	assert got["observed_to_expected"] == pytest.approx((bad & approved).sum() / expected)


def test_bounds_are_wilsons_on_the_loans_that_the_rate_is_of(audited):
	got = line(audited, "npv", "home_ownership", "RENT")
	refused_bad = got["charged_off"] - got["charged_off_approved"]
	refused_good = got["n"] - got["approved"] - refused_bad
	measured_on = {
		"true_positive_rate": (refused_bad, got["charged_off"]),
		"false_positive_rate": (refused_good, got["n"] - got["charged_off"]),
		"default_rate_approved": (got["charged_off_approved"], got["approved"]),
	}
	for name, counts in measured_on.items():
		assert (got[f"{name}_low"], got[f"{name}_high"]) == pytest.approx(wilson_bounds(*counts))
	scale = got["observed_to_expected"] / got["default_rate_approved"]
	for end in ("low", "high"):
		scaled = got[f"default_rate_approved_{end}"] * scale
		assert got[f"observed_to_expected_{end}"] == pytest.approx(scaled)


def test_approving_nobody_has_no_ratio(audited):
	nobody = audited[audited["policy"] == "nobody"]

	assert nobody["approval_rate"].eq(0).all()
	assert nobody.filter(like="approval_ratio").isna().all(axis=None)
	assert nobody.filter(regex="^observed|^default").isna().all(axis=None)
	assert set(nobody["verdict"]) == {policy_audit.FEW, policy_audit.NOBODY}


def make_rows(**groups):
	"""How many, and how many are approved; one in five is charged off."""
	parts = [
		pd.DataFrame(
			{
				"home_ownership": name,
				"policy": np.arange(loans) < approved,
				"is_charged_off": (np.arange(loans) % 5 == 0).astype("int8"),
			}
		)
		for name, (loans, approved) in groups.items()
	]
	month = pd.Timestamp("2015-01-01")
	return pd.concat(parts, ignore_index=True).assign(
		probability_of_default=0.2,
		profession="Teacher",
		annual_income=50_000.0,
		earliest_credit_line=month - pd.DateOffset(years=12),
		issue_month=month,
		employment_years=5.0,
		pincode="22690",
	)


def test_a_clear_ratio_is_told_and_an_open_one_is_left_open():
	rows = make_rows(OWN=(2_000, 1_800), MORTGAGE=(2_000, 1_700), RENT=(2_000, 1_000), OTHER=(2_000, 1_440), ANY=(5, 5))
	audited = audit_policies(rows, ["policy"], OPTIONS)

	housing = audited[audited["proxy"] == "home_ownership"]
	assert housing.set_index("group")["verdict"].to_dict() == {
		"OWN": policy_audit.MEASURE,
		"MORTGAGE": policy_audit.ABOVE,
		"RENT": policy_audit.BELOW,
		"OTHER": policy_audit.OPEN,  # exactly four fifths of 90%
		"ANY": policy_audit.FEW,
	}


def test_every_policy_is_audited_and_the_npv_policy_is_priced(simulated_loans):
	judged = JudgedModel("loantap-lending-demo", "3", True, "3", predict(simulated_loans), {})
	options = InsightsOptions.model_construct(fairness=OPTIONS)
	approvals = decide(judged.predictions, simulated_loans)
	profits = tabulate_profits(simulated_loans, ECONOMICS)

	audited, priced = nodes.audit_policies(judged, approvals, simulated_loans, profits, ECONOMICS, options)

	FAIRNESS_BY_POLICY.validate(audited)
	assert audited["policy"].unique().tolist() == list_policies(approvals)
	assert audited.groupby(["policy", "proxy"])["n"].sum().eq(len(simulated_loans)).all()
	FAIRNESS_FRONTIER.validate(priced)
	approved = approvals.loc[approvals["sample"] != "out_of_time", "npv"].sum()
	assert priced.loc[priced["target_ratio"].isna(), "approved"].eq(approved).all()
