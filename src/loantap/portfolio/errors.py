"""Errors a user can mend: each names where, what and the remedy."""


class InputError(ValueError):
    """Input that the run cannot use.

    Args:
        where: file, table or parameter.
        problem: what is wrong, with column and value.
        remedy: what to do about it.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}. {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy
