import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from contextlib import chdir
from pathlib import Path

import kedro.framework.cli.project as kedro_project
import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from tests.conftest import PROJECT
from tests.support.temporary_project import SMALL

SECRET = "s3cret-pa55word"  # noqa: S105 (made up)


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
	"""What `kedro package` makes of a checkout in which somebody has local settings."""
	checkout = tmp_path_factory.mktemp("checkout")
	ignored = shutil.ignore_patterns("__pycache__")
	for name in ("src", "conf"):
		shutil.copytree(PROJECT / name, checkout / name, ignore=ignored)
	for name in ("pyproject.toml", "README.md", "LICENSE"):
		shutil.copy(PROJECT / name, checkout)
	local = checkout / "conf" / "local"
	(local / "credentials.yml").write_text(f"warehouse: {{connection_string: Pwd={SECRET}}}\n")
	(local / "parameters.yml").write_text("sources: {loans: 1}\n")

	called = kedro_project.call

	def call_offline(command, **options):
		"""The build backend is installed: nothing needs to be fetched for the build."""
		called([*command, "--no-isolation"] if "build" in command else command, **options)

	with chdir(checkout), pytest.MonkeyPatch.context() as patch:
		patch.setattr(kedro_project, "call", call_offline)
		made = CliRunner().invoke(kedro_project.package, obj=bootstrap_project(checkout))
	if str(checkout / "src") in sys.path:
		sys.path.remove(str(checkout / "src"))
	assert made.exit_code == 0, made.output
	return checkout / "dist"


@pytest.fixture(scope="module")
def wheel(dist):
	with zipfile.ZipFile(next(dist.glob("loantap-*.whl"))) as files:
		return {name: files.read(name) for name in files.namelist()}


@pytest.fixture(scope="module")
def archive(dist):
	with tarfile.open(dist / "conf-loantap.tar.gz") as files:
		members = [member for member in files.getmembers() if member.isfile()]
		return {member.name: files.extractfile(member).read() for member in members}


def test_every_module_query_and_template_is_in_the_wheel_and_nothing_else(wheel):
	shipped = {
		str(path.relative_to(PROJECT / "src"))
		for path in (PROJECT / "src").rglob("*")
		if path.suffix in {".py", ".sql", ".html", ".css", ".j2", ".properties", ".yml"} or path.name == "py.typed"
	}

	assert {"loantap/pipelines/ingestion/sql/loans.sql", "loantap/py.typed"} <= shipped
	assert shipped <= wheel.keys()
	assert not [name for name in wheel if name.startswith(("tests/", "tools/", "conf/", "data/"))]
	assert wheel["loantap/logging.yml"] == (PROJECT / "conf" / "logging.yml").read_bytes()


def test_the_archive_holds_the_shared_configuration_and_nothing_local(archive):
	shared = {
		str(path.relative_to(PROJECT))
		for folder in ("base", "odbc", "spark")
		for path in (PROJECT / "conf" / folder).rglob("*.yml")
	}

	assert shared <= archive.keys()
	assert {name for name in archive if name.startswith("conf/local/")} <= {"conf/local/.gitkeep"}


def test_no_secret_and_no_data_is_in_what_is_shipped(wheel, archive):
	for name, text in (wheel | archive).items():
		assert SECRET.encode() not in text, name
		assert not name.endswith((".env", ".parquet", ".csv", ".duckdb", ".db", ".pyc")), name


@pytest.fixture(scope="module")
def python(dist, tmp_path_factory):
	"""Python of a fresh environment: the wheel, and the libraries that are installed here.

	Those come through a path file. An editable project among them does not: path files inside such
	a folder are not read.
	"""
	folder = tmp_path_factory.mktemp("venv")
	venv.create(folder, symlinks=True)
	python = folder / "bin" / "python"
	site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
	(site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
	wheel = str(next(dist.glob("loantap-*.whl")))
	command = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
	subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *command, wheel], check=True)
	return python


@pytest.fixture(scope="module")
def small_archive(dist, tmp_path_factory):
	folder = tmp_path_factory.mktemp("conf")
	with tarfile.open(dist / "conf-loantap.tar.gz") as files:
		# Debian 12's own Python, 3.11.2, knows no filters yet.
		files.extraction_filter = getattr(tarfile, "data_filter", None)
		files.extractall(folder)  # noqa: S202 (our own archive)
	(folder / "conf" / "local" / "parameters.yml").write_text(yaml.safe_dump(SMALL))
	packed = folder / "conf-loantap.tar.gz"
	with tarfile.open(packed, "w:gz") as files:
		files.add(folder / "conf", "conf")
	return packed


def run_in(folder, python, *arguments):
	"""Python of the fresh environment, from a shell that knows nothing of the project."""
	environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
	return subprocess.run(
		[str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
	)


def test_the_package_runs_from_an_empty_folder(python, small_archive, tmp_path):
	imported = run_in(tmp_path, python, "-c", "import loantap; print(loantap.__file__)")
	assert Path(imported.stdout.strip()).is_relative_to(python.parents[1])

	words = [f"--conf-source={small_archive}", "--pipelines=sources,training"]
	trained = run_in(tmp_path, python, "-m", "loantap", *words, "--params", "loans=2000")

	assert trained.returncode == 0, trained.stdout + trained.stderr
	metrics = json.loads((tmp_path / "data" / "08_reporting" / "metrics.json").read_text())
	assert metrics["origin"] == "simulated"
	assert (tmp_path / "mlflow.db").is_file()
	assert "SIMULATED DATA" in trained.stdout
	# One look for both: what a run in the project says.
	assert len((trained.stdout + trained.stderr).splitlines()) < 250
	assert "make " not in trained.stdout
	assert "mlflow ui --backend-store-uri sqlite:" in trained.stdout
