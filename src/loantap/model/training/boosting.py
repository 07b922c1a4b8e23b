"""The challenger: gradient boosting that obeys credit sense.

Each tree uses one feature, so that the model is a sum of one step function per feature (Lou,
Caruana and Gehrke, *Intelligible models for classification and regression*, KDD 2012).
"""

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FeatureSet
from loantap.model.training.estimator import MIN_CATEGORY_COUNT, credit_signs
from loantap.model.training.options import ChallengerOptions


def make_challenger(features: FeatureSet, options: ChallengerOptions, seed: int) -> Pipeline:
    """Unfitted pipeline of the challenger: encode categories, boost.

    What credit sense holds against a borrower never lowers the PD (see `Feature.adverse`). A
    missing number counts as the mean of the training loans: boosting would otherwise read a vintage
    in it (numbers of mortgage accounts are missing up to 2011, and never after 2012).
    """
    imputer = SimpleImputer(strategy="mean", keep_empty_features=True)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=MIN_CATEGORY_COUNT)
    columns = ColumnTransformer(
        [("numeric", imputer, features.numeric), ("categorical", encoder, features.categorical)],
        verbose_feature_names_out=False,
    )
    numeric, categorical = len(features.numeric), len(features.categorical)
    boosting = HistGradientBoostingClassifier(
        learning_rate=options.learning_rate,
        max_iter=options.trees,
        max_leaf_nodes=options.leaves,
        min_samples_leaf=options.min_loans_in_leaf,
        l2_regularization=options.l2_penalty,
        monotonic_cst=[*credit_signs(features), *[0] * categorical],
        categorical_features=list(range(numeric, numeric + categorical)),
        interaction_cst="no_interactions",
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("preprocess", columns), ("classify", boosting)])


def fit_challenger(
    features: pd.DataFrame, target: pd.Series, feature_set: FeatureSet, options: ChallengerOptions, seed: int
) -> Pipeline:
    """Fit the challenger on the rows given, on one thread so that sums repeat."""
    with threadpool_limits(1):
        return make_challenger(feature_set, options, seed).fit(features, target)
