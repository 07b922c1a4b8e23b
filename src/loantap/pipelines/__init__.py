"""Kedro pipelines: thin nodes and wiring."""
