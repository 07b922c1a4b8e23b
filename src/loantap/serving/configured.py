"""What the parameter files say about decisions and offers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from loantap.policy.credit_policy import CreditPolicy, require_as_approved
from loantap.policy.lab.recommendations import choose_rules
from loantap.policy.lab.rules import Rule
from loantap.policy.money.cash_flows import Economics
from loantap.policy.options import OffersOptions, ScoringOptions
from loantap.portfolio.errors import InputError
from loantap.project.folder import read_groups

_Options = TypeVar("_Options", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Configured:
	"""Parameters that serving shares with the pipelines; `rule_ids` are switched on.

	`recommendations` are of `recommendations.json`, None where there is none.
	"""

	policy: CreditPolicy
	economics: Economics
	offers: OffersOptions
	rule_ids: tuple[str, ...]
	recommendations: dict[str, Any] | None

	def find_rules(self, origin: str) -> tuple[Rule, ...]:
		"""The rules that decline besides the policy, for a model from loans of an origin.

		`InputError` for one that is unknown, or of loans of another origin.
		"""
		return choose_rules(self.recommendations, self.rule_ids, origin=origin)[0]


def read_configured(conf: Path, recommendations: Path, today: date) -> Configured:
	"""Read a folder's parameter files, and the policy lab's rules if their file is there.

	`InputError` where a group cannot be used, or the policy was changed after its approval.
	"""
	dated = {"as_of": today}
	written = read_groups(conf, {"policy": (), "economics": (), "scoring": dated, "offers": dated})
	policy = validate_group(CreditPolicy, conf, "policy", written["policy"])
	economics = validate_group(Economics, conf, "economics", written["economics"])
	require_as_approved(policy, economics)
	scoring = validate_group(ScoringOptions, conf, "scoring", written["scoring"] | dated)
	return Configured(
		policy=policy,
		economics=economics,
		offers=validate_group(OffersOptions, conf, "offers", written["offers"] | dated),
		rule_ids=scoring.recommendations,
		recommendations=_read_json(recommendations),
	)


def validate_group(options: type[_Options], conf: Path, group: str, written: Mapping[str, object]) -> _Options:
	"""A group of parameters of a folder; `InputError` names the first that cannot be used."""
	try:
		return options.model_validate(written)
	except ValidationError as error:
		first = error.errors()[0]
		name = ".".join(map(str, (group, *first["loc"])))
		raise InputError(f"parameter {name} in {conf}", first["msg"], "Mend it") from error


def _read_json(path: Path) -> dict[str, Any] | None:
	try:
		found = json.loads(path.read_text("utf-8"))
	except FileNotFoundError:
		return None
	except (OSError, ValueError) as error:
		raise InputError(str(path), f"it cannot be read: {error}", "Run `--pipelines insights`, which writes it") from error
	return dict(found)
