"""`loantap-task`, what a container of the batch image runs: restore the published data, run as a process, publish."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import click
from rich.console import Console
from rich.table import Table

from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project
from loantap.project.interruption import BUCKET_VARIABLE, RUN_VARIABLE, TRY_LATER, interruption
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED
from loantap.storage.bucket import LASTS_S, Bucket, Lease, TryLaterError
from loantap.storage.state import State

_CONF_VARIABLE: Final = "LOANTAP_CONF_SOURCE"
_CONF: Final = "/opt/loantap/conf.tar.gz"
_METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"
_OF_A_BUCKET: Final = ("AWS_REGION", "MLFLOW_TRACKING_URI")
_SYSTEMS: Final = ("LOANTAP_WAREHOUSE", "LOANTAP_APPSTREAM", "LOANTAP_BUSINESS_EVENTS", "LOANTAP_WAREHOUSE_OUTPUT")
_TABLES_PUBLISHED: Final = (
	"models and tables written back are new, files in the bucket those of the last good run; start it again"
)
_REAL: Final = {"odbc": _SYSTEMS, "aws": (BUCKET_VARIABLE, *_SYSTEMS)}


def run_task(arguments: Sequence[str]) -> int:
	"""Run with these arguments of `kedro run`; the exit code, see docs/running.md.

	Raises:
		InputError: a variable or configuration is missing, or the bucket refuses. KeyboardInterrupt: it was asked to
			end.
	"""
	project = find_project(Path.cwd())
	command = [sys.executable, "-m", "loantap", *choose_configuration(arguments, project)]
	name = require_variables(arguments, os.environ)
	run = find_run()
	environment = {**os.environ, RUN_VARIABLE: run}
	if name is None:
		return _Child(command, environment).run()
	child = _Child(command, environment)
	with holding_lease(Bucket(name), run, child) as lease:
		return _run_on_state(State(Bucket(name)), child, lease, project, run)


def _run_on_state(state: State, child: "_Child", lease: Lease, project: Path, run: str) -> int:
	outcome = NOTHING_PUBLISHED
	try:
		if (published := state.read()) is not None:
			count = state.restore(project, published)
			click.echo(f"Task {run}: {count:,} files of the state of run {published.run} are here")
		if code := child.run():
			lease.require()
			return code
		outcome = _TABLES_PUBLISHED
		sent = state.publish(project, run, lease.require)
		outcome = ALL_PUBLISHED
		click.echo(f"Task {run}: published, {sent:,} new files" if sent else "Nothing has changed")
	except KeyboardInterrupt:
		click.echo(f"\nTask {run}: interrupted by {interruption.name}: {outcome}.", err=True)
		raise
	return 0


class _Child:
	"""The run's process, which a lost lease or a signal ends."""

	def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
		self._command = command
		self._environment = environment
		self._process: subprocess.Popen[bytes] | None = None
		self._is_unwanted = False

	def run(self) -> int:
		"""The exit code, as shells count, at the end; signals are passed on."""
		with interruption.deferred():
			if self._is_unwanted:
				return 1
			# Ctrl-C in a terminal would come twice.
			self._process = subprocess.Popen(  # noqa: S603 (our own command)
				self._command, env=self._environment, process_group=0
			)
		while True:
			try:
				code = self._process.wait()
				break
			except KeyboardInterrupt:
				self._process.send_signal(interruption.received or 15)
		interruption.obey()
		return code if code >= 0 else 128 - code

	def end(self) -> None:
		"""End it, or keep it from beginning."""
		self._is_unwanted = True
		if self._process is not None:
			self._process.terminate()


@contextmanager
def holding_lease(bucket: Bucket, run: str, child: _Child | None = None) -> Iterator[Lease]:
	"""Hold the right to change a bucket's data, or raise `LeaseHeldError`."""
	lasts_s = float(os.environ.get("LOANTAP_LEASE_SECONDS", LASTS_S))
	lease = Lease(bucket, run, child.end if child else lambda: None, lasts_s)
	try:
		lease.acquire()
		yield lease
	finally:
		with interruption.deferred():
			try:
				lease.release()
			except InputError as error:
				click.echo(f"Warning: {error}\nThe lease ends by itself.", err=True)


def choose_configuration(arguments: Sequence[str], project: Path) -> list[str]:
	"""The arguments with the place of the configuration; `InputError` if it is missing."""
	if any(each.startswith("--conf-source") for each in arguments):
		return list(arguments)
	given = os.environ.get(_CONF_VARIABLE)
	if not given and not Path(_CONF).exists() and (project / "conf").is_dir():
		return list(arguments)
	path = Path(given or _CONF)
	if not path.exists():
		raise InputError(
			f"configuration {path}",
			"it is not in the image",
			f"Build the image with the archive that `kedro package` makes, or set {_CONF_VARIABLE}",
		)
	return [f"--conf-source={path}", *arguments]


