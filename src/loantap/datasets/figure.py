"""A figure that is drawn once: a plot for people, and the same figure for pages of this run."""

from typing import Any

from kedro.io import DatasetError
from matplotlib.figure import Figure

from loantap.datasets.staged import StagedDataset


class FigureDataset(StagedDataset):
  """A Matplotlib figure, saved as a picture; later nodes of a run get the figure itself."""

  def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
    picture = {"type": "matplotlib.MatplotlibDataset", "filepath": filepath, "save_args": {"dpi": 120}}
    super().__init__(dataset=picture, metadata=metadata)
    self._figure: Figure | None = None

  def load(self) -> Figure:
    """The figure that this run drew; DatasetError where it drew none."""
    if self._figure is None:
      raise DatasetError(
        f"plot {self.filepath.name}: it was not drawn in this run, and a picture cannot be "
        "drawn again. Start from the node that draws it, or run the whole pipeline"
      )
    return self._figure

  def save(self, data: Figure) -> None:
    """Write the picture to the staging name, and keep the figure."""
    super().save(data)
    self._figure = data
