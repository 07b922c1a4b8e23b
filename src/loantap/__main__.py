"""`python -m loantap`: the `kedro run` of the packaged project."""

import os
import sys
from pathlib import Path
from typing import Any

from loantap.project.interruption import leave_at_once_while_starting

_LOGGING = "KEDRO_LOGGING_CONFIG"


def main(*args: Any, **kwargs: Any) -> Any:
	"""Run a pipeline, with the options of `kedro run`."""
	if not hasattr(sys, "ps1"):
		leave_at_once_while_starting()
	_choose_logging()
	# Kedro configures logging when it is imported.
	from kedro.framework.cli.utils import find_run_command
	from kedro.framework.project import configure_project

	package_name = Path(__file__).parent.name
	configure_project(package_name)
	# A notebook wants an exception, a command line an exit code.
	kwargs["standalone_mode"] = not hasattr(sys, "ps1")
	return find_run_command(package_name)(*args, **kwargs)


def _choose_logging() -> None:
	"""Log as the project does also where there is no project to read the configuration from."""
	has_own = any(Path("conf", f"logging.{ending}").is_file() for ending in ("yml", "yaml"))
	if not has_own and not os.environ.get(_LOGGING):
		os.environ[_LOGGING] = str(Path(__file__).with_name("logging.yml"))


if __name__ == "__main__":
	main()
