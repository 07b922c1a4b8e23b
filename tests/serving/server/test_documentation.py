import re
import shutil
import subprocess

import pytest

from tests.conftest import MADE_UP_LOAN, PROJECT, require
from tests.serving.server.running import SCORE, make_commands

DOCUMENT = PROJECT / "docs" / "api.md"
RUNBOOKS = PROJECT / "docs" / "operations.md"


def read_lines(document):
	"""All blocks of bash, one after another: a variable of one is used by the next."""
	blocks = re.findall(r"```bash\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
	assert len(blocks) > 3
	return "\n".join(blocks)


def run_lines(lines, running, tmp_path, **more):
	for command in ("curl", "sqlite3"):
		require(shutil.which(command), f"{command} is not there: apt-get install {command}")
	commands = make_commands(tmp_path / "bin")
	# The project is where keys are made; its files are made where a reader stands.
	(tmp_path / "pyproject.toml").write_text("[tool.kedro]\n", "utf-8")
	variables = running.variables | {
		"API": running.url,
		"KEY": running.key,
		**more,
		"PATH": f"{commands}:{running.variables['PATH']}",
	}

	ran = subprocess.run(
		[str(shutil.which("bash")), "-euo", "pipefail", "-c", lines],
		cwd=tmp_path,
		env=variables,
		capture_output=True,
		text=True,
		timeout=120,
		check=False,
	)

	assert ran.returncode == 0, ran.stdout[-2_000:] + ran.stderr[-2_000:]
	return ran.stdout


@pytest.mark.slow
def test_every_line_of_the_api_works(running, tmp_path):
	printed = run_lines(read_lines(DOCUMENT), running, tmp_path)

	assert '"state":"open"' in printed
	assert '"same":true' in printed
	assert '"field":"dti"' in printed
	assert '"state":"closed"' in printed
	assert '"outcome":"caught_up"' in printed


@pytest.mark.slow
def test_every_runbook_works(running, tmp_path):
	application = MADE_UP_LOAN | {"application_id": "A-17"}
	del application["loan_status"]
	running.post(SCORE, json=application)
	files = {
		name: str(running.project / file) for name, file in {"AUDIT_FILE": "server.db", "MLFLOW_FILE": "mlflow.db"}.items()
	}

	registry = f"sqlite:///{files['MLFLOW_FILE']}"
	lines = read_lines(RUNBOOKS)
	printed = run_lines(lines, running, tmp_path, MLFLOW_TRACKING_URI=registry, **files)

	assert "Erased 1 personal parts" in printed
	assert len(re.findall(r"All [\d,]+ records hold", printed)) == 3
	assert "loan desk" in printed
	assert printed.count("loantap-lending-demo") >= 2


def test_every_route_is_in_the_document():
	text = DOCUMENT.read_text("utf-8")
	routes = "applications/score applications/score-batch offers decisions cases overrides model policy policies"
	for route in [*routes.split(), "schema/application", "key", "watchlist", "help"]:
		assert f"/v1/{route}" in text
