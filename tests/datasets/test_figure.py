import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from loantap.datasets import FigureDataset


@pytest.fixture
def figure():
  drawn = Figure()
  drawn.add_subplot().plot([1, 2], [2, 1])
  return drawn


def make_dataset(tmp_path):
  return FigureDataset(filepath=str(tmp_path / "roc.png"))


def test_a_later_node_gets_the_very_figure(figure, tmp_path):
  dataset = make_dataset(tmp_path)
  dataset.save(figure)

  assert dataset.load() is figure


def test_the_picture_appears_when_it_is_published(figure, tmp_path):
  dataset = make_dataset(tmp_path)
  dataset.save(figure)

  assert not (tmp_path / "roc.png").exists()
  dataset.publish()
  assert (tmp_path / "roc.png").read_bytes().startswith(b"\x89PNG")
  assert make_dataset(tmp_path).preview()


def test_a_picture_of_an_earlier_run_is_no_figure(figure, tmp_path):
  dataset = make_dataset(tmp_path)
  dataset.save(figure)
  dataset.publish()

  with pytest.raises(DatasetError, match=r"plot roc\.png: it was not drawn in this run"):
    make_dataset(tmp_path).load()
