import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.model.promotion.rule import (
	Condition,
	Verdict,
	compare_auc,
	compare_log_loss,
	judge_against,
	judge_alone,
	reach_verdict,
)
from loantap.model.training.options import PromotionOptions

RULE = PromotionOptions(
	resamples=300, confidence=0.95, calibration_confidence=0.95, tolerated_ece=0.01, min_charge_offs=100
)
SAMPLES = {"cv": 3_000, "test": 600, "out_of_time": 900}
ALONE = ["enough charge-offs", "leakage gate", "calibrated"]
AGAINST = ["better log-loss", "better AUC", "not worse out of time"]


class World:
	def __init__(self, seed=11):
		self._rng = np.random.default_rng(seed)
		self._sample = np.repeat(list(SAMPLES), list(SAMPLES.values()))
		loans = len(self._sample)
		self.seen, self._hidden, self._noise = self._rng.normal(size=(3, loans))
		self.log_odds = -1.7 + 0.9 * self.seen + 0.9 * self._hidden
		self.target = (self._rng.random(loans) < expit(self.log_odds)).astype("int8")

	def model(self, **sharpness):
		"""Predictions that know a share of the hidden risk, by sample; 1 is perfect."""
		share = np.array([sharpness.get(s, sharpness.get("all", 0)) for s in self._sample])
		# What is not known widens the distribution: PDs are drawn together to stay calibrated.
		shrink = 1 / np.sqrt(1 + 0.346 * 0.81 * (1 - share**2))
		guess = share * self._hidden + np.sqrt(1 - share**2) * self._noise
		known = -1.7 + 0.9 * self.seen + 0.9 * share * guess
		return self.table(expit(shrink * known))

	def table(self, pd_):
		return pd.DataFrame(
			{
				"loan_id": [f"{number:05d}" for number in range(len(pd_))],
				"sample": self._sample,
				"is_charged_off": self.target,
				"probability_of_default": pd_,
			}
		).astype({"sample": "str"})


@pytest.fixture(scope="module")
def world():
	return World()


def judge(new, old, **changes):
	rule = RULE.model_copy(update=changes)
	conditions = [*judge_alone(new, [], rule, seed=1), *judge_against(new, old, rule, seed=1)]
	return {condition.name: condition for condition in conditions}


def failed(conditions):
	return [name for name, condition in conditions.items() if not condition.holds]


@pytest.mark.parametrize(
	("new", "old", "lacking"), [({"all": 1}, {"all": 0}, []), ({"all": 0}, {"all": 1}, AGAINST)], ids=["better", "worse"]
)
def test_a_clearly_better_model_meets_all_conditions_and_a_worse_one_none_of_the_comparisons(world, new, old, lacking):
	conditions = judge(world.model(**new), world.model(**old))

	assert list(conditions) == ALONE + AGAINST
	assert failed(conditions) == lacking


def test_the_same_model_again_is_no_better(world):
	same = world.model(all=0.5)

	conditions = judge(same, same)

	assert failed(conditions) == ["better log-loss", "better AUC"]
	assert conditions["better AUC"].evidence.startswith("+0.00000 [+0.00000, +0.00000]")


def test_better_but_not_calibrated_is_not_enough(world):
	sharp = world.model(all=1)
	# Twice the odds: what class weights of two would do.
	odds = sharp["probability_of_default"] / (1 - sharp["probability_of_default"])
	raised = sharp.assign(probability_of_default=2 * odds / (1 + 2 * odds))

	conditions = judge(raised, world.model(all=0))

	assert "calibrated" in failed(conditions)
	assert conditions["better AUC"].holds


def test_better_in_cross_validation_but_worse_out_of_time_is_not_enough(world):
	new = world.model(cv=1, test=1, out_of_time=0)
	old = world.model(cv=0, test=0, out_of_time=1)

	conditions = judge(new, old)

	assert failed(conditions) == ["not worse out of time"]
	assert "900 loans" in conditions["not worse out of time"].evidence


@pytest.mark.parametrize("is_ahead", [True, False])
def test_out_of_time_a_difference_that_may_be_chance_will_do(is_ahead, world):
	matured = world.model()["sample"] == "out_of_time"
	errors = np.random.default_rng(3).normal(size=(2, len(matured)))
	one, other = (expit(world.log_odds + error) for error in (errors[::-1] if is_ahead else errors))
	new, old = (
		table.assign(probability_of_default=table["probability_of_default"].mask(matured, pd_))
		for table, pd_ in ((world.model(all=1), one), (world.model(all=0), other))
	)

	condition = judge(new, old)["not worse out of time"]

	gain, low, high = map(float, re.findall(r"[+-][\d.]+", condition.evidence))
	assert low < 0 < high
	assert (gain > 0) is is_ahead
	assert condition.holds


