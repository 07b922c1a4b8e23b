import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from loantap.features.build import build_features
from loantap.model.scoring.scorer import Scorer
from loantap.model.validation.evaluation import JudgedModel
from loantap.pipelines.evaluation import nodes
from loantap.policy.decisions import make_decider
from loantap.policy.targets import decide_loans
from loantap.portfolio.errors import InputError
from tests.pipelines.in_memory import load_options

TRAINING = 3_000


@pytest.fixture(scope="module")
def options():
	return load_options()


@pytest.fixture(scope="module")
def scorer(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "3")


@pytest.fixture(scope="module")
def predictions(simulated_loans, scorer):
	"""PDs of the first 3,000 loans as out of fold, of the last 1,000 as test, loans shuffled."""
	features = build_features(simulated_loans, scorer.feature_set.features)
	pd_ = scorer.trained.pipeline.predict_proba(features)[:, 1]
	is_test = np.arange(len(simulated_loans)) >= TRAINING
	table = pd.DataFrame(
		{
			"loan_id": simulated_loans["loan_id"],
			"sample": np.where(is_test, "test", "cv"),
			"fold": np.where(is_test, -1, np.arange(len(is_test)) % 5),
			"is_charged_off": simulated_loans["is_charged_off"],
			"probability_of_default": pd_,
			"threshold": 0.15,
			"declined": pd_ >= 0.15,
		}
	)
	return table.sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def fairness(predictions, simulated_loans, options):
	given = [options[f"params:{name}"] for name in ("policy", "economics", "evaluation")]
	judged = JudgedModel("", "", True, "", predictions, {})
	return nodes.audit_fairness(judged, simulated_loans, *given)


def test_the_audit_is_json_of_the_loans_a_model_did_not_see(fairness):
	assert json.loads(json.dumps(fairness, allow_nan=False)) == fairness
	assert fairness["n"] == TRAINING
	for proxy in fairness["proxies"].values():
		assert sum(group["n"] for group in proxy["groups"]) == TRAINING


def test_the_policy_approves_what_it_would_at_the_terms_of_each_loan(fairness, predictions, simulated_loans, options):
	policy, economics = options["params:policy"], options["params:economics"]
	decided = decide_loans(predictions, simulated_loans, make_decider(policy, economics))
	expected = predictions.assign(approved=decided.approves).groupby("sample")["approved"].sum()

	counted = {row["sample"]: row["approved"] for row in fairness["approvals"]}
	assert counted == expected.to_dict()
	groups = fairness["proxies"]["pincode"]["groups"]
	by_group = sum(group["n"] * group["policy_approval_rate"] for group in groups)
	assert by_group == pytest.approx(counted["cv"], abs=0.5)
	assert 0 < counted["cv"] < TRAINING
	assert fairness["policy"] == policy.name


def test_loans_that_were_labelled_anew_since_are_not_evaluated(predictions):
	judged = JudgedModel("", "", True, "", predictions, {"promotion": {"target": {"name": "dpd_90_within_12"}}})
	assert nodes.unpack_model(judged, {"name": "dpd_90_within_12"})[0] is judged
	with pytest.raises(InputError, match="dpd_90_within_12, that of the loans by now charged_off"):
		nodes.unpack_model(judged, {"name": "charged_off"})


def test_score_bands_are_of_out_of_fold_pds(scorer, predictions, simulated_loans, options):
	evaluation = options["params:evaluation"]
	judged = JudgedModel(scorer.name, scorer.version, True, "", pd.DataFrame(), {}, scorer)
	points = nodes.tabulate_scorecard(judged, predictions, simulated_loans)
	report = nodes.report_scorecard(judged, points, predictions, simulated_loans, evaluation)

	log_odds = logit(predictions.query("sample == 'cv'")["probability_of_default"])
	scores = np.rint(600 - 50 / np.log(2) * (log_odds + np.log(4)))
	highest = report["bands"][-1]
	assert highest["n"] == scores.ge(highest["lowest"]).sum()
	assert sum(band["n"] for band in report["bands"]) == report["n"] == TRAINING


def test_the_trade_off_stands_beside_the_threshold_in_use():
	thresholds = pd.DataFrame({"threshold": [0.1, 0.2], "f2": [0.5, 1 / 3]})
	chosen = {"n": 900, "threshold": 0.1, "f2": 0.5, "f2_decline_all": 0.54, "default_rate": 0.19}

	report = nodes.report_thresholds(thresholds, {"cv": {**chosen, "ks": 0.3}})

	assert report == {"chosen": chosen, "thresholds": [{"threshold": 0.1, "f2": 0.5}, {"threshold": 0.2, "f2": 0.333333}]}
