"""Wiring of the `early_warning` pipeline."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.early_warning import nodes


def create_pipeline() -> Pipeline:
    """The book, the panel of months, the hazard, the watch-list and help."""
    return Pipeline(
        [
            Node(
                nodes.build_loan_panel,
                ["loan_months", "loans", "running_loans", "params:early_warning"],
                "loan_panel",
                name="build_loan_panel",
            ),
            Node(
                nodes.measure_book,
                ["loan_months", "loans", "running_loans", "params:early_warning"],
                "book_figures",
                name="measure_book",
            ),
            Node(
                nodes.render_book,
                ["book_figures", "reconciliation", "params:early_warning"],
                "book_page",
                name="render_book",
            ),
            Node(nodes.find_outcomes, ["loan_months", "loans", "running_loans"], "loan_outcomes", name="find_outcomes"),
            Node(
                nodes.fit_hazard,
                ["loan_panel", "loan_outcomes", "params:early_warning"],
                "hazard_model",
                name="fit_hazard",
            ),
            Node(
                nodes.judge_hazard,
                ["hazard_model", "loan_panel", "loan_outcomes", "params:early_warning"],
                "hazard_metrics",
                name="judge_hazard",
            ),
            Node(
                nodes.list_loans,
                [
                    "loan_panel",
                    "loan_outcomes",
                    "running_loans",
                    "hazard_model",
                    "params:economics",
                    "params:early_warning",
                ],
                ["watchlist", "watchlist_situations", "watchlist_account"],
                name="list_loans",
            ),
            Node(
                nodes.plan_help,
                ["watchlist", "loan_panel", "params:economics", "params:early_warning"],
                "help_plans",
                name="plan_help",
            ),
            Node(
                nodes.render_watchlist,
                ["watchlist", "help_plans", "watchlist_account", "reconciliation", "params:early_warning"],
                "watchlist_page",
                name="render_watchlist",
            ),
        ],
        namespace="early_warning",
        inputs={"loan_months", "loans", "running_loans", "reconciliation"},
        outputs={"watchlist", "help_plans"},
        parameters={"params:early_warning", "params:economics"},
        prefix_datasets_with_namespace=True,
        tags="early_warning",
    )
