"""Why a policy cannot be put in force."""

from loantap.portfolio.errors import InputError


class InvalidPolicyError(InputError):
  """What is proposed is no policy; `where` names the field."""


class SamePersonError(InputError):
  """Who activates a policy wrote or proposed it, or uses the key that proposed it."""


class PolicyChangedError(InputError):
  """What the log holds of a policy is not what was kept, or not what was approved."""
