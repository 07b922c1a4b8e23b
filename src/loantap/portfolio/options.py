"""What a person may set about sources and ingestion; validated, then frozen."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

# What NumPy's and scikit-learn's generators both take.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Options(BaseModel):
    """Base of the parameter groups: unknown names are refused, values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatedOptions(Options):
    """A group that depends on the day of the run."""

    as_of: date

    @property
    def day(self) -> pd.Timestamp:
        """The day of the run."""
        return pd.Timestamp(self.as_of)


class SourcesOptions(DatedOptions):
    """The embedded source databases.

    Attributes:
        loans: size of the demo portfolio, where no file is given.
        seed: of all that is simulated.
        tolerated_bad_share: share of a file's rows that may be bad; those go to quarantine. By
            default a file with any bad row is refused.
    """

    loans: Annotated[int, Field(ge=1_000, le=5_000_000)]
    seed: Seed
    tolerated_bad_share: Annotated[float, Field(ge=0, lt=1)]


class IngestionOptions(DatedOptions):
    """Cleaning of what was extracted.

    Attributes:
        most_quarantined_share: share of a source's rows beyond which something is wrong with the
            source rather than with its rows, and the run stops.
    """

    most_quarantined_share: Annotated[float, Field(gt=0, le=1)]
