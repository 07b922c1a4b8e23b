"""Options of the fairness audit."""

from typing import Annotated

from pydantic import Field

from loantap.portfolio.options import Options


class FairnessOptions(Options):
    """The audit of policies, and what a fairer one costs.

    Attributes:
        min_loans: of a smaller group no ratio is told, and none is the measure of others.
        four_fifths: ratio of approval rates below which a group counts as treated adversely; 0.8
            after the EEOC's Uniform Guidelines (1978), a rule of thumb of employment law.
        target_ratios: least ratios whose price the frontier tells, rising.
    """

    min_loans: Annotated[int, Field(ge=30)]
    four_fifths: Annotated[float, Field(gt=0, le=1)]
    target_ratios: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1)]
