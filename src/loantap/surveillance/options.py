"""What a person may set about early warning; validated, then frozen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from loantap.policy.options import Affordability
from loantap.portfolio.options import DatedOptions, Options, Portion, Seed
from loantap.surveillance.help.actions import Action


class PanelOptions(Options):
	"""What figures of a month mean.

	Attributes:
		unknown_dti_pct: the DTI by which sources say that there is none, such as 9,999; missing in the panel.
		default_days: days past due from which a loan is in default; later months are no longer in the panel.
	"""

	unknown_dti_pct: Annotated[float, Field(gt=0)]
	default_days: Annotated[int, Field(ge=1, le=365)]


class HazardOptions(Options):
	"""How the hazard model is fitted and judged.

	Attributes:
		max_landmarks: loan-months that are looked forward from; of a larger panel a sample.
		calibration_share: share of loans on which hazards are recalibrated.
		test_share: share of loans that the model is judged on; it sees nothing of them.
		inverse_penalty: C of the logistic regressions, on features of unit variance.
		min_events: defaults and pay-offs, each, that a fit asks for in a band of leads.
		resamples: of the bootstrap.
	"""

	seed: Seed
	max_landmarks: PositiveInt
	calibration_share: Portion
	test_share: Portion
	inverse_penalty: PositiveFloat
	min_events: PositiveInt
	resamples: PositiveInt

	@model_validator(mode="after")
	def _leave_loans_to_fit(self) -> HazardOptions:
		if self.calibration_share + self.test_share >= 1:
			raise ValueError("calibration_share and test_share leave no loans to fit the model on")
		return self


# Of the panel; beside them the forecast.
Figure = Literal[
	"days_past_due",
	"max_dpd_3m",
	"max_dpd_6m",
	"payment_to_emi",
	"payment_to_emi_3m",
	"balance_share",
	"dti_pct",
	"dti_change_1m",
	"dti_change_3m",
	"dti_change_6m",
	"utilisation_pct",
	"utilisation_change_1m",
	"utilisation_change_3m",
	"utilisation_change_6m",
	"pd_12m",
]


class Level(StrEnum):
	"""How serious an entry is, from the lightest."""

	WATCH = "watch"
	SERIOUS = "serious"
	CRITICAL = "critical"


class Queue(StrEnum):
	"""Who deals with an entry, from the lightest touch."""

	REMINDERS = "reminders"
	COUNSELLING = "counselling"
	RESTRUCTURING = "restructuring"
	RECOVERIES = "recoveries"


LEVELS: Final = tuple(Level)
QUEUES: Final = tuple(Queue)


class Trigger(Options):
	"""A figure that puts a loan on the list, and what it says.

	Attributes:
		figure: column of the panel, or `pd_12m`.
		enter: a loan is listed at this value or beyond.
		leave: a month is quiet where the value is not even here; between the two a listed loan
			stays, and another is not listed.
		queue: who deals with it.
		words: what the reason says, with `{value}` in it.
	"""

	figure: Figure
	is_low_bad: bool = False
	enter: float
	leave: float
	level: Level
	queue: Queue
	words: Annotated[str, Field(pattern=r"^[^{}]*\{value\}[^{}]*$")]

	@model_validator(mode="after")
	def _leaves_after_it_enters(self) -> Trigger:
		beyond = self.leave < self.enter if self.is_low_bad else self.leave > self.enter
		if beyond:
			raise ValueError(f"leave {self.leave:g} is beyond enter {self.enter:g}: a loan would leave while it is listed")
		return self


class Avoidable(Options):
	"""What help can avoid of the loss that is expected: an assumption until outcomes are known.

	A share of the expected loss for each level; `source` says whose.
	"""

	watch: Portion
	serious: Portion
	critical: Portion
	source: Annotated[str, Field(min_length=1)]

	def share(self, level: Level) -> float:
		"""Share of the expected loss of an entry of this level."""
		return {Level.WATCH: self.watch, Level.SERIOUS: self.serious, Level.CRITICAL: self.critical}[level]


class WatchlistOptions(Options):
	"""The watch-list.

	Attributes:
		quiet_months: months in a row, all of them quiet, after which a loan leaves the list; a
			level falls after as many months below it.
		max_stale_months: a loan whose figures are older is named, and not judged.
		min_month_share: a month counts as arrived once it has this share of the running loans that have months at all.
		min_loans: fewer loans say nothing about whether a figure has failed to arrive.
	"""

	triggers: Mapping[str, Trigger] = Field(min_length=1, max_length=62)
	quiet_months: Annotated[int, Field(ge=1, le=12)]
	max_stale_months: Annotated[int, Field(ge=0, le=12)]
	min_month_share: Annotated[float, Field(gt=0, le=1)]
	min_loans: PositiveInt
	avoidable: Avoidable


_Months = Annotated[int, Field(ge=1, le=60)]


class HelpOptions(Options):
	"""The rules of help.

	Attributes:
		limits: what a borrower can carry; the same as for offers.
		dti_includes_instalment: whether a month's DTI counts the instalment of this loan.
		light_days: days past due up to which a light touch is enough.
		min_late_months: of the last six, from which a borrower is late again and again.
		max_shift_days: of a due date.
		step_months: until the higher instalment of a step-up.
		income_growth_pct: per year until then, assumed.
		handling: cost of the work on one loan, assumed.
	"""

	limits: Affordability
	dti_includes_instalment: bool
	light_days: Annotated[int, Field(ge=1, le=89)]
	min_late_months: Annotated[int, Field(ge=1, le=6)]
	max_shift_days: Annotated[int, Field(ge=1, le=30)]
	max_extension_months: _Months
	step_months: _Months
	income_growth_pct: Annotated[float, Field(ge=0, le=20)]
	handling: Mapping[Action, NonNegativeFloat]


class EarlyWarningOptions(DatedOptions):
	"""Early warning: each part has options of its own."""

	panel: PanelOptions
	hazard: HazardOptions
	watchlist: WatchlistOptions
	help: HelpOptions
