"""An application in words: its fields and their values."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loantap.reporting.formatting import name_category
from loantap.serving.api.service_schemas import FieldOfApplication, Fields
from loantap.serving.dashboard.client import Api
from loantap.serving.dashboard.frame import show_table


def explain_field(one: FieldOfApplication, more: str = "") -> str:
    """A field's meaning, unit, further remarks, and name in files."""
    unit = f", in {one.unit}" if one.unit else ""
    return f"{one.meaning}{unit}{more}. In files: `{one.name}`"


def word_choice(one: FieldOfApplication, value: str | float) -> str:
    """A choice as people read it; the API is sent the value itself."""
    return name_category(value) if isinstance(value, str) else f"{value:g} {one.unit}".strip()


def list_values(schema: Fields, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each field's name and value, in the order of the schema."""
    return [(one.label, _word(one, given[one.name])) for one in schema.fields if one.name in given]


def show_application(api: Api, given: Mapping[str, Any]) -> None:
    """The fields of an application as a table, folded."""
    with st.expander("Application"):
        show_table(("Field", "Value"), list_values(api.read_schema(), given), frozenset({1}))


def _word(one: FieldOfApplication, value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    return name_category(str(value)) if one.kind == "category" else str(value)
