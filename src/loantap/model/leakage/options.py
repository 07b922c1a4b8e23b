"""Options of the leakage gate; validated, then frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveFloat, field_validator, model_validator

from loantap.features.definitions import FEATURES
from loantap.model.training.options import Share, SplitOptions
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.options import Options, Seed
from loantap.portfolio.target import Target

BorrowerKey = Annotated[tuple[str, ...], Field(min_length=2)]


class LeakageOptions(Options):
	"""What a single feature may honestly tell about the outcome.

	Attributes:
		false_discovery_rate: expected share of false alarms among the categories flagged.
		max_gap: of in-sample AUC above cross-fitted; beyond it the feature remembers loans.
		vintage_share: share of the variance of a feature, or of its being missing, that is the
			issue month; from there on it only marks when a loan was issued.
		max_group_z: by how many standard errors a feature may tell more of an outcome, over loans
			of one job title, state and the like, than these have in common.
		max_later_share: share of loans with a date after their issue month that may be typing
			errors; features of that date are caught beyond it, and warned of below.
		max_outcome_date_share: of the variance of a date after the decision, among loans of the
			same month, term and outcome, that a feature may explain.
		max_duplicate_borrowers: share of the held-out loans whose borrower may also have a training
			loan.
		borrower_keys: columns that identify a borrower where the loans have no `borrower_id`.
		impact_loans: most loans on which the impact of a suspicious feature is measured, and on
			which models are fitted to see what each column adds.
		expected_auc: AUC alone of features of which more is expected than `expected.py` says, as
			of a column that holds a bureau's score: it may then also add as much to the others.
		strength_tolerance: by how much a feature's AUC may exceed what is expected of it.
		drift_tolerance: by how much it may rise from one training to the next.
		max_added_auc: what a column, or a pair of columns, may add to the AUC of all others.
		max_borrower_auc: what all columns about the borrower may add to those of the offer.
		max_set_auc: of a boosting model on a whole set of features; two independent honest scores
			of 0.72 and 0.71 make 0.79.
		rate_tolerance: percentage points by which a rate may differ from that of its sub-grade.
		max_odds_ratio: of charge-off among exceptions to a loan's arithmetic, against the others.
	"""

	seed: Seed
	folds: Annotated[int, Field(ge=2)]
	max_auc: Annotated[float, Field(gt=0.5, le=1)]
	plausible_default_rates: tuple[Share, Share]
	false_discovery_rate: Share
	max_gap: Share
	vintage_share: Share
	max_group_z: PositiveFloat
	max_later_share: Annotated[float, Field(ge=0, lt=1)]
	max_outcome_date_share: Share
	max_duplicate_borrowers: Annotated[float, Field(ge=0, lt=1)]
	borrower_keys: Annotated[tuple[BorrowerKey, ...], Field(min_length=1)]
	impact_loans: Annotated[int, Field(ge=1_000)]
	expected_auc: Mapping[str, Annotated[float, Field(ge=0.5, le=1)]] = Field(default_factory=dict)
	strength_tolerance: Share = 0.02
	drift_tolerance: Share = 0.03
	max_added_auc: Share = 0.01
	max_borrower_auc: Share = 0.03
	max_set_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.8
	rate_tolerance: PositiveFloat = 0.5
	max_odds_ratio: Annotated[float, Field(gt=1)] = 2.0

	@field_validator("expected_auc")
	@classmethod
	def _are_features(cls, expected: Mapping[str, float]) -> Mapping[str, float]:
		unknown = sorted(set(expected) - set(FEATURES))
		if unknown:
			raise ValueError(f"not in features/definitions.py: {', '.join(unknown)}")
		return expected

	@field_validator("borrower_keys")
	@classmethod
	def _are_columns(cls, keys: tuple[BorrowerKey, ...]) -> tuple[BorrowerKey, ...]:
		unknown = sorted({name for key in keys for name in key} - set(COLUMNS))
		if unknown:
			raise ValueError(f"not in the data dictionary: {', '.join(unknown)}")
		return keys

	@model_validator(mode="after")
	def _rates_rise(self) -> LeakageOptions:
		lowest, highest = self.plausible_default_rates
		if lowest >= highest:
			raise ValueError("plausible_default_rates must be the lowest, then the highest")
		return self


class FeatureEngineeringOptions(Options):
	"""Target, split and leakage gate."""

	target: Target = Target.CHARGED_OFF
	split: SplitOptions
	leakage: LeakageOptions
