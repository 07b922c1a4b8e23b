"""Why the audit log fails, or a case, a key or a policy cannot be had or changed."""

from loantap.portfolio.errors import InputError


class NotThereError(InputError):
	"""There is none of this id."""


class NotNowError(InputError):
	"""Somebody else has it or did this before, or it is too early or too late."""


class AuditUnavailableError(InputError):
	"""Nothing can be kept or read now: disk full, file locked, server gone.

	A record whose commit lost its connection may have been kept: its idempotency key finds it.
	"""


class SchemaError(InputError):
	"""The tables are not those of this version of LoanTap."""


class IdempotencyConflictError(InputError):
	"""An idempotency key was used before, for another request."""


class ForbiddenErasureError(InputError):
	"""The database lets this role keep records but not erase personal parts."""


class InvalidPolicyError(InputError):
	"""What is proposed is no policy; `where` names the field."""


class SamePersonError(InputError):
	"""Who activates a policy wrote or proposed it, or uses the key that proposed it."""


class PolicyChangedError(InputError):
	"""What the log holds of a policy is not what was kept, or not what was approved."""