def require_variables(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
	"""The bucket's name, None without one; InputError where a variable of the run is missing or empty."""
	named = re.search(r"(?:^|\0)(?:--env|-e)[\0=]([^\0]+)", "\0".join(arguments))
	name = named[1] if named else environment.get("KEDRO_ENV", "")
	needed = {*_REAL.get(name, ()), *(_OF_A_BUCKET if BUCKET_VARIABLE in environment else ())}
	needed |= {each for each in environment if each.startswith("LOANTAP_")}
	for variable in sorted(needed):
		if not environment.get(variable, "").strip():
			raise InputError(
				f"environment variable {variable}",
				"it is empty" if variable in environment else "it is not set",
				"Set it in the task definition (a secret: look whether Secrets Manager holds a "
				"value), or take it out where the run does not need it",
			)
	return environment.get(BUCKET_VARIABLE)


def find_run() -> str:
	"""The id of the ECS task; elsewhere one made of the time."""
	if address := os.environ.get(_METADATA_VARIABLE):
		try:
			with urlopen(f"{address}/task", timeout=2) as answer:  # noqa: S310 (named by ECS)
				return str(json.load(answer)["TaskARN"]).rpartition("/")[2]
		except (URLError, OSError, ValueError, KeyError) as error:
			click.echo(f"Warning: ECS does not tell the task's id ({error})", err=True)
	return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class _Commands(click.Group):
	def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
		is_named = args and (args[0] in self.commands or args[0] == "--help")
		return super().parse_args(ctx, args if is_named else ["run", *args])

	def invoke(self, ctx: click.Context) -> Any:
		"""Tell an error, or a signal, in one message and an exit code."""
		with interruption.listening():
			try:
				return super().invoke(ctx)
			except InputError as error:
				if interruption.received is None:
					click.echo(f"Error: {error}", err=True)
					ctx.exit(TRY_LATER if isinstance(error, TryLaterError) else 1)
			except KeyboardInterrupt:
				pass
		return ctx.exit(interruption.settle())


@click.group(cls=_Commands)
def main() -> None:
	"""Restore the published data, run, and publish what the run made.

	Arguments are those of `kedro run`: `loantap-task --pipelines training --env aws`. Without
	LOANTAP_BUCKET the run works on the folder it is started in, and nothing is sent.
	"""


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(context: click.Context, arguments: tuple[str, ...]) -> None:
	"""Run pipelines; the word may be left out."""
	context.exit(run_task(arguments))


@main.command()
@click.argument("run", required=False)
@click.option("--only", multiple=True, help="Folder or file of data/, such as 08_reporting. Give it again for more.")
@click.option("--replace", is_flag=True, help="Replace files here that differ.")
@click.option("--if-any", is_flag=True, help="Take it for no error that nothing is published yet.")
def restore(run: str | None, only: tuple[str, ...], *, replace: bool, if_any: bool) -> None:
	"""Fetch the published data, or that of an older RUN."""
	state = State(_open_bucket())
	manifest = state.find(run) if run else state.read()
	if manifest is None:
		if if_any:
			return
		raise InputError("bucket", "nothing is published in it", "Run `loantap-task --pipelines training` first")
	count = state.restore(find_project(Path.cwd()), manifest, only, replace=replace)
	click.echo(f"{count:,} files of the state of run {manifest.run} were fetched")


@main.command()
@click.argument("run")
def rollback(run: str) -> None:
	"""Publish the state of an older RUN again. Models: `loantap-models restore`."""
	bucket = _open_bucket()
	with holding_lease(bucket, find_run()) as lease:
		state = State(bucket)
		state.roll_back(state.find(run), lease.require)
	click.echo(f"The state of run {run} is published")


@main.command()
@click.option("--last", default=20, show_default=True, help="How many states.")
def states(last: int) -> None:
	"""List the published states, the current one first."""
	table = Table("run", "published (UTC)", "version", "files", "MB")
	for each in State(_open_bucket()).list_runs()[:last]:
		size = sum(file.size for file in each.files.values()) / 1e6
		table.add_row(
			each.run,
			f"{each.created:%Y-%m-%d %H:%M}",
			(each.git_sha or each.version)[:12],
			f"{len(each.files):,}",
			f"{size:,.1f}",
		)
	Console().print(table)


def _open_bucket() -> Bucket:
	name = os.environ.get(BUCKET_VARIABLE)
	if not name:
		raise InputError(f"environment variable {BUCKET_VARIABLE}", "it is not set", "Name the bucket there")
	return Bucket(name)


if __name__ == "__main__":
	main()
