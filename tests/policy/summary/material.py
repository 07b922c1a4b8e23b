import pandas as pd

from loantap.policy.summary.actions import propose_actions
from loantap.policy.summary.findings import summarise_findings
from tests.spread import spread

NAN = float("nan")


def make_drivers(**findings):
	roles = {"grade": "lender", "DTI": "applicant", "income": "applicant"}
	return pd.DataFrame(
		[
			{
				"phrase": phrase,
				"role": roles[phrase],
				"rank": rank,
				"year": year,
				"loans": 5_000,
				"finding": finding if year == 0 else "",
			}
			for rank, (phrase, finding) in enumerate(findings.items(), start=1)
			for year in (0, 2014)
		]
	)


DRIVERS = make_drivers(grade="drives default", DTI="drives default", income="no effect shown")


def segment(factor, name, **figures):
	plain = {
		"segmentation": factor,
		"phrase": factor,
		"role": "applicant",
		"segment": name,
		"order": 0,
		"loans": 100,
		"finding": "no difference shown",
		**spread("default_rate", 0.2, 0.05),
		**spread("effect", 0, 2),
		**spread("profit_contractual", 400, 100),
		**spread("profit_capped", 400, 100),
	}
	return plain | figures


RATES = [
	segment(
		"interest_rate_pct",
		"24% and more",
		role="lender",
		order=6,
		loans=110,
		**spread("default_rate", 0.468, 0.1),
		**spread("profit_contractual", 2_863, 500),
	),
	segment(
		"interest_rate_pct",
		"0 to 8%",
		role="lender",
		loans=636,
		**spread("default_rate", 0.052, 0.02),
		**spread("profit_contractual", -376, 97),
	),
]
DTI = segment(
	"DTI",
	"35% and more",
	loans=86,
	finding="more defaults",
	**spread("effect", 17, 9),
	**spread("profit_contractual", -828, 879),
)
POOR = segment(
	"income",
	"0 to 30,000",
	loans=300,
	finding="more defaults",
	**spread("effect", 9, 4),
	**spread("profit_contractual", -250, 100),
)


def make_claims(*extra):
	plain = {
		"said": "Grade A repays",
		"verdict": "not shown",
		"segmentation": "grade",
		"claimed": "fewer defaults",
		"loans": 815,
		"charged_off": 48,
		"profit_contractual_others": 600.0,
		**spread("profit_contractual", 100, 10),
	}
	pincode = plain | {"segmentation": "pincode", "verdict": "audit only", "claimed": "more defaults", "charged_off": 815}
	return pd.DataFrame([plain, pincode, *({**plain, **one} for one in extra)])


def policy(name, gain=100, half=30, **figures):
	plain = {
		"policy": name,
		"cap": NAN,
		"sample": "cv",
		"scenario": "mid",
		"paid_life": "contractual",
		"n": 4_715,
		"approved": 2_923,
		"approval_rate": 0.62,
		"profit": 500.0,
		"charge_offs_avoided": 0.28,
		**spread("default_rate_change", 0.031, 0.01),
		**spread("default_rate_approved", 0.222, 0.015),
		**spread("gain_to_approve_all", gain, half),
		**spread("gain_to_npv", -20, 10),
	}
	return plain | figures


# A default rate that falls on the same loans.
LOWER = spread("default_rate_change", -0.023, 0.01)


def make_policies(*changed):
	"""Rows given take the place of those like them."""
	rows = [
		policy("approve_all", 0, 0, profit=490.0, **spread("default_rate_approved", 0.191, 0.01)),
		policy("npv", profit=595.0),
		policy("npv", 577, 97, scenario="hard"),
		policy("npv", 13, 39, sample="out_of_time", n=1_357),
		policy("bands", -207, 58, charge_offs_avoided=0.226),
		policy("f2_threshold", -517, 93, approval_rate=0.34),
		policy("capped_default_rate_15", -43, 51, cap=0.15, **LOWER),
		policy(
			"capped_default_rate", 31, 40, cap=0.17, charge_offs_avoided=0.402, **LOWER, **spread("gain_to_npv", -74, 33)
		),
		policy(
			"capped_default_rate_19",
			98,
			35,
			cap=0.19,
			profit=588.0,
			charge_offs_avoided=0.33,
			**spread("default_rate_change", -0.007, 0.01),
			**spread("default_rate_approved", 0.184, 0.01),
			**spread("gain_to_npv", -7, 21),
		),
		# Never to be told: paid loans capped.
		*(policy(name, -999, 1, paid_life="capped") for name in ("npv", "bands", "f2_threshold")),
	]
	keys = ("policy", "sample", "scenario", "paid_life")
	kept = {tuple(row[key] for key in keys): row for row in (*rows, *changed)}
	return pd.DataFrame(list(kept.values()))


POLICIES, CLAIMS = make_policies(), make_claims()


def find(*segments, rates=RATES, drivers=DRIVERS, policies=POLICIES, claims=CLAIMS):
	return summarise_findings(drivers, pd.DataFrame([*rates, *segments]), policies, claims, "mid")


def change(value, low):
	high = None if value is None or low is None else 2 * value - low
	return {"mid": {"capped": {"value": value, "low": low, "high": high}}}


def rule(name, alone, after, latest=(5, -1), **figures):
	plain = {
		"id": name,
		"title": name.upper(),
		"n": 2_000,
		"cause": "risk",
		"holds_after_npv": False,
		**spread("default_rate_declined", 0.09, 0.02),
		"profit_change": change(*alone),
		"samples": {"out_of_time": {"profit_change": change(*latest)}},
		"after_npv": {"n": 1_500, "profit_change": change(*after)},
	}
	return plain | figures


TARGETS = pd.DataFrame(
	[{"target": "review_capacity", "reached": 0.049}, {"target": "min_approval_rate", "reached": 0.641}]
)
STRESSED = pd.DataFrame(
	[{"scenario": "mid", **spread("profit", 595, 90)}, {"scenario": "hard", **spread("profit", -192, 110)}]
)
LATER = "36-month loans issued July 2012 to December 2013"


FAIRNESS = pd.DataFrame(
	[
		{
			"policy": policy,
			"phrase": "Yearly income, which may stand for wealth",
			"group": group,
			"audit_only": audit_only,
			**spread("approval_ratio", ratio, 0.07),
		}
		for policy, group, ratio, audit_only in (
			("npv", "below 40,000", 0.52, False),
			("npv", "40,000 to 60,000", 0.8, False),
			("npv", "120,000 and more", 1.0, False),
			("npv", "a pincode", 0.1, True),
			("bands", "below 40,000", 0.3, False),
		)
	]
)


def propose(*held, policies=POLICIES, fairness=FAIRNESS, stressed=STRESSED):
	tested = [rule("no_gain", (-1, -9), (-1, -9), n=3_000)]
	report = {"scenario": "mid", "paid_life": "capped", "recommendations": held, "tested": tested}
	return propose_actions(policies, report, fairness, TARGETS, stressed, "mid", LATER)
