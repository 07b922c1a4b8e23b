"""Errors a user can mend: each names where, what and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
	"""Input that the run cannot use: where (file, table, parameter), the problem with column and value, the remedy."""

	def __init__(self, where: str, problem: str, remedy: str) -> None:
		super().__init__(f"{where}: {problem}. {remedy}")
		self.where = where
		self.problem = problem
		self.remedy = remedy


def guess(name: str, known: Iterable[str]) -> str:
	"""How a remedy begins where a misspelt name is like a known one; "" where it is like none."""
	close = get_close_matches(name, list(known), n=1)
	return f"Did you mean {close[0]}? " if close else ""
