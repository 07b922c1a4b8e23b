import dataclasses
import math
from datetime import date

import pandas as pd

from loantap.features.outcomes import label_loans
from loantap.portfolio.target import Target
from loantap.reporting.figures.evaluation import Score, plot_before_and_after, plot_roc
from loantap.reporting.figures.frame import Title
from loantap.reporting.model_card.model_section import ModelSection
from loantap.reporting.model_card.page import (
	BeyondIncome,
	CardData,
	CardModels,
	DataSummary,
	FeatureRow,
	ModelCard,
	PolicyLimit,
	PolicySummary,
	render_model_card,
)
from loantap.reporting.model_card.sections import VintageSection
from tests.conftest import OUT_OF_TIME
from tests.reporting.leakage_findings import make_finding
from tests.reporting.page_outline import read_section
from tests.spread import spread, spread_all

BLOCK = {
	"n": 4_715,
	"default_rate": 0.191,
	"roc_auc": 0.7123,
	"average_precision": 0.36,
	"ks": 0.31,
	"brier": 0.141,
	"ece": 0.012,
	"ece_perfect_low": 0.006,
	"ece_perfect_high": 0.021,
	"threshold": 0.11,
	"accuracy": 0.44,
	"precision": 0.237,
	"recall": 0.871,
	"f2": 0.5667,
	"f2_decline_all": 0.5415,
	"approval_rate": 0.33,
	"default_rate_approved": 0.084,
}
TEST_BLOCK = BLOCK | {"n": 524, "roc_auc_low": 0.655, "roc_auc_high": 0.761}
REPLICA = BLOCK | {"accuracy": 0.812, "recall": 0.771, "precision": 0.503, "f2": 0.6961}
BLOCKS = {
	"lending": {"cv": BLOCK, "test": TEST_BLOCK, "out_of_time": None},
	"benchmark": {"cv": BLOCK, "test": TEST_BLOCK, "out_of_time": TEST_BLOCK},
	"published_replica": {"cv": REPLICA, "test": None, "out_of_time": None},
}
ROC = pd.DataFrame({"sample": "cv", "false_positive_rate": [0, 0.3, 1], "true_positive_rate": [0, 0.6, 1]})
BINS = pd.DataFrame(
	{"mean_pd": [0.1, 0.3], "observed_rate": [0.1, 0.3], "low": [0.05, 0.2], "high": [0.2, 0.4], "loans": [2_358, 2_357]}
)
STAGE = {
	"n": 4_715,
	**spread_all(default_rate=(0.191, 0.011), observed_to_expected=(1.0, 0.06)),
	"mean_pd": 0.191,
	"ece": 0.012,
	"ece_perfect_low": 0.006,
	"ece_perfect_high": 0.021,
	"brier": 0.141,
	"log_loss": 0.4451,
	"bins": [],
}
DISTORTED = (
	STAGE
	| {"mean_pd": 0.478, "ece": 0.287, "brier": 0.223, "log_loss": 0.636}
	| spread_all(observed_to_expected=(0.4, 0.02))
)
LINE = {"n": 4_715, "used": True} | spread_all(intercept=(-1.386, 0.084), slope=(0.912, 0.082))
EXTERNAL = {
	"n": 17_815,
	"charged_off": 2_600,
	"first_issue_month": "2007-06",
	"last_issue_month": "2010-12",
	"model_name": "loantap-lending",
	"model_version": "3",
	"is_overlap_checked": True,
	**spread_all(roc_auc=(0.655, 0.01), rate_roc_auc=(0.635, 0.01), auc_gain=(0.019, 0.007)),
}
UNUSED_LINE = {"n": 4_715, "used": False, "intercept": 0.0, "slope": 1.0}


def make_candidates(count=12):
	"""The last but one is chosen, the last did not converge."""
	return pd.DataFrame(
		{
			"candidate": [f"smote L1 C={i}" for i in range(count)],
			"mean_f2": [0.6 - 0.001 * i for i in range(count)],
			"std_f2": 0.01,
			"mean_log_loss": 0.45,
			"mean_roc_auc": 0.7,
			"converged": [i < count - 1 for i in range(count)],
			"stopped_at": ["" if i < count - 1 else "20 iterations" for i in range(count)],
			"within_one_standard_error": [i < 4 for i in range(count)],
			"chosen": [i == count - 2 for i in range(count)],
			"fit_seconds": 0.25,
		}
	)


