"""Push the images of a commit to ECR, signed in with the step's own token."""

import base64
import shutil
import subprocess
import sys
from collections.abc import Sequence

import click

from tools.shipping.aws import ShippingError, aws_session
from tools.shipping.ecs import FAMILIES, has_image


@click.command()
@click.option("--sha", required=True, help="the tag of loantap/api and the others")
def main(sha: str) -> None:
	"""Push loantap/batch, api, dashboard and mlflow; what is there already is left as it is."""
	try:
		with aws_session() as session:
			ecr = session.client("ecr")
			# Their tags cannot be moved: a step run again would fail.
			missing = [part for part in FAMILIES if not has_image(ecr, f"loantap/{part}", sha)]
			given = ecr.get_authorization_token()["authorizationData"][0]
			registry = given["proxyEndpoint"].removeprefix("https://")
			_push(registry, given["authorizationToken"], sha, missing)
	except ShippingError as error:
		click.echo(str(error), err=True)
		sys.exit(error.exit_code)


def _push(registry: str, token: str, sha: str, parts: Sequence[str]) -> None:
	user, password = base64.b64decode(token).decode().split(":", 1)
	_docker("login", "--username", user, "--password-stdin", registry, text=password)
	for part in parts:
		image = f"loantap/{part}:{sha}"
		_docker("tag", image, f"{registry}/{image}")
		_docker("push", "--quiet", f"{registry}/{image}")


def _docker(*words: str, text: str = "") -> None:
	done = subprocess.run(
		[shutil.which("docker") or "docker", *words], input=text, text=True, capture_output=True, check=False
	)
	if done.returncode:
		raise ShippingError(f"docker {words[0]} failed: {done.stderr.strip()}", exit_code=1)
	click.echo(f"docker {words[0]} {words[-1]}")


if __name__ == "__main__":
	main()
