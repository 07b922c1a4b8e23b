"""A bucket of S3 on loopback, which honours conditions on writes."""

from itertools import count

import boto3
import pytest

from loantap.storage.bucket import Bucket
from tests.support.stand_in_aws import aws_variables, serve_aws

_numbers = count()


@pytest.fixture(scope="session")
def s3():
	with serve_aws() as address:
		yield address


@pytest.fixture
def signed_in(s3, monkeypatch):
	"""Variables by which S3 is asked there, set in this process too."""
	variables = aws_variables(s3, "eu-central-1") | {"AWS_MAX_ATTEMPTS": "1"}
	for name, value in variables.items():
		monkeypatch.setenv(name, value)
	return variables


@pytest.fixture
def bucket(signed_in):
	"""A new, empty one."""
	name = f"loantap-test-{next(_numbers)}"
	boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)
	return Bucket(name)


def write_files(project, **content):
	for name, text in content.items():
		path = project / "data" / "08_reporting" / f"{name}.json"
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text)
	return project


def read_files(project):
	files = (project / "data").rglob("*")
	return {path.stem: path.read_text() for path in files if path.is_file()}
