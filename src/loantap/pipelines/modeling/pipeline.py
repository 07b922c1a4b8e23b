"""Wiring of the `modeling` pipeline: one template, instantiated per model."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import DECIDES, MODELS
from loantap.pipelines.modeling import nodes

_OPTIONS = "params:modeling"
_EVALUATION = "params:evaluation"


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
                nodes.report_calibration,
                ["out_of_fold", _OPTIONS, _EVALUATION],
                "calibration_report",
                name="report_calibration",
            ),
            Node(
                nodes.report_training,
                ["candidates", "coefficients", "calibration_report", "promotion"],
                "training_report",
                name="report_training",
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
    return sum((_instantiate(*model) for model in MODELS.items()), Pipeline([], tags="modeling"))


def _instantiate(model: str, feature_set: str) -> Pipeline:
    shared = ("leakage_report", "loans", "reconciliation")
    # What other pipelines read lies outside of the namespace, so its name has no dot.
    read_elsewhere = ["predictions", "judged", "training_report"]
    if model == DECIDES:
        read_elsewhere.append("model")
    return Pipeline(
        create_template(),
        namespace=f"modeling.{model}",
        inputs={name: name for name in shared} | {"model_input": f"{feature_set}_input"},
        outputs={name: f"{model}_{name}" for name in read_elsewhere},
        parameters={_OPTIONS: f"params:modeling.{model}", _EVALUATION: _EVALUATION},
        prefix_datasets_with_namespace=True,
        tags="modeling",
    )
