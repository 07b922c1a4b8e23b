from datetime import date
from typing import Any

import yaml

from loantap.policy.credit_policy import CreditPolicy, digest_policy
from loantap.policy.decisions import make_decider
from loantap.policy.money.cash_flows import Economics, Scenario
from loantap.policy.options import LabOptions, OffersOptions
from tests.conftest import PROJECT


def read_shipped(group, **changed):
	text = (PROJECT / f"conf/base/parameters_{group}.yml").read_text("utf-8")
	written: dict[str, Any] = yaml.safe_load(text)[group]
	return written | changed


def read_economics(**changed):
	return read_shipped("economics", outcomes_as_of=date(2017, 3, 1)) | changed


ECONOMICS = Economics.model_validate(read_economics())


def read_policy(**changed):
	return read_shipped("policy", **changed)


def make_policy(economics=ECONOMICS, **rules):
	written = read_policy()
	policy = CreditPolicy.model_validate(written | {"rules": written["rules"] | rules})
	digest = digest_policy(policy, policy.find_scenario(economics))
	return policy.model_copy(update={"digest": digest})


def make_test_decider(**rules):
	return make_decider(make_policy(**rules), ECONOMICS)


def make_lab(**changed):
	return LabOptions.model_validate(read_shipped("insights")["lab"] | changed)


SHIPPED = read_shipped("offers", as_of="2026-11-23")
PLAIN = Scenario(cost_of_funds_pct=6, loss_given_default=0.6, default_at_share_of_term=0.5, origination_cost_share=0.01)
MID = Scenario(cost_of_funds_pct=7, loss_given_default=0.7, default_at_share_of_term=0.4, origination_cost_share=0.01)


def options(**changes):
	given = {name: SHIPPED[name] | value if isinstance(value, dict) else value for name, value in changes.items()}
	return OffersOptions.model_validate(SHIPPED | given)


def bands(*edges):
	"""Above which PD, up to which, lowest and highest rate."""
	names = ("above_pd", "up_to_pd", "lowest_pct", "highest_pct")
	return [dict(zip(names, edge, strict=True)) for edge in edges]
