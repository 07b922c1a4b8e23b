"""The default model: estimator, search, threshold, reasons, leakage tests, metrics, scorer."""
