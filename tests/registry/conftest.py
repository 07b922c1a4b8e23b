import shutil

import mlflow
import pytest

from loantap.registry.fallback import FOLDER_VARIABLE


@pytest.fixture
def registry(tmp_path, empty_store, monkeypatch):
	monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models" / "last_good"))
	artifacts = tmp_path / "mlartifacts"
	mlflow.set_tracking_uri(f"sqlite:///{shutil.copy(empty_store, tmp_path)}")
	mlflow.set_registry_uri(None)
	experiment = mlflow.create_experiment("loantap", artifact_location=artifacts.as_uri())
	mlflow.set_experiment(experiment_id=experiment)
	return artifacts


@pytest.fixture
def active_run(registry):
	with mlflow.start_run() as run:
		yield run
