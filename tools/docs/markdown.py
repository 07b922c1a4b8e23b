"""Pieces of Markdown that the pages of the reference are made of."""

from collections.abc import Iterable, Sequence


def make_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
	"""A table; a bar in a cell stays text, and a line break becomes a space."""
	lines = [heads, ["---"] * len(heads), *([_make_cell(cell) for cell in row] for row in rows)]
	return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _make_cell(text: str) -> str:
	return " ".join(text.split()).replace("|", "\\|")


def code(*names: object) -> str:
	"""Names as code, with commas between them."""
	return ", ".join(f"`{name}`" for name in names)


def take_summary(docstring: str | None) -> str:
	"""The first paragraph of a docstring, in one line."""
	return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def take_attributes(docstring: str) -> dict[str, str]:
	"""What the section `Attributes` of a docstring says of each."""
	section = docstring.partition("Attributes:\n")[2].partition("\n\n")[0]
	lines = section.expandtabs().splitlines()
	margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
	found: dict[str, str] = {}
	name = ""
	for line in lines:
		if not line[margin].isspace():
			name, _, line = line.partition(":")  # noqa: PLW2901 - what follows the name is text like the other lines
			name = name.strip()
		found[name] = f"{found.get(name, '')} {line.strip()}".strip()
	return found
