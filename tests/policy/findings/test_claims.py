import numpy as np
import pytest

from loantap.policy.findings.claims import Verdict, judge_claims
from loantap.policy.findings.evidence import gather_evidence
from tests.policy.findings.material import draw_loans, make_options, make_profits, settle


@pytest.fixture(scope="module")
def loans():
	"""Amounts and terms go the claimed way, mortgages the other; utilisation goes no way."""
	drawn = draw_loans(6_000, 4)
	title = drawn["profession"].to_numpy().astype(object)
	title[:7] = "Project Manager"
	drawn = drawn.assign(profession=title)
	risk = 0.9 * (drawn["loan_amount"] >= 20_000) + 0.9 * (drawn["term_months"] == 60)
	risk = risk + 0.7 * (drawn["home_ownership"] == "MORTGAGE") - 0.9 * (drawn["grade"] == "A")
	settled = settle(drawn, -2 + risk.to_numpy(), 4)
	bad = settled["is_charged_off"] == 1
	leak = np.random.default_rng(5).random(len(drawn)) < 0.2
	pincode = np.where(bad & leak, "11650", np.where(leak, "22690", drawn["state"]))
	return settled.assign(pincode=np.where(pincode == "OK", "48052", pincode))


def judge(loans):
	evidence = gather_evidence(loans, make_profits(loans), "mid", make_options())
	return judge_claims(evidence, make_options()).set_index("topic")


@pytest.fixture(scope="module")
def claims(loans):
	return judge(loans)


def test_every_claim_of_the_case_study_has_a_line_in_its_order(claims):
	assert ", ".join(claims.index) == (
		"higher amounts, pincode 11650, pincode 86630, pincode 48052, pincode 70466, pincode 30723, longer terms, "
		"high DTI, high utilisation, grade A, mortgage, directors, project managers, teachers, managers"
	)


@pytest.mark.parametrize(
	("topic", "verdict"),
	[
		("higher amounts", Verdict.SHOWN),
		("mortgage", Verdict.REVERSED),
		("high utilisation", Verdict.NOT_SHOWN),
		("project managers", Verdict.TOO_FEW),
		("directors", Verdict.TOO_FEW),  # there is none
		("pincode 11650", Verdict.AUDIT_ONLY),
	],
)
def test_the_verdict_is_the_truth(claims, topic, verdict):
	assert claims.loc[topic, "verdict"] == verdict


def test_the_request_on_pincodes_is_refused_with_reason_and_what_is_done(claims):
	leak, none = claims.loc["pincode 11650"], claims.loc["pincode 86630"]

	assert leak["asked"] == "Stricter policies and lower limits in pincode 11650"
	assert "Refused: no policy depends on the pincode." in leak["answer"]
	assert "made from the outcome" in leak["answer"]
	assert "No decision, limit or price depends on the pincode" in leak["instead"]
	assert none["answer"].startswith("Too few loans to say (n = 0). Refused:")
	assert "made from the outcome" not in none["answer"]
	assert "Refused" not in claims.loc["pincode 48052", "answer"]


def test_a_plain_difference_that_others_explain_is_said_to_be_theirs(loans):
	# Teachers take long loans; there is nothing else about them.
	long = loans["term_months"] == 60
	rng = np.random.default_rng(8)
	teaches = rng.random(len(loans)) < np.where(long, 0.05, 0.5)

	row = judge(loans.assign(profession=np.where(teaches, "Teacher", "Pilot"))).loc["teachers"]

	assert row["gap_high"] < 0
	assert row["verdict"] == Verdict.NOT_SHOWN
	assert "The plain difference goes with the other factors" in row["answer"]
