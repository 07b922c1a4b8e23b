"""Wiring of the `evaluation` pipeline: metrics and plots per model, then the model card."""

from kedro.pipeline import Node, Pipeline

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.pipelines.evaluation import audit_nodes, nodes

_CURVES = ["roc_curve", "precision_recall_curve", "reliability", "thresholds"]
_LENT_ON = [model for model, name in MODELS.items() if FEATURE_SETS[name].for_lending]
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
                audit_nodes.report_calibration,
                ["out_of_fold", "params:modeling", "params:evaluation"],
                "calibration_report",
                name="report_calibration",
            ),
            Node(
                nodes.plot_before_and_after,
                ["calibration_report", "reconciliation", "params:modeling"],
                "before_and_after_plot",
                name="plot_before_and_after",
            ),
            Node(
                audit_nodes.report_thresholds,
                ["thresholds", "metrics"],
                "threshold_report",
                name="report_thresholds",
            ),
            Node(
                nodes.describe_model,
                [
                    "metrics",
                    "candidates",
                    "coefficients",
                    *_CURVES,
                    "calibration_report",
                    "threshold_report",
                    "promotion",
                    "judged",
                    "reconciliation",
                    "params:modeling",
                ],
                "section",
                name="describe_model",
            ),
        ]
    )


def create_audit_template() -> Pipeline:
    """What is asked besides of every model that may be lent on: points, groups, steadiness."""
    return Pipeline(
        [
            Node(
                audit_nodes.tabulate_scorecard,
                ["judged", "predictions", "loans"],
                "scorecard",
                name="tabulate_scorecard",
            ),
            Node(
                audit_nodes.report_scorecard,
                ["judged", "scorecard", "predictions", "loans", "params:evaluation"],
                "scorecard_report",
                name="report_scorecard",
            ),
            Node(
                audit_nodes.audit_fairness,
                ["predictions", "loans", "params:scoring", "params:evaluation"],
                "fairness",
                name="audit_fairness",
            ),
            Node(
                audit_nodes.measure_stability,
                ["predictions", "loans", "params:evaluation"],
                "stability",
                name="measure_stability",
            ),
        ]
    )


def _create_audits() -> list[Pipeline]:
    outputs = ("scorecard", "scorecard_report", "fairness", "stability")
    return [
        Pipeline(
            create_audit_template(),
            namespace=model,
            inputs={"loans": "loans"} | {n: f"{model}_{n}" for n in ("predictions", "judged")},
            outputs={name: f"{model}_{name}" for name in outputs},
            parameters={name: name for name in ("params:scoring", "params:evaluation")},
            prefix_datasets_with_namespace=True,
        )
        for model in _LENT_ON
    ]


def create_ageing_template() -> Pipeline:
    """What is measured over time for every model that may be lent on."""
    return Pipeline(
        [
            Node(
                nodes.measure_ageing,
                [
                    "predictions",
                    "splits",
                    "loans",
                    "params:evaluation",
                    "params:feature_engineering",
                ],
                "ageing",
                name="measure_ageing",
            ),
            Node(
                nodes.measure_foreign,
                ["foreign_loans", "judged", "predictions", "loans", "params:evaluation"],
                "foreign",
                name="measure_foreign",
            ),
            Node(
                nodes.plot_ageing,
                ["ageing", "reconciliation", "params:modeling", "params:feature_engineering"],
                "ageing_plot",
                name="plot_ageing",
            ),
        ]
    )


def _create_ageing() -> list[Pipeline]:
    shared = ["splits", "loans", "foreign_loans", "reconciliation"]
    groups = ["params:evaluation", "params:feature_engineering"]
    return [
        Pipeline(
            create_ageing_template(),
            namespace=model,
            inputs={name: name for name in shared}
            | {name: f"{model}_{name}" for name in ("predictions", "judged")},
            outputs={n: f"{model}_{n}" for n in ("ageing", "foreign", "ageing_plot")},
            parameters={name: name for name in groups}
            | {"params:modeling": f"params:modeling.{model}"},
            prefix_datasets_with_namespace=True,
        )
        for model in _LENT_ON
    ]


def create_pipeline() -> Pipeline:
    """The templates for each model, then all of them in one file and one page."""
    instances = [
        Pipeline(
            create_template(),
            namespace=model,
            inputs={"reconciliation": "reconciliation"}
            | {name: f"{model}_{name}" for name in ("predictions", "promotion", "judged")},
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
                nodes.report_ageing,
                {
                    "reconciliation": "reconciliation",
                    "engineering": "params:feature_engineering",
                }
                | {f"{m}_{n}": f"{m}_{n}" for m in _LENT_ON for n in ("ageing", "foreign")},
                "ageing",
                name="report_ageing",
            ),
            Node(
                nodes.describe_ageing,
                {
                    "ageing_report": "ageing",
                    "reconciliation": "reconciliation",
                    "engineering": "params:feature_engineering",
                }
                | {f"{m}_ageing": f"{m}_ageing" for m in _LENT_ON},
                "ageing_section",
                name="describe_ageing",
            ),
            *(
                Node(
                    collect,
                    {"reconciliation": "reconciliation"} | {m: f"{m}_{name}" for m in _LENT_ON},
                    name,
                    name=collect.__name__,
                )
                for collect, name in (
                    (audit_nodes.collect_fairness, "fairness"),
                    (audit_nodes.collect_stability, "stability"),
                )
            ),
            Node(
                nodes.render_model_card,
                {
                    "loans": "loans",
                    "reconciliation": "reconciliation",
                    "leakage_report": "leakage_report",
                    "ageing": "ageing_section",
                    "stability": "stability",
                    "fairness": "fairness",
                    "predictions": "lending_predictions",
                    "scoring": "params:scoring",
                    "evaluation": "params:evaluation",
                }
                | {f"{m}_section": f"{m}_section" for m in MODELS}
                | {f"{m}_scorecard_report": f"{m}_scorecard_report" for m in _LENT_ON},
                "model_card",
                name="render_model_card",
            ),
        ]
    )
    return Pipeline([*instances, *_create_audits(), *_create_ageing(), together], tags="evaluation")
