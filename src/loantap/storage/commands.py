"""`loantap-task`: what a container of the batch image runs."""

import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project
from loantap.project.interruption import interruption
from loantap.project.task_codes import BUCKET_VARIABLE, TRY_LATER
from loantap.storage.bucket import Bucket, TryLaterError
from loantap.storage.state import State
from loantap.storage.task import find_run, holding_lease, run_task


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
@click.option("--only", multiple=True, help="Folder or file of data/, such as 08_reporting.")
@click.option("--replace", is_flag=True, help="Give up files here that are others.")
@click.option("--if-any", is_flag=True, help="Nothing published yet is no error.")
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
  """Publish the state of an older RUN again; models: `loantap-models restore`."""
  bucket = _open_bucket()
  with holding_lease(bucket, find_run()) as lease:
    state = State(bucket)
    state.roll_back(state.find(run), lease.require)
  click.echo(f"The state of run {run} is published")


@main.command()
@click.option("--last", default=20, show_default=True, help="How many.")
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
