"""From loans to a fitted model: splits, search, estimators, calibration, rolling origin."""
