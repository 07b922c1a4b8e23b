"""What a person may set about splitting, the leakage gate and training; validated, then frozen."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from loantap.features.definitions import MODELS
from loantap.model.estimator import Balancing, Candidate
from loantap.portfolio.options import DatedOptions, Options, Seed

Share = Annotated[float, Field(gt=0, lt=1)]


class OutOfTimeOptions(Options):
    """Which loans stand for the future in the out-of-time test.

    Only loans whose contractual end lies before the snapshot have an outcome that is not biased
    by early resolution, so the window holds one term and ends `term_months` before the snapshot.
    """

    snapshot: date
    term_months: Literal[36, 60]
    first_month: date
    last_month: date

    @model_validator(mode="after")
    def _is_matured(self) -> OutOfTimeOptions:
        if self.first_month > self.last_month:
            raise ValueError("first_month is after last_month")
        months = (self.snapshot.year - self.last_month.year) * 12
        months += self.snapshot.month - self.last_month.month
        if months < self.term_months:
            raise ValueError(
                f"loans of {self.last_month:%Y-%m} run {self.term_months} months and are not "
                f"matured at the snapshot {self.snapshot:%Y-%m}: choose an earlier last_month"
            )
        return self


class SplitOptions(Options):
    """Random stratified split and out-of-time window."""

    seed: Seed
    test_share: Share
    out_of_time: OutOfTimeOptions


class LeakageOptions(Options):
    """What a single feature may honestly tell about the outcome.

    Attributes:
        seed: of the cross-fitting folds.
        folds: of the cross-fitting.
        highest_auc: of one feature alone; the strongest honest one, the interest rate, has .69.
        plausible_default_rates: lowest and highest rate a category may honestly have.
        false_discovery_rate: expected share of false alarms among the categories flagged.
    """

    seed: Seed
    folds: Annotated[int, Field(ge=2)]
    highest_auc: Annotated[float, Field(gt=0.5, le=1)]
    plausible_default_rates: tuple[Share, Share]
    false_discovery_rate: Share

    @model_validator(mode="after")
    def _rates_rise(self) -> LeakageOptions:
        lowest, highest = self.plausible_default_rates
        if lowest >= highest:
            raise ValueError("plausible_default_rates must be the lowest, then the highest")
        return self


class TrainingOptions(Options):
    """One model: its features, its grid, its folds.

    Attributes:
        name: the namespace of the model, which also says what features it uses.
        threshold: fixed decision threshold of F2; tuned on out-of-fold predictions when absent.
        pd_quantiles: shares of the training PDs at which policy bands may begin.
    """

    name: Literal["benchmark", "published_replica", "lending", "application"]
    seed: Seed
    folds: Annotated[int, Field(ge=2)]
    balancing: Annotated[tuple[Balancing, ...], Field(min_length=1)]
    l1_ratios: Annotated[tuple[Literal[0, 1], ...], Field(min_length=1)]
    inverse_penalties: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    max_iterations: PositiveInt
    jobs: PositiveInt
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


class FeatureEngineeringOptions(Options):
    """Split and leakage gate."""

    split: SplitOptions
    leakage: LeakageOptions


class EvaluationOptions(DatedOptions):
    """Uncertainty of the metrics.

    Attributes:
        resamples: of the bootstrap behind the 95% bounds.
        calibration_bins: equal-count bins of the expected calibration error.
    """

    seed: Seed
    resamples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
