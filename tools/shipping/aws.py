"""Access to AWS as the pipeline has it, and its refusals in plain words."""

import contextlib
import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_EXPIRED: Final = {
	"ExpiredToken",
	"ExpiredTokenException",
	"InvalidClientTokenId",
	"InvalidIdentityToken",
	"RequestExpired",
	"UnrecognizedClientException",
}


class ShippingError(Exception):
	"""Why nothing was shipped, for the person who asked.

	Attributes:
		exit_code: 2 mend the input, nothing was changed; 3 another deployment is under way;
			1 it failed and the revision before it runs; 4 it failed and someone must look.
	"""

	def __init__(self, message: str, exit_code: int = 2) -> None:
		super().__init__(message)
		self.exit_code = exit_code


def required(name: str, where: str = "Repository variables") -> str:
	"""The environment variable `name`.

	Raises:
		ShippingError: it is not there or empty; says where in Bitbucket it is set.
	"""
	value = os.environ.get(name, "").strip()
	if not value:
		raise ShippingError(f"{name} is empty: set it in Bitbucket, Repository settings > {where}")
	return value


@contextlib.contextmanager
def aws_session() -> Iterator[boto3.Session]:
	"""A session in AWS_REGION; in a pipeline with the step's own OIDC token, which no one typed.

	Raises:
		ShippingError: a variable is empty, there is no such region, or AWS refuses.
	"""
	region = required("AWS_REGION")
	known = boto3.Session().get_available_regions("ecs")
	if region not in known:
		nearest = difflib.get_close_matches(region, known, 1)
		hint = f", perhaps {nearest[0]}" if nearest else ""
		raise ShippingError(f"AWS_REGION: {region!r} is no region of AWS{hint}")
	with contextlib.ExitStack() as stack:
		if os.environ.get("BITBUCKET_BUILD_NUMBER"):
			required("AWS_ROLE_ARN", "Deployments (or Repository variables for the push)")
			token = required("BITBUCKET_STEP_OIDC_TOKEN", "Pipelines (the step needs oidc: true)")
			folder = stack.enter_context(tempfile.TemporaryDirectory())
			path = Path(folder, "token")
			path.touch(0o600)
			path.write_text(token)
			os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(path)
		try:
			yield boto3.Session(region_name=region)
		except ClientError as error:
			raise ShippingError(_explain(error, region)) from error
		except BotoCoreError as error:
			raise ShippingError(
				f"AWS in {region} can't be used: {error} (in a pipeline: oidc: true and "
				"AWS_ROLE_ARN; on your machine: sign in again)"
			) from error


def _explain(error: ClientError, region: str) -> str:
	told = error.response.get("Error", {})
	code, text = told.get("Code", ""), told.get("Message", "")
	call = error.operation_name
	if code in _EXPIRED:
		return f"{call}: the credentials have expired or are unknown ({code}): run the step again"
	if code == "ClusterNotFoundException":
		return f"{call}: there is no such cluster in {region}: check AWS_REGION, or apply infra/"
	if code.startswith("AccessDenied"):
		return f"{call}: the role of AWS_ROLE_ARN may not do this: {text}"
	return f"{call} in {region}: {code}: {text}"
