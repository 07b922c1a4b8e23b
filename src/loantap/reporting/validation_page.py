"""The validation of a version, in the terminal and as a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from loantap.reporting.formatting import NOTHING, count, is_missing
from loantap.reporting.page_table import PageTable
from loantap.reporting.shell import render_page
from loantap.validation.check import Check

_HEADERS: Final = ("Figure", "n", "Reported", "Recomputed", "Difference", "Tolerance", "Verdict")


@dataclass(frozen=True, slots=True)
class Found:
  """What was validated, the checks by part, and what was not validated."""

  subject: Mapping[str, Any]
  checks: Mapping[str, Sequence[Check]]
  left_out: Sequence[str]

  @property
  def differing(self) -> list[str]:
    """Part and figure of every difference."""
    return [f"{part}: {c.figure}" for part, checks in self.checks.items() for c in checks if not c.agrees]

  @property
  def verdict(self) -> str:
    """In one sentence."""
    figures = sum(map(len, self.checks.values()))
    if not self.differing:
      return f"All {figures} figures agree with those recomputed."
    return f"{len(self.differing)} of {figures} figures DIFFER: {'; '.join(self.differing)}."

  def as_json(self) -> str:
    """All of it."""
    checks = [{"part": part, **c._asdict(), "agrees": c.agrees} for part, found in self.checks.items() for c in found]
    content = {**self.subject, "verdict": self.verdict, "differing": self.differing, "checks": checks}
    return json.dumps(content | {"not_validated": list(self.left_out)}, indent=1)


def tabulate_validation(found: Found) -> Table:
  """Every figure."""
  title = f"Validation of {found.subject['model']}, {found.subject['origin']} loans"
  table = Table(*_HEADERS, title=title, caption=found.verdict)
  for part, checks in found.checks.items():
    for check in checks:
      figure, *cells = _word(check)
      table.add_row(*map(Text, (f"{part}: {figure}", *cells)), style="" if check.agrees else "bold red")
  return table


def render_validation(found: Found) -> str:
  """One self-contained page, the verdict first."""
  tables = [PageTable(part, _HEADERS, list(map(_word, checks))) for part, checks in found.checks.items()]
  origin = found.subject["origin"]
  return render_page("validation.html", origin=origin, title="Independent validation", found=found, tables=tables)


def _word(check: Check) -> list[str]:
  values = (check.reported, check.recomputed, check.difference)
  numbers = [NOTHING if is_missing(value) else f"{value:.6g}" for value in values]
  tolerance = f"{check.tolerance:.2g} ({check.reason})"
  return [check.figure, count(check.n), *numbers, tolerance, "agrees" if check.agrees else "DIFFERS"]
