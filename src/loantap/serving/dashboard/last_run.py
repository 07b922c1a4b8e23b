"""What the last run left, read anew once it changes, and its frontier under a person's own assumptions.

For a chosen LGD and PD cut-off, by the run's formulas, from stored PDs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.policy.comparison.comparison import Slice
from loantap.policy.comparison.frontier import trace_frontier
from loantap.policy.comparison.measures import Outcomes, measure_policy
from loantap.policy.comparison.portfolio import LoanValues, join_portfolio, value_loans
from loantap.policy.comparison.rules import APPROVE_ALL, LABELS
from loantap.policy.money.cash_flows import Economics, PaidLife
from loantap.policy.money.returns import TERMS, impute_flows
from loantap.policy.options import ComparisonOptions
from loantap.portfolio.arrays import BoolArray
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import find_target, require_lifetime
from loantap.project.folder import read_group
from loantap.serving.configured import validate_group
from loantap.serving.dashboard.settings import DashboardSettings

_REMEDY: Final = "Run `make run` again, which writes it"


class NoRunError(InputError):
	"""No run has left what is asked for."""


@dataclass(frozen=True, slots=True)
class LastRun:
	"""Files of the last run; `NoRunError` where one is not there, `InputError` where it cannot be read."""

	settings: DashboardSettings

	def read_report(self, name: str) -> dict[str, Any]:
		"""A report in JSON, such as `summary.json`."""
		path = self.find(self.settings.reports / name)
		try:
			found = json.loads(path.read_text("utf-8"))
		except ValueError as error:
			raise InputError(str(path), f"it is no JSON: {error}", _REMEDY) from error
		if not isinstance(found, dict):
			raise InputError(str(path), "it is no JSON object", _REMEDY)
		return found

	def read_part(self, name: str, *keys: str) -> Any:
		"""A part of a report, by its keys, the last of them a namespace."""
		found: Any = self.read_report(name)
		for key in keys:
			found = found.get(key) if isinstance(found, dict) else None
		if found is None:
			path = self.settings.reports / name
			raise InputError(str(path), f"it says nothing of {keys[-1]}", _REMEDY)
		return found

	def read_table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
		"""A table of `07_model_output`, such as `findings` or `lending/predictions`."""
		return self._read_frame(self.settings.tables / f"{name}.parquet", columns)

	def read_layer(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
		"""A table of another layer, such as `03_primary/loans`."""
		return self._read_frame(self.settings.project / "data" / f"{name}.parquet", columns)

	def find(self, path: Path) -> Path:
		"""A file that a run has left."""
		if not path.is_file():
			raise NoRunError(str(path), "no run has left it yet", "Run `make run`")
		return path

	def _read_frame(self, path: Path, columns: list[str] | None) -> pd.DataFrame:
		try:
			return pd.read_parquet(self.find(path), columns=columns)
		except NoRunError:
			raise
		except (OSError, ValueError, KeyError) as error:
			# pyarrow's own errors are ValueErrors.
			raise InputError(str(path), f"it cannot be read: {error}", _REMEDY) from error


_LOANS: Final = ["loan_id", "grade", *(name for name in TERMS if name != "is_charged_off")]
# Learnt in a run, not anew at another LGD.
_LEARNT: Final = "profit_score_hurdle"


@dataclass(frozen=True, slots=True)
class JudgedLoans:
	"""Loans of the past with PDs of models that did not see them: a row each, from `join_portfolio`.

	With fewer than `min_loans` approved some figures are not told.
	"""

	portfolio: pd.DataFrame
	economics: Economics
	options: ComparisonOptions
	min_loans: int


@dataclass(frozen=True, slots=True)
class Choice:
	"""What a person chooses; the LGD is a fraction, other assumptions are the scenario's."""

	scenario: str
	loss_given_default: float
	paid_life: PaidLife


@dataclass(frozen=True, slots=True)
class Again:
	"""Judged loans under a choice; the curves are `trace_frontier`'s."""

	values: LoanValues
	outcomes: Outcomes
	curves: pd.DataFrame
	min_loans: int

	def compare(self, cutoff: float) -> pd.DataFrame:
		"""A PD cut-off beside expected NPV and approving all: a row of `measure_policy`, `policy` and `label` each."""
		pds = self.values.probability_of_default
		everybody = np.ones(len(pds), bool)
		approved: Mapping[str, tuple[str, BoolArray]] = {
			APPROVE_ALL: (LABELS[APPROVE_ALL], everybody),
			"pd_cutoff": (f"PD below {100 * cutoff:g}%", pds < cutoff),
			"npv": (LABELS["npv"], self.values.margin > 0),
		}
		rows: list[dict[str, Any]] = [
			{"policy": policy, "label": label} | measure_policy(flags, everybody, self.outcomes, self.min_loans)
			for policy, (label, flags) in approved.items()
		]
		return pd.DataFrame(rows)


def load_judged(run: LastRun, conf: Path) -> JudgedLoans:
	"""The last run's judged loans, with the assumptions in the folder `conf`.

	`NoRunError` without one; `InputError` where its PDs are none over the life, its tables not of one run, or parameters
	cannot be used.
	"""
	training = run.read_report("lending/training.json")
	require_lifetime(find_target(training), "model lending of the last run")
	portfolio = join_portfolio(
		run.read_table("lending/predictions"),
		run.read_layer("03_primary/loans", _LOANS),
		run.read_layer("05_model_input/splits", ["loan_id", "known_from", "judged_at"]),
	)
	judged = portfolio[portfolio["sample"].eq(CROSS_VALIDATION)].reset_index(drop=True)
	insights = read_group(conf, "insights", without={"as_of"})
	economics = validate_group(Economics, conf, "economics", read_group(conf, "economics"))
	options = validate_group(ComparisonOptions, conf, "insights.comparison", insights.get("comparison", {}))
	return JudgedLoans(judged, economics, options, int(insights["min_loans"]))


def decide_again(judged: JudgedLoans, choice: Choice) -> Again:
	"""Value all loans and trace the frontier under a choice."""
	assumed = judged.economics.scenarios[choice.scenario].model_copy(
		update={"loss_given_default": choice.loss_given_default}
	)
	values = value_loans(judged.portfolio, assumed)
	flows = impute_flows(judged.portfolio, assumed, judged.economics, choice.paid_life)
	outcomes = Outcomes(flows, judged.portfolio["is_charged_off"].to_numpy() == 1)
	part = Slice(
		CROSS_VALIDATION, choice.scenario, values.with_profit_score(values.margin), {}, {choice.paid_life: outcomes}
	)
	curves = trace_frontier(part, judged.options)
	curves = curves[curves["family"].ne(_LEARNT)].reset_index(drop=True)
	return Again(values, outcomes, curves, judged.min_loans)
