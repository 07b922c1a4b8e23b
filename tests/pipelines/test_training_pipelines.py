"""`modeling`, `evaluation`, `insights` and `scoring`, one after the other on one portfolio."""

import json
from functools import partial
from html import unescape

import pandas as pd
import pytest
from matplotlib.figure import Figure

from loantap.datasets import BatchedDataset
from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model import schemas
from loantap.model.promotion.digest import digest_model
from loantap.model.promotion.release import Champion, Release
from loantap.model.scoring.judged import JudgedModel
from loantap.model.scoring.scorer import Scorer
from loantap.model.scoring.trained import TrainedModel
from loantap.pipelines.modeling.nodes import judge_promotion
from loantap.policy import schemas as policy_schemas
from loantap.policy.comparison import schemas as comparison_schemas
from loantap.policy.offers import schemas as offer_schemas
from tests.pipelines.in_memory import FramesOf, load_options, run

PLOTS = (
    "roc_plot", "precision_recall_plot", "calibration_plot", "before_and_after_plot",
    "thresholds_plot",
)  # fmt: skip


def modeling_inputs(engineered, ingested, champions=None):
    """What `modeling` is given; without champions nothing is registered yet."""
    tables = {name: engineered[name] for name in engineered if name.endswith("_input")}
    return {
        **tables,
        "leakage_report": engineered["leakage_report"],
        "loans": ingested["loans"],
        "reconciliation": ingested["reconciliation"],
        "modeling.champions": {
            model: partial(lambda found: found, (champions or {}).get(model, {}))
            for model in MODELS
        },
    }


def load_registered(modelled):
    """The outputs of `modeling`, as the registry gives models back to scoring and evaluation."""
    scorers = {
        model: Scorer(modelled[f"{model}_model@release"].trained, f"loantap-{model}-demo", "1")
        for model in ("lending", "application")
    }
    judged = {
        f"{model}_model@judged": JudgedModel(
            f"loantap-{model}-demo",
            "1",
            is_new=True,
            champion="",
            predictions=modelled[f"modeling.{model}.predictions"],
            training_report=modelled[f"modeling.{model}.training_report"],
            scorer=scorers.get(model),
            training=modelled[f"{model}_model@release"].training,
        )
        for model in MODELS
    }
    return judged | {f"{model}_model@champion": one for model, one in scorers.items()}


@pytest.fixture(scope="module")
def modelled(engineered, ingested):
    return run("modeling", modeling_inputs(engineered, ingested))


@pytest.fixture(scope="module")
def evaluated(modelled, engineered, ingested):
    registered = load_registered(modelled)
    return run(
        "evaluation", {**ingested, **engineered, **registered, "evaluation.external_loans": None}
    )


@pytest.fixture(scope="module")
def insight(modelled, engineered, ingested):
    return run("insights", {**ingested, **engineered, **load_registered(modelled)})


class TestModeling:
    @pytest.mark.parametrize("model", MODELS)
    def test_each_model_is_packaged_with_its_facts(self, modelled, model):
        trained = modelled[f"{model}_model@release"].trained
        feature_set = FEATURE_SETS[MODELS[model]]

        assert isinstance(trained, TrainedModel)
        assert trained.facts.namespace == model
        assert trained.facts.feature_set == feature_set.name
        assert trained.facts.origin == "simulated"
        assert trained.facts.training_loans == 1_350
        assert trained.facts.not_for_lending == (MODELS[model] == "benchmark")
        assert trained.example.columns.tolist() == list(feature_set.features)

    @pytest.mark.parametrize("model", MODELS)
    def test_tables_are_what_their_schemas_say(self, modelled, model):
        schemas.PREDICTIONS.validate(modelled[f"modeling.{model}.predictions"])
        schemas.CANDIDATES.validate(modelled[f"modeling.{model}.candidates"])
        schemas.COEFFICIENTS.validate(modelled[f"modeling.{model}.coefficients"])
        schemas.OUT_OF_FOLD.validate(modelled[f"modeling.{model}.out_of_fold"])

    @pytest.mark.parametrize("model", MODELS)
    def test_every_candidate_of_the_grid_is_reported(self, modelled, model):
        candidates = modelled[f"modeling.{model}.candidates"]

        assert len(candidates) == 2
        assert candidates["chosen"].sum() == 1

    @pytest.mark.parametrize("model", MODELS)
    def test_test_loans_are_predicted_by_the_model_that_is_packaged(
        self, modelled, engineered, model
    ):
        table = engineered[f"{MODELS[model]}_input"]
        test = table[table["split"] == "test"]
        pipeline = modelled[f"{model}_model@release"].trained.pipeline
        predictions = modelled[f"modeling.{model}.predictions"].query("sample == 'test'")

        expected = pipeline.predict_proba(test[list(FEATURE_SETS[MODELS[model]].features)])[:, 1]
        assert predictions["loan_id"].tolist() == test["loan_id"].tolist()
        assert predictions["probability_of_default"].tolist() == pytest.approx(
            expected.tolist(), rel=1e-12
        )

    def test_the_replica_keeps_its_published_threshold(self, modelled):
        assert modelled["published_replica_model@release"].trained.facts.threshold == 0.45
        assert set(modelled["modeling.published_replica.predictions"]["threshold"]) == {0.45}

    def test_the_outcome_of_test_loans_does_not_reach_the_model(
        self, modelled, engineered, ingested
    ):
        def flip(table):
            held_out = table["split"] == "test"
            flipped = (1 - table["is_charged_off"]).astype("int8")
            return table.assign(is_charged_off=table["is_charged_off"].mask(held_out, flipped))

        inputs = {
            name: flip(table) if name.endswith("_input") else table
            for name, table in modeling_inputs(engineered, ingested).items()
        }
        other = run("modeling", inputs)

        for model in MODELS:
            found, expected = (made[f"modeling.{model}.logistic"] for made in (other, modelled))
            assert found.hyperparameters == expected.hyperparameters
            assert found.threshold == pytest.approx(expected.threshold)
            pd.testing.assert_frame_equal(
                other[f"modeling.{model}.coefficients"], modelled[f"modeling.{model}.coefficients"]
            )
        for model in ("lending", "application"):
            # Nor do they choose between the logistic regression and its challenger.
            evidence = [
                [
                    c["evidence"]
                    for c in made[f"modeling.{model}.promotion"]["challenger"]["conditions"][:-1]
                ]
                for made in (other, modelled)
            ]
            assert evidence[0] == evidence[1]


