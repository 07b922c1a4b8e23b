"""The search is `GridSearchCV` with the work that candidates share done once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, PredefinedSplit, StratifiedKFold
from threadpoolctl import threadpool_limits

from loantap.features.build import build_features
from loantap.model.training import pilot
from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.path_search import PathSearchCV
from loantap.model.training.search import choose, make_candidate, make_folds, score_on_fold, search
from loantap.model.training.train import feature_names
from tests.conftest import training_options

LOANS = 3_000
OPTIONS = training_options(
    "lending",
    balancing=("smote", "class_weights", "none"),
    l1_ratios=(0, 1),
    inverse_penalties=(0.01, 1, 100),
    monotone=False,
)
TIMES = ("mean_fit_time", "std_fit_time", "max_fit_time", "mean_score_time", "std_score_time",
         "max_score_time")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As `search` does: sums repeat but for the last bit, which is where memory happens to lie."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def loans(simulated_loans: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    few = simulated_loans.head(LOANS)
    return build_features(few, feature_names(OPTIONS)), few["is_charged_off"]


def make_search(candidates: list[dict[str, Any]], **changes: Any) -> PathSearchCV:
    given = {"scoring": score_on_fold, "refit": choose, "cv": make_folds(OPTIONS), "n_jobs": 1}
    return PathSearchCV(
        make_candidate(OPTIONS.candidates[0], OPTIONS), candidates, **(given | changes)
    )


@pytest.fixture(scope="module")
def candidates() -> list[dict[str, Any]]:
    models = [make_candidate(candidate, OPTIONS) for candidate in OPTIONS.candidates]
    return [{"balance": m["balance"], "classify": m["classify"]} for m in models]


@pytest.fixture(scope="module")
def ours(loans, candidates) -> PathSearchCV:
    return make_search(candidates).fit(*loans)


@pytest.fixture(scope="module")
def plain(loans, candidates) -> GridSearchCV:
    """The same pipelines, each fitted from nothing on every fold, in double precision."""
    grid = GridSearchCV(
        make_candidate(OPTIONS.candidates[0], OPTIONS),
        [{name: [step] for name, step in candidate.items()} for candidate in candidates],
        scoring=score_on_fold,
        refit=choose,
        cv=make_folds(OPTIONS),
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return grid.fit(*loans)


class TestAgainstGridSearchCV:
    def test_the_same_candidate_is_chosen(self, ours: PathSearchCV, plain: GridSearchCV) -> None:
        assert ours.best_index_ == plain.best_index_
        assert repr(ours.best_params_) == repr(plain.best_params_)

    @pytest.mark.parametrize(
        ("score", "most"), [("f2", 0.002), ("roc_auc", 2e-4), ("log_loss", 2e-4)]
    )
    def test_scores_differ_by_no_more_than_single_precision_makes(
        self, ours: PathSearchCV, plain: GridSearchCV, score: str, most: float
    ) -> None:
        for figure in ("mean", "split0", "split2"):
            key = f"{figure}_test_{score}"
            np.testing.assert_allclose(ours.cv_results_[key], plain.cv_results_[key], atol=most)

    def test_the_results_have_all_its_keys(self, ours: PathSearchCV, plain: GridSearchCV) -> None:
        assert set(plain.cv_results_) <= set(ours.cv_results_)
        for key, column in plain.cv_results_.items():
            assert len(ours.cv_results_[key]) == len(column)
            assert type(ours.cv_results_[key]) is type(column)

    def test_ranks_are_its_ranks(self, ours: PathSearchCV, plain: GridSearchCV) -> None:
        best = np.argmax(ours.cv_results_["mean_test_roc_auc"])

        assert ours.cv_results_["rank_test_roc_auc"][best] == 1
        assert plain.cv_results_["rank_test_roc_auc"][best] == 1
        assert ours.cv_results_["rank_test_f2"].dtype == plain.cv_results_["rank_test_f2"].dtype

    def test_the_winner_fitted_on_all_loans_is_the_same_model(
        self, ours: PathSearchCV, plain: GridSearchCV, loans
    ) -> None:
        np.testing.assert_allclose(
            ours.predict_proba(loans[0]), plain.best_estimator_.predict_proba(loans[0]), rtol=1e-9
        )
        np.testing.assert_array_equal(ours.predict(loans[0]), plain.predict(loans[0]))
        assert list(ours.classes_) == [0, 1]


@pytest.mark.parametrize("model", ["lending", "application"])
def test_scikit_learn_s_own_solvers_choose_the_same(model: str, simulated_loans) -> None:
    from tools.benchmarks.bench_search import search_plainly

    options = OPTIONS.model_copy(update={"name": model, "inverse_penalties": (0.01, 1.0)})
    few = simulated_loans.head(LOANS)
    features = build_features(few, feature_names(options))

    plain = search_plainly(features, few["is_charged_off"], options)
    found = search(features, few["is_charged_off"], options)

    assert found.best.label == plain["chosen"]
    # About one loan in each fold: a solution within the search's tolerance may order two otherwise.
    np.testing.assert_allclose(found.candidates["mean_f2"], plain["f2"], atol=0.003)


def without_times(search: PathSearchCV) -> dict[str, Any]:
    return {
        key: column
        for key, column in search.cv_results_.items()
        if key not in TIMES and not key.startswith("param")
    }


def test_two_folds_at_a_time_give_the_same_numbers(ours: PathSearchCV, loans, candidates) -> None:
    both = make_search(candidates, n_jobs=2).fit(*loans)

    for key, column in without_times(ours).items():
        np.testing.assert_allclose(without_times(both)[key], column, rtol=1e-9, err_msg=key)
    assert both.best_index_ == ours.best_index_


def test_the_order_of_candidates_does_not_matter(ours: PathSearchCV, loans, candidates) -> None:
    turned = make_search(candidates[::-1]).fit(*loans)

    for key, column in without_times(ours).items():
        back = without_times(turned)[key][::-1]
        np.testing.assert_allclose(back, column, rtol=1e-9, err_msg=key)
    assert turned.best_index_ == len(candidates) - 1 - ours.best_index_


def test_a_tenth_of_the_loans_that_goes_ahead_changes_no_score(
    ours: PathSearchCV, loans, candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot, "_MIN_ROWS", 150)
    monkeypatch.setattr(pilot, "_MIN_COUNT", 20)
    drawn = []
    draw = pilot.Pilot.draw
    monkeypatch.setattr(pilot.Pilot, "draw", lambda *of: drawn.append(draw(*of)) or drawn[-1])

    piloted = make_search(candidates).fit(*loans)

    # Two for each of three folds: of the loans as they are, and as SMOTE leaves them.
    assert len(drawn) == 6
    assert all(isinstance(of, pilot.Pilot) for of in drawn)
    assert piloted.best_index_ == ours.best_index_
    for score, most in {"f2": 0.003, "roc_auc": 1e-4, "log_loss": 1e-4}.items():
        key = f"mean_test_{score}"
        np.testing.assert_allclose(piloted.cv_results_[key], ours.cv_results_[key], atol=most)
    iterations = "mean_iterations"
    assert (piloted.cv_results_[iterations] != ours.cv_results_[iterations]).any()


def test_times_are_measured_for_each_candidate(ours: PathSearchCV) -> None:
    assert (ours.cv_results_["mean_fit_time"] > 0).all()
    assert (ours.cv_results_["mean_score_time"] > 0).all()
    assert ours.refit_time_ > 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_up_to_every_fit(
    jobs: int, loans, candidates, caplog: pytest.LogCaptureFixture
) -> None:
    some = candidates[-6:]
    with caplog.at_level(logging.INFO, logger="loantap.progress"):
        make_search(some, n_jobs=jobs).fit(*loans)

    records = [r for r in caplog.records if r.name == "loantap.progress"]
    total = OPTIONS.folds * len(some)
    assert [record.done for record in records] == list(range(1, total + 1))
    assert {record.total for record in records} == {total}
    assert {r.getMessage().split(",")[0] for r in records} == {"fold 1", "fold 2", "fold 3"}
    assert any("plain L1 C=" in record.getMessage() for record in records)


class SpyingPreprocessor(TransformerMixin, BaseEstimator):
    """Passes features on, and remembers the rows it was fitted on."""

    fitted_on: ClassVar[list[list[int]]] = []

    def fit(self, X: pd.DataFrame, y: Any = None) -> SpyingPreprocessor:
        self.fitted_on.append(list(X.index))
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return X.to_numpy()


class SpyingSampler(SMOTE):
    """SMOTE that remembers how many loans it was given."""

    given: ClassVar[list[int]] = []

    def fit_resample(self, X: np.ndarray, y: np.ndarray, **params: Any) -> Any:
        self.given.append(len(X))
        return super().fit_resample(X, y, **params)


class TestWorkShared:
    FOLDS = StratifiedKFold(3)

    @pytest.fixture
    def made_up(self) -> tuple[pd.DataFrame, pd.Series]:
        rng = np.random.default_rng(1)
        features = pd.DataFrame(rng.normal(size=(300, 4)), index=range(1_000, 1_300))
        target = (features[0] + rng.normal(size=300) > 1).astype("int8")
        return features, target

    @pytest.fixture(autouse=True)
    def search_with_spies(self, made_up) -> PathSearchCV:
        SpyingPreprocessor.fitted_on.clear()
        SpyingSampler.given.clear()
        grid = [
            {"balance": balance, "classify": BoundedLogisticRegression(C=c, l1_ratio=l1_ratio)}
            for c in (1, 0.01)
            for balance in ("passthrough", SpyingSampler(random_state=1))
            for l1_ratio in (0, 1)
        ]
        steps = ("preprocess", SpyingPreprocessor()), ("balance", None), ("classify", None)
        return PathSearchCV(
            ResamplingPipeline(list(steps)),
            grid,
            scoring=score_on_fold,
            refit=lambda results: 0,
            cv=self.FOLDS,
        ).fit(*made_up)

    def test_preprocessing_is_fitted_once_per_fold_on_its_training_rows(self, made_up) -> None:
        inside = [list(made_up[0].index[rows]) for rows, _ in self.FOLDS.split(*made_up)]

        # The last time is for the winner, on all rows.
        assert SpyingPreprocessor.fitted_on == [*inside, list(made_up[0].index)]

    def test_resampling_is_done_once_per_fold(self) -> None:
        assert SpyingSampler.given == [200, 200, 200]


def test_a_fold_left_out_reaches_neither_preprocessing_nor_coefficients(loans, candidates) -> None:
    features, target = loans
    folds, some = PredefinedSplit(np.arange(LOANS) % 3), candidates[::6]
    left_out = folds.test_fold == 0
    turned = target.mask(left_out, 1 - target)
    numbers = features.select_dtypes("number").mask(pd.Series(left_out), 999.0)
    spoilt = numbers.assign(purpose=features["purpose"].mask(left_out, "never seen"))

    def fit(features: pd.DataFrame, target: pd.Series) -> list[np.ndarray]:
        coefficients = []

        def remember(model: BoundedLogisticRegression, *held_out: np.ndarray) -> dict[str, float]:
            coefficients.append(np.append(model.intercept_, model.coef_))
            return score_on_fold(model, *held_out)

        make_search(some, scoring=remember, cv=folds).fit(features, target)
        return coefficients

    before, after = fit(features, target), fit(spoilt, turned)

    np.testing.assert_allclose(after[: len(some)], before[: len(some)], rtol=1e-6, atol=1e-9)
    # The next fold has them in its training rows.
    assert not np.allclose(after[len(some)][:5], before[len(some)][:5], rtol=0.1)


def test_a_training_fold_of_one_outcome_is_refused(loans, candidates) -> None:
    features, target = loans
    folds = PredefinedSplit(np.where(target == 1, 0, np.arange(LOANS) % 2))

    with pytest.raises(ValueError, match="only one class is present"):
        make_search(candidates[-1:], cv=folds).fit(features, target)


def test_before_it_is_fitted_it_predicts_nothing(loans, candidates) -> None:
    with pytest.raises(NotFittedError):
        make_search(candidates).predict_proba(loans[0])
