import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from loantap.hooks.run_parameters import RUN_PARAMETERS
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import COLUMNS
from tests.conftest import PROJECT
from tests.support.browser import launched
from tools.docs.interfaces import list_commands, load_openapi
from tools.docs.markdown import take_attributes
from tools.docs.parameters import list_groups
from tools.docs.pipelines import load_configuration


class Page(HTMLParser):
	"""What a page loads, where it links to, and the ids in it."""

	def __init__(self, path):
		super().__init__()
		self.loaded, self.links, self.ids = [], [], set()
		self.text = path.read_text("utf-8")
		self.feed(self.text)

	def handle_starttag(self, tag, attributes):
		given = dict(attributes)
		self.ids.add(given.get("id"))
		if tag == "a":
			self.links.append(given.get("href") or "")
		else:
			self.loaded += [given[name] for name in ("src", "href", "srcset", "data") if given.get(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
	folder = tmp_path_factory.mktemp("site")
	words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "tools/docs/mkdocs.yml", "-d", str(folder)]
	variables = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(PROJECT / "src")}
	built = subprocess.run(words, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
	assert built.returncode == 0, built.stderr
	assert "WARNING" not in built.stderr
	return folder


@pytest.fixture(scope="module")
def pages(site):
	return {path: Page(path) for path in site.rglob("*.html")}


def list_names():
	pipelines = register_pipelines()
	nodes = {node.name for pipeline in pipelines.values() for node in pipeline.nodes}
	groups = list_groups()
	return {
		"pipelines": nodes | pipelines.keys() - {"__default__"},
		"datasets": load_configuration()["catalog"].keys(),
		"parameters": RUN_PARAMETERS.keys() | groups.keys(),
		"http-api": {f"{method.upper()} {path}" for path, of in load_openapi()["paths"].items() for method in of},
		"dictionary": COLUMNS.keys(),
		"commands": list_commands().keys(),
	}


@pytest.mark.parametrize("page", "pipelines datasets parameters http-api dictionary commands".split())
def test_the_reference_has_all_that_the_code_has(page, site):
	text = (site / "reference" / f"{page}.html").read_text("utf-8").replace("<wbr>", "")
	told = set(re.findall(r"<code>([^<]+)</code>", text)) | set(re.findall(r'<h2 id="[^"]+">([^<]+)<', text))

	assert list_names()[page] - told == set()


def test_a_parameter_has_its_value_range_and_comment(site):
	text = (
		(site / "reference" / "parameters.html").read_text("utf-8").replace("<wbr>", "").partition('<h2 id="scoring"')[2]
	)
	row = re.search(r"<td><code>max_invalid_share</code></td>.*?</tr>", text, re.DOTALL)[0]

	assert "<code>0.05</code>" in row
	assert "with more rows that cannot be scored the file is plainly another" in row


def test_an_attribute_has_all_its_lines_and_none_of_the_next():
	docstring = (
		"A rule.\n\nAttributes:\n\tshare: of loans;\n\t\tin all.\n\tlimit: a number: any.\n\nRaises:\n\tno: thing."
	)

	assert take_attributes(docstring) == {"share": "of loans; in all.", "limit": "a number: any."}


def test_no_page_loads_anything_from_elsewhere(site, pages):
	assert len(pages) > 50
	foreign = [(path.name, each) for path, page in pages.items() for each in page.loaded if "//" in each.split("?")[0]]
	assert foreign == []
	for path in site.rglob("*.css"):
		assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text("utf-8")), path


def test_every_link_leads_somewhere(site, pages):
	ways = [(path, urlsplit(link)) for path, page in pages.items() for link in [*page.links, *page.loaded] if link]
	within = [(path, to) for path, to in ways if not to.scheme and not path.name.startswith("404")]
	assert len(within) > 1_000
	for path, to in within:
		found = (path.parent / unquote(to.path)).resolve() if to.path else path
		assert found.exists(), f"{path.relative_to(site)}: {to.geturl()}"
		if to.fragment and found in pages:
			assert unquote(to.fragment) in pages[found].ids | {"__"}, f"{path.relative_to(site)}: {to.geturl()}"


def test_a_link_to_code_leads_to_the_page_made_of_it(site, pages):
	assert "reference/dictionary.html" in pages[site / "index.html"].links


def test_search_finds_a_term_without_a_server(site):
	index = json.loads((site / "search" / "search_index.js").read_text("utf-8").partition("= ")[2])

	found = {entry["location"].partition("#")[0] for entry in index["docs"] if "EMI" in entry["text"]}
	assert {"glossary.html", "reference/dictionary.html"} <= found


@pytest.mark.slow
def test_a_person_searches_in_the_folder_and_nothing_is_asked_of_a_network(site):
	with launched() as browser:
		page = browser.new_page()
		asked = []
		page.on("request", lambda request: asked.append(request.url))
		page.goto((site / "index.html").as_uri())
		page.locator(".md-search__input").fill("EMI")
		page.locator(".md-search-result__link").first.wait_for()

	assert [url for url in asked if not url.startswith("file://")] == []