def make_coefficients(values):
	return pd.DataFrame(
		{
			"feature": list(values),
			"coefficient": list(values.values()),
			"odds_ratio": [math.exp(v) for v in values.values()],
		}
	)


def make_verdict(candidate="logistic", incumbent="", promoted=True, evidence="yes"):
	return {
		"candidate": candidate,
		"incumbent": incumbent,
		"promoted": promoted,
		"headline": f"{candidate} {'becomes' if promoted else 'does not become'} champion",
		"conditions": [
			{"name": "leakage gate", "holds": True, "evidence": "all features pass"},
			{"name": "calibrated", "holds": promoted, "evidence": evidence},
		],
	}


def make_trade_off(rows=99):
	"""From 1% up by 1%, each approving as many per cent."""
	shares = [(number + 1) / 100 for number in range(rows)]
	return {
		"chosen": {"n": 4_715, "threshold": 0.11, "f2": 0.5667, "f2_decline_all": 0.5415},
		"thresholds": [
			{"threshold": share, "n": 4_715, "f2_decline_all": 0.541}
			| spread_all(
				f2=(0.55, 0.02),
				precision=(0.25, 0.02),
				recall=(1 - share, 0.01),
				approval_rate=(share, 0),
				default_rate_approved=(0.08, 0.01),
			)
			for share in shares
		],
	}


def make_scorecard():
	return {
		"model_name": "loantap-lending",
		"model_version": "3",
		"n": 4_715,
		"scale": {"points": 600, "odds": 4, "points_to_double": 50, "lowest": 300, "highest": 900},
		"base_points": 611.2,
		"features": [
			{
				"feature": "dti_pct",
				"phrase": "debt payments as a share of income",
				"fewest": -12.4,
				"most": 9.6,
				"attributes": [
					{"attribute": "up to 10%", "n": 2_000, "points": 9.6},
					{"attribute": "over 10%", "n": 2_715, "points": -12.4},
				],
			}
		],
		"bands": [
			{"lowest": 575, "highest": 599, "n": 800, "charged_off": 200, "mean_pd": 0.24}
			| spread_all(default_rate=(0.25, 0.03))
		],
		"example": {
			"values": {"debt payments as a share of income": "24.1%"},
			"probability_of_default": 0.261,
			"score": 583,
			"reasons": ["debt payments are 24.1% of income"],
			"base_points": 611.2,
			"points": {"debt payments as a share of income": -28.2},
		},
	}


def make_section(name, origin="real", **changes):
	for_lending = name == "lending"
	title = Title(name, origin, None, not_for_lending=not for_lending)
	section = ModelSection(
		name=name,
		version=f"loantap-{name.replace('_', '-')} version 3",
		standing="Champion",
		purpose="reviews a graded offer" if for_lending else "",
		decides=for_lending,
		for_lending=for_lending,
		candidates=make_candidates(),
		coefficients=make_coefficients({"dti_pct": 0.2, "term_months": -0.4}),
		figures={
			"roc": plot_roc(ROC, {"cv": Score(0.7123, 4_715)}, title),
			"before_and_after": plot_before_and_after(BINS, BINS, title, calibrated=True),
		},
		training={"promotion": {"tolerated_ece": 0.01}},
		calibration={"calibrated": True, "recalibration": LINE, "before": DISTORTED, "after": STAGE},
		trade_off=make_trade_off(),
		promotion={
			"champion": make_verdict("this run", "loantap-lending 2"),
			"challenger": make_verdict("boosting", "logistic", promoted=False, evidence="ECE .05") if for_lending else None,
		},
	)
	return dataclasses.replace(section, **changes)


def make_group(name, approval_ratio, **changes):
	group = {
		"group": name,
		"n": 2_000,
		"charged_off": 400,
		"mean_pd": 0.19,
		**spread_all(default_rate=(0.2, 0.018), observed_to_expected=(1.05, 0.1), roc_auc=(0.71, 0.03)),
	}
	for rule in ("f2", "policy"):
		ratios = spread(f"{rule}_approval_ratio", approval_ratio or 0, 0.04)
		group |= dict.fromkeys(ratios) if approval_ratio is None else ratios
		group |= spread(f"{rule}_approval_rate", 0.3, 0.02) | spread(f"{rule}_false_positive_rate", 0.65, 0.03)
	return group | changes


