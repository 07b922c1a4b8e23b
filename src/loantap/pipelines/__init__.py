"""Kedro pipelines: thin nodes and wiring; they meet through names in the catalog."""
