"""What is printed in more than one width."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement


class FirstThatFits:
  """The first of several forms, widest first, that the terminal has room for; else the last."""

  def __init__(self, *forms: RenderableType) -> None:
    self._forms = forms

  def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
    unlimited = options.update(max_width=1_000)
    for form in self._forms[:-1]:
      if Measurement.get(console, unlimited, form).maximum <= options.max_width:
        yield form
        return
    yield self._forms[-1]
