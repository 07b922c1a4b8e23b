"""MLflow's descriptions of registered models and versions."""

from loantap.model.scoring.trained import ModelFacts
from loantap.portfolio.dictionary import REAL

_PURPOSES = {
  "lending": "decides on applications that carry a grade and an offer",
  "application": "prices applications before there is a grade",
  "benchmark": "the best there is with the pincode, to measure the leak by",
  "published_replica": "repeats the published case study on its own terms",
}
_WARNING = "NOT FOR LENDING: it uses the pincode, which LoanTap's addresses took from the outcome."
_DEMO = "Learnt from SIMULATED loans: it says nothing about real borrowers."
_KINDS = {"logistic": "Logistic regression", "boosting": "Boosted trees of one feature each"}


def describe_registered(facts: ModelFacts) -> str:
  """What a registered model is for, and what not."""
  purpose = _PURPOSES.get(facts.namespace, "")
  return " ".join(filter(None, (f"PD model `{facts.namespace}`: {purpose}.", *_warn(facts))))


def describe_version(facts: ModelFacts) -> str:
  """A version's kind, hyperparameters and training loans."""
  chosen = ", ".join(f"{name} {value}" for name, value in facts.hyperparameters.items())
  target = facts.target.replace("_", " ")
  loans = f"{facts.training_loans:,} {facts.origin} loans, {facts.training_charge_offs:,} of them {target}"
  return " ".join([f"{_KINDS.get(facts.kind, facts.kind)} ({chosen}) on {loans}.", *_warn(facts)])


def _warn(facts: ModelFacts) -> list[str]:
  warnings = [_WARNING] if facts.not_for_lending else []
  return warnings if facts.origin == REAL else [*warnings, _DEMO]
