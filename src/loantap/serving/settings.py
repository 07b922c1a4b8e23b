"""What `LOANTAP_` variables, named by fields in capitals, may tell serving.

Defaults suit a project folder after `make run`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loantap.portfolio.errors import InputError
from loantap.project.folder import anchor_address, find_project

_PREFIX: Final = "LOANTAP_"
_REPORTS = Path("data/08_reporting")

Port = Annotated[int, Field(ge=0, le=65_535)]


class ServingSettings(BaseModel):
	"""Settings of API, audit log and dashboard.

	`threads` are of each process (see `make_slots`), `backlog` connections that wait, `max_body` (of one application) and
	`max_batch_body` bytes; `environment` is Kedro's, for the registry's address.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	project: Path
	conf: Path
	audit_url: str
	recommendations: Path
	reports: Path
	environment: str = "local"
	host: str = "127.0.0.1"
	port: Port = 8_000
	workers: Annotated[int, Field(ge=1, le=64)] = 2
	threads: Annotated[int, Field(ge=1, le=512)] = 128
	backlog: Annotated[int, Field(ge=128, le=65_535)] = 1_024
	refresh_seconds: Annotated[float, Field(ge=0.1, le=3_600)] = 10.0
	max_body: Annotated[int, Field(ge=1_000)] = 1_000_000
	max_batch_body: Annotated[int, Field(ge=1_000)] = 16_000_000
	max_batch_rows: Annotated[int, Field(ge=1)] = 10_000
	log_requests: bool = True
	metrics_folder: Path | None = None


def read_settings(
	environment: Mapping[str, str] | None = None, folder: Path | None = None, **given: Any
) -> ServingSettings:
	"""Settings as options, or else environment variables, give them; None is not given.

	By default variables are the process's and the folder is the current one. `InputError` where a value cannot be used.
	"""
	variables = os.environ if environment is None else environment
	project = find_project(folder or Path.cwd())
	found: dict[str, Any] = {
		"project": project,
		"conf": project / "conf/base",
		"audit_url": f"sqlite:///{project / 'data/09_serving/audit.db'}",
		"recommendations": project / _REPORTS / "recommendations.json",
		"reports": project / _REPORTS,
		"environment": variables.get("KEDRO_ENV", "local"),
	}
	for name in ServingSettings.model_fields:
		value = variables.get(f"{_PREFIX}{name.upper()}")
		if value is not None and name != "project":
			found[name] = value
	found |= {name: value for name, value in given.items() if value is not None}
	found["audit_url"] = anchor_address(str(found["audit_url"]), project)
	try:
		return ServingSettings.model_validate(found)
	except ValidationError as error:
		first = error.errors()[0]
		name = str(first["loc"][0])
		raise InputError(
			f"{_PREFIX}{name.upper()}={first['input']}",
			first["msg"].lower(),
			f"Give --{name.replace('_', '-')} or {_PREFIX}{name.upper()} another value",
		) from error
