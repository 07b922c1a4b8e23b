"""A bucket of S3 on loopback, which honours conditions on writes."""

import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from loantap.storage.bucket import Bucket

_numbers = count()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def signed_in(s3: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables by which S3 is asked there, set in this process too."""
    variables = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "AKIAMADEUP",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def bucket(signed_in: dict[str, str]) -> Bucket:
    """A new, empty one."""
    name = f"loantap-test-{next(_numbers)}"
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)
    return Bucket(name)


def write_files(project: Path, **content: str) -> Path:
    for name, text in content.items():
        path = project / "data" / "08_reporting" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return project


def read_files(project: Path) -> dict[str, str]:
    files = (project / "data").rglob("*")
    return {path.stem: path.read_text() for path in files if path.is_file()}
