"""Why a case cannot be had."""

from loantap.portfolio.errors import InputError


class UnknownCaseError(InputError):
    """The decision was not referred, or there is none of this id."""


class CaseHeldError(InputError):
    """Another person has the case."""


class CaseNotHeldError(InputError):
    """Who asks has not taken the case, or no longer has it."""


class CaseClosedError(InputError):
    """The case was decided."""
