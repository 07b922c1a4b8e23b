"""Figures of pages, MLflow and the dashboard."""
