"""The run parameters a person may give with `--params`: one closed list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from loantap.portfolio.errors import InputError

RUN_PARAMETERS: Final = MappingProxyType(
    {
        "portfolio": "a LoanTap-format CSV to build the sources from (default: the demo generator)",
        "loans": "size of the demo portfolio (default: 20000)",
        "seed": "seed of everything random (default: 42)",
        "as_of": "day of the run, YYYY-MM-DD (default: today)",
        "applications": "CSV or Parquet file of applications to score",
        "scores": "Parquet file the scores go to",
    }
)
_TABLE_FORMATS: Final = (".csv", ".parquet")


def check_run_parameters(given: Mapping[str, Any], groups: Iterable[str]) -> None:
    """Refuse a parameter that nothing reads, and a file that is not there.

    Args:
        given: what stood behind `--params`, nested.
        groups: parameter groups of the configuration, which may be overridden by path.

    Raises:
        InputError: naming the parameter, the nearest known one, or the file.
    """
    known = [*RUN_PARAMETERS, *groups]
    for name in given:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            guess = f"Did you mean {close[0]}? " if close else ""
            raise InputError(
                f"--params {name}",
                "unknown parameter",
                f"{guess}Known are {', '.join(RUN_PARAMETERS)}, and <group>.<name> for the groups "
                f"{', '.join(groups)}",
            )
    for name in ("portfolio", "applications"):
        if given.get(name) is not None:
            _check_file(f"--params {name}", Path(str(given[name])))
    scores = given.get("scores")
    if scores is not None and Path(str(scores)).suffix != ".parquet":
        raise InputError("--params scores", f"'{scores}' is not a .parquet file", "Name one")


def _check_file(parameter: str, path: Path) -> None:
    if not path.is_file():
        raise InputError(
            parameter, f"file {path} does not exist", f"Give a path relative to {Path.cwd().name}/"
        )
    if path.stat().st_size == 0:
        raise InputError(parameter, f"file {path} is empty", "Give a file with a header and rows")
    allowed = (".csv",) if parameter.endswith("portfolio") else _TABLE_FORMATS
    if path.suffix.lower() not in allowed:
        raise InputError(
            parameter, f"file {path} is not {' or '.join(allowed)}", "Convert or rename it"
        )
