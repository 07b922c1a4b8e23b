"""Kedro's context."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.context.context import _convert_paths_to_absolute_posix


class ProjectContext(KedroContext):
    """As Kedro's own: paths of the catalog start at the project's folder, those of credentials do not."""

    def _get_config_credentials(self) -> dict[str, Any]:
        found: dict[str, Any] = _convert_paths_to_absolute_posix(
            project_path=self.project_path, conf_dictionary=super()._get_config_credentials()
        )
        return found
