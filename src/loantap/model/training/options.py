"""Options of splitting and training; validated, then frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from loantap.features.definitions import MODELS
from loantap.portfolio.options import Options, Seed
from loantap.portfolio.products import MAX_TERM_MONTHS

# Of the fits of a search: a gradient this small moves F2 in the fifth digit.
SEARCH_TOLERANCE = 1e-4


class Balancing(StrEnum):
	"""How the minority class is given weight in training."""

	SMOTE = "smote"
	CLASS_WEIGHTS = "class_weights"
	NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
	"""One point of the hyperparameter grid.

	Attributes:
		l1_ratio: 0 is an L2 penalty, 1 an L1 penalty.
		inverse_penalty: scikit-learn's C; smaller is a stronger penalty.
	"""

	balancing: Balancing
	l1_ratio: float
	inverse_penalty: float

	@property
	def label(self) -> str:
		"""Short name for tables and plots.

		>>> Candidate(Balancing.SMOTE, l1_ratio=1, inverse_penalty=100).label
		'smote L1 C=100'
		"""
		return f"{self.balancing} L{1 if self.l1_ratio else 2} C={self.inverse_penalty:g}"

	def as_dict(self) -> dict[str, Any]:
		"""Its fields, for a record."""
		return asdict(self) | {"balancing": self.balancing.value}


Share = Annotated[float, Field(gt=0, lt=1)]


class OutOfTimeOptions(Options):
	"""The rolling origin: which loans stand for the future, and what their judges may know.

	At each origin a model is trained on loans issued before it and scores those up to the next one. Only matured loans
	are judged, whose contractual end lies before `outcomes_as_of`: of later ones only the early endings are known.

	Attributes:
		outcomes_as_of: first day of the month in which the portfolio was extracted.
		first_origin: first day of a month.
		last_month: issue month of the last loans judged.
		settled_only: train on loans whose contractual end lies before the origin; otherwise the outcomes of all loans
			issued before it are taken as known, though some were settled later.
		min_outcomes: charge-offs, and paid loans, that an origin's training loans must have.
	"""

	outcomes_as_of: date
	term_months: Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)]
	first_origin: date
	step_months: Annotated[int, Field(ge=1, le=60)]
	last_month: date
	settled_only: bool
	min_outcomes: Annotated[int, Field(ge=10)]

	@field_validator("outcomes_as_of", "first_origin", "last_month")
	@classmethod
	def _is_a_month(cls, value: date) -> date:
		if value.day != 1:
			raise ValueError(f"a month is meant: give its first day, {value:%Y-%m}-01")
		return value

	@model_validator(mode="after")
	def _is_matured(self) -> OutOfTimeOptions:
		if self.first_origin > self.last_month:
			raise ValueError("first_origin is after last_month")
		months = (self.outcomes_as_of.year - self.last_month.year) * 12
		months += self.outcomes_as_of.month - self.last_month.month
		if months <= self.term_months:
			raise ValueError(
				f"loans of {self.last_month:%Y-%m} run {self.term_months} months and are not "
				f"matured as of {self.outcomes_as_of:%Y-%m}: choose an earlier last_month"
			)
		return self


class SplitOptions(Options):
	"""Random stratified split and rolling origin.

	With fewer than `min_outcomes` charge-offs, or paid loans, the leakage gate would take chance for a leak.
	"""

	seed: Seed
	test_share: Share
	out_of_time: OutOfTimeOptions
	min_outcomes: Annotated[int, Field(ge=10)] = 50


class ChallengerOptions(Options):
	"""Gradient boosting that challenges the logistic regression; each tree uses one feature."""

	learning_rate: PositiveFloat
	trees: PositiveInt
	leaves: Annotated[int, Field(ge=2)]
	min_loans_in_leaf: PositiveInt
	l2_penalty: Annotated[float, Field(ge=0)]


class PromotionOptions(Options):
	"""The rule by which a model takes the place of another.

	Attributes:
		calibration_confidence: of the range of a perfect model's ECE; wide, or chance would keep
			one good model in forty from becoming champion.
		tolerated_ece: calibration error that is immaterial, whatever a perfect model would have.
		min_charge_offs: in training; ten for each of the dozen coefficients that matter.
	"""

	resamples: Annotated[int, Field(ge=100)]
	confidence: Annotated[float, Field(ge=0.5, lt=1)]
	calibration_confidence: Annotated[float, Field(ge=0.5, lt=1)]
	tolerated_ece: Share
	min_charge_offs: PositiveInt


class TrainingOptions(Options):
	"""One model: its features, its grid, its folds.

	Attributes:
		name: the namespace of the model, which also says what features it uses.
		max_iterations: of the solver; what has not converged by then is used as it is, and marked.
		tolerance: largest gradient of the model that is kept; at most that of the search.
		threshold: of F2; tuned on out-of-fold predictions when absent.
		pd_quantiles: shares of the training PDs at which policy bands may begin.
	"""

	name: Literal["benchmark", "published_replica", "lending", "application"]
	seed: Seed
	folds: Annotated[int, Field(ge=2)]
	balancing: Annotated[tuple[Balancing, ...], Field(min_length=1)]
	l1_ratios: Annotated[tuple[Literal[0, 1], ...], Field(min_length=1)]
	inverse_penalties: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
	max_iterations: PositiveInt
	tolerance: Annotated[float, Field(gt=0, le=SEARCH_TOLERANCE)] = 1e-7
	jobs: PositiveInt
	monotone: bool = True
	calibrated: bool = True
	challenger: ChallengerOptions | None = None
	promotion: PromotionOptions
	threshold: Share | None = None
	pd_quantiles: tuple[Share, ...] = (0.5, 0.8, 0.9, 0.95)

	@property
	def feature_set(self) -> str:
		"""The feature set of the model: fixed in code, never a parameter."""
		return MODELS[self.name]

	@property
	def candidates(self) -> list[Candidate]:
		"""The grid, in the order given."""
		return [
			Candidate(balancing, float(l1_ratio), inverse_penalty)
			for balancing in self.balancing
			for l1_ratio in self.l1_ratios
			for inverse_penalty in self.inverse_penalties
		]
