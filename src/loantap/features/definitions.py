"""What each model feature is, and which of them each model may use.

To add a feature: describe it in `FEATURES`, name it in the sets that may use it, and write its
formula in `build.py`. A new column goes into `portfolio/dictionary.py` first.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from loantap.portfolio.dictionary import COLUMNS


@dataclass(frozen=True, slots=True)
class Feature:
	"""One model feature.

	Attributes:
		phrase: what a reason given to a borrower calls it.
		display: format of its value in a reason (`{:.1f}%`).
		of_nothing: said in its place where it is a share of nothing.
		exclusion: why no lending decision may rest on it; empty when it may.
		adverse: the side that counts against a borrower, `high`, `low` or either; a coefficient of the other sign is
			noise.
		remedy: what a borrower can do about it, helpful values as `{}`; empty where nothing would.
		falls_with: `uses` that lower it as they rise; numeric features only.
	"""

	name: str
	phrase: str
	uses: tuple[str, ...]
	categorical: bool = False
	display: str = "{:,.0f}"
	of_nothing: str = ""
	exclusion: str = ""
	adverse: Literal["high", "low", ""] = ""
	remedy: str = ""
	falls_with: tuple[str, ...] = ()

	def direction(self, column: str) -> int:
		"""Where it goes as a column it is computed from rises: 1 up, -1 down."""
		return -1 if column in self.falls_with else 1

	@property
	def known_at_decision(self) -> bool:
		"""Whether all of `uses` exist, unaltered, when the loan is decided."""
		return all(name in COLUMNS and COLUMNS[name].known_at_decision for name in self.uses)


_PROXY: Final = "stands for age or wealth and adds nothing to the AUC"
_HOUSING: Final = "stands for home ownership, and what it adds to the AUC may be chance"

FEATURES: Final = MappingProxyType(
	{
		f.name: f
		for f in (
			Feature("log_loan_amount", "the amount asked for", ("loan_amount",), adverse="high", remedy="asking for {}"),
			Feature(
				"term_months",
				"the term of the loan",
				("term_months",),
				display="{:.0f} months",
				adverse="high",
				remedy="a term of {}",
			),
			Feature("log_annual_income", "the yearly income", ("annual_income",), adverse="low", remedy="an income of {}"),
			Feature(
				"loan_to_income",
				"the amount asked for as a share of yearly income",
				("loan_amount", "annual_income"),
				display="{:.1%}",
				of_nothing="there is no income",
				adverse="high",
				remedy="asking for {}",
				falls_with=("annual_income",),
			),
			Feature(
				"dti_pct",
				"existing debt payments as a share of income (DTI)",
				("dti_pct",),
				display="{:.1f}%",
				adverse="high",
				remedy="paying debt down to {}",
			),
			Feature(
				"revolving_utilisation_pct",
				"the share of the credit card limits in use",
				("revolving_utilisation_pct",),
				display="{:.1f}%",
				adverse="high",
				remedy="paying it down to {}",
			),
			Feature(
				"log_revolving_utilisation",
				"the share of the credit card limits in use",
				("revolving_utilisation_pct",),
				display="{:.1f}%",
				adverse="high",
				remedy="paying it down to {}",
			),
			Feature("log_revolving_balance", "the balance on credit cards", ("revolving_balance",)),
			Feature("open_accounts", "the number of open credit lines", ("open_accounts",)),
			Feature("total_accounts", "the number of credit lines ever held", ("total_accounts",), adverse="low"),
			Feature(
				"open_account_share",
				"the share of credit lines that are open",
				("open_accounts", "total_accounts"),
				display="{:.1%}",
				of_nothing="none was ever held",
				adverse="high",
				falls_with=("total_accounts",),
			),
			Feature(
				"has_mortgage", "the number of mortgage accounts", ("mortgage_accounts",), adverse="low", exclusion=_HOUSING
			),
			Feature(
				"mortgage_accounts",
				"the number of mortgage accounts",
				("mortgage_accounts",),
				adverse="low",
				exclusion=_HOUSING,
			),
			Feature("public_records", "derogatory public records", ("public_records",), adverse="high"),
			Feature("bankruptcies", "recorded bankruptcies", ("bankruptcies",), adverse="high"),
			Feature(
				"employment_years", "the years in employment", ("employment_years",), display="{:.0f} years", adverse="low"
			),
			Feature("purpose", "the purpose of the loan", ("purpose",), categorical=True, display="{}"),
			Feature(
				"interest_rate_pct", "the interest rate offered", ("interest_rate_pct",), display="{:.2f}%", adverse="high"
			),
			Feature("sub_grade_rank", "the grade given to the offer", ("sub_grade",), display="{}", adverse="high"),
			Feature("log_sub_grade_rank", "the grade given to the offer", ("sub_grade",), display="{}", adverse="high"),
			Feature("grade", "the grade given to the offer", ("grade",), categorical=True, display="{}"),
			Feature(
				"instalment_to_income",
				"the yearly instalments as a share of income",
				("instalment", "annual_income"),
				display="{:.1%}",
				of_nothing="there is no income",
				adverse="high",
				remedy="a loan with {}",
				falls_with=("annual_income",),
			),
			Feature(
				"credit_history_years",
				"the length of the credit history",
				("issue_month", "earliest_credit_line"),
				display="{:.0f} years",
				exclusion=_PROXY,
				falls_with=("earliest_credit_line",),
			),
			Feature(
				"home_ownership", "the housing situation", ("home_ownership",), categorical=True, display="{}", exclusion=_PROXY
			),
			Feature(
				"application_type",
				"the type of application",
				("application_type",),
				categorical=True,
				display="{}",
				exclusion="says nothing: 99.8% are of one type",
			),
			Feature(
				"income_verification",
				"the verification of income",
				("income_verification",),
				categorical=True,
				display="{}",
				exclusion="the lender's own choice, not proven to precede the decision",
			),
			Feature(
				"listing_status",
				"the listing status",
				("listing_status",),
				categorical=True,
				display="{}",
				exclusion="set after approval",
			),
			Feature(
				"pincode",
				"the postal code",
				("pincode",),
				categorical=True,
				display="{}",
				exclusion="built from the outcome, and a redlining proxy",
			),
		)
	}
)

MODELS: Final = MappingProxyType(
	{"benchmark": "benchmark", "published_replica": "benchmark", "lending": "lending", "application": "application"}
)
# Its champion decides on applications.
DECIDES: Final = "lending"

NUMERIC: Final = tuple(f.name for f in FEATURES.values() if not f.categorical)
CATEGORICAL: Final = tuple(f.name for f in FEATURES.values() if f.categorical)

_APPLICATION: Final = (
	"log_loan_amount",
	"term_months",
	"log_annual_income",
	"loan_to_income",
	"dti_pct",
	"revolving_utilisation_pct",
	"log_revolving_utilisation",
	"log_revolving_balance",
	"open_accounts",
	"total_accounts",
	"open_account_share",
	"public_records",
	"bankruptcies",
	"employment_years",
	"purpose",
)
# The rank, not a column per grade: a worse grade must never lower the PD.
_OFFER: Final = ("interest_rate_pct", "sub_grade_rank", "log_sub_grade_rank", "instalment_to_income")


@dataclass(frozen=True, slots=True)
class FeatureSet:
	"""The features one model uses, and whether it may be lent on."""

	name: str
	features: tuple[str, ...]
	purpose: str
	for_lending: bool = True

	def __post_init__(self) -> None:
		excluded = [name for name in self.features if FEATURES[name].exclusion]
		if self.for_lending and excluded:
			raise ValueError(
				f"feature set {self.name} is for lending and uses {', '.join(excluded)}: {FEATURES[excluded[0]].exclusion}"
			)

	@property
	def numeric(self) -> list[str]:
		"""Its numeric features, in order."""
		return [name for name in self.features if not FEATURES[name].categorical]

	@property
	def categorical(self) -> list[str]:
		"""Its categorical features, in order."""
		return [name for name in self.features if FEATURES[name].categorical]

	@property
	def columns(self) -> tuple[str, ...]:
		"""Canonical columns it is computed from, each once."""
		return tuple(dict.fromkeys(c for name in self.features for c in FEATURES[name].uses))


FEATURE_SETS: Final = MappingProxyType(
	{
		s.name: s
		for s in (
			FeatureSet(
				"benchmark",
				tuple(FEATURES),
				"everything, pincode included: for comparison with the case study only",
				for_lending=False,
			),
			FeatureSet("lending", (*_APPLICATION, *_OFFER), "reviews an offer that the incumbent engine graded"),
			FeatureSet("application", _APPLICATION, "where no grade exists yet: pricing and offers"),
		)
	}
)