@pytest.mark.parametrize(
	("charged_off", "paid", "is_compared"), [(30, 30, True), (29, 60, False), (60, 29, False)], ids=str
)
def test_too_few_matured_loans_of_an_outcome_tell_nothing_and_stop_nothing(charged_off, paid, is_compared, world):
	bad = np.flatnonzero((world.model()["sample"] == "out_of_time") & (world.target == 1))[:charged_off]
	good = np.flatnonzero((world.model()["sample"] == "out_of_time") & (world.target == 0))[:paid]
	unseen = np.flatnonzero(world.model()["sample"] != "out_of_time")
	new, old = (
		table.iloc[np.concatenate([unseen, bad, good])] for table in (world.model(cv=1, test=1), world.model(out_of_time=1))
	)

	conditions = judge(new, old)

	told = f"{charged_off + paid} matured loans are too few to tell"
	assert is_compared or failed(conditions) == []
	assert (conditions["not worse out of time"].evidence == told) is not is_compared


def test_too_few_charge_offs_are_not_learned_from(world):
	charged_off = int(world.target[: SAMPLES["cv"]].sum())

	few = judge(world.model(all=1), world.model(), min_charge_offs=charged_off + 1)
	enough = judge(world.model(all=1), world.model(), min_charge_offs=charged_off)

	assert failed(few) == ["enough charge-offs"]
	assert failed(enough) == []
	assert few["enough charge-offs"].evidence == (f"{charged_off} in training, {charged_off + 1} required")


def test_what_the_gate_caught_is_named(world):
	conditions = judge_alone(world.model(all=1), ["pincode", "title"], RULE, seed=1)

	gate = conditions[ALONE.index("leakage gate")]
	assert not gate.holds
	assert gate.evidence == "caught: pincode, title"


def test_loans_in_common_must_be_enough(world):
	new, old = world.model(all=1), world.model(all=0)
	stranger = old.assign(loan_id="other " + old["loan_id"])

	[condition] = judge_against(new, stranger, RULE, seed=1)

	assert not condition.holds
	assert condition.evidence == "0 loans are too few to compare on"


def test_an_immaterial_calibration_error_is_tolerated(world):
	slightly_off = world.table(np.clip(expit(world.log_odds) + 0.06, 0, 1))
	index = ALONE.index("calibrated")

	def holds(tolerated):
		rule = RULE.model_copy(update={"tolerated_ece": tolerated})
		return judge_alone(slightly_off, [], rule, seed=1)[index].holds

	cv = slightly_off[slightly_off["sample"] == "cv"]
	ece = expected_calibration_error(cv["is_charged_off"].to_numpy(), cv["probability_of_default"].to_numpy())
	assert not holds(0.01)
	assert holds(ece)


# What is said is what scikit-learn would say.
def test_gains_are_differences_of_log_loss_and_auc_on_loans_not_seen(world):
	new, old = world.model(all=0.6), world.model(all=0)
	unseen = new["sample"] != "out_of_time"
	target = world.target[unseen]
	new_pd, old_pd = (t.loc[unseen, "probability_of_default"].to_numpy() for t in (new, old))

	conditions = judge(new, old)

	n = f"on {unseen.sum():,} loans, {target.sum()} charged off"
	by_loss = log_loss(target, old_pd) - log_loss(target, new_pd)
	by_auc = roc_auc_score(target, new_pd) - roc_auc_score(target, old_pd)
	assert conditions["better log-loss"].evidence.startswith(f"{by_loss:+.5f} [")
	assert conditions["better AUC"].evidence.startswith(f"{by_auc:+.5f} [")
	assert conditions["better log-loss"].evidence.endswith(n)
	assert conditions["better AUC"].evidence.endswith(n)


def test_the_interval_of_a_mean_is_two_standard_errors_to_either_side(world):
	new, old = expit(world.log_odds), expit(-1.7 + 0.9 * world.seen)
	cost_new, cost_old = (-np.log(np.where(world.target == 1, p, 1 - p)) for p in (new, old))
	gains = cost_old - cost_new
	half = 1.96 * gains.std() / np.sqrt(len(gains))

	found = compare_log_loss(world.target, new, old, RULE.model_copy(update={"resamples": 1_000}), seed=1)

	assert found.gain == pytest.approx(gains.mean())
	assert found.low == pytest.approx(gains.mean() - half, abs=0.15 * half)
	assert found.high == pytest.approx(gains.mean() + half, abs=0.15 * half)
	assert (found.n, found.charged_off) == (len(gains), world.target.sum())


