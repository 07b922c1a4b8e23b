"""What registered models are called: those from simulated loans have names of their own."""

from __future__ import annotations

from loantap.portfolio.dictionary import REAL, SIMULATED

_DEMO = "-demo"


def registered_name(namespace: str, origin: str) -> str:
    """Name of the models of a namespace that learnt from loans of this origin."""
    name = f"loantap-{namespace.replace('_', '-')}"
    return name if origin == REAL else f"{name}{_DEMO}"


def origin_of(name: str) -> str:
    """Origin of the loans that a registered model learnt from, by its name."""
    return SIMULATED if name.endswith(_DEMO) else REAL
