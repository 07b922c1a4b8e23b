import re
import tomllib
from importlib.metadata import EntryPoint

import click
import pytest

from tests.conftest import PROJECT

SCRIPTS = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
VERBS = set(
	"Build Change Check Compile Look Measure Open Plant Recompute Remove Run Serve Set Show Start Stop Write".split()
)
# What is left of 80 columns beside the name of a command.
LIST_COLUMNS = 66


def list_commands():
	for name, place in sorted(SCRIPTS.items()):
		command = EntryPoint(name, place, "").load()
		yield pytest.param(command, id=name)
		for word, part in getattr(command, "commands", {}).items():
			yield pytest.param(part, id=f"{name} {word}")


@pytest.mark.parametrize("command", [*list_commands()])
def test_a_command_and_each_of_its_options_is_explained_in_whole_sentences(command):
	told = [command.help, *(o.help for o in command.params if isinstance(o, click.Option) and o.name != "help")]

	assert [text for text in told if not re.fullmatch(r"[A-Z].*[^.]\.", (text or "").strip(), re.DOTALL)] == []
	parts = getattr(command, "commands", {}).values()
	assert [part.name for part in parts if part.get_short_help_str(LIST_COLUMNS).endswith("...")] == []


def test_what_make_can_do_fits_a_line_and_begins_with_a_verb():
	makefile = (PROJECT / "Makefile").read_text("utf-8")
	told = dict(re.findall(r"^([a-z-]+):.*## (.*)$", makefile, re.MULTILINE))

	assert [name for name, words in told.items() if len(words) > 100] == []
	assert {words.split()[0] for words in told.values()} <= VERBS
