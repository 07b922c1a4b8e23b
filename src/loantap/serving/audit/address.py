"""Where the audit log is."""

import os
from pathlib import Path

from loantap.project.folder import anchor_address, find_project

VARIABLE = "LOANTAP_AUDIT_URL"
DEFAULT = "sqlite:///data/09_serving/audit.db"


def choose_url(given: str | None = None, folder: Path | None = None) -> str:
    """SQLAlchemy's URL of the log: the given one, LOANTAP_AUDIT_URL, or a project's file."""
    url = given or os.environ.get(VARIABLE) or DEFAULT
    return anchor_address(url, find_project(folder or Path.cwd()))
