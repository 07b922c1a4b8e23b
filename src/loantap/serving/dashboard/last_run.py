"""What the last run left, read anew once it changes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from loantap.portfolio.errors import InputError
from loantap.serving.dashboard.settings import DashboardSettings

_REMEDY: Final = "Run `make run` again, which writes it"


class NoRunError(InputError):
  """No run has left what is asked for."""


@dataclass(frozen=True, slots=True)
class LastRun:
  """Files of the last run.

  Every method raises `NoRunError` where a file is not there, `InputError` where it cannot be read.
  """

  settings: DashboardSettings

  def read_report(self, name: str) -> dict[str, Any]:
    """A report in JSON, such as `summary.json`."""
    path = self.find(self.settings.reports / name)
    try:
      found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
      raise InputError(str(path), f"it is no JSON: {error}", _REMEDY) from error
    if not isinstance(found, dict):
      raise InputError(str(path), "it is no JSON object", _REMEDY)
    return found

  def read_part(self, name: str, *keys: str) -> Any:
    """A part of a report, by its keys, the last of them a namespace."""
    found: Any = self.read_report(name)
    for key in keys:
      found = found.get(key) if isinstance(found, dict) else None
    if found is None:
      path = self.settings.reports / name
      raise InputError(str(path), f"it says nothing of {keys[-1]}", _REMEDY)
    return found

  def read_table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """A table of `07_model_output`, such as `findings` or `lending/predictions`."""
    return self._read_frame(self.settings.tables / f"{name}.parquet", columns)

  def read_layer(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """A table of another layer, such as `03_primary/loans`."""
    return self._read_frame(self.settings.project / "data" / f"{name}.parquet", columns)

  def find(self, path: Path) -> Path:
    """A file that a run has left."""
    if not path.is_file():
      raise NoRunError(str(path), "no run has left it yet", "Run `make run`")
    return path

  def _read_frame(self, path: Path, columns: list[str] | None) -> pd.DataFrame:
    try:
      return pd.read_parquet(self.find(path), columns=columns)
    except NoRunError:
      raise
    except (OSError, ValueError, KeyError) as error:
      # pyarrow's own errors are ValueErrors.
      raise InputError(str(path), f"it cannot be read: {error}", _REMEDY) from error
