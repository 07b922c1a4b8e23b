"""`loantap-policy`: show, size, try and approve the credit policy, print the insights page."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from loantap.model.training.predictions import CROSS_VALIDATION
from loantap.policy.credit_policy import CreditPolicy, digest_policy
from loantap.policy.decisions import Decider
from loantap.policy.money.cash_flows import VALUED_BY, Economics, Scenario, value_units
from loantap.policy.sizing import SizingLoans, size_rules
from loantap.policy.targets import TRIED_COLUMNS, try_policy
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import find_target, require_lifetime
from loantap.project.folder import find_project, read_group
from loantap.project.pdf import print_page

_CONF = Path("conf/base")
_POLICY = _CONF / "parameters_policy.yml"
_PREDICTIONS = Path("data/07_model_output/lending/predictions.parquet")
_PAGE = Path("data/08_reporting/insights.html")
_TRAINING = Path("data/08_reporting/lending/training.json")
_LOANS = Path("data/03_primary/loans.parquet")
_SHARE = click.FloatRange(0, 1)


class _Commands(click.Group):
	def invoke(self, ctx: click.Context) -> Any:
		try:
			return super().invoke(ctx)
		except (InputError, ValidationError) as error:
			raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
def main() -> None:
	"""The credit policy: what it says, what it reaches, and who approved it."""


@main.command()
def show() -> None:
	"""Show the policy, and whether it is as it was approved."""
	folder = find_project(Path.cwd())
	written = read_group(folder / _CONF, "policy")
	table = Table("", "", show_header=False, box=None)
	for name, value in written.items():
		said = ", ".join(f"{key} {of}" for key, of in value.items()) if name in {"rules", "targets"} else value
		table.add_row(name, str(said))
	policy, economics = _load(folder, written)
	is_same = written["digest"] == digest_policy(policy, policy.find_scenario(economics))
	table.add_row("", "as approved" if is_same else "CHANGED since it was approved")
	Console().print(table)


@main.command("try")
def try_out() -> None:
	"""Try the policy, approved or not, on past loans. The model did not see them."""
	folder = find_project(Path.cwd())
	policy, economics = _load(folder, read_group(folder / _CONF, "policy"))
	predictions, loans = _read_judged(folder, TRIED_COLUMNS)
	decider = Decider(policy, policy.find_scenario(economics))
	trial = try_policy(decider, predictions, loans, economics)
	told = ", ".join(f"{decision} {share:.1%}" for decision, share in trial.shares.items())
	gain = trial.gain
	click.echo(
		f"{policy} on {trial.loans:,} loans that the model did not see, scenario "
		f"{policy.scenario}: {told}.\n"
		f"Imputed profit against approving all of them: {gain.value:+,.0f} per application "
		f"(95% interval {gain.low:+,.0f} to {gain.high:+,.0f}); what a person decides on counts as "
		"approved."
	)
	table = Table("target", "limit", "reached", "95% interval", "loans", "", box=None)
	for check in trial.targets:
		table.add_row(
			check.target,
			f"{check.limit:.1%}",
			f"{check.reached:.1%}",
			f"{check.reached_low:.1%} to {check.reached_high:.1%}",
			f"{check.n:,}",
			check.verdict,
		)
	Console().print(table)


@main.command()
def pdf() -> None:
	"""Print the insights page as a PDF; needs Chromium."""
	folder = find_project(Path.cwd())
	printed = print_page(folder / _PAGE)
	click.echo(f"Printed {printed.relative_to(folder)}")


@main.command()
@click.option("--by", "name", required=True, help="Your name. You are not the author.")
def approve(name: str) -> None:
	"""Record who approved the policy, and its digest."""
	folder = find_project(Path.cwd())
	path = folder / _POLICY
	policy, economics = _load(folder, read_group(path.parent, "policy") | {"approved_by": name, "digest": None})
	digest = digest_policy(policy, policy.find_scenario(economics))
	text = path.read_text("utf-8")
	for key, value in (("approved_by", name), ("digest", digest)):
		line = f"  {key}: {json.dumps(value)}".replace("\\", r"\\")
		text, count = re.subn(rf"(?m)^  {key}:.*$", line, text)
		if count != 1:
			raise click.ClickException(f"{path}: {count} lines begin with {key}:, 1 is expected")
	path.write_text(text, "utf-8")
	click.echo(f"{policy} is approved by {name}")


@main.command()
@click.option("--capacity", type=_SHARE, help="Share that people can look at, instead of the policy's.")
@click.option("--floor", type=_SHARE, help="Least share to approve or refer, instead of the policy's.")
@click.option("--cap", type=_SHARE, help="Highest default rate of what is approved, instead of the policy's.")
def size(capacity: float | None, floor: float | None, cap: float | None) -> None:
	"""Find rules that reach the targets. They are tried on loans that the model did not see."""
	folder = find_project(Path.cwd())
	policy, economics = _load(folder, read_group(folder / _CONF, "policy"))
	given = {"review_capacity": capacity, "min_approval_rate": floor, "max_default_rate": cap}
	changed = {name: value for name, value in given.items() if value is not None}
	targets = policy.targets.model_copy(update=changed)
	loans = _read_loans(folder, policy.find_scenario(economics))
	sizes = size_rules(loans, policy.rules, targets)
	expected = "nothing is approved"
	if not math.isnan(sizes.default_rate):
		expected = f"of what is approved {sizes.default_rate:.1%} are expected to default"
	click.echo(
		f"On {len(loans):,} loans that the model did not see: min_margin {sizes.min_margin:.4f}, "
		f"default_price {sizes.default_price:.4f}, review_margin {sizes.review_margin:.4f} refers "
		f"{sizes.referred:.1%}. {sizes.passed:.1%} are approved or referred; {expected}"
	)


def _read_loans(folder: Path, scenario: Scenario) -> SizingLoans:
	predictions, loans = _read_judged(folder, ("loan_id", *VALUED_BY[1:]))
	rows = predictions.join(loans.set_index("loan_id"), on="loan_id")
	pds, amount, rate, term = (rows[name].to_numpy(float) for name in VALUED_BY)
	return SizingLoans(value_units(rate, term, scenario).margin(pds), pds, amount)


def _read_judged(folder: Path, columns: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
	for path in (_PREDICTIONS, _TRAINING, _LOANS):
		if not (folder / path).is_file():
			raise click.ClickException(f"{path} is not there yet; run kedro run first")
	training = json.loads((folder / _TRAINING).read_text("utf-8"))
	require_lifetime(find_target(training), "model lending of the last run")
	predictions = pd.read_parquet(folder / _PREDICTIONS, columns=["loan_id", "sample", "probability_of_default"])
	loans = pd.read_parquet(folder / _LOANS, columns=list(columns))
	return predictions[predictions["sample"] == CROSS_VALIDATION], loans


def _load(folder: Path, written: dict[str, Any]) -> tuple[CreditPolicy, Economics]:
	policy = CreditPolicy.model_validate(written)
	return policy, Economics.model_validate(read_group(folder / _CONF, "economics"))
