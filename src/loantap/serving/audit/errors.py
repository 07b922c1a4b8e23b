"""What may go wrong in the audit log; each error says what to do."""

from loantap.portfolio.errors import InputError


class AuditUnavailableError(InputError):
    """Nothing can be kept or read now: disk full, file locked, server gone.

    There is no decision without a record: who asks for one is answered with 503. When a connection
    ends while a record is being committed, it may have been kept; asking again under the same
    idempotency key finds it.
    """


class SchemaError(InputError):
    """The tables are not those of this version of LoanTap."""


class IdempotencyConflictError(InputError):
    """An idempotency key was used before, for another request."""


class UnknownRecordError(InputError):
    """There is no record of this id."""


class ForbiddenErasureError(InputError):
    """The database lets this role keep records but not erase personal parts."""
