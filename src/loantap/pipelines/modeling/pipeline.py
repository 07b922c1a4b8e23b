"""Wiring of the `modeling` pipeline: one template, instantiated per model."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import MODELS
from loantap.pipelines.modeling import nodes

_OPTIONS = "params:modeling"


def create_template() -> Pipeline:
    """Search, cross-validate, calibrate, predict, challenge, judge, package: for every model."""
    return Pipeline(
        [
            Node(
                nodes.search_hyperparameters,
                ["model_input", _OPTIONS],
                ["search_outcome", "candidates"],
                name="search_hyperparameters",
            ),
            Node(
                nodes.predict_out_of_fold,
                ["model_input", "search_outcome", _OPTIONS],
                "out_of_fold",
                name="predict_out_of_fold",
            ),
            Node(
                nodes.calibrate_model,
                ["search_outcome", "out_of_fold", _OPTIONS],
                ["logistic", "coefficients"],
                name="calibrate_model",
            ),
            Node(
                nodes.predict_samples,
                ["model_input", "logistic", _OPTIONS],
                "logistic_predictions",
                name="predict_samples",
            ),
            Node(
                nodes.challenge_model,
                ["model_input", "logistic", "logistic_predictions", "leakage_report", _OPTIONS],
                ["contest", "predictions"],
                name="challenge_model",
            ),
            Node(
                nodes.judge_promotion,
                [
                    "model_input",
                    "contest",
                    "leakage_report",
                    "champions",
                    "reconciliation",
                    _OPTIONS,
                ],
                ["verdict", "promotion"],
                name="judge_promotion",
            ),
            Node(
                nodes.package_model,
                ["model_input", "loans", "contest", "verdict", "reconciliation", _OPTIONS],
                ["model", "judged"],
                name="package_model",
            ),
        ]
    )


def create_pipeline() -> Pipeline:
    """The template for each model, with parameters of its own."""
    instances = [
        Pipeline(
            create_template(),
            namespace=model,
            inputs={
                "model_input": f"{feature_set}_input",
                "leakage_report": "leakage_report",
                "loans": "loans",
                "reconciliation": "reconciliation",
                "champions": f"{model}_champions",
            },
            # What other pipelines read has names without a dot: plain nodes may not use one.
            outputs={
                name: f"{model}_{name}" for name in ("predictions", "model", "judged", "promotion")
            },
            parameters={_OPTIONS: f"params:modeling.{model}"},
            prefix_datasets_with_namespace=True,
        )
        for model, feature_set in MODELS.items()
    ]
    return Pipeline(instances, tags="modeling")
