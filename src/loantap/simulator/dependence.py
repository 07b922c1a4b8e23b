"""How the columns of a simulated portfolio hang together."""

from typing import Final

import numpy as np
import numpy.typing as npt

# Of the standard normal scores, each column with those above it. Fitted so that the Spearman correlations of simulated
# loans, after rounding, caps and missing values, are those of the sample, whose standard error is about 0.014.
_LOWER_TRIANGLE: Final[dict[str, tuple[float, ...]]] = {
    "issue_month": (),
    "sub_grade": (0.11,),
    "term_months": (0.08, 0.61),
    "loan_amount": (0.10, 0.17, 0.71),
    "annual_income": (0.08, -0.08, 0.26, 0.50),
    "dti_pct": (0.12, 0.18, 0.11, 0.06, -0.22),
    "open_accounts": (0.06, 0.01, 0.13, 0.21, 0.25, 0.36),
    "total_accounts": (0.06, -0.05, 0.16, 0.24, 0.35, 0.26, 0.69),
    "revolving_balance": (-0.04, 0.02, 0.29, 0.48, 0.41, 0.27, 0.39, 0.32),
    "revolving_utilisation_pct": (-0.11, 0.32, 0.15, 0.11, 0.06, 0.19, -0.15, -0.11, 0.47),
    "mortgage_accounts": (0.03, -0.10, 0.22, 0.26, 0.42, -0.02, 0.18, 0.47, 0.30, 0.05),
    "credit_history_years": (0.07, -0.10, 0.11, 0.19, 0.29, 0.04, 0.18, 0.37, 0.28, 0.01, 0.42),
    "public_records": (0.22, 0.15, -0.14, -0.19, -0.09, -0.08, -0.04, 0.01, -0.37, -0.17, 0.02, 0.13),
    "employment_years": (0.04, -0.01, 0.06, 0.09, 0.16, 0.04, 0.05, 0.14, 0.13, 0.03, 0.30, 0.29, 0.12),
    "home_ownership": (0.01, -0.10, 0.20, 0.22, 0.31, 0.02, 0.19, 0.32, 0.26, 0.05, 0.78, 0.28, -0.01, 0.31),
}

SCORES: Final = tuple(_LOWER_TRIANGLE)


def score_correlations() -> npt.NDArray[np.float64]:
    """Correlation matrix of the scores, in the order of `SCORES`: symmetric, positive definite."""
    matrix = np.eye(len(SCORES))
    for row, correlations in enumerate(_LOWER_TRIANGLE.values()):
        matrix[row, :row] = correlations
        matrix[:row, row] = correlations
    return matrix
