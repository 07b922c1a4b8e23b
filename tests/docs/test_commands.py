import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from subprocess import PIPE, STDOUT

import click
import pytest

from tests.conftest import PROJECT
from tests.serving.server.running import make_commands
from tests.support.temporary_project import Original
from tools.docs.interfaces import list_commands

DOCUMENTS = [PROJECT / "README.md", PROJECT / "docs" / "tutorial.md", *sorted(PROJECT.glob("docs/how-to/*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
COMMANDS = list_commands()


def read_blocks(document):
	return [(kind, textwrap.dedent(text)) for _, kind, text in BLOCK.findall(document.read_text("utf-8"))]


def list_shown(document):
	text = document.read_text("utf-8")
	lines = [line for kind, block in read_blocks(document) if kind == "sh" for line in block.splitlines()]
	inline = re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
	pieces = [piece.partition("  #")[0].strip() for line in [*lines, *inline] for piece in line.split(" && ")]
	return [piece for piece in pieces if re.match(r"(?:make|kedro run|loantap-\w+)(?: |$)", piece)]


SHOWN = sorted({command for document in DOCUMENTS for command in list_shown(document)})


@pytest.fixture
def desk(demo, tmp_path):
	"""The demo's folder with what a person has there after `make run`; left as it was found."""
	original = Original(demo.folder, tmp_path / "original")
	folder = demo.folder.resolve()
	commands = make_commands(folder / ".venv" / "bin")
	for name, module in {"python": "", "kedro": "-m kedro"}.items():
		(commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', "utf-8")
		(commands / name).chmod(0o755)
	for name in ("activate", "uv"):
		(commands / name).touch()
	shutil.copy(PROJECT / "Makefile", folder)
	shutil.copy(PROJECT / "requirements.txt", folder)
	shutil.copytree(PROJECT / "requirements", folder / "requirements", dirs_exist_ok=True)
	(folder / ".venv" / ".ready").write_text(f"{folder}\n", "utf-8")
	yield folder
	original.put_back()


@pytest.mark.slow
@pytest.mark.parametrize(
	"document", [path for path in DOCUMENTS if "```bash" in path.read_text("utf-8")], ids=lambda path: path.stem
)
def test_every_block_of_bash_works_and_prints_what_is_below_it(document, desk):
	blocks = read_blocks(document)
	path = f"{desk / '.venv/bin'}:{os.environ['PATH']}"
	variables = {"PATH": path, "HOME": str(Path.home()), "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "100"}
	for (kind, commands), (below, expected) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
		if kind != "bash":
			continue
		words = [str(shutil.which("bash")), "-euo", "pipefail", "-c", commands]
		ran = subprocess.run(words, cwd=desk, env=variables, stdout=PIPE, stderr=STDOUT, text=True, check=False)
		printed = " ".join(ran.stdout.split())
		assert ran.returncode == 0, f"{commands}\n{ran.stdout[-2_000:]}"
		for line in expected.splitlines() if below == "text" else ():
			pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("..."))
			assert re.search(pattern, printed), f"'{line}' is not in what {commands} printed:\n{ran.stdout[-2_000:]}"


@pytest.mark.parametrize("command", SHOWN)
def test_every_other_command_is_one_that_there_is(command):
	program, *words = shlex.split(command.replace("...", "NAME"))
	if program == "make":
		goals = [word for word in words if "=" not in word and not word[0].isupper()]
		known = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
		assert set(goals) <= set(known)
		return
	name = f"kedro {words.pop(0)}" if program == "kedro" else program
	at = COMMANDS[name]
	while isinstance(at, click.Group) and words:
		name = words.pop(0)
		found = at.get_command(click.Context(at), name)
		assert found, command
		at = found
	# As click does before it calls one.
	if words:
		at.make_context(name, words)


def test_three_commands_lead_from_a_clone_to_a_decision():
	shown = next(block for kind, block in read_blocks(PROJECT / "docs" / "tutorial.md") if kind == "sh")

	assert [line.split("  ")[0] for line in shown.splitlines()] == [
		"git clone REPOSITORY loantap && cd loantap",
		"make run",
		"make serve",
	]
