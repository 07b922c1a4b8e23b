"""Figures that everybody shares: metrics, curves, AUC, intervals, thresholds, PSI."""
