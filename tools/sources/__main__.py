"""Starts and stops the three source systems for a developer: `make sources-up`, `sources-down`."""

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError
from rich.console import Console

from loantap.portfolio.dictionary import Table
from loantap.portfolio.errors import InputError
from tools.sources import derby, loader, postgres, thrift_server
from tools.sources.derby import Derby
from tools.sources.postgres import Postgres
from tools.sources.thrift_server import ThriftServer

_STATE = Path(__file__).parents[2] / ".sources"
_ENVIRONMENT = _STATE / "env"
_FOLDER = _STATE / "folder"

_SYSTEMS: Mapping[Table, tuple[str, type[Postgres | Derby | ThriftServer]]] = MappingProxyType(
	{
		Table.LOANS: ("warehouse", Postgres),
		Table.APPLICATIONS: ("appstream", Derby),
		Table.LOAN_EVENTS: ("business_events", ThriftServer),
	}
)

console = Console(highlight=False)


def up(loans: int, seed: int, as_of: date, portfolio: Path | None) -> None:
	"""Start the servers, load them, and write down how they are reached.

	Raises:
		InputError: they are up already, something is not installed, or the file cannot be used.
	"""
	if _FOLDER.exists():
		raise InputError("sources-up", "the sources are up already", "make sources-down ends them")
	absent = {module.missing() for module in (postgres, derby, thrift_server)} - {None}
	if absent:
		raise InputError("sources-up", "not all is installed", "Run: " + "; ".join(sorted(map(str, absent))))
	tables = loader.make_tables(loans, seed, as_of, portfolio)
	# The project may be closed to the user that PostgreSQL runs as.
	folder = Path(tempfile.mkdtemp(prefix="loantap-sources-"))
	folder.chmod(0o755)
	_STATE.mkdir(exist_ok=True)
	_FOLDER.write_text(str(folder))
	with ExitStack() as stack:
		stack.callback(_clean_up)
		variables: dict[str, str] = {}
		for table, (name, system) in _SYSTEMS.items():
			server = system(folder / name)
			console.print(f"{name}: starting {system.__name__} and loading {table}, {tables[table].num_rows:,} rows")
			server.start()
			server.load(str(table), tables[table])
			variables[f"LOANTAP_{name.upper()}"] = server.connection
			if isinstance(server, Postgres):
				variables["LOANTAP_WAREHOUSE_OUTPUT"] = server.owner_connection
		_write_environment(variables)
		stack.pop_all()
	console.print(
		"The sources are up, on the loopback interface only. Then:\n"
		"  source .venv/bin/activate\n"
		f"  source {_ENVIRONMENT.relative_to(_STATE.parent)}\n"
		"  kedro run --env odbc --pipelines check_sources\n"
		"  kedro run --env odbc --pipelines training\n"
		"  make sources-down"
	)


def down() -> None:
	"""Stop the servers and remove what they hold; nothing happens where there are none.

	Raises:
		InputError: one of them could not be stopped.
	"""
	if not _FOLDER.exists():
		console.print("The sources are not up")
		return
	folder = Path(_FOLDER.read_text())
	going = []
	for name, system in _SYSTEMS.values():
		if (folder / name).exists():
			try:
				system(folder / name).halt()
			except (OSError, RuntimeError, ValueError) as error:  # the others go all the same
				going.append(f"{name}: {error}")
	if going:
		raise InputError("sources-down", "; ".join(going), f"End it by hand, remove {folder}, and run it again")
	shutil.rmtree(folder, ignore_errors=True)
	shutil.rmtree(_STATE)
	console.print("The sources are down")


def _clean_up() -> None:
	"""Stop what was started; what can't be is told beside the error."""
	try:
		down()
	except InputError as error:
		console.print(str(error))


def _write_environment(variables: Mapping[str, str]) -> None:
	# Passwords are in it, though of this machine only.
	_ENVIRONMENT.touch(0o600)
	_ENVIRONMENT.write_text("".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items()))


def main() -> None:
	"""Read the command line."""
	parser = argparse.ArgumentParser(prog="python -m tools.sources", description=__doc__)
	commands = parser.add_subparsers(dest="command", required=True)
	start = commands.add_parser("up", help="start and load the three systems")
	start.add_argument("--loans", type=int, default=20_000, help="size of the demo portfolio")
	start.add_argument("--seed", type=int, default=42, help="of all that is simulated")
	start.add_argument(
		"--as-of",
		type=date.fromisoformat,
		default=datetime.now(tz=UTC).date(),
		help="day the rows are said to have changed on",
	)
	start.add_argument("--portfolio", type=Path, help="a LoanTap CSV instead of the demo")
	commands.add_parser("down", help="stop them")
	given = parser.parse_args()
	try:
		if given.command == "up":
			up(given.loans, given.seed, given.as_of, given.portfolio)
		else:
			down()
	except InputError as error:
		sys.exit(str(error))
	except ValidationError as error:
		sys.exit("\n".join(f"--{each['loc'][0]}: {each['msg']}" for each in error.errors()))


if __name__ == "__main__":
	main()
