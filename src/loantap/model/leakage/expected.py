"""How well each feature may honestly separate outcomes, and whether one does so better."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.stats import norm

from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.findings import FeatureFinding
from loantap.model.leakage.options import LeakageOptions

# Cross-fitted AUC alone: the highest of LoanTap's sample (n 5,239), Lending Club's loans of 2007-10
# (n 17,815) and 60,000 simulated loans, rounded up; pricing on the sample 0.68 to 0.69.
EXPECTED_AUC: Final[Mapping[str, float]] = MappingProxyType(
	{
		**dict.fromkeys(("interest_rate_pct", "sub_grade_rank", "log_sub_grade_rank", "grade"), 0.70),
		**dict.fromkeys(("term_months", "loan_to_income", "dti_pct", "instalment_to_income"), 0.605),
		**dict.fromkeys(("log_annual_income", "has_mortgage", "mortgage_accounts"), 0.585),
		**dict.fromkeys(("revolving_utilisation_pct", "log_revolving_utilisation"), 0.575),
		**dict.fromkeys(("purpose", "home_ownership", "income_verification"), 0.56),
		**dict.fromkeys(("open_account_share", "credit_history_years", "log_loan_amount"), 0.545),
		**dict.fromkeys(("log_revolving_balance", "open_accounts", "total_accounts"), 0.53),
		**dict.fromkeys(("public_records", "bankruptcies", "employment_years"), 0.53),
		**dict.fromkeys(("application_type", "listing_status"), 0.52),
	}
)
# One chance in a thousand: as many features are looked at in each of many trainings.
Z: Final = float(norm.isf(0.001))


def expect_auc(feature: str, options: LeakageOptions) -> float:
	"""What `feature` may reach alone: as set by a person, as published, or else as any."""
	return options.expected_auc.get(feature, EXPECTED_AUC.get(feature, options.max_auc))


def is_score(feature: str, options: LeakageOptions) -> bool:
	"""Whether it may know what no other feature knows, as a bureau's score does."""
	return feature in options.expected_auc or feature not in EXPECTED_AUC


def add_strengths(one: float, other: float) -> float:
	"""AUC of two independent scores together, of normal scores (Green and Swets, 1966)."""
	return float(norm.cdf(np.hypot(norm.ppf(one), norm.ppf(other))))


def check_strength(finding: FeatureFinding, copies: float, options: LeakageOptions) -> Evidence:
	"""Whether a feature separates outcomes better than a column of its name honestly does.

	`copies`: how often the mean loan is in the table, the design effect (Kish, 1965).
	"""
	expected = expect_auc(finding.feature, options)
	least = finding.auc - Z * finding.standard_error * copies**0.5
	figures = {"auc_expected": expected, "auc_at_least": least}
	if least <= expected + options.strength_tolerance:
		return Evidence("strength", figures=figures)
	is_known = finding.feature in EXPECTED_AUC or finding.feature in options.expected_auc
	honest = "a column of this name honestly reaches" if is_known else "no honest column is known to tell more than"
	return Evidence(
		"strength",
		GateVerdict.CAUGHT,
		f"stronger than such a column can be: AUC {finding.auc:.3f} alone, at least {least:.3f} (n {finding.loans:,}); "
		f"{honest} about {expected:.3f}",
		"Ask the source for the value on the day of the application, and when it was last overwritten",
		figures,
	)
