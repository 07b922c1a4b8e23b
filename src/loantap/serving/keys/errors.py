"""What may go wrong with keys."""

from loantap.portfolio.errors import InputError


class UnknownKeyError(InputError):
    """There is no key of this id."""


class KeyRevokedError(InputError):
    """The key was revoked before."""
