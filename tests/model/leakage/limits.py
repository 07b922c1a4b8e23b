import pandas as pd

from loantap.model.leakage.evidence import make_context
from loantap.model.leakage.gate import examine_feature
from loantap.model.leakage.options import LeakageOptions

OPTIONS = LeakageOptions(
	seed=42,
	folds=5,
	max_auc=0.75,
	plausible_default_rates=(0.005, 0.7),
	false_discovery_rate=0.01,
	max_gap=0.2,
	vintage_share=0.8,
	max_group_z=3.5,
	max_later_share=0.001,
	max_outcome_date_share=0.1,
	max_duplicate_borrowers=0.01,
	borrower_keys=(
		("annual_income", "earliest_credit_line", "profession", "total_accounts"),
		("earliest_credit_line", "profession", "state", "pincode"),
	),
	impact_loans=2_000,
)


def examine(values, target, options=OPTIONS):
	"""What the gate says of values of which it knows the outcomes and nothing else."""
	return examine_feature(values, make_context(pd.DataFrame({"is_charged_off": target}), options), options)


def examine_among(values, loans):
	"""What the gate says of values of loans it knows all about."""
	return examine_feature(values, make_context(loans, OPTIONS), OPTIONS)


def verdicts(finding):
	return {e.test: e.verdict.value for e in finding.evidence if e.verdict != "passed"}
