import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import mlflow

from tests.conftest import PROJECT
from tests.registry.registered import make_champion
from tools.sources.processes import free_port

SCORE = "/v1/applications/score"
_SCOPES = ("score", "read", "decide", "help", "admin")
_PATIENCE = 60.0
_PATIENCE_WITH_BOTH = 120.0


def make_project(folder, empty_store, *models):
	"""A project as a run leaves it, as far as serving reads it: parameters and champions."""
	folder.mkdir(parents=True, exist_ok=True)
	shutil.copytree(PROJECT / "conf" / "base", folder / "conf" / "base")
	(folder / "pyproject.toml").write_text("[tool.kedro]\n", "utf-8")
	store = shutil.copy(empty_store, folder / "mlflow.db")
	mlflow.set_tracking_uri(f"sqlite:///{store}")
	mlflow.set_registry_uri(None)
	artifacts = (folder / "mlartifacts").as_uri()
	experiment = mlflow.create_experiment("loantap", artifact_location=artifacts)
	with mlflow.start_run(experiment_id=experiment):
		for model in models:
			make_champion(model)
	return folder


def make_commands(folder):
	folder.mkdir(parents=True, exist_ok=True)
	scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
	for name, target in scripts.items():
		path = folder / name
		module, function = target.split(":")
		path.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n{function}()\n", "utf-8")
		path.chmod(0o755)
	return folder


@dataclass
class Running:
	"""A server: `told` is the file of what it printed, `errors` that of its log."""

	process: subprocess.Popen[bytes]
	url: str
	project: Path
	variables: dict[str, str]
	told: Path
	errors: Path
	pages: str = ""

	@property
	def key(self):
		found = re.search(r"lt_\S+", self.told.read_text("utf-8"))
		return found[0] if found else ""

	@cached_property
	def example(self):
		return dict(self.get("/v1/schema/application")["example"])

	def ask(self, method, path, key="", **more):
		headers = {"Authorization": f"Bearer {key or self.key}"} | more.pop("headers", {})
		return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)

	def get(self, path):
		return self.ask("GET", path).raise_for_status().json()

	def post(self, path, **more):
		return self.ask("POST", path, **more).raise_for_status().json()

	def decide(self, **changes):
		return self.post(SCORE, json=self.example | changes)

	def make_key(self, owner, *scopes):
		chosen = [word for scope in scopes or _SCOPES for word in ("--scope", scope)]
		command = [sys.executable, "-m", "loantap.serving.keys.commands", "create"]
		made = subprocess.run(
			[*command, "--owner", owner, *chosen],
			cwd=self.project,
			env=self.variables,
			capture_output=True,
			text=True,
			check=True,
		)
		return made.stdout.strip()

	def wait_until_told(self, words):
		until = time.monotonic() + _PATIENCE_WITH_BOTH
		while words not in (said := self.told.read_text("utf-8")):
			assert self.process.poll() is None, said
			assert time.monotonic() < until, said
			time.sleep(0.1)
		return said

	def lines(self):
		return [json.loads(line) for line in self.errors.read_text("utf-8").splitlines()]

	def stop(self, how=signal.SIGTERM):
		if self.process.poll() is None:
			self.process.send_signal(how)
		return self.process.wait(_PATIENCE)


def _make_variables(port, settings):
	variables = {k: v for k, v in os.environ.items() if not k.startswith(("LOANTAP_", "MLFLOW_T"))}
	variables |= {"LOANTAP_PORT": str(port), "PYTHONPATH": str(PROJECT / "src")}
	return variables | {f"LOANTAP_{key.upper()}": value for key, value in settings.items()}


@contextmanager
def serving(project, folder, **more):
	"""Killed where it has not ended by itself; its log and what it says are in the folder."""
	port, pages = free_port(), free_port()
	told = folder / "serve.txt"
	variables = _make_variables(port, {"audit_url": f"sqlite:///{folder / 'serve.db'}", "workers": "1"} | more)
	command = [sys.executable, "-m", "loantap.serving.commands"]
	with (
		told.open("wb") as said,
		subprocess.Popen(
			[*command, "--port", str(port), "--dashboard-port", str(pages)],
			cwd=project,
			env=variables,
			stdout=said,
			stderr=subprocess.STDOUT,
			start_new_session=True,
		) as process,
	):
		api, dashboard = (f"http://127.0.0.1:{at}" for at in (port, pages))
		try:
			yield Running(process, api, project, variables, told, told, dashboard)
		finally:
			if process.poll() is None:
				os.killpg(process.pid, signal.SIGKILL)


def start(project, name, **settings):
	port = free_port()
	variables = _make_variables(port, {"workers": "2"} | settings)
	told, errors = project / f"{name}.out", project / f"{name}.err"
	with told.open("wb") as out, errors.open("wb") as err:
		process = subprocess.Popen(
			[sys.executable, "-m", "loantap.serving.api.commands"], cwd=project, env=variables, stdout=out, stderr=err
		)
	running = Running(process, f"http://127.0.0.1:{port}", project, variables, told, errors)
	until = time.monotonic() + _PATIENCE
	while not _is_ready(running):
		if process.poll() is not None or time.monotonic() > until:
			process.kill()
			raise AssertionError(told.read_text() + errors.read_text())
		time.sleep(0.05)
	return running


def _is_ready(running):
	try:
		return httpx.get(f"{running.url}/readyz", timeout=5).status_code == 200
	except httpx.TransportError:
		return False
