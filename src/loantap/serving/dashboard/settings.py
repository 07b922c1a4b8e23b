"""What the dashboard is told by its environment."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project

API_VARIABLE: Final = "LOANTAP_API_URL"
KEY_VARIABLE: Final = "LOANTAP_DASHBOARD_KEY"
KEY_FILE_VARIABLE: Final = "LOANTAP_DASHBOARD_KEY_FILE"
PROJECT_VARIABLE: Final = "LOANTAP_PROJECT"
DEFAULT_API: Final = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class DashboardSettings:
	"""Where the dashboard asks, with its own `key` ("" for none), and the project whose `data/` it reads."""

	api_url: str
	key: str
	project: Path

	@property
	def tables(self) -> Path:
		"""Folder of the tables of the last run."""
		return self.project / "data" / "07_model_output"

	@property
	def reports(self) -> Path:
		"""Folder of the reports of the last run."""
		return self.project / "data" / "08_reporting"


def read_settings(environment: Mapping[str, str] = os.environ) -> DashboardSettings:
	"""Settings of the environment; `InputError` for no address, or a key's file that others may read."""
	url = environment.get(API_VARIABLE, DEFAULT_API).rstrip("/")
	if not url.startswith(("http://", "https://")):
		raise InputError(API_VARIABLE, f"{url} is no address", f"Give one such as {DEFAULT_API}")
	named = environment.get(PROJECT_VARIABLE)
	project = Path(named) if named else find_project(Path.cwd())
	return DashboardSettings(url, _read_key(environment, project), project)


def _read_key(environment: Mapping[str, str], project: Path) -> str:
	given = environment.get(KEY_VARIABLE, "").strip()
	if given:
		return given
	named = environment.get(KEY_FILE_VARIABLE)
	path = Path(named) if named else project / "data/09_serving/dashboard.key"
	if not path.is_file():
		if named:
			raise InputError(KEY_FILE_VARIABLE, f"there is no file {path}", "Name the key's file")
		return ""
	if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
		raise InputError(str(path), "others may read the key in it", f"Run `chmod 600 {path}`")
	return path.read_text("utf-8").strip()
