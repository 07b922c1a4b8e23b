import nbformat
from nbclient import NotebookClient

from tests.conftest import PROJECT

NOTEBOOK = PROJECT / "notebooks" / "explore_portfolio.ipynb"


def _text(cell):
	return " ".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def test_the_notebook_explores_the_portfolio_through_the_catalog(demo, monkeypatch):
	# Streamlit, imported by tests of the dashboard, asks for figures that are not shown.
	monkeypatch.delenv("MPLBACKEND", raising=False)
	notebook = nbformat.read(NOTEBOOK, as_version=4)
	resources = {"metadata": {"path": str(demo.folder)}}

	NotebookClient(notebook, timeout=180, kernel_name="python3", resources=resources).execute()

	code = [cell for cell in notebook.cells if cell.cell_type == "code"]
	shown = " ".join(map(_text, code))
	assert "2,000 loans (simulated)" in shown
	assert "published_replica" in shown
	figures = [output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
	assert len(figures) == 2


def test_the_notebook_is_kept_without_outputs():
	notebook = nbformat.read(NOTEBOOK, as_version=4)
	kept = [c for c in notebook.cells if c.cell_type == "code" and (c.outputs or c.execution_count)]
	assert kept == []
