"""The lines of docs/api.md, run as they stand."""

import re
import shutil
import subprocess

import pytest

from tests.conftest import PROJECT, require
from tests.serving.server.running import make_commands

DOCUMENT = PROJECT / "docs" / "api.md"


def read_lines():
    """All blocks of bash, one after another: a variable of one is used by the next."""
    blocks = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert len(blocks) > 8
    return "\n".join(blocks)


@pytest.mark.slow
def test_every_line_of_the_document_works(running, tmp_path):
    require(shutil.which("curl") is not None, "curl is not there: apt-get install curl")
    commands = make_commands(tmp_path / "bin")
    # The project is where keys are made; its files are made where a reader stands.
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n", "utf-8")
    variables = running.variables | {
        "API": running.url,
        "KEY": running.key,
        "PATH": f"{commands}:{running.variables['PATH']}",
    }

    ran = subprocess.run(
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", read_lines()],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout[-2_000:] + ran.stderr[-2_000:]
    assert '"state":"open"' in ran.stdout
    assert '"same":true' in ran.stdout
    assert '"field":"dti"' in ran.stdout
    assert '"state":"closed"' in ran.stdout


def test_every_route_is_in_the_document():
    text = DOCUMENT.read_text("utf-8")
    for route in (
        "applications/score", "applications/score-batch", "offers", "decisions", "cases",
        "overrides", "model", "policy", "policies", "schema/application", "key",
    ):  # fmt: skip
        assert f"/v1/{route}" in text
