"""A made-up application, and what applications' fields mean."""

from types import MappingProxyType
from typing import Any, Final

from loantap.policy.application_ids import APPLICATION_ID
from loantap.portfolio.dictionary import COLUMNS, CSV_ORDER, Column, Kind

# Nobody's: 12,000 over three years at 14% a year.
EXAMPLE: Final = MappingProxyType(
    {
        "loan_amount": 12_000, "term_months": "36 months", "interest_rate_pct": 14.0,
        "instalment": 410.13, "grade": "C", "sub_grade": "C2", "profession": "Clock maker",
        "employment_years": "4 years", "home_ownership": "RENT", "annual_income": 60_000,
        "income_verification": "Verified", "issue_month": "Jan-2014",
        "purpose": "debt_consolidation", "title": "Debt consolidation", "dti_pct": 18.5,
        "earliest_credit_line": "Jan-2004", "open_accounts": 11, "public_records": 0,
        "revolving_balance": 9_999, "revolving_utilisation_pct": 45.5, "total_accounts": 25,
        "listing_status": "w", "application_type": "INDIVIDUAL", "mortgage_accounts": 2,
        "bankruptcies": 0, "address": "12 Nowhere Lane\nSampleville, OK 22690",
    }
)  # fmt: skip
_OUTCOME: Final = "loan_status"
_ID: Final = MappingProxyType(
    {
        "name": APPLICATION_ID, "label": "Application id",
        "meaning": "Identifier of the application", "unit": "", "kind": "text", "minimum": None,
        "maximum": None, "values": None, "example": "A-1042", "required": False, "nullable": True,
        "personal": False,
    }
)  # fmt: skip


def make_example(needed: tuple[Column, ...]) -> dict[str, Any]:
    """The made-up application with the needed fields, by source name."""
    return {str(column.source_name): EXAMPLE[column.name] for column in needed}


def describe_fields(needed: tuple[Column, ...]) -> list[dict[str, Any]]:
    """What each field of an application but the outcome means, in dictionary order."""
    names = {column.name for column in needed}
    known = [COLUMNS[name] for name in CSV_ORDER if name != _OUTCOME]
    return [dict(_ID), *(_describe(column, required=column.name in names) for column in known)]


def _describe(column: Column, *, required: bool) -> dict[str, Any]:
    values: list[float | str] = [*column.values] or [*column.categories] or [*column.listed]
    return {
        "name": str(column.source_name),
        "label": column.label,
        "meaning": column.meaning,
        "unit": column.unit,
        "kind": _name_kind(column),
        "minimum": column.minimum,
        "maximum": column.maximum,
        "values": values or None,
        "example": EXAMPLE[column.name],
        "required": required,
        "nullable": column.nullable,
        "personal": column.personal,
    }


def _name_kind(column: Column) -> str:
    kinds = {
        Kind.NUMBER: "number", Kind.COUNT: "integer", Kind.CATEGORY: "category",
        Kind.MONTH: "month", Kind.TEXT: "text",
    }  # fmt: skip
    return kinds[column.kind]
