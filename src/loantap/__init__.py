"""LoanTap underwriting: from source systems to a decision on the next loan."""

import os
import warnings

__version__ = "0.1.0"

# Before the imports of our modules, during which MLflow and Kedro look. Nothing reports home, also
# without our Makefile or image.
os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Or MLflow sets its logger to INFO, whatever was configured.
os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")

# Pandera imports PySpark, which says this of pandas 3 each time. We use none of its pandas API.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
