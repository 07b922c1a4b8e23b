"""A Kedro project in a temporary folder, run through its command line."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT

import duckdb
import mlflow
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

# What it sets in the environment is put back after a test if a test is the first to import it.
import loantap.registry.connection  # noqa: F401
from loantap.cli import cli
from tests.conftest import PROJECT

# Two candidates instead of thirty, for a run in seconds; all else is as it is shipped.
_SMALL_GRID = {"folds": 3, "balancing": ["none"], "l1_ratios": [0], "inverse_penalties": [0.1, 1]}
SMALL = {
	"modeling": {
		"benchmark": _SMALL_GRID | {"jobs": 1},
		"published_replica": _SMALL_GRID | {"jobs": 1, "balancing": ["smote"]},
		"lending": _SMALL_GRID | {"jobs": 1},
		"application": _SMALL_GRID | {"jobs": 1},
	},
	"evaluation": {"resamples": 100},
}


@dataclass(frozen=True)
class Ended:
	"""How a command ended, and all that it said."""

	exit_code: int
	output: str


@dataclass(frozen=True)
class Project:
	"""A project's folder, where commands are given if not `at` another, and what can be asked."""

	folder: Path
	at: Path | None = None

	def run(self, *arguments):
		"""`kedro run` with these arguments, in this process.

		Raises what the command does not turn into a message.
		"""
		# MLflow leaves there what a test before has set, and it goes before what `conf/` says.
		with chdir(self.at or self.folder), pytest.MonkeyPatch.context() as environment:
			environment.delenv("MLFLOW_TRACKING_URI", raising=False)
			result = CliRunner().invoke(cli, ["run", *arguments])
		if result.exception is not None and not isinstance(result.exception, SystemExit):
			raise result.exception
		return result

	def start(self, *arguments):
		"""The same in a process of its own, as from a shell in which nothing is set."""
		words = [str(Path(sys.executable).with_name("kedro")), "run", *arguments]
		kept = ("PATH", "HOME", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # the last bits depend on the kernels these choose
		shell = {name: os.environ[name] for name in kept if name in os.environ}
		ended = subprocess.run(words, cwd=self.folder, env=shell, stdout=PIPE, stderr=STDOUT, text=True, check=False)
		return Ended(ended.returncode, ended.stdout)

	def digests(self):
		"""Digest of every file and database table under `data/`, hidden ones included.

		Left out are the last good models, a cache, and what runs say of themselves.
		"""
		found: dict[str, str] = {}
		for path in sorted((self.folder / "data").rglob("*")):
			name = str(path.relative_to(self.folder))
			if path.suffix == ".duckdb":
				found |= {f"{name}/{table}": digest for table, digest in _digest_tables(path)}
			elif path.is_file() and path.parent.name not in {"last_good", ".run"}:
				found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
		return found

	def aliases(self):
		store = self.folder / "mlflow.db"
		if not store.exists():
			return set()
		with closing(sqlite3.connect(store)) as connection:
			rows = connection.execute("SELECT name, alias, version FROM registered_model_aliases")
			return {(name, alias, int(version)) for name, alias, version in rows}

	@property
	def mlflow(self):
		"""Client of the project's own MLflow store.

		Where a run has logged models, MLflow lists its artifacts by the address of the process
		rather than by that of the client, so this becomes the project's as well.
		"""
		address = f"sqlite:///{self.folder / 'mlflow.db'}"
		mlflow.set_tracking_uri(address)
		return mlflow.MlflowClient(address)

	@property
	def reporting(self):
		return self.folder / "data" / "08_reporting"


def _digest_tables(database):
	"""Name and digest of the rows of each table; a database's bytes change without them."""
	with duckdb.connect(str(database), read_only=True) as connection:
		for (name,) in connection.execute("SHOW TABLES").fetchall():
			rows = connection.table(name).to_df()
			digest = hashlib.sha256(pd.util.hash_pandas_object(rows).to_numpy().tobytes())
			yield name, digest.hexdigest()


def make_project(folder):
	shutil.copytree(PROJECT / "conf", folder / "conf")
	shutil.copy(PROJECT / "pyproject.toml", folder)
	(folder / "src").mkdir()
	local = folder / "conf" / "local"
	(local / "parameters.yml").write_text(yaml.safe_dump(SMALL))
	# The shipped address is relative to the working directory, and MLflow keeps one connection per
	# address and process: several projects in one process need absolute ones.
	server = {"mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.db'}"}
	(local / "mlflow.yml").write_text(yaml.safe_dump({"server": server}))
	return Project(folder)


@dataclass(frozen=True)
class Original:
	"""The files of `folder` as they are now, kept in `copy`, which is new, to put them back."""

	folder: Path
	copy: Path

	def __post_init__(self):
		shutil.copytree(self.folder, self.copy)

	def put_back(self):
		"""Put back each file whose size or time has changed, or that is gone; remove new files."""
		before, now = _list_files(self.copy), _list_files(self.folder)
		for name in now.keys() - before.keys():
			(self.folder / name).unlink()
		for name in (name for name, stamp in before.items() if now.get(name) != stamp):
			target = self.folder / name
			target.parent.mkdir(parents=True, exist_ok=True)
			fresh = target.with_name(f".{target.name}.original")
			shutil.copy2(self.copy / name, fresh)
			fresh.replace(target)


def _list_files(folder):
	files = ((path, path.stat()) for path in folder.rglob("*") if path.is_file())
	return {str(path.relative_to(folder)): (stat.st_size, stat.st_mtime_ns) for path, stat in files}
