"""Kedro's context."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.context.context import _convert_paths_to_absolute_posix


class ProjectContext(KedroContext):
  """As Kedro's own, with every relative path of `conf/` taken from the project's folder.

  Kedro does so for the paths of the catalog, and leaves those of credentials.
  """

  def _get_config_credentials(self) -> dict[str, Any]:
    found: dict[str, Any] = _convert_paths_to_absolute_posix(
      project_path=self.project_path, conf_dictionary=super()._get_config_credentials()
    )
    return found
