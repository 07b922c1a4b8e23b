"""`loantap-keys`: create, list and revoke API keys."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loantap.serving.audit.commands import make_caller, opened
from loantap.serving.audit.engines import VARIABLE, choose_url
from loantap.serving.keys.keys import DEFAULT_RATE_PER_MINUTE, ApiKey, Keys, Scope

_COMMAND = "loantap-keys"


@click.group()
@click.option("--url", help=f"Address of the audit log, instead of {VARIABLE} and the project's file.")
@click.pass_context
def main(context: click.Context, url: str | None) -> None:
	"""API keys: who may ask for what."""
	context.obj = choose_url(url)


@main.command()
@click.option("--owner", required=True, help="The person or system that it is for.")
@click.option(
	"--scope",
	"scopes",
	multiple=True,
	required=True,
	type=click.Choice([scope.value for scope in Scope]),
	help="What it may do. Give it again for more.",
)
@click.option("--rate", type=int, default=DEFAULT_RATE_PER_MINUTE, show_default=True, help="Requests per minute.")
@click.pass_obj
def create(url: str, owner: str, scopes: tuple[str, ...], rate: int) -> None:
	"""Create a key and print it, once: it is kept nowhere."""
	with opened(url) as store:
		key, text = Keys(store).create(owner, {Scope(scope) for scope in scopes}, make_caller(_COMMAND), rate)
	click.echo(f"Key {key.id} of {key.owner} may: {', '.join(sorted(key.scopes))}", err=True)
	click.echo(text)


@main.command(name="list")
@click.pass_obj
def list_keys(url: str) -> None:
	"""List all keys, without their secrets."""
	with opened(url) as store:
		keys = Keys(store).list_keys()
	table = Table("key", "owner", "may", "per minute", "made", "state", box=None)
	for key in keys:
		table.add_row(*(Text(told) for told in _tell(key)))
	Console().print(table)


@main.command()
@click.argument("key_id")
@click.pass_obj
def revoke(url: str, key_id: str) -> None:
	"""Revoke a key: within a second no process takes it."""
	with opened(url) as store:
		key = Keys(store).revoke(key_id, make_caller(_COMMAND))
	click.echo(f"Key {key.id} of {key.owner} is revoked")


def _tell(key: ApiKey) -> list[str]:
	state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "works"
	scopes = ", ".join(sorted(key.scopes))
	made = f"{key.created_at:%Y-%m-%d} {key.created_by}"
	return [key.id, key.owner, scopes, str(key.rate_per_minute), made, state]


if __name__ == "__main__":
	main()
