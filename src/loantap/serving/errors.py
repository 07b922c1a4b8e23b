"""Why something of the log, such as a case or a key, cannot be had or changed."""

from loantap.portfolio.errors import InputError


class NotThereError(InputError):
  """There is none of this id."""


class NotNowError(InputError):
  """Somebody else has it or did this before, or it is too early or too late."""
