"""Wiring of the `modeling` pipeline: one template, instantiated per model."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import MODELS
from loantap.pipelines.modeling.nodes import (
    package_model,
    predict_out_of_fold,
    predict_samples,
    search_hyperparameters,
)


def create_template() -> Pipeline:
    """Search, cross-validate, package, predict: what is done for every model."""
    return Pipeline(
        [
            Node(
                search_hyperparameters,
                ["model_input", "params:modeling"],
                ["search_outcome", "candidates"],
                name="search_hyperparameters",
            ),
            Node(
                predict_out_of_fold,
                ["model_input", "search_outcome", "params:modeling"],
                "out_of_fold",
                name="predict_out_of_fold",
            ),
            Node(
                package_model,
                [
                    "model_input",
                    "search_outcome",
                    "out_of_fold",
                    "reconciliation",
                    "params:modeling",
                ],
                ["model", "coefficients"],
                name="package_model",
            ),
            Node(
                predict_samples,
                ["model_input", "search_outcome", "out_of_fold", "params:modeling"],
                "predictions",
                name="predict_samples",
            ),
        ]
    )


def create_pipeline() -> Pipeline:
    """The template for each model, with parameters of its own."""
    instances = [
        Pipeline(
            create_template(),
            namespace=model,
            inputs={"model_input": f"{feature_set}_input", "reconciliation": "reconciliation"},
            # What other pipelines read has names without a dot: plain nodes may not use one.
            outputs={name: f"{model}_{name}" for name in ("predictions", "model")},
            parameters={"params:modeling": f"params:modeling.{model}"},
            prefix_datasets_with_namespace=True,
        )
        for model, feature_set in MODELS.items()
    ]
    return Pipeline(instances, tags="modeling")
