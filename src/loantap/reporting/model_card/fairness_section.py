"""Groups that may stand for protected ones, on the model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loantap.reporting.formatting import NOTHING, decimal, decimal_interval

_RULES: Final = {"f2": "F2 threshold", "policy": "policy"}


@dataclass(frozen=True, slots=True)
class RuleLine:
  """How far apart groups lie under one rule, in words.

  `favoured` is the group approved most often, a dash where the rule approves nobody; `ratio` the approval rate of the
  `least` one as a share of its, with its 95% `interval`.
  """

  key: str
  name: str
  favoured: str
  least: str
  ratio: str
  interval: str


@dataclass(frozen=True, slots=True)
class ProxyLine:
  """One way to group borrowers, with a line per rule."""

  phrase: str
  audit_only: bool
  rules: Sequence[RuleLine]
  groups: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class FairnessLine:
  """The audit of one model."""

  n: int
  policy: str
  proxies: Sequence[ProxyLine]


def word_fairness(report: Mapping[str, Any]) -> dict[str, FairnessLine]:
  """The structure of `fairness.json`, model by model."""
  return {
    name: FairnessLine(model["n"], model["policy"], [_word_proxy(p) for p in model["proxies"].values()])
    for name, model in report["models"].items()
  }


def _word_proxy(proxy: Mapping[str, Any]) -> ProxyLine:
  rules = [_word_rule(proxy, key, name) for key, name in _RULES.items() if key in proxy["favoured"]]
  return ProxyLine(proxy["phrase"], proxy["audit_only"], rules, proxy["groups"])


def _word_rule(proxy: Mapping[str, Any], key: str, name: str) -> RuleLine:
  ratio, favoured = f"{key}_approval_ratio", proxy["favoured"][key] or NOTHING
  others = [g for g in proxy["groups"] if g[ratio] is not None and g["group"] != favoured]
  if not others:
    return RuleLine(key, name, favoured, NOTHING, NOTHING, "")
  least = min(others, key=lambda group: float(group[ratio]))
  interval = decimal_interval(least[f"{ratio}_low"], least[f"{ratio}_high"], 2)
  return RuleLine(key, name, favoured, least["group"], decimal(least[ratio], 2), interval)
