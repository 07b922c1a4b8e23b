"""Wiring of the `modeling` pipeline."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import MODELS
from loantap.pipelines.modeling import nodes

_OPTIONS = "params:modeling"
_EVALUATION = "params:evaluation"
_SHARED = ("leakage_report", "labelled_loans", "reconciliation", "target")


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
                nodes.assemble_model,
                ["model_input", "contest", "reconciliation", "target", _OPTIONS],
                "trained",
                name="assemble_model",
            ),
            Node(
                nodes.judge_promotion,
                ["model_input", "contest", "trained", "leakage_report", "champions", "target", _OPTIONS],
                ["verdicts", "promotion"],
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
                ["model_input", "labelled_loans", "trained", "predictions", "training_report", "verdicts"],
                "model@release",
                name="package_model",
            ),
        ]
    )


def create_pipeline() -> Pipeline:
    """The template for each model, with parameters of its own."""
    inputs = (*_SHARED, *(f"{feature_set}_input" for feature_set in MODELS.values()))
    return Pipeline(
        [_instantiate(*model) for model in MODELS.items()],
        namespace="modeling",
        inputs=set(inputs),
        outputs={f"{model}_model" for model in MODELS},
        parameters={_EVALUATION, *(f"{_OPTIONS}.{model}" for model in MODELS)},
        prefix_datasets_with_namespace=True,
        tags="modeling",
    )


def _instantiate(model: str, feature_set: str) -> Pipeline:
    shared = {name: name for name in (*_SHARED, "champions")}
    return Pipeline(
        create_template(),
        namespace=model,
        inputs=shared | {"model_input": f"{feature_set}_input"},
        outputs={"model": f"{model}_model"},
        parameters={_OPTIONS: f"{_OPTIONS}.{model}", _EVALUATION: _EVALUATION},
        prefix_datasets_with_namespace=True,
    )
