"""MLflow, and nothing else: log, register, promote and load models; record runs."""
