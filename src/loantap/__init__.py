"""LoanTap underwriting: from source systems to a decision on the next loan."""

import os
import warnings

__version__ = "0.1.0"

# MLflow and Kedro look at these while our modules import them, so this comes first.
# Nothing reports home, also when the package is run without our Makefile or image.
os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Or MLflow sets its own logger to INFO, whatever a logging configuration said before.
os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")

# Pandera imports PySpark wherever it is installed, and PySpark says this of pandas 3 each time. We
# use none of its pandas API; what we do use is tested with the pandas we have.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
