"""`loantap-columns`: propose a column map for a file, and show what it was made from."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loantap.portfolio.errors import InputError
from loantap.tables.column_maps.column_map import COLUMNS_OF, is_needed
from loantap.tables.column_maps.proposal import Match, Proposal, propose_map

_SHOWN = 20


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="File to write the map to.")
def main(file: Path, target: Path | None) -> None:
	"""Propose a column map for FILE from its first rows, and show what fits and what does not."""
	if target is not None and target.exists():
		raise click.UsageError(f"{target} exists: name another file, or remove it")
	try:
		proposal = propose_map(file)
	except InputError as error:
		raise click.ClickException(str(error)) from error
	# The map alone goes to the standard output, for a pipe.
	_show(proposal, Console(stderr=True))
	if target is None:
		click.echo(proposal.to_yaml(), nl=False)
	else:
		target.write_text(proposal.to_yaml(), encoding="utf-8")


def _show(proposal: Proposal, console: Console) -> None:
	table = Table("LoanTap", "file", "read as", "examples", "in doubt", box=None)
	for match in proposal.matches:
		table.add_row(*(Text(cell) for cell in _say(match)))
	console.print(table)
	lines = ["; ".join([f"The first {proposal.rows:,} rows", *proposal.notes])]
	if proposal.others:
		more = f" and {len(proposal.others) - _SHOWN} more" if len(proposal.others) > _SHOWN else ""
		lines.append(f"Not taken: {', '.join(proposal.others[:_SHOWN])}{more}")
	lines += [f"The shipped map {name} fits: --params portfolio=FILE,columns={name}" for name in proposal.shipped]
	console.print(Text("\n".join(lines)))


def _say(match: Match) -> tuple[str, ...]:
	look = match.look
	if not match.column:
		missing = "NEEDED, not found" if is_needed(COLUMNS_OF[match.ours]) else "not found: missing in every row"
		return match.ours, "", "", "", missing
	says = ", ".join(f"{name} {value}" for name, value in look.says.items())
	personal = "(personal)" if COLUMNS_OF[match.ours].personal else ""
	return match.ours, match.column, says, ", ".join(look.examples) or personal, "; ".join(look.doubts)
