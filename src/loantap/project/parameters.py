"""Groups of parameters, read as the files of `conf/` say them, without a run."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from loantap.portfolio.errors import InputError

_FILES = "parameters*.yml"


def read_group(folder: Path, group: str, *, without: Collection[str] = ()) -> dict[str, Any]:
    """A group of parameters as the files of a folder say it.

    Args:
        folder: such as `conf/base`.
        group: its top-level key.
        without: keys that only a run can give a value, such as the day of the run.

    Raises:
        InputError: no file of the folder has the group, or one of them cannot be read.
    """
    files = sorted(folder.glob(_FILES))
    try:
        merged = OmegaConf.merge({}, *(OmegaConf.load(file) for file in files))
        found = merged.get(group) if isinstance(merged, DictConfig) else None
        if not isinstance(found, DictConfig):
            raise InputError(
                f"{folder}/{_FILES}",
                f"no group {group}",
                "Start the command in the project's folder, or name the folder of its parameters "
                "in LOANTAP_CONF",
            )
        for key in without:
            found[key] = None
        whole = OmegaConf.to_container(found, resolve=True)
    except (OmegaConfBaseException, OSError, YAMLError) as error:
        told = str(error).splitlines()[0]
        raise InputError(f"{folder}/{_FILES}", told, "Mend the file") from error
    values = dict(whole)  # type: ignore[arg-type]
    return {str(name): value for name, value in values.items() if name not in without}
