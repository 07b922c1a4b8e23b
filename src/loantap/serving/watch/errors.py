"""Why there is nothing of the watch-list to tell."""

from loantap.portfolio.errors import InputError


class NoWatchlistError(InputError):
    """No run has left a watch-list."""


class NotListedError(InputError):
    """The loan is not on the watch-list."""
