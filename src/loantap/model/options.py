"""What a person may set about splitting, the leakage gate and training; validated, then frozen."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from loantap.features.definitions import MODELS
from loantap.model.estimator import Balancing, Candidate
from loantap.model.path_search import SEARCH_TOLERANCE
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.options import DatedOptions, Options, Portion, Seed

Share = Annotated[float, Field(gt=0, lt=1)]
TwinKey = Annotated[tuple[str, ...], Field(min_length=2)]


class OutOfTimeOptions(Options):
    """The rolling origin: which loans stand for the future, and what their judges may know.

    At each origin a model is trained on loans issued before it and scores the loans issued from it
    to the next one. Only matured loans are judged, those whose contractual end (issue month plus
    term) lies before the snapshot: of later ones the table holds the early endings only.

    Attributes:
        snapshot: first day of the month in which the portfolio was extracted.
        term_months: term of the loans judged.
        first_origin: first day of a month.
        step_months: from one origin to the next.
        last_month: issue month of the last loans judged.
        settled_only: train on loans whose contractual end lies before the origin; otherwise the
            outcomes of all loans issued before it are taken as known, though some were settled
            later.
        least_outcomes: charge-offs, and paid loans, that an origin's training loans must have.
    """

    snapshot: date
    term_months: Literal[36, 60]
    first_origin: date
    step_months: Annotated[int, Field(ge=1, le=60)]
    last_month: date
    settled_only: bool
    least_outcomes: Annotated[int, Field(ge=10)]

    @field_validator("snapshot", "first_origin", "last_month")
    @classmethod
    def _is_a_month(cls, value: date) -> date:
        if value.day != 1:
            raise ValueError(f"months are meant: give the first day of one, {value:%Y-%m}-01")
        return value

    @model_validator(mode="after")
    def _is_matured(self) -> OutOfTimeOptions:
        if self.first_origin > self.last_month:
            raise ValueError("first_origin is after last_month")
        months = (self.snapshot.year - self.last_month.year) * 12
        months += self.snapshot.month - self.last_month.month
        if months <= self.term_months:
            raise ValueError(
                f"loans of {self.last_month:%Y-%m} run {self.term_months} months and are not "
                f"matured at the snapshot {self.snapshot:%Y-%m}: choose an earlier last_month"
            )
        return self


class SplitOptions(Options):
    """Random stratified split and rolling origin.

    Attributes:
        seed: of the split.
        test_share: share of the loans that judge the model.
        out_of_time: the rolling origin.
        least_outcomes: charge-offs, and paid loans, that a portfolio must have to train on. With
            fewer the leakage gate would take chance for a leak.
    """

    seed: Seed
    test_share: Share
    out_of_time: OutOfTimeOptions
    least_outcomes: Annotated[int, Field(ge=10)] = 50


class LeakageOptions(Options):
    """What a single feature may honestly tell about the outcome.

    Attributes:
        seed: of the cross-fitting folds.
        folds: of the cross-fitting.
        highest_auc: of one feature alone; the strongest honest one, the interest rate, has .69.
        plausible_default_rates: lowest and highest rate a category may honestly have.
        false_discovery_rate: expected share of false alarms among the categories flagged.
        most_gap: of the AUC of a feature's groups in-sample above cross-fitted; beyond it the
            feature remembers loans.
        vintage_share: share of the variance of a feature, or of its being missing, that is the
            issue month; from there on it only marks when a loan was issued.
        highest_group_z: by how many standard errors a feature may tell more of an outcome, over
            loans of one job title, state and the like, than these have in common.
        most_later_share: share of loans with a date after their issue month that may be typing
            errors; features of that date are caught beyond it, and warned of below.
        most_outcome_date_share: of the variance of a date after the decision, among loans of the
            same month, term and outcome, that a feature may explain.
        most_twin_share: share of the held-out loans whose borrower may be in training as well.
        twin_keys: columns that tell a borrower, where the loans carry no `borrower_id`; loans equal
            in all columns of one key count as one borrower's.
        impact_loans: most loans on which metrics with and without a suspicious feature are taken.
    """

    seed: Seed
    folds: Annotated[int, Field(ge=2)]
    highest_auc: Annotated[float, Field(gt=0.5, le=1)]
    plausible_default_rates: tuple[Share, Share]
    false_discovery_rate: Share
    most_gap: Share
    vintage_share: Share
    highest_group_z: PositiveFloat
    most_later_share: Annotated[float, Field(ge=0, lt=1)]
    most_outcome_date_share: Share
    most_twin_share: Annotated[float, Field(ge=0, lt=1)]
    twin_keys: Annotated[tuple[TwinKey, ...], Field(min_length=1)]
    impact_loans: Annotated[int, Field(ge=1_000)]

    @field_validator("twin_keys")
    @classmethod
    def _are_columns(cls, keys: tuple[TwinKey, ...]) -> tuple[TwinKey, ...]:
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


class ChallengerOptions(Options):
    """Gradient boosting that challenges the logistic regression.

    Attributes:
        trees: boosting rounds.
        leaves: of a tree; each tree uses one feature.
        least_loans_in_leaf: keeps steps from being cut out of a handful of loans.
    """

    learning_rate: PositiveFloat
    trees: PositiveInt
    leaves: Annotated[int, Field(ge=2)]
    least_loans_in_leaf: PositiveInt
    l2_penalty: Annotated[float, Field(ge=0)]


class PromotionOptions(Options):
    """The rule by which a model takes the place of another.

    Attributes:
        resamples: of the paired bootstrap.
        confidence: of its intervals.
        calibration_confidence: of the range of a perfect model's ECE; wide, or chance would keep
            one good model in forty out of office.
        tolerated_ece: calibration error that is immaterial, whatever a perfect model would have.
        least_charge_offs: in training; ten for each of the dozen coefficients that matter.
    """

    resamples: Annotated[int, Field(ge=100)]
    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    calibration_confidence: Annotated[float, Field(ge=0.5, lt=1)]
    tolerated_ece: Share
    least_charge_offs: PositiveInt


class TrainingOptions(Options):
    """One model: its features, its grid, its folds.

    Attributes:
        name: the namespace of the model, which also says what features it uses.
        monotone: whether coefficients must agree with credit sense.
        calibrated: whether PDs are calibrated on the out-of-fold log-odds.
        challenger: what challenges the logistic regression; nothing when absent.
        promotion: the rule by which a model becomes champion.
        max_iterations: of the solver; what has not converged by then is used as it is, and marked.
        tolerance: largest gradient of the model that is kept; at most that of the search.
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


class FeatureEngineeringOptions(Options):
    """Split and leakage gate."""

    split: SplitOptions
    leakage: LeakageOptions


class EvaluationOptions(DatedOptions):
    """Uncertainty of the metrics.

    Attributes:
        resamples: of the bootstrap behind the 95% bounds.
        calibration_bins: equal-count bins of the expected calibration error.
        most_instalment_exceptions: see `SourcesOptions`; of an external sample.
    """

    seed: Seed
    resamples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    most_instalment_exceptions: Portion = 0.1
