import os
import runpy
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import yaml

from loantap.__main__ import main
from tests.conftest import PROJECT

SETTINGS = str(PROJECT / "src" / "loantap" / "settings.py")
PACKAGE = str(PROJECT / "src" / "loantap" / "__init__.py")
SWITCHES = {"KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def test_consent_to_telemetry_is_not_given():
	assert yaml.safe_load((PROJECT / ".telemetry").read_text()) == {"consent": False}
	assert "!/.telemetry" in (PROJECT / ".gitignore").read_text().splitlines()
	assert "project_id" not in (PROJECT / "pyproject.toml").read_text()


@pytest.mark.parametrize("given", [None, "as it was"])
def test_the_package_switches_telemetry_off_but_for_what_the_environment_says(given, monkeypatch):
	for name in SWITCHES:
		monkeypatch.delenv(name, raising=False)
		if given is not None:
			monkeypatch.setenv(name, given)

	runpy.run_path(PACKAGE)

	assert {name: os.environ[name] for name in SWITCHES} == {name: given or value for name, value in SWITCHES.items()}


# What MLflow makes of it while it is imported, which is before our settings have been read.
ASKED = """
import loantap.settings, logging
from mlflow.telemetry.client import get_telemetry_client
logger = logging.getLogger("mlflow")
print(get_telemetry_client(), logger.level, logger.handlers)
"""


def test_mlflow_neither_reports_home_nor_sets_its_own_logger(tmp_path):
	said = subprocess.run(
		[sys.executable, "-c", ASKED],
		cwd=tmp_path,
		env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
		capture_output=True,
		text=True,
		check=True,
	).stdout

	assert said.splitlines()[-1] == "None 0 []"


def test_the_day_of_the_run_is_today_where_none_is_given():
	resolvers = runpy.run_path(SETTINGS)["CONFIG_LOADER_ARGS"]["custom_resolvers"]

	before = datetime.now(tz=UTC).date().isoformat()
	today = resolvers["today"]()
	assert today in {before, datetime.now(tz=UTC).date().isoformat()}


def test_the_package_runs_like_the_command(empty_project, monkeypatch, capsys):
	monkeypatch.chdir(empty_project.folder)

	with pytest.raises(SystemExit) as ended:
		main(["--params", "lones=3"])

	assert ended.value.code == 1
	assert "Error: --params lones: unknown parameter. Did you mean loans?" in (capsys.readouterr().err)
