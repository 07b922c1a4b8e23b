"""What MkDocs calls while it builds: pages made from the code, files from outside `docs/`, links.

Links in the repository lead to files, so that its browser can follow them. In the site they lead to
the page of that file: of a module of the code, to the page that is made of it.
"""

import posixpath
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.docs.interfaces import render_api, render_commands, render_dictionary
from tools.docs.parameters import render_parameters
from tools.docs.pipelines import PROJECT, render_datasets, render_pipelines

_LOG: Final = get_plugin_logger("tools.docs")
_HERE: Final = Path(__file__).parent
MADE: Final[dict[str, Callable[[], str]]] = {
	"reference/pipelines.md": render_pipelines,
	"reference/datasets.md": render_datasets,
	"reference/parameters.md": render_parameters,
	"reference/http-api.md": render_api,
	"reference/dictionary.md": render_dictionary,
	"reference/commands.md": render_commands,
}
# Files outside docs/, by their place in the repository.
_BROUGHT: Final = {name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")} | {
	"README.md": "overview.md",
	"infra/README.md": "infra/README.md",
	"infra/cost.md": "infra/cost.md",
}
# What in the code each made page shows.
_SHOWN: Final = {
	"src/loantap/pipeline_registry.py": "reference/pipelines.md",
	"conf/base": "reference/datasets.md",
	"src/loantap/hooks/run_parameters.py": "reference/parameters.md",
	"src/loantap/serving/api/openapi.py": "reference/http-api.md",
	"src/loantap/portfolio/dictionary.py": "reference/dictionary.md",
	"Makefile": "reference/commands.md",
	"docs/adr": "adr/README.md",
}
_PLACES: Final = {site: place for place, site in _BROUGHT.items()}
_FENCED: Final = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> None:
	"""Put the files of a folder in place of each `folder/*` of the navigation."""
	config.nav = [_spread(item, Path(config.docs_dir)) for item in config.nav or []]


def _spread(item: Any, docs: Path) -> Any:
	if isinstance(item, dict):
		return {title: _spread(below, docs) for title, below in item.items()}
	if isinstance(item, list):
		return [each for below in item for each in _list_files(below, docs)]
	return item


def _list_files(item: Any, docs: Path) -> list[Any]:
	if not (isinstance(item, str) and item.endswith("*")):
		return [_spread(item, docs)]
	# README.md is the page of its folder.
	found = sorted(docs.glob(f"{item}.md"), key=lambda path: (path.name != "README.md", path.name))
	return [path.relative_to(docs).as_posix() for path in found]


def on_files(files: Files, config: MkDocsConfig) -> Files:
	"""Add what is made, what is brought from outside `docs/`, and what pages load."""
	for name, render in MADE.items():
		files.append(File.generated(config, name, content=render()))
	for place, name in _BROUGHT.items():
		files.append(File.generated(config, name, abs_src_path=str(PROJECT / place)))
	for name in ("site.css", "iframe-worker.js"):
		files.append(File.generated(config, f"assets/{name}", abs_src_path=str(_HERE / name)))
	return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
	"""Turn links to files of the repository into links to their pages."""
	name = page.file.src_uri
	# What a word means comes first, a list of names last.
	page.meta["search"] = {"boost": 0.5 if name in MADE else 5 if name == "glossary.md" else 1}
	if name in MADE:
		return markdown
	place = _PLACES.get(name, f"docs/{name}")
	parts = _FENCED.split(markdown)
	return "".join(
		part if number % 2 else _LINK.sub(partial(_turn, place=place, name=name, files=files), part)
		for number, part in enumerate(parts)
	)


def on_page_content(html: str, page: Page, **_: object) -> str:
	"""Let long names of the reference break between their words."""
	if page.file.src_uri not in MADE:
		return html
	return re.sub(r"<code>[^<]*</code>", lambda name: re.sub(r"(?<=\w)([_./])(?=\w)", r"\1<wbr>", name[0]), html)


def _turn(link: re.Match[str], place: str, name: str, files: Files) -> str:
	text, target, anchor = link[1], link[2], link[3] or ""
	text = _LINK.sub(partial(_turn, place=place, name=name, files=files), text)
	path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
	site = _BROUGHT.get(path) or _SHOWN.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else "")
	if files.get_file_from_path(site):
		return f"[{text}]({posixpath.relpath(site, posixpath.dirname(name) or '.')}{anchor})"
	if not (PROJECT / path).exists():
		_LOG.warning("%s links to '%s': there is no %s", place, target, path)
	# The site does not have it: say where in the repository it is.
	return text if text.strip("`") == path else f"{text} (`{path}`)"
