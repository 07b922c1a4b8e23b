"""Nested parameters by path."""

from collections.abc import Mapping
from typing import Any


def flatten(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mapping to one level, by dotted names (`modeling.lending.folds`)."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        path = f"{prefix}{name}"
        flat |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat
