"""Why help cannot be recorded."""

from loantap.portfolio.errors import InputError


class UnknownOfferError(InputError):
    """There is no offer of help of this id."""


class OfferStateError(InputError):
    """The offer, or another one of the loan, is in a state that does not allow this."""
