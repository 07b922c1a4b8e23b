import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import PROJECT
from tests.project.test_make import make

NOTEBOOKS = PROJECT / "notebooks"
# What each says of the demo's loans, and its number of figures.
TOLD = {
	"explore_portfolio": ("2,000 loans (simulated), charged off: 2", 2),
	"what_the_model_learned": ("trained on 1,800 simulated loans", 5),
	"policy_experiment": ("1,800 simulated loans; profit is imputed", 1),
}


def _text(cell):
	return " ".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def read(name):
	return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("name", TOLD)
def test_a_notebook_runs_from_top_to_bottom_on_what_the_last_run_left(name, demo, monkeypatch):
	# Streamlit, imported by tests of the dashboard, asks for figures that are not shown.
	monkeypatch.delenv("MPLBACKEND", raising=False)
	notebook = read(name)
	beside = demo.folder / "notebooks"
	beside.mkdir(exist_ok=True)
	resources = {"metadata": {"path": str(beside)}}

	NotebookClient(notebook, timeout=180, kernel_name="python3", resources=resources).execute()

	code = [cell for cell in notebook.cells if cell.cell_type == "code"]
	words, figures = TOLD[name]
	assert words in " ".join(map(_text, code))
	drawn = [output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
	assert len(drawn) == figures
	assert not [output for cell in code for output in cell.outputs if output.get("name") == "stderr"]


def test_no_notebook_is_kept_with_outputs_or_left_out_here():
	assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == TOLD.keys()
	cells = [cell for name in TOLD for cell in read(name).cells if cell.cell_type == "code"]
	assert [cell for cell in cells if cell.outputs or cell.execution_count] == []


def test_a_notebook_that_is_not_there_is_told_with_those_that_are():
	ended = make("notebook", "NAME=nope", "READY=")

	assert ended.returncode == 2
	assert "There is no notebook nope. There are: notebooks/explore_portfolio.ipynb" in ended.stderr
