"""Why a case or an offer of help cannot be had or changed."""

from loantap.portfolio.errors import InputError


class NotThereError(InputError):
    """There is none of this id."""


class NotNowError(InputError):
    """Somebody else has it or did this before, or something else comes first."""
