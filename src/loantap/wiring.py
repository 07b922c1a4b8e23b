"""How pipelines are wired."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node

Datasets = str | list[str] | dict[str, str] | None


def make_node(function: Callable[..., Any], inputs: Datasets, outputs: Datasets) -> Node:
	"""A node that has the name of its function."""
	return Node(function, inputs, outputs, name=function.__name__)
