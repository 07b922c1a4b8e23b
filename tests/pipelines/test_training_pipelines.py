"""`modeling`, `evaluation`, `insights` and `scoring`, one after the other on one portfolio."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from in_memory import Outputs, run
from matplotlib.figure import Figure

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model import schemas
from loantap.model.scorer import Scorer
from loantap.model.trained import TrainedModel
from loantap.policy import schemas as policy_schemas

PLOTS = ("roc_plot", "precision_recall_plot", "calibration_plot", "thresholds_plot")


@pytest.fixture(scope="module")
def modelled(engineered: Outputs, ingested: Outputs) -> Outputs:
    inputs = {name: engineered[name] for name in engineered if name.endswith("_input")}
    return run("modeling", {**inputs, "reconciliation": ingested["reconciliation"]})


@pytest.fixture(scope="module")
def evaluated(modelled: Outputs, engineered: Outputs, ingested: Outputs) -> Outputs:
    return run("evaluation", {**ingested, **engineered, **modelled})


@pytest.fixture(scope="module")
def insight(ingested: Outputs) -> Outputs:
    return run("insights", {name: ingested[name] for name in ("loans", "reconciliation")})


class TestModeling:
    @pytest.mark.parametrize("model", MODELS)
    def test_each_model_is_packaged_with_its_facts(self, modelled: Outputs, model: str) -> None:
        trained = modelled[f"{model}_model"]
        feature_set = FEATURE_SETS[MODELS[model]]

        assert isinstance(trained, TrainedModel)
        assert trained.facts.namespace == model
        assert trained.facts.feature_set == feature_set.name
        assert trained.facts.origin == "simulated"
        assert trained.facts.training_loans == 1_350
        assert trained.facts.not_for_lending == (MODELS[model] == "benchmark")
        assert trained.example.columns.tolist() == list(feature_set.features)

    @pytest.mark.parametrize("model", MODELS)
    def test_tables_are_what_their_schemas_say(self, modelled: Outputs, model: str) -> None:
        schemas.PREDICTIONS.validate(modelled[f"{model}_predictions"])
        schemas.CANDIDATES.validate(modelled[f"{model}.candidates"])
        schemas.COEFFICIENTS.validate(modelled[f"{model}.coefficients"])
        schemas.OUT_OF_FOLD.validate(modelled[f"{model}.out_of_fold"])

    @pytest.mark.parametrize("model", MODELS)
    def test_every_candidate_of_the_grid_is_reported(self, modelled: Outputs, model: str) -> None:
        candidates = modelled[f"{model}.candidates"]

        assert len(candidates) == 2
        assert candidates["chosen"].sum() == 1

    @pytest.mark.parametrize("model", MODELS)
    def test_test_loans_are_predicted_by_the_model_that_is_packaged(
        self, modelled: Outputs, engineered: Outputs, model: str
    ) -> None:
        table = engineered[f"{MODELS[model]}_input"]
        test = table[table["split"] == "test"]
        pipeline = modelled[f"{model}_model"].pipeline
        predictions = modelled[f"{model}_predictions"].query("sample == 'test'")

        expected = pipeline.predict_proba(test[list(FEATURE_SETS[MODELS[model]].features)])[:, 1]
        assert predictions["loan_id"].tolist() == test["loan_id"].tolist()
        assert predictions["probability_of_default"].tolist() == pytest.approx(
            expected.tolist(), rel=1e-12
        )

    def test_the_replica_keeps_its_published_threshold(self, modelled: Outputs) -> None:
        assert modelled["published_replica_model"].facts.threshold == 0.45
        assert set(modelled["published_replica_predictions"]["threshold"]) == {0.45}

    def test_the_outcome_of_test_loans_does_not_reach_the_model(
        self, modelled: Outputs, engineered: Outputs, ingested: Outputs
    ) -> None:
        def flip(table: pd.DataFrame) -> pd.DataFrame:
            held_out = table["split"] == "test"
            flipped = (1 - table["is_charged_off"]).astype("int8")
            return table.assign(is_charged_off=table["is_charged_off"].mask(held_out, flipped))

        inputs = {
            name: flip(table) for name, table in engineered.items() if name.endswith("_input")
        }
        other = run("modeling", {**inputs, "reconciliation": ingested["reconciliation"]})

        for model in MODELS:
            assert other[f"{model}_model"].facts == modelled[f"{model}_model"].facts
            pd.testing.assert_frame_equal(
                other[f"{model}.coefficients"], modelled[f"{model}.coefficients"]
            )


class TestEvaluation:
    def test_one_file_collects_every_model(self, evaluated: Outputs) -> None:
        metrics = evaluated["metrics"]

        assert list(metrics) == [*MODELS, "origin"]
        for model in MODELS:
            assert metrics[model] == evaluated[f"{model}_metrics"]
            assert set(metrics[model]) == {"cv", "test", "out_of_time"}

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("plot", PLOTS)
    def test_each_plot_is_a_figure(self, evaluated: Outputs, model: str, plot: str) -> None:
        assert isinstance(evaluated[f"{model}.{plot}"], Figure)

    @pytest.mark.parametrize("model", MODELS)
    def test_curves_are_what_their_schemas_say(self, evaluated: Outputs, model: str) -> None:
        schemas.CURVE_ROC.validate(evaluated[f"{model}.roc_curve"])
        schemas.CURVE_PRECISION_RECALL.validate(evaluated[f"{model}.precision_recall_curve"])
        schemas.RELIABILITY.validate(evaluated[f"{model}.reliability"])
        schemas.THRESHOLDS.validate(evaluated[f"{model}.thresholds"])

    def test_the_card_speaks_of_every_model_and_of_the_policy(self, evaluated: Outputs) -> None:
        card = evaluated["model_card"]

        for word in (*MODELS, "pincode", "refer", "simulated", "not for lending"):
            assert word.lower() in card.lower()


class TestInsights:
    def test_segments_are_what_their_schema_says(self, insight: Outputs) -> None:
        policy_schemas.SEGMENTS.validate(insight["segments"])

    def test_segments_add_up_to_the_portfolio(self, insight: Outputs, ingested: Outputs) -> None:
        totals = insight["segments"].groupby("segmentation")[["loans", "charged_off"]].sum()

        assert set(totals["loans"]) == {len(ingested["loans"])}
        assert set(totals["charged_off"]) == {ingested["loans"]["is_charged_off"].sum()}

    def test_every_segmentation_asked_for_is_there(self, insight: Outputs) -> None:
        segmentations = " ".join(insight["segments"]["segmentation"].unique()).lower()

        for asked in (
            "grade", "term", "purpose", "home", "income", "dti", "utilisation", "amount",
            "profession", "pincode",
        ):  # fmt: skip
            assert asked in segmentations

    @pytest.mark.parametrize("page", ["insights", "eda"])
    def test_each_page_is_html(self, insight: Outputs, page: str) -> None:
        assert "<html" in insight[page].lower()[:2_000]


class TestScoring:
    @pytest.fixture
    def scores(self, modelled: Outputs, csv: pd.DataFrame) -> Any:
        def score(applications: pd.DataFrame, model: str = "lending") -> pd.DataFrame:
            scorer = Scorer(modelled[f"{model}_model"], f"loantap-{model}-demo", "1")
            made = run("scoring", {"applications": applications, "lending_model": scorer})
            scored: pd.DataFrame = policy_schemas.SCORES.validate(made["scores"])
            return scored

        return score

    def test_one_row_for_each_application(self, scores: Any, csv: pd.DataFrame) -> None:
        scored = scores(csv.head(20).drop(columns="loan_status"))

        assert scored["application_id"].tolist() == [str(number) for number in range(20)]
        assert set(scored["decision"]) <= {"approve", "refer"}
        assert set(scored["model_version"]) == {"1"}

    def test_an_applicant_without_a_grade_is_scored_by_the_model_that_needs_none(
        self, scores: Any, csv: pd.DataFrame
    ) -> None:
        ungraded = csv.head(20).drop(
            columns=["loan_status", "grade", "sub_grade", "int_rate", "installment"]
        )

        assert scores(ungraded, "application")["probability_of_default"].notna().all()
