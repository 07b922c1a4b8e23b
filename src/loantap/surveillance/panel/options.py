"""What a person may set about the panel; validated, then frozen."""

from typing import Annotated

from pydantic import Field

from loantap.portfolio.options import Options


class PanelOptions(Options):
    """What figures of a month mean.

    Attributes:
        unknown_dti_pct: the DTI by which sources say that there is none, such as 9,999; missing in the panel.
        default_days: days past due from which a loan is in default; later months are no longer in the panel.
    """

    unknown_dti_pct: Annotated[float, Field(gt=0)]
    default_days: Annotated[int, Field(ge=1, le=365)]
