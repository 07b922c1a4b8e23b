"""A Matplotlib figure as an image inside a page."""

import base64
from io import BytesIO

import matplotlib as mpl
from matplotlib.figure import Figure


def embed_svg(figure: Figure) -> str:
  """Data URI of the figure as SVG: the same figure gives the same bytes."""
  written = BytesIO()
  # Ids come from the salt instead of at random; outlines instead of text look the same whatever fonts the reader has.
  with mpl.rc_context({"svg.hashsalt": "loantap", "svg.fonttype": "path"}):
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
  return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode("ascii")