class TestPromotion:
    def test_the_first_models_for_lending_are_promoted_where_they_meet_the_conditions(
        self, modelled
    ):
        for model in ("lending", "application"):
            verdict = modelled[f"modeling.{model}.promotion"]["champion"]

            assert verdict["incumbent"] == ""
            assert verdict["promoted"] == all(c["holds"] for c in verdict["conditions"])
            assert [c["name"] for c in verdict["conditions"]] == [
                "enough charge-offs", "leakage gate", "calibrated",
            ]  # fmt: skip

    @pytest.mark.parametrize("model", MODELS)
    def test_promotion_json_says_who_was_judged_against_whom_and_by_what(self, modelled, model):
        promotion = json.loads(json.dumps(modelled[f"modeling.{model}.promotion"]))

        is_challenged = model in {"lending", "application"}
        assert set(promotion) == {"challenger", "champion"}
        assert (promotion["challenger"] is not None) == is_challenged
        for verdict in filter(None, promotion.values()):
            assert set(verdict) == {
                "candidate", "incumbent", "promoted", "conditions", "headline",
            }  # fmt: skip
            for condition in verdict["conditions"]:
                assert set(condition) == {"name", "holds", "evidence"}
        if is_challenged:
            names = (promotion["challenger"]["candidate"], promotion["challenger"]["incumbent"])
            assert names == ("boosting", "logistic")

    @pytest.mark.parametrize("model", MODELS)
    def test_a_release_carries_the_predictions_and_verdicts_that_it_was_judged_by(
        self, modelled, model
    ):
        release, promotion = (
            modelled[f"{model}_model@release"],
            modelled[f"modeling.{model}.promotion"],
        )

        assert isinstance(release, Release)
        assert release.predictions is modelled[f"modeling.{model}.predictions"]
        assert release.verdicts[-1].as_dict() == promotion["champion"]
        assert len(release.verdicts) == 1 + (promotion["challenger"] is not None)
        won = promotion["challenger"] and promotion["challenger"]["promoted"]
        assert release.trained.facts.kind == ("boosting" if won else "logistic")

    def test_the_same_loans_again_do_not_move_the_champion_of_their_origin(
        self, modelled, engineered, ingested
    ):
        # Of the other models as an earlier release left them, without a digest.
        digests = {
            model: digest_model(
                modelled[f"{model}_model@release"].trained,
                modelled[f"modeling.{model}.predictions"],
            )
            for model in ("lending", "benchmark")
        }
        champion = {
            model: {
                "simulated": Champion(
                    f"loantap-{model}-demo 1",
                    modelled[f"{model}_model@release"].trained,
                    modelled[f"modeling.{model}.predictions"],
                    digests.get(model, ""),
                )
            }
            for model in MODELS
        }

        again = run("modeling", modeling_inputs(engineered, ingested, champion))

        for model in MODELS:
            verdict = again[f"modeling.{model}.promotion"]["champion"]
            failed = {c["name"] for c in verdict["conditions"] if not c["holds"]}
            assert verdict["incumbent"] == f"loantap-{model}-demo 1"
            assert not verdict["promoted"]
            same = model in digests
            assert failed >= ({"a new model"} if same else {"better log-loss", "better AUC"})
            assert ("same data, same model as" in str(verdict)) is same

    def test_a_champion_of_another_origin_is_no_rival(self, modelled, engineered, ingested):
        model = modelled["lending_model@release"]
        real = {
            "lending": {"real": Champion("loantap-lending 7", model.trained, model.predictions)}
        }
        inputs = modeling_inputs(engineered, ingested, real)

        verdicts, _ = judge_promotion(
            inputs["lending_input"],
            modelled["modeling.lending.contest"],
            modelled["modeling.lending.trained"],
            inputs["leakage_report"],
            inputs["modeling.champions"],
            load_options()["params:modeling.lending"],
        )

        assert verdicts[-1].incumbent == ""


