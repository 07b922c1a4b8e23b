"""The validation of a version, in the terminal and as a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from loantap.reporting.formatting import NOTHING, PageTable, count, is_missing
from loantap.reporting.shell import render_page
from loantap.validation.check import Check

_HEADERS: Final = ("Figure", "n", "Reported", "Recomputed", "Difference", "Tolerance", "Verdict")


@dataclass(frozen=True, slots=True)
class Found:
	"""What was validated, the checks by part, why parts failed, and what was not validated."""

	subject: Mapping[str, Any]
	checks: Mapping[str, Sequence[Check]]
	failed: Mapping[str, str]
	left_out: Sequence[str]

	@property
	def passes(self) -> bool:
		"""Whether every part was validated, and every figure agrees."""
		return not (self.differing or self.failed)

	@property
	def differing(self) -> list[str]:
		"""Part and figure of every difference."""
		return [f"{part}: {c.figure}" for part, checks in self.checks.items() for c in checks if not c.agrees]

	@property
	def verdict(self) -> str:
		"""In a few words."""
		figures, lost = sum(map(len, self.checks.values())), len(self.failed)
		told = f"All {figures} figures agree with those recomputed."
		if self.differing:
			told = f"{len(self.differing)} of {figures} figures DIFFER: {'; '.join(self.differing)}."
		parts = f"{lost} part{'s' if lost > 1 else ''} could NOT BE VALIDATED: {', '.join(self.failed)}."
		return f"{told} {parts}" if lost else told

	def as_json(self) -> str:
		"""All of it."""
		checks = [{"part": part, **c._asdict(), "agrees": c.agrees} for part, found in self.checks.items() for c in found]
		content = {**self.subject, "verdict": self.verdict, "differing": self.differing, "failed": dict(self.failed)}
		# JSON knows neither infinity nor NaN.
		plain = [{name: None if _is_none(value) else value for name, value in c.items()} for c in checks]
		return json.dumps(content | {"checks": plain, "not_validated": list(self.left_out)}, indent=1)


def _is_none(value: Any) -> bool:
	return isinstance(value, float) and not isfinite(value)


def tabulate_validation(found: Found) -> Table:
	"""Every figure, by part; tolerances and their reasons are on the page alone."""
	title = f"Validation of {found.subject['model']}, {found.subject['origin']} loans"
	numbers = (Column(name, justify="right", no_wrap=True) for name in _HEADERS[1:5])
	table = Table(
		Column(_HEADERS[0], overflow="fold"), *numbers, _HEADERS[-1], title=title, caption=found.verdict, box=SIMPLE
	)
	for part, checks in found.checks.items():
		table.add_section()
		table.add_row(Text(part, style="bold"), *[""] * 4, "NOT VALIDATED" if part in found.failed else "")
		for check in checks:
			*cells, _, verdict = _word(check)
			table.add_row(*map(Text, (*cells, verdict)), style="" if check.agrees else "bold red")
	return table


def render_validation(found: Found) -> str:
	"""One self-contained page, the verdict first."""
	tables = [
		PageTable(part, _HEADERS, list(map(_word, checks)), found.failed.get(part, ""))
		for part, checks in found.checks.items()
		if checks
	]
	origin = found.subject["origin"]
	return render_page("validation.html", origin=origin, title="Independent validation", found=found, tables=tables)


def _word(check: Check) -> list[str]:
	values = ((check.reported, 6), (check.recomputed, 6), (check.difference, 2))
	numbers = [NOTHING if is_missing(value) else f"{value:.{digits}g}" for value, digits in values]
	tolerance = f"{check.tolerance:.2g} ({check.reason})"
	return [check.figure, count(check.n), *numbers, tolerance, "agrees" if check.agrees else "DIFFERS"]
