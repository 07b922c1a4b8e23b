"""Wiring of the `evaluation` pipeline: metrics and plots per model, then the model card."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import MODELS
from loantap.pipelines.evaluation import nodes

_CURVES = ["roc_curve", "precision_recall_curve", "reliability", "thresholds"]
_PLOTS = ["roc_plot", "precision_recall_plot", "calibration_plot", "thresholds_plot"]


def create_template() -> Pipeline:
    """What is measured and drawn for every model."""
    return Pipeline(
        [
            Node(
                nodes.evaluate_samples,
                ["predictions", "params:evaluation"],
                "metrics",
                name="evaluate_samples",
            ),
            Node(
                nodes.trace_curves,
                ["predictions", "params:evaluation"],
                _CURVES,
                name="trace_curves",
            ),
            Node(
                nodes.plot_curves,
                [*_CURVES, "metrics", "reconciliation", "params:modeling"],
                _PLOTS,
                name="plot_curves",
            ),
            Node(
                nodes.describe_model,
                [
                    "metrics",
                    "candidates",
                    "coefficients",
                    *_CURVES,
                    "reconciliation",
                    "params:modeling",
                ],
                "section",
                name="describe_model",
            ),
        ]
    )


def create_pipeline() -> Pipeline:
    """The template for each model, then all of them in one file and one page."""
    instances = [
        Pipeline(
            create_template(),
            namespace=model,
            inputs={"reconciliation": "reconciliation", "predictions": f"{model}_predictions"},
            outputs={name: f"{model}_{name}" for name in ("metrics", "section")},
            parameters={
                "params:evaluation": "params:evaluation",
                "params:modeling": f"params:modeling.{model}",
            },
            prefix_datasets_with_namespace=True,
        )
        for model in MODELS
    ]
    together = Pipeline(
        [
            Node(
                nodes.collect_metrics,
                {"reconciliation": "reconciliation"} | {m: f"{m}_metrics" for m in MODELS},
                "metrics",
                name="collect_metrics",
            ),
            Node(
                nodes.render_model_card,
                {
                    "loans": "loans",
                    "reconciliation": "reconciliation",
                    "leakage_report": "leakage_report",
                    "predictions": "lending_predictions",
                    "scoring": "params:scoring",
                    "evaluation": "params:evaluation",
                }
                | {m: f"{m}_section" for m in MODELS},
                "model_card",
                name="render_model_card",
            ),
        ]
    )
    return Pipeline([*instances, together], tags="evaluation")
