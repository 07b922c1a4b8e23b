"""Where the project is: what `conf/` says is relative to it, wherever a command is given."""

from pathlib import Path

_MARK = "[tool.kedro]"
_SQLITE = "sqlite:///"


def find_project(start: Path) -> Path:
  """The project that a folder belongs to; the folder itself where there is none.

  A packaged run has no project around it: its folder is the one it is started in.
  """
  for folder in (start, *start.parents):
    described = folder / "pyproject.toml"
    if described.is_file() and _MARK in described.read_text("utf-8", errors="replace"):
      return folder.resolve()
  return start.resolve()


def anchor_address(address: str, folder: Path) -> str:
  """An address of MLflow whose file, if it is one, is looked for in a folder.

  Servers, and files that are given with their whole path, stay as they are.
  """
  if not address.startswith(_SQLITE):
    return address
  path, mark, options = address.removeprefix(_SQLITE).partition("?")
  return f"{_SQLITE}{folder / path}{mark}{options}" if path else address


def from_project(path: Path, project: Path) -> Path:
  """A path as it is written down, right also when the project has been moved.

  `project / path` leads back; a path outside is written down whole.
  """
  return path.relative_to(project) if path.is_relative_to(project) else path.absolute()
