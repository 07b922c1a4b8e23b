"""What a person may set about the hazard model; validated, then frozen."""

from pydantic import PositiveFloat, PositiveInt, model_validator

from loantap.portfolio.options import Options, Portion, Seed


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
    def _leave_loans_to_fit(self) -> "HazardOptions":
        if self.calibration_share + self.test_share >= 1:
            raise ValueError("calibration_share and test_share leave no loans to fit the model on")
        return self