class TestEvaluation:
    def test_one_file_collects_every_model(self, evaluated):
        metrics = evaluated["evaluation.metrics"]

        assert list(metrics) == [*MODELS, "origin"]
        for model in MODELS:
            assert metrics[model] == evaluated[f"evaluation.{model}_metrics"]
            assert set(metrics[model]) == {"cv", "test", "out_of_time"}

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("plot", PLOTS)
    def test_each_plot_is_a_figure(self, evaluated, model, plot):
        assert isinstance(evaluated[f"evaluation.{model}.{plot}"], Figure)

    @pytest.mark.parametrize("model", MODELS)
    def test_curves_are_what_their_schemas_say(self, evaluated, model):
        schemas.CURVE_ROC.validate(evaluated[f"evaluation.{model}.roc_curve"])
        schemas.CURVE_PRECISION_RECALL.validate(
            evaluated[f"evaluation.{model}.precision_recall_curve"]
        )
        schemas.RELIABILITY.validate(evaluated[f"evaluation.{model}.reliability"])
        schemas.THRESHOLDS.validate(evaluated[f"evaluation.{model}.thresholds"])

    @pytest.mark.parametrize("model", ["lending", "application"])
    def test_what_is_judged_out_of_time_is_reported_by_origin(self, evaluated, engineered, model):
        report = evaluated["evaluation.vintage_analysis"]["models"][model]["rolling_origin"]
        judged = engineered["splits"]["judged_at"].dropna()

        assert report["pooled"]["n"] == len(judged) > 0
        by_origin = {row["origin"]: row["n"] for row in report["origins"] if not row["skipped"]}
        assert by_origin == judged.dt.strftime("%Y-%m").value_counts().to_dict()
        pooled = evaluated["evaluation.metrics"][model]["out_of_time"]
        for figure in ("n", "default_rate", "roc_auc", "ece"):
            assert report["pooled"][figure] == pooled[figure]

    def test_models_that_are_not_lent_on_are_left_out_of_vintages(self, evaluated):
        assert set(evaluated["evaluation.vintage_analysis"]["models"]) == {"lending", "application"}

    def test_the_card_shows_vintages_and_no_external_sample(self, evaluated):
        card = evaluated["model_card"]

        assert 'id="out-of-time"' in card
        assert "resolved only" in card
        assert 'id="external"' not in card
        assert "<strong>External sample:</strong> not measured" in card
        assert isinstance(evaluated["evaluation.lending_vintage_plot"], Figure)

    @pytest.mark.parametrize("audit", ["evaluation.fairness", "evaluation.stability"])
    def test_audits_are_of_the_models_that_are_lent_on(self, evaluated, audit):
        assert set(evaluated[audit]["models"]) == {"lending", "application"}
        assert evaluated[audit]["origin"] == "simulated"

    @pytest.mark.parametrize("model", ["lending", "application"])
    def test_the_scorecard_is_that_of_the_model_registered(self, evaluated, model):
        report = evaluated[f"evaluation.{model}.scorecard_report"]

        schemas.SCORECARD.validate(evaluated[f"evaluation.{model}.scorecard"])
        assert (report["model_name"], report["model_version"]) == (f"loantap-{model}-demo", "1")
        assert report["n"] == evaluated["evaluation.metrics"][model]["cv"]["n"]

    def test_the_card_tells_the_headline_of_each_verdict(self, evaluated, modelled):
        for model in ("lending", "application"):
            headline = modelled[f"modeling.{model}.promotion"]["champion"]["headline"]
            assert headline[1:] in evaluated["model_card"]

    @pytest.mark.parametrize("model", ["lending", "application"])
    def test_the_card_begins_with_a_verdict_on_each_model_for_lending(self, evaluated, model):
        card = evaluated["model_card"]
        said = card[card.index(f'id="verdict-{model}"') :]

        assert card.index(f'id="verdict-{model}"') < card.index("<nav")
        assert f"loantap-{model}-demo version 1." in said[: said.index("</article>")]
        assert "simulated data" in said[: said.index("</article>")]

    def test_the_card_speaks_of_every_model_and_of_the_policy(self, evaluated):
        card = evaluated["model_card"]

        for word in (*MODELS, "pincode", "refer", "simulated", "not for lending"):
            assert word.lower() in card.lower()


