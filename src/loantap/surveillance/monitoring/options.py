"""What a person may set about monitoring; validated, then frozen."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from loantap.portfolio.options import DatedOptions, Options, Part, Portion
from loantap.surveillance.monitoring.checks import AlertRule


class JudgedOptions(Options):
	"""When figures of samples are judged.

	Attributes:
		false_alarms: share of quiet runs in which any check of the group may raise an alarm.
		min_rows: rows below which nothing is judged.
	"""

	false_alarms: Portion
	min_rows: PositiveInt


class DriftOptions(JudgedOptions):
	"""When a change of the applications is an alarm.

	Attributes:
		psi: a smaller PSI is tolerated, however sure (Siddiqi 2006: below 0.1 stable).
		psi_told: where chance alone may give more, quiet cannot be told from shifted (Siddiqi: above 0.25).
		mean_shift: shift of a mean that is tolerated, in standard deviations of the training.
		missing_share: change of the share of missing values that is tolerated.
		new_share: share of rows with unknown categories that is tolerated.
	"""

	psi: PositiveFloat
	psi_told: PositiveFloat
	mean_shift: PositiveFloat
	missing_share: Part
	new_share: Part


class PerformanceOptions(JudgedOptions):
	"""When the model, or the policy, has stopped being right.

	Attributes:
		auc_drop: fall of the AUC since training that is tolerated.
		calibration_gap: gap between expected and realised default rate, beyond chance, that is tolerated.
	"""

	auc_drop: PositiveFloat
	calibration_gap: Annotated[float, Field(ge=0, lt=1)]


class ConductOptions(JudgedOptions):
	"""When decisions are no longer made as before.

	Attributes:
		share_moved: change of a share that is tolerated.
		least_ratio: ratio of approval rates above which a fall is no alarm (four-fifths rule, EEOC 1978).
	"""

	share_moved: Part
	least_ratio: Portion


class SourceOptions(Options):
	"""When a source is behind.

	Attributes:
		max_days_unread: days since a source was last read.
		max_days_behind: days from the last update of its rows to the day of the run.
		row_loss: share of rows by which a table may shrink from one run to the next.
	"""

	max_days_unread: PositiveInt
	max_days_behind: PositiveInt
	row_loss: Portion


class ServiceOptions(Options):
	"""When the API is not as it should be.

	Attributes:
		min_requests: requests below which nothing is judged.
		error_share: share of requests answered with a status of 500 or more.
		p99_seconds: time within which 99% of the decisions are answered.
	"""

	min_requests: PositiveInt
	error_share: Portion
	p99_seconds: PositiveFloat


class MonitoringOptions(DatedOptions):
	"""What is watched, and when it is an alarm.

	Attributes:
		window_days: decisions of so many days up to the day of the run are the recent ones.
		earlier_days: those of so many days before are what they are compared with.
		outcome_days: decisions of so many days are held against what became of their loans.
		alerts: rules by name; the first that takes an alarm counts.
	"""

	window_days: PositiveInt
	earlier_days: PositiveInt
	outcome_days: PositiveInt
	drift: DriftOptions
	performance: PerformanceOptions
	conduct: ConductOptions
	sources: SourceOptions
	service: ServiceOptions
	alerts: Mapping[str, AlertRule]
