"""Which loans train the model and which judge it."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from loantap.model.training.options import SplitOptions, TrainingOptions
from loantap.model.training.rolling_origin import date_loans
from loantap.portfolio.errors import InputError


class Split(StrEnum):
    """Random split."""

    TRAIN = "train"
    TEST = "test"


def require_enough(loans: pd.DataFrame, min_outcomes: int) -> None:
    """Stop before anything is made of a portfolio that is too small to train on.

    Args:
        loans: one row per loan with `is_charged_off`.
        min_outcomes: charge-offs, and paid loans, that it must have.

    Raises:
        InputError: it has fewer.
    """
    charged_off = int(loans["is_charged_off"].sum())
    paid = len(loans) - charged_off
    if min(charged_off, paid) >= min_outcomes:
        return
    needed = math.ceil(min_outcomes * len(loans) / max(min(charged_off, paid), 1))
    raise InputError(
        "portfolio",
        f"it has {len(loans):,} loans, {charged_off:,} of them charged off and {paid:,} paid: too "
        f"few to train a model, which needs {min_outcomes} of each",
        f"Give about {needed:,} loans, if the rarer outcome is as frequent in them as here"
        if min(charged_off, paid)
        else "Give a portfolio that holds loans of both outcomes",
    )


def split_loans(loans: pd.DataFrame, options: SplitOptions) -> pd.DataFrame:
    """Assign each loan to the random split and to its place in the rolling origin.

    Args:
        loans: one row per loan with `loan_id`, `is_charged_off`, `issue_month`, `term_months`.
        options: shares, seed and rolling origin.

    Returns:
        One row per loan, same order: `loan_id`, `split`, `known_from`, `judged_at`.

    Raises:
        InputError: an outcome has too few loans to be on both sides of the split.
    """
    target = loans["is_charged_off"]
    counts = target.value_counts()
    rarest = int(counts.reindex([0, 1], fill_value=0).min())
    trained_on = len(loans) - math.ceil(len(loans) * options.test_share)
    if not 1 <= round(rarest * options.test_share) < rarest or trained_on < len(counts):
        raise InputError(
            "loans",
            f"{len(loans)} loans with outcomes {counts.to_dict()} cannot be split into training "
            f"and test with both outcomes on each side",
            "Give a portfolio with more loans of the rarer outcome",
        )
    _, test = train_test_split(
        np.arange(len(loans)),
        test_size=options.test_share,
        stratify=target,
        random_state=options.seed,
    )
    split = pd.Series(Split.TRAIN.value, index=loans.index, dtype="str")
    split.iloc[test] = Split.TEST.value
    assigned = pd.DataFrame({"loan_id": loans["loan_id"], "split": split})
    return assigned.join(date_loans(loans, options.out_of_time))


def make_folds(options: TrainingOptions) -> StratifiedKFold:
    """The stratified folds that search, out-of-fold predictions and thresholds share."""
    return StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