@pytest.mark.parametrize(("confidence", "low", "high"), [(0.66, 0, 1), (0.4, 0.5, 0.5)])
def test_each_loan_is_as_likely_to_be_drawn(confidence, low, high):
	"""Of two loans, a quarter of the draws holds the first alone, and another the second."""
	rule = RULE.model_copy(update={"resamples": 1_000, "confidence": confidence})

	found = compare_log_loss(np.array([1, 0]), np.array([0.9, 0.5]), np.array([0.5, 0.5]), rule, seed=1)

	gain = np.log(0.9 / 0.5)
	assert (found.low, found.high) == pytest.approx((low * gain, high * gain))


@pytest.mark.parametrize("compare", [compare_log_loss, compare_auc])
def test_the_bootstrap_is_paired_and_repeats(compare, world):
	pd_ = expit(world.log_odds)
	# In pairs nearly all chance cancels out; apart, each AUC has a standard error of .009.
	nearly = expit(world.log_odds + 0.001 * world.seen)

	once, again = (compare(world.target, nearly, pd_, RULE, seed=1) for _ in range(2))

	assert once == again
	assert once.high - once.low < 0.001


def test_more_confidence_asks_for_a_wider_interval(world):
	new, old = expit(world.log_odds), expit(-1.7 + 0.9 * world.seen)

	narrow, wide = (
		compare_auc(world.target, new, old, RULE.model_copy(update={"confidence": c}), seed=1) for c in (0.5, 0.99)
	)

	assert wide.low < narrow.low < narrow.gain < narrow.high < wide.high


def test_a_pd_of_nought_or_one_that_proves_wrong_has_a_finite_cost():
	target = np.array([1, 0, 1, 0])
	wrong = np.array([0.0, 1.0, 0.0, 1.0])

	found = compare_log_loss(target, np.full(4, 0.5), wrong, RULE, seed=1)

	assert found.gain == pytest.approx(log_loss(target, wrong) - np.log(2))


def test_the_calibration_error_is_quoted_beside_what_chance_allows(world):
	table = world.model(all=1)
	cv = table[table["sample"] == "cv"]
	ece = expected_calibration_error(cv["is_charged_off"].to_numpy(), cv["probability_of_default"].to_numpy())

	rule = RULE.model_copy(update={"calibration_confidence": 0.8})
	_, highest = perfect_ece_bounds(cv["probability_of_default"].to_numpy(), seed=1, resamples=300, confidence=0.8)

	evidence = judge_alone(table, [], rule, seed=1)[ALONE.index("calibrated")].evidence

	assert evidence.startswith(f"ECE {ece:.4f} out of fold on 3,000 loans, at most {highest:.4f} allowed: a perfect")
	assert f"exceeds {highest:.4f} once in 10 samples" in evidence
	assert evidence.endswith("and up to 0.0100 counts as immaterial")


def test_the_gate_asks_nothing_of_a_model_that_is_not_for_lending(world):
	gate = judge_alone(world.model(all=1), None, RULE, seed=1)[ALONE.index("leakage gate")]

	assert gate.holds
	assert gate.evidence == "not asked: the model is not for lending"


CONDITIONS = (
	Condition("enough charge-offs", holds=True, evidence="900 in training, 100 required"),
	Condition("better AUC", holds=False, evidence="-0.001 on 3,600 loans"),
	Condition("calibrated", holds=False, evidence="ECE 0.09"),
)


@pytest.mark.parametrize(
	("incumbent", "conditions", "promoted", "headline", "reason"),
	[
		("old", CONDITIONS[:1], True, "new takes the place of old", ": every condition holds"),
		(
			"old",
			CONDITIONS,
			False,
			"new does not take the place of old",
			" (better AUC: -0.001 on 3,600 loans; calibrated: ECE 0.09)",
		),
		("", CONDITIONS[:1], True, "new becomes champion", ": every condition holds"),
		("", CONDITIONS[1:2], False, "new does not become champion", " (better AUC: -0.001 on 3,600 loans)"),
	],
)
def test_every_condition_must_hold_and_the_reason_names_what_failed(incumbent, conditions, promoted, headline, reason):
	verdict = reach_verdict("new", incumbent, list(conditions))

	assert (verdict.promoted, verdict.headline, verdict.reason) == (promoted, headline, headline + reason)


def test_as_json_a_verdict_has_all_its_conditions():
	verdict = Verdict("new", "old", promoted=False, conditions=CONDITIONS)

	assert verdict.as_dict() == {
		"candidate": "new",
		"incumbent": "old",
		"promoted": False,
		"headline": "new does not take the place of old",
		"conditions": [{"name": c.name, "holds": c.holds, "evidence": c.evidence} for c in CONDITIONS],
	}