def make_proxy(phrase, *groups, audit_only=False):
	favoured = dict.fromkeys(("f2", "policy"), groups[0]["group"])
	return {"phrase": phrase, "audit_only": audit_only, "favoured": favoured, "groups": list(groups)}


def make_approvals():
	rates = spread_all(approval_rate=(0.9, 0.008), default_rate_approved=(0.163, 0.011))
	return [
		{"sample": "cv", "n": 4_715, "approved": 4_243, **rates},
		{"sample": "test", "n": 524, "approved": 467, **rates, "approval_rate": 0.891},
	]


def make_fairness(**proxies):
	shown = proxies or {
		"home_ownership": make_proxy(
			"Housing",
			make_group("MORTGAGE", 1.0),
			make_group("RENT", 0.72),
			make_group("OWN", 0.9),
			make_group("OTHER", None),
		),
		"pincode": make_proxy("Pincode", make_group("22690", 1.0), audit_only=True),
	}
	return {
		"origin": "real",
		"models": {"lending": {"n": 4_715, "policy": "2026-11", "approvals": make_approvals(), "proxies": shown}},
	}


def make_stability():
	fold = {"fold": 1, "n": 943, "charged_off": 180} | spread("roc_auc", 0.7, 0.04)
	population = {"population": "issued 2014", "n": 1_200, "against_n": 3_515, "psi_chance": 0.019}
	lending = {"n": 4_715, "folds": [fold], "populations": [population | spread("psi", 0.051, 0.02)]}
	return {"origin": "real", "models": {"lending": lending}}


def make_policy(name="npv 2026-11", min_margin=0, default_price=0):
	limits = [PolicyLimit(36, 12, 0.139, 0.142), PolicyLimit(60, 12, 0.151, 0.153)]
	approved_by = "the head of credit"
	return PolicySummary(name, "0123456789ab", approved_by, "mid", min_margin, default_price, 0.6, 35_000, limits)


def make_summary(origin="real", beyond=2, joint=1):
	first, last = date(2008, 1, 1), date(2016, 12, 1)
	income = BeyondIncome(beyond, joint, 1.899)
	return DataSummary(origin, make_target(), first, last, income)


def make_target():
	bad = pd.DataFrame({"is_charged_off": [1] * 1_001 + [0] * 4_238})
	return label_loans(bad, bad, bad, Target.CHARGED_OFF)[1]


# What may be changed of a card, where it does not stand on its own level.
PARTS = {"sections": "models", "scorecards": "models", "policy": "data", "leakage_report": "data", "summary": "data"}


def make_card(origin="real", **changes):
	caveats = dict.fromkeys(("rolling_origin", "vintages"), "")
	vintages = {"origin": origin, "definition": OUT_OF_TIME, "caveats": caveats, "models": {}}
	phrase = "debt payments as a share of income"
	findings = [
		make_finding("dti_pct", 0.56, used_by=["benchmark", "lending"]),
		make_finding("pincode", 0.88, "caught", ["AUC 0.880 on its own"], ["benchmark"]),
	]
	card = ModelCard(
		as_of=date(2017, 3, 1),
		data=CardData(
			summary=make_summary(origin),
			features=[
				FeatureRow("dti_pct", phrase, ("dti_pct",), "", "high"),
				FeatureRow("pincode", "the postal code", ("pincode",), "built from the outcome"),
			],
			leakage_report={"features": findings, "checks": {}, "impact": []},
			policy=make_policy(),
		),
		models=CardModels(
			sections=[make_section(n, origin) for n in ("published_replica", "benchmark", "lending")],
			scorecards={"lending": make_scorecard()},
		),
		vintages=VintageSection(vintages, {}),
		metrics=BLOCKS,
		stability=make_stability(),
		fairness=make_fairness(),
		limits=["Few loans before 2012."],
	)
	for name, value in changes.items():
		part = PARTS.get(name)
		inside = dataclasses.replace(getattr(card, part), **{name: value}) if part else value
		card = dataclasses.replace(card, **{part or name: inside})
	return card


def read_card(anchor, **changes):
	return read_section(render_model_card(make_card(**changes)), anchor)
