"""What may go wrong in the audit log."""

from loantap.portfolio.errors import InputError


class AuditUnavailableError(InputError):
  """Nothing can be kept or read now: disk full, file locked, server gone.

  A record whose commit lost its connection may have been kept: the same idempotency key finds it.
  """


class SchemaError(InputError):
  """The tables are not those of this version of LoanTap."""


class IdempotencyConflictError(InputError):
  """An idempotency key was used before, for another request."""


class ForbiddenErasureError(InputError):
  """The database lets this role keep records but not erase personal parts."""
