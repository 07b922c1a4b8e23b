"""The Spark session: the one that is there, or else one of this machine's cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from loantap.portfolio.errors import InputError

if TYPE_CHECKING:
  from pyspark.sql import SparkSession

# Set by spark-submit, Databricks, or a person who chooses the cluster.
_LAUNCHERS = ("PYSPARK_GATEWAY_PORT", "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "DATABRICKS_RUNTIME_VERSION")
_ON_A_CLUSTER = ("spark.app.name",)


def open_session(settings: Mapping[str, str]) -> SparkSession:
  """The active session, or a new one on this machine, which `settings` are for.

  Raises:
      InputError: PySpark or Java is not installed.
  """
  try:
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession
  except ImportError as error:
    raise InputError(
      "env spark", "pyspark is not installed", "Install it with `pip install 'loantap[spark]'`, and Java 17 or newer"
    ) from error
  active: SparkSession | None = SparkSession.getActiveSession()
  if active is not None:
    return active
  try:
    return _configure(SparkSession.builder, settings).getOrCreate()
  except PySparkRuntimeError as error:
    if error.getCondition() != "JAVA_GATEWAY_EXITED":
      raise
    raise InputError(
      "env spark",
      "Spark does not start: Java is missing, or is not the version that it needs",
      "Install Java 17 (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME",
    ) from error


def _configure(builder: SparkSession.Builder, settings: Mapping[str, str]) -> SparkSession.Builder:
  is_launched = any(name in os.environ for name in _LAUNCHERS)
  if is_launched and os.environ.get("SPARK_LOCAL_IP") == "127.0.0.1":
    # Pandera sets it, and executors on other machines would not find the driver.
    del os.environ["SPARK_LOCAL_IP"]
  chosen = {n: v for n, v in settings.items() if not is_launched or n in _ON_A_CLUSTER}
  for name, value in chosen.items():
    builder = builder.config(name, str(value))
  if is_launched:
    return builder
  # Or else the first python3 of the path, which need not be ours.
  os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
  log = files("loantap.datasets.spark").joinpath("log.properties")
  return builder.config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={log}")
