"""The logistic default model as a pipeline, and the slim form that is served."""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from loantap.features.definitions import FEATURES, FeatureSet
from loantap.model.training.category_encoder import CategoryEncoder, with_plain_encoders
from loantap.model.training.logistic import BoundedLogisticRegression, as_scikit_learn
from loantap.model.training.neighbours import SampledNeighbors
from loantap.model.training.options import Balancing, Candidate

# Categories with fewer loans share one column: a coefficient from a dozen loans is noise.
MIN_CATEGORY_COUNT = 20


# Of each charge-off, between which and itself SMOTE makes up loans.
SMOTE_NEIGHBOURS = 5


def make_preprocessor(features: FeatureSet) -> ColumnTransformer:
  """Impute and scale the numeric features, one-hot encode the categorical ones.

  A missing number counts as the mean of the training loans: it speaks for neither side.
  """
  numeric = Pipeline(
    [("impute", SimpleImputer(strategy="mean", keep_empty_features=True)), ("scale", StandardScaler())]
  )
  categorical = CategoryEncoder(
    handle_unknown="infrequent_if_exist", min_frequency=MIN_CATEGORY_COUNT, sparse_output=False
  )
  return ColumnTransformer(
    [("numeric", numeric, features.numeric), ("categorical", categorical, features.categorical)],
    verbose_feature_names_out=False,
  )


def make_model(
  features: FeatureSet, candidate: Candidate, *, seed: int, max_iterations: int, tolerance: float, monotone: bool
) -> ResamplingPipeline:
  """Unfitted pipeline of one candidate: preprocess, balance, logistic regression.

  With `monotone`, what credit sense holds against a borrower never lowers the PD (see `Feature.adverse`).
  """
  classifier = BoundedLogisticRegression(
    C=candidate.inverse_penalty,
    l1_ratio=candidate.l1_ratio,
    class_weight="balanced" if candidate.balancing is Balancing.CLASS_WEIGHTS else None,
    signs=credit_signs(features) if monotone else (),
    max_iter=max_iterations,
    tol=tolerance,
  )
  sampler = make_sampler(candidate.balancing, seed)
  return ResamplingPipeline(
    [("preprocess", make_preprocessor(features)), ("balance", sampler), ("classify", classifier)]
  )


def make_sampler(balancing: Balancing, seed: int) -> SMOTE | str:
  """The sampler of a way of balancing; `passthrough` where it resamples nothing."""
  if balancing is not Balancing.SMOTE:
    return "passthrough"
  neighbours = SampledNeighbors(n_neighbors=SMOTE_NEIGHBOURS + 1, random_state=seed)
  return SMOTE(random_state=seed, k_neighbors=neighbours)


def credit_signs(features: FeatureSet) -> tuple[int, ...]:
  """Sign that credit sense gives the coefficient of each numeric feature."""
  meaning = {"high": 1, "low": -1, "": 0}
  return tuple(meaning[FEATURES[name].adverse] for name in features.numeric)


def slim(model: ResamplingPipeline) -> Pipeline:
  """The fitted pipeline as it is served: without the sampler, which would carry training rows."""
  fitted = model["classify"]
  classifier = as_scikit_learn(fitted, fitted.coef_, fitted.intercept_)
  preprocess = with_plain_encoders(model["preprocess"])
  return Pipeline([("preprocess", preprocess), ("classify", classifier)])
