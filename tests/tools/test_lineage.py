import functools
import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect

from loantap.pipeline_registry import register_pipelines
from tests.conftest import PROJECT
from tests.support.browser import launched
from tools.lineage import build_lineage

# What a bundle might ask of another host is refused.
ASK_ANOTHER_HOST = """() => new Promise((done) => {
	document.addEventListener("securitypolicyviolation", (refused) => done(refused.blockedURI));
	fetch("http://localhost:9/map").catch(() => setTimeout(() => done("asked"), 1000));
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
	target = tmp_path_factory.mktemp("site") / "lineage"
	build_lineage(target)
	return target


@pytest.fixture(scope="module")
def browser():
	with launched() as chromium:
		yield chromium


@pytest.fixture
def address(pages):
	handler = functools.partial(_Quiet, directory=pages)
	with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
		threading.Thread(target=server.serve_forever).start()
		yield f"http://127.0.0.1:{server.server_port}/"
		server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
	def log_message(self, *_):
		pass


def read_answers(pages):
	return {path.relative_to(pages / "api"): path.read_text() for path in (pages / "api").rglob("*") if path.is_file()}


def test_each_pipeline_has_its_page(pages):
	names = {path.name for path in (pages / "api" / "pipelines").iterdir()}

	assert names == register_pipelines().keys()


def test_no_row_count_preview_or_folder_of_this_machine_is_in_the_pages(pages):
	answers = read_answers(pages)
	nodes = [json.loads(text) for path, text in answers.items() if path.parts[0] == "nodes"]

	assert len(nodes) > 300
	assert [node for node in nodes if node.get("preview") or node.get("stats")] == []
	assert json.loads(answers[Path("run-status")])["nodes"] == {}
	paths = {node["filepath"] for node in nodes if node.get("filepath")}
	assert "src/loantap/pipelines/modeling/nodes.py" in paths
	assert "data/03_primary/loans.parquet" in paths
	assert [path for path in paths if not re.match(r"(src/loantap|data)/", path)] == []
	assert [text for text in answers.values() if str(PROJECT) in text] == []
	assert "https://" not in (pages / "index.html").read_text()


def test_the_lineage_opens_from_a_plain_server_and_asks_nobody_else(address, browser):
	page = browser.new_page(viewport={"width": 1400, "height": 900})
	asked = []
	page.on("request", lambda request: asked.append(request.url))

	page.goto(address)

	for name in ("sources", "ingestion", "modeling", "insights"):
		expect(page.locator("svg text", has_text=re.compile(f"^{name}$"))).to_be_visible()
	assert f"{address}api/main" in asked
	assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
	assert page.evaluate(ASK_ANOTHER_HOST) == "http://localhost:9/map"
	page.close()
