"""What a person may set about sources and ingestion; validated, then frozen."""

import re
from datetime import date
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from loantap.portfolio.statuses import Statuses

# What NumPy's and scikit-learn's generators both take.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Portion = Annotated[float, Field(ge=0, le=1)]
# Some of it, and not all of it.
Some = Annotated[float, Field(gt=0, le=1)]
Part = Annotated[float, Field(gt=0, lt=1)]


class Options(BaseModel):
	"""Base of the parameter groups: unknown names are refused, values cannot change."""

	model_config = ConfigDict(frozen=True, extra="forbid")


class DatedOptions(Options):
	"""A group that depends on the day of the run."""

	as_of: date

	@field_validator("as_of", mode="before")
	@classmethod
	def _end_a_month(cls, given: object) -> object:
		"""A month stands for its last day."""
		if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d", given):
			return (pd.Timestamp(given) + pd.offsets.MonthEnd()).date()
		return given

	@property
	def day(self) -> pd.Timestamp:
		"""The day of the run."""
		return pd.Timestamp(self.as_of)


class SourcesOptions(DatedOptions):
	"""The embedded source databases.

	Attributes:
		loans: resolved loans of the demo portfolio as of March 2017, where no file is given.
			Those that run are added; an earlier `as_of` cuts the portfolio.
		tolerated_bad_share: share of a file's rows that may be bad, by default none; those go to quarantine.
		max_instalment_exceptions: share of loans whose instalment may be another than that of
			amount, rate and term, as it is where loans are part-funded.
		statuses: what the words of `loan_status` mean.
	"""

	loans: Annotated[int, Field(ge=1_000, le=5_000_000)]
	seed: Seed
	tolerated_bad_share: Annotated[float, Field(ge=0, lt=1)]
	max_instalment_exceptions: Portion = 0.1
	statuses: Statuses = Statuses()


class IngestionOptions(DatedOptions):
	"""Extraction, and cleaning of what was extracted.

	Attributes:
		max_quarantined_share: share of a source's rows beyond which something is wrong with the
			source rather than with its rows, and the run stops.
		since: read again what changed from this year, month or day on; `all` for every row. By
			default, what changed since the last good snapshot.
		overlap_days: days before the last update of the snapshot that are read again, for clocks
			that differ and for late commits.
		max_instalment_exceptions, statuses: see `SourcesOptions`.
	"""

	max_quarantined_share: Annotated[float, Field(gt=0, le=1)]
	since: Literal["all"] | date | None = None
	overlap_days: Annotated[int, Field(ge=0, le=366)]
	max_instalment_exceptions: Portion = 0.1
	statuses: Statuses = Statuses()

	@field_validator("since", mode="before")
	@classmethod
	def _read_since(cls, given: object) -> object:
		"""A year (a number on a command line) and a month begin on their first day."""
		if given is None or given == "all" or isinstance(given, date):
			return given
		found = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", str(given))
		if not found or isinstance(given, float):
			raise ValueError("give a year (2016), a month (2016-01), a day (2016-01-15) or all")
		year, month, day = (int(part or 1) for part in found.groups())
		return date(year, month, day)

	@field_validator("since")
	@classmethod
	def _precedes_the_run(cls, since: Literal["all"] | date | None, info: ValidationInfo) -> Literal["all"] | date | None:
		as_of = info.data.get("as_of")
		if isinstance(since, date) and as_of is not None and since > as_of:
			raise ValueError(f"{since} is after {as_of}, the day of the run (as_of)")
		return since