class TestInsights:
    def test_segments_add_up_to_the_portfolio(self, insight, ingested):
        totals = (
            insight["insights.findings"].groupby("segmentation")[["loans", "charged_off"]].sum()
        )

        assert set(totals["loans"]) == {len(ingested["loans"])}
        assert set(totals["charged_off"]) == {ingested["loans"]["is_charged_off"].sum()}

    def test_every_segmentation_asked_for_is_there(self, insight):
        segmentations = " ".join(insight["insights.findings"]["segmentation"].unique()).lower()

        for asked in (
            "grade", "term", "purpose", "home", "income", "dti", "utilisation", "amount",
            "profession", "pincode",
        ):  # fmt: skip
            assert asked in segmentations

    def test_the_summary_opens_the_page(self, insight):
        summary, page = insight["insights.summary"], unescape(insight["insights.insights_page"])

        assert (len(summary["findings"]), len(summary["actions"])) == (5, 3)
        for said in (*summary["findings"], *summary["actions"]):
            assert said["n"] > 0
            assert said["title"] in page

    def test_policies_are_compared_on_the_loans_that_the_model_was_judged_on(
        self, insight, modelled
    ):
        judged = modelled["modeling.lending.predictions"]
        approvals = insight["insights.approvals"]

        comparison_schemas.APPROVALS.validate(approvals)
        comparison_schemas.POLICY_COMPARISON.validate(insight["insights.policy_comparison"])
        comparison_schemas.FRONTIER.validate(insight["insights.frontier"])
        assert approvals["loan_id"].tolist() == judged["loan_id"].tolist()
        assert approvals["f2_threshold"].tolist() == (~judged["declined"]).tolist()

    def test_the_policy_is_held_against_its_targets_on_the_loans_of_the_cross_validation(
        self, insight, modelled
    ):
        judged = modelled["modeling.lending.predictions"]

        checks = policy_schemas.TARGET_CHECKS.validate(insight["insights.target_checks"])

        n = checks.set_index("target")["n"]
        assert n["review_capacity"] == n["min_approval_rate"] == judged["sample"].eq("cv").sum()
        assert 0 < n["max_default_rate"] < n["review_capacity"]

    def test_products_are_those_of_the_loans_that_the_application_model_was_judged_on(
        self, insight, modelled
    ):
        judged = modelled["modeling.application.predictions"]
        n = (judged["sample"] != "out_of_time").sum()

        products = offer_schemas.PRODUCTS.validate(insight["insights.products"])
        regions = offer_schemas.CONCENTRATION.validate(insight["insights.concentration"])
        offer_schemas.COUNTERFACTUALS.validate(insight["insights.counterfactuals"])
        assert set(products.groupby("segmentation")["n"].sum()) == {n}
        assert set(regions.loc[regions["region"] == "all regions", "n"]) == {n}

    @pytest.mark.parametrize("page", ["insights.insights_page", "insights.eda_page"])
    def test_each_page_is_html(self, insight, page):
        assert "<html" in insight[page].lower()[:2_000]


class TestScoring:
    @pytest.fixture
    def scores(self, modelled, tmp_path):
        def score(applications, model="lending"):
            scorer = load_registered(modelled)[f"{model}_model@champion"]
            inputs = {
                "applications": FramesOf(applications, 8),
                "lending_model@champion": scorer,
                "recommendations": None,
            }
            file = {"type": "pandas.ParquetDataset", "filepath": str(tmp_path / "scores.parquet")}
            kept = BatchedDataset(dataset=file, in_batches=True)
            run("scoring", inputs, {"scores": kept})
            return policy_schemas.SCORES.validate(pd.read_parquet(kept.current))

        return score

    def test_one_row_for_each_application(self, scores, csv):
        scored = scores(csv.head(20).drop(columns="loan_status"))

        assert scored["application_id"].tolist() == [str(number) for number in range(20)]
        assert set(scored["decision"]) <= {"approve", "refer", "decline"}
        assert set(scored["policy_version"]) == {"npv 2026-11"}
        assert set(scored["model_version"]) == {"1"}

    def test_an_applicant_without_a_grade_is_scored_by_the_model_that_needs_none(self, scores, csv):
        ungraded = csv.head(20).drop(
            columns=["loan_status", "grade", "sub_grade", "int_rate", "installment"]
        )

        scored = scores(ungraded, "application")

        assert scored["probability_of_default"].notna().all()
        # Without a rate there is nothing to value the loan by.
        assert set(scored["decision"]) == {"refer"}
        assert scored["expected_npv"].isna().all()
