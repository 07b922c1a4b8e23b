import os
import shutil
import subprocess
import sys
from uuid import uuid4

import pytest

from tests.conftest import PROJECT, require
from tools.shipping.engine import RUNNING_ENGINE, Engine, find_missing, may_mount, provide_base

TARGETS = ("batch", "api", "dashboard", "mlflow")
REVISION = "0123456789abcdef0123456789abcdef01234567"
# What lies about in somebody's checkout and must not be sent anywhere.
SECRET = "s3cret-pa55word-of-nobody"  # noqa: S105 (made up)
BAITS = ("conf/local/credentials.yml", ".env", "secrets/loantap.env", "data/01_raw/loans.csv", "src/loantap/.env")


@pytest.fixture(scope="session")
def engine():
	if not (os.environ.get(RUNNING_ENGINE) or may_mount()):
		# In CI too: no package gives these rights.
		pytest.skip("a container engine needs the right to mount (CAP_SYS_ADMIN)")
	absent = find_missing()
	require(not absent, f"the container engine needs {', '.join(absent)}")
	with Engine.start() as engine:
		provide_base(engine)
		yield engine


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
	"""A checkout in which somebody has secrets and data."""
	folder = tmp_path_factory.mktemp("checkout")
	for name in ("src", "conf", "requirements", "tools", "tests"):
		ignored = shutil.ignore_patterns("__pycache__", "local")
		shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
	for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt", "Dockerfile", ".dockerignore"):
		shutil.copy(PROJECT / name, folder)
	for name in BAITS:
		path = folder / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(f"key: {SECRET}\n")
	return folder


@pytest.fixture(scope="session")
def images(engine, checkout):
	return {target: build(engine, checkout, target) for target in TARGETS}


@pytest.fixture(scope="session")
def trained(engine, images):
	"""A volume in which a run in the batch image has trained on 4,000 simulated loans."""
	volume = f"loantap-test-{uuid4().hex}"
	engine.run("volume", "create", volume)
	try:
		start_batch(engine, images["batch"], volume)
		yield volume
	finally:
		engine.try_run("volume", "rm", "--force", volume)


def build(engine, checkout, target):
	name = f"loantap/{target}:test"
	arguments = (f"REVISION={REVISION}", "VERSION=0.1.0", "SOURCE=https://example.com/loantap")
	engine.run(
		*("build", "--network", "host", "--target", target, "--tag", name),
		*(part for each in arguments for part in ("--build-arg", each)),
		str(checkout),
		timeout_s=1_500,
	)
	return name


def run(*command, **options):
	"""A program that has ended, and what it said."""
	return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def check_schema(name, file):
	"""Hold a file against a schema that check-jsonschema brings along."""
	done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", file)
	assert done.returncode == 0, done.stdout + done.stderr


def lock_down(*options):
	"""`docker run` as a task runs: nothing can be written but /tmp and the volume."""
	limits = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "host"]  # noqa: S108
	return ["run", *limits, "--security-opt", "no-new-privileges", *options]


def start_batch(engine, image, volume):
	"""Make 4,000 loans and train on them in 2 GiB."""
	options = ("--rm", "--memory", "2g", "--volume", f"{volume}:/srv/loantap")
	run = ("--pipelines", "sources,training", "--params", "loans=4000")
	engine.run(*lock_down(*options, image, *run), timeout_s=1_200)
