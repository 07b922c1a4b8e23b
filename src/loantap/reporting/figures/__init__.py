"""Figures, drawn once: for pages, MLflow and the dashboard."""
