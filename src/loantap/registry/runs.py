"""What is recorded of a pipeline run in MLflow."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param

_CANDIDATE_PARAMETERS = ("balancing", "l1_ratio", "inverse_penalty")
_CANDIDATE_METRICS = ("mean_f2", "std_f2", "mean_log_loss", "mean_roc_auc", "fit_seconds")


def is_recording() -> bool:
    """Whether a run is active."""
    return mlflow.active_run() is not None


def active_run_id() -> str | None:
    """Identifier of the active run; None where there is none."""
    run = mlflow.active_run()
    return run.info.run_id if run else None


def log_parameters(parameters: Mapping[str, Any]) -> None:
    """Log parameters by path (`modeling.lending.folds`), as `flatten` gives them."""
    mlflow.log_params(dict(parameters))


def flatten(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Nested mapping to one level, names joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        path = f"{prefix}.{name}"
        flat |= flatten(value, path) if isinstance(value, Mapping) else {path: value}
    return flat


def log_tags(tags: Mapping[str, str]) -> None:
    """Tag the active run."""
    mlflow.set_tags(dict(tags))


def rename(name: str) -> None:
    """Name the active run."""
    mlflow.set_tag("mlflow.runName", name)


def log_metrics(metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Log `{namespace: {sample: {metric: value}}}` as `namespace.sample.metric`.

    Bounds stay in `metrics.json`, which is attached: beside their figures they would crowd the UI.
    """
    flat = flatten(metrics, "metrics")
    mlflow.log_metrics(
        {
            name.removeprefix("metrics."): value
            for name, value in flat.items()
            if isinstance(value, (int, float)) and not name.endswith(("_low", "_high"))
        }
    )


def log_file(path: Path, name: str, folder: str | None) -> None:
    """Attach a file to the active run under a name, in a folder or at the top."""
    with tempfile.TemporaryDirectory() as copies:
        copied = shutil.copy(path, Path(copies) / name)
        mlflow.log_artifact(str(copied), folder)


def log_candidates(candidates: pd.DataFrame, namespace: str) -> None:
    """A nested run per candidate, so that the UI shows the search as a table and a plot."""
    parent = _active_run()
    client = mlflow.MlflowClient()
    now = int(time.time() * 1_000)
    for row in candidates.to_dict("records"):
        tags = {
            "mlflow.parentRunId": parent.info.run_id,
            "namespace": namespace,
            "chosen": str(row["chosen"]),
            "converged": str(row["converged"]),
        }
        run = client.create_run(
            parent.info.experiment_id, run_name=f"{namespace} {row['candidate']}", tags=tags
        )
        client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, float(row[name]), now, 0) for name in _CANDIDATE_METRICS],
            params=[Param(name, str(row[name])) for name in _CANDIDATE_PARAMETERS],
        )
        client.set_terminated(run.info.run_id)


def _active_run() -> mlflow.ActiveRun:
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("no MLflow run is active")
    return run


def git_commit(folder: Path) -> str | None:
    """Commit the code is at, `-dirty` when files differ from it; None outside a checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
