"""The limits of the leakage gate as shipped, on fewer loans, and how its tests ask it."""

import pandas as pd

from loantap.model.leakage.evidence import make_context
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.gate import examine_feature
from loantap.model.leakage.options import LeakageOptions
from tests.policy.shipped import read_shipped

SHIPPED = read_shipped("feature_engineering")["leakage"]
OPTIONS = LeakageOptions.model_validate(SHIPPED | {"seed": 42, "impact_loans": 2_000})


def examine(values: pd.Series, target: pd.Series, options: LeakageOptions = OPTIONS) -> FeatureFinding:
	"""What the gate says of values of which it knows the outcomes and nothing else."""
	return examine_feature(values, make_context(pd.DataFrame({"is_charged_off": target}), options), options)


def examine_among(values: pd.Series, loans: pd.DataFrame) -> FeatureFinding:
	"""What the gate says of values of loans it knows all about."""
	return examine_feature(values, make_context(loans, OPTIONS), OPTIONS)


def verdicts(finding: FeatureFinding) -> dict[str, str]:
	return {e.test: e.verdict.value for e in finding.evidence if e.verdict != "passed"}
