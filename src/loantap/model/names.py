"""Names of registered models; those from simulated loans have their own."""

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.portfolio.dictionary import REAL, SIMULATED

_DEMO = "-demo"


def registered_name(namespace: str, origin: str) -> str:
  """Registered name in a namespace for loans of this origin."""
  name = f"loantap-{namespace.replace('_', '-')}"
  return name if origin == REAL else f"{name}{_DEMO}"


def is_for_lending(name: str) -> bool:
  """Whether a model of this name may decide on applications."""
  return not any(
    name == registered_name(namespace, origin)
    for namespace, feature_set in MODELS.items()
    if not FEATURE_SETS[feature_set].for_lending
    for origin in (REAL, SIMULATED)
  )


def origin_of_model(name: str) -> str:
  """Origin of the loans that a model of this name learnt from."""
  return SIMULATED if name.endswith(_DEMO) else REAL
