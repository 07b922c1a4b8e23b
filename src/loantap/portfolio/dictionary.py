"""The data dictionary: one source of truth about every column of the portfolio.

Only here stand type, unit, range, source and whether it may be known when a loan is decided.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from loantap.portfolio.products import PRODUCTS


class Table(StrEnum):
	"""A table of the portfolio: its name in the source systems and in `03_primary`."""

	LOANS = "loans"
	APPLICATIONS = "applications"
	LOAN_EVENTS = "loan_events"


class System(StrEnum):
	"""The source system that holds a table."""

	WAREHOUSE = "warehouse"
	APPSTREAM = "appstream"
	BUSINESS_EVENTS = "business_events"


class Kind(StrEnum):
	"""What a column holds, hence how it is parsed, typed and checked."""

	NUMBER = "number"  # float64
	COUNT = "count"  # float64 with whole values: nullable in the sources
	CATEGORY = "category"  # str out of a closed or open list
	TEXT = "text"  # str, free
	MONTH = "month"  # datetime64[s], first day of the month
	DATE = "date"  # datetime64[s]
	FLAG = "flag"  # int8, 0 or 1


class Family(StrEnum):
	"""How a source system may hold a column."""

	TEXT = "text"
	NUMBER = "number"
	TIME = "time"


# A month may be written, as in Jan-2015, or be the date of its first day.
_FAMILIES_OF: Final = MappingProxyType(
	{
		Kind.NUMBER: (Family.NUMBER,),
		Kind.COUNT: (Family.NUMBER,),
		Kind.CATEGORY: (Family.TEXT,),
		Kind.TEXT: (Family.TEXT,),
		Kind.MONTH: (Family.TEXT, Family.TIME),
		Kind.DATE: (Family.TIME,),
		Kind.FLAG: (Family.NUMBER,),
	}
)

SYSTEM_OF: Final = MappingProxyType(
	{Table.LOANS: System.WAREHOUSE, Table.APPLICATIONS: System.APPSTREAM, Table.LOAN_EVENTS: System.BUSINESS_EVENTS}
)


@dataclass(frozen=True, slots=True)
class Column:
	"""One column of the portfolio.

	Attributes:
		unit: "" where there is none.
		table: source table it arrives in; None when we derive it.
		source_name: its name at the source and in a LoanTap CSV; None when derived.
		known_at_decision: whether its value exists, unaltered, when the loan is decided.
		personal: whether it is personal data (never previewed, logged or shown).
		categories: the valid values of a closed list; empty when the list is open.
		listed: the known values of an open list.
		earliest: the first plausible month, as in 2007-08; of months only.
		values: the valid values of a number with few; empty when any in the range is valid.
		written: whether a source may hold the number as text, with its unit.
		label: short name for forms, tables and papers, with its unit unless that is currency or
		what is counted; "" where an application has no such field.
	"""

	name: str
	meaning: str
	kind: Kind
	unit: str = ""
	table: Table | None = None
	source_name: str | None = None
	known_at_decision: bool = True
	personal: bool = False
	nullable: bool = False
	minimum: float | None = None
	maximum: float | None = None
	categories: tuple[str, ...] = ()
	listed: tuple[str, ...] = ()
	earliest: str = ""
	values: tuple[float, ...] = ()
	written: bool = False
	label: str = ""

	@property
	def families(self) -> tuple[Family, ...]:
		"""How a source system may hold the column."""
		families = _FAMILIES_OF[self.kind]
		return (Family.TEXT, *families) if self.written else families

	@property
	def system(self) -> System | None:
		"""Source system of the column; None when derived."""
		return SYSTEM_OF[self.table] if self.table else None


GRADES: Final = tuple(PRODUCTS.grades)
SUB_GRADES: Final = PRODUCTS.sub_grades
FULLY_PAID: Final = "Fully Paid"
CHARGED_OFF: Final = "Charged Off"
RESOLVED: Final = (FULLY_PAID, CHARGED_OFF)
CURRENT: Final = "Current"
GRACE_PERIOD: Final = "In Grace Period"
LATE_16_30: Final = "Late (16-30 days)"
LATE_31_120: Final = "Late (31-120 days)"
DEFAULT: Final = "Default"
# In the order of their arrears.
RUNNING: Final = (CURRENT, GRACE_PERIOD, LATE_16_30, LATE_31_120, DEFAULT)
PURPOSES: Final = (
  "car", "credit_card", "debt_consolidation", "educational", "home_improvement", "house",
  "major_purchase", "medical", "moving", "other", "renewable_energy", "small_business",
  "vacation", "wedding",
)  # fmt: skip
TERMS_MONTHS: Final = PRODUCTS.terms_months
REAL: Final = "real"
SIMULATED: Final = "simulated"
ORIGINS: Final = (REAL, SIMULATED)

# No loan of this kind is older. The oldest credit line of the published data is of 1944.
_FIRST_LOAN: Final = "1990-01"
_FIRST_CREDIT: Final = "1930-01"

_LOANS = Table.LOANS
_APPLICATIONS = Table.APPLICATIONS
_EVENTS = Table.LOAN_EVENTS

_LOAN_COLUMNS: Final = (
  Column("loan_amount", "Amount the borrower asked for and was granted", Kind.NUMBER, "currency",
       _LOANS, "loan_amnt", minimum=1, maximum=1_000_000, label="Loan amount"),
  Column("term_months", "Number of monthly instalments", Kind.NUMBER, "months", _LOANS, "term",
       values=TERMS_MONTHS, written=True, label="Term, months"),
  Column("interest_rate_pct", "Nominal yearly interest rate of the loan", Kind.NUMBER,
       "percent per year", _LOANS, "int_rate", minimum=0, maximum=100,
       label="Interest rate, % a year"),
  Column("instalment", "Instalment agreed at issue (EMI)", Kind.NUMBER, "currency per month",
       _LOANS, "installment", minimum=0.01, maximum=100_000, label="Monthly instalment"),
  Column("grade", "Risk grade given by the incumbent engine", Kind.CATEGORY, "", _LOANS, "grade",
       categories=GRADES, label="Grade"),
  Column("sub_grade", "Part of a grade, the first is best", Kind.CATEGORY, "", _LOANS,
       "sub_grade", categories=SUB_GRADES, label="Sub-grade"),
  Column("issue_month", "Month in which the loan was issued", Kind.MONTH, "month", _LOANS,
       "issue_d", earliest=_FIRST_LOAN, label="Month of issue"),
  Column("loan_status", "How the loan ended, or its arrears while it runs", Kind.CATEGORY,
       "", _LOANS, "loan_status", known_at_decision=False, categories=(*RESOLVED, *RUNNING)),
  Column("listing_status", "Initial listing on the market, set after approval", Kind.CATEGORY,
       "", _LOANS, "initial_list_status", known_at_decision=False, nullable=True,
       listed=("f", "w"), label="Listing status"),
)  # fmt: skip

_APPLICATION_COLUMNS: Final = (
  Column("profession", "Job title in the applicant's own words", Kind.TEXT, "", _APPLICATIONS,
       "emp_title", personal=True, nullable=True, label="Job title"),
  Column("employment_years", "Years in employment; 0 is under one, 10 is ten or more",
       Kind.NUMBER, "years", _APPLICATIONS, "emp_length", nullable=True,
       values=tuple(range(11)), written=True, label="Employment, years"),
  Column("home_ownership", "Housing situation as stated", Kind.CATEGORY, "", _APPLICATIONS,
       "home_ownership", listed=("RENT", "MORTGAGE", "OWN", "OTHER", "NONE", "ANY"),
       label="Home ownership"),
  Column("annual_income", "Yearly income as stated", Kind.NUMBER, "currency per year",
       _APPLICATIONS, "annual_inc", minimum=0, maximum=100_000_000, label="Yearly income"),
  Column("income_verification", "Whether the lender chose to verify the income; timing unproven",
       Kind.CATEGORY, "", _APPLICATIONS, "verification_status", known_at_decision=False,
       listed=("Not Verified", "Source Verified", "Verified"), label="Income verification"),
  Column("purpose", "Purpose of the loan, from a list", Kind.CATEGORY, "", _APPLICATIONS,
       "purpose", listed=PURPOSES, label="Purpose"),
  Column("title", "Purpose in the applicant's own words", Kind.TEXT, "", _APPLICATIONS, "title",
       personal=True, nullable=True, label="Purpose in own words"),
  Column("dti_pct", "Monthly debt payments without this loan as a share of monthly income (DTI)",
       Kind.NUMBER, "percent", _APPLICATIONS, "dti", minimum=0, maximum=9_999,
       label="Debt to income (DTI), %"),
  Column("earliest_credit_line", "Month of the oldest credit line at the bureau", Kind.MONTH,
       "month", _APPLICATIONS, "earliest_cr_line", earliest=_FIRST_CREDIT,
       label="Oldest credit line, month"),
  Column("open_accounts", "Open credit lines at the bureau", Kind.COUNT, "accounts",
       _APPLICATIONS, "open_acc", minimum=0, maximum=500, label="Open credit lines"),
  Column("public_records", "Derogatory public records", Kind.COUNT, "records", _APPLICATIONS,
       "pub_rec", minimum=0, maximum=500, label="Public records"),
  Column("revolving_balance", "Balance of revolving credit", Kind.NUMBER, "currency",
       _APPLICATIONS, "revol_bal", minimum=0, maximum=100_000_000, label="Revolving balance"),
  Column("revolving_utilisation_pct", "Share of the revolving limit in use", Kind.NUMBER,
       "percent", _APPLICATIONS, "revol_util", nullable=True, minimum=0, maximum=2_000,
       label="Revolving utilisation, %"),
  Column("total_accounts", "Credit lines ever held", Kind.COUNT, "accounts", _APPLICATIONS,
       "total_acc", minimum=0, maximum=1_000, label="Credit lines ever held"),
  Column("application_type", "Individual, joint or direct pay", Kind.CATEGORY, "", _APPLICATIONS,
       "application_type", listed=("INDIVIDUAL", "JOINT", "DIRECT_PAY"),
       label="Application type"),
  Column("mortgage_accounts", "Mortgage accounts; not collected before 2012", Kind.COUNT,
       "accounts", _APPLICATIONS, "mort_acc", nullable=True, minimum=0, maximum=500,
       label="Mortgage accounts"),
  Column("bankruptcies", "Public record bankruptcies", Kind.COUNT, "records", _APPLICATIONS,
       "pub_rec_bankruptcies", nullable=True, minimum=0, maximum=500, label="Bankruptcies"),
  Column("address", "Postal address in two lines", Kind.TEXT, "", _APPLICATIONS, "address",
       personal=True, nullable=True, label="Address"),
)  # fmt: skip

_EVENT_COLUMNS: Final = (
  Column("month", "Month the row reports on", Kind.MONTH, "month", _EVENTS, "month",
       known_at_decision=False, earliest=_FIRST_LOAN),
  Column("outstanding_balance", "Principal owed at the end of the month", Kind.NUMBER,
       "currency", _EVENTS, "balance", known_at_decision=False, minimum=0,
       maximum=1_000_000),
  Column("days_past_due", "Age of the oldest unpaid instalment (DPD)", Kind.NUMBER, "days",
       _EVENTS, "days_past_due", known_at_decision=False, minimum=0, maximum=3_650),
  Column("payment", "Amount received in the month", Kind.NUMBER, "currency", _EVENTS, "payment",
       known_at_decision=False, minimum=0, maximum=1_000_000),
  Column("current_dti_pct", "DTI as refreshed in the month", Kind.NUMBER, "percent", _EVENTS,
       "dti", known_at_decision=False, nullable=True, minimum=0, maximum=9_999),
  Column("current_utilisation_pct", "Revolving utilisation as refreshed in the month",
       Kind.NUMBER, "percent", _EVENTS, "revol_util", known_at_decision=False, nullable=True,
       minimum=0, maximum=2_000),
)  # fmt: skip

LOAN_ID: Final = Column(
	"loan_id", "Identifier made from the application's content and its occurrence number", Kind.TEXT
)
UPDATED_AT: Final = Column(
	"updated_at", "When the source system last changed the row", Kind.DATE, known_at_decision=False
)
ORIGIN: Final = Column(
	"origin", "Whether the row is real or simulated", Kind.CATEGORY, known_at_decision=False, categories=ORIGINS
)

_DERIVED_COLUMNS: Final = (
  Column("is_charged_off", "1 when the loan was charged off: the target", Kind.FLAG,
       known_at_decision=False),
  Column("funded_principal", "Principal implied by instalment, rate and term", Kind.NUMBER,
       "currency", known_at_decision=False, minimum=0, maximum=1_100_000),
  Column("state", "State, or AA/AE/AP for the military, read from the address", Kind.CATEGORY,
       personal=True, nullable=True),
  Column("pincode", "Postal code read from the address; built from the outcome in the real data",
       Kind.CATEGORY, personal=True, nullable=True),
)  # fmt: skip

SOURCE_COLUMNS: Final = (*_LOAN_COLUMNS, *_APPLICATION_COLUMNS, *_EVENT_COLUMNS)
COLUMNS: Final = MappingProxyType(
	{c.name: c for c in (LOAN_ID, *SOURCE_COLUMNS, *_DERIVED_COLUMNS, UPDATED_AT, ORIGIN)}
)

KEYS: Final = MappingProxyType(
	{Table.LOANS: ("loan_id",), Table.APPLICATIONS: ("loan_id",), Table.LOAN_EVENTS: ("loan_id", "month")}
)

CSV_ORDER: Final = (
  "loan_amount", "term_months", "interest_rate_pct", "instalment", "grade", "sub_grade",
  "profession", "employment_years", "home_ownership", "annual_income", "income_verification",
  "issue_month", "loan_status", "purpose", "title", "dti_pct", "earliest_credit_line",
  "open_accounts", "public_records", "revolving_balance", "revolving_utilisation_pct",
  "total_accounts", "listing_status", "application_type", "mortgage_accounts", "bankruptcies",
  "address",
)  # fmt: skip


def columns_of(table: Table) -> tuple[Column, ...]:
	"""Columns that arrive in a source table, in the order of a LoanTap CSV.

	Identifier, `updated_at` and `origin`, which every source table carries, are left out.
	"""
	return tuple(c for c in SOURCE_COLUMNS if c.table is table)


def contract_of(table: Table) -> MappingProxyType[str, tuple[Family, ...]]:
	"""Every column that a source table must have, by its name there, and how it may be held."""
	columns = {str(column.source_name): column.families for column in columns_of(table)}
	every_table = {column.name: column.families for column in (LOAN_ID, UPDATED_AT, ORIGIN)}
	return MappingProxyType(columns | every_table)


def portfolio_columns() -> tuple[Column, ...]:
	"""The 27 columns of a LoanTap CSV, in file order."""
	return tuple(COLUMNS[name] for name in CSV_ORDER)
