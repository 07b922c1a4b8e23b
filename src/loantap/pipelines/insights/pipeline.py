"""Wiring of the `insights` pipeline."""

from kedro.pipeline import Node, Pipeline

from loantap.pipelines.insights import (
    comparison_nodes,
    fairness_nodes,
    findings_nodes,
    lab_nodes,
    nodes,
    offers_nodes,
    page_nodes,
    targets_nodes,
)


def create_pipeline() -> Pipeline:
    """What the finished portfolio says, in a table, a file and two pages."""
    return Pipeline(
        [
            Node(nodes.impute_profits, ["loans", "params:economics"], "profits", name="impute_profits"),
            # Comparison of policies.
            Node(
                comparison_nodes.compare_policies,
                ["lending_model@judged", "loans", "splits", "params:economics", "params:insights"],
                ["approvals", "policy_comparison", "frontier"],
                name="compare_policies",
            ),
            Node(
                targets_nodes.check_policy_targets,
                ["lending_model@judged", "loans", "params:policy", "params:economics"],
                "target_checks",
                name="check_policy_targets",
            ),
            # Policy lab.
            Node(
                lab_nodes.backtest_rules,
                ["loans", "profits", "lending_model@judged", "params:economics", "params:insights"],
                "rule_tests",
                name="backtest_rules",
            ),
            Node(
                lab_nodes.recommend,
                ["rule_tests", "reconciliation", "params:economics", "params:insights"],
                "recommendations",
                name="recommend",
            ),
            # Fairness of policies.
            Node(
                fairness_nodes.audit_policies,
                ["lending_model@judged", "approvals", "loans", "profits", "params:economics", "params:insights"],
                ["fairness_by_policy", "fairness_frontier"],
                name="audit_policies",
            ),
            Node(nodes.render_eda, ["loans", "reconciliation", "params:insights"], "eda_page", name="render_eda"),
            # Findings.
            Node(
                findings_nodes.find_effects,
                ["loans", "profits", "params:economics", "params:insights"],
                ["findings", "finding_years", "drivers", "claims"],
                name="find_effects",
            ),
            Node(
                findings_nodes.measure_information,
                ["loans", "params:insights"],
                ["information_values", "bins"],
                name="measure_information",
            ),
            # What the page says of them.
            Node(
                page_nodes.word_policies,
                [
                    "policy_comparison",
                    "frontier",
                    "target_checks",
                    "fairness_by_policy",
                    "approvals",
                    "profits",
                    "summary",
                    "params:policy",
                    "params:economics",
                ],
                "policy_sections",
                name="word_policies",
            ),
            Node(page_nodes.word_rules, ["rule_tests", "recommendations"], "rule_sections", name="word_rules"),
            Node(
                page_nodes.word_findings,
                ["findings", "finding_years", "drivers", "claims", "information_values", "bins"],
                "finding_sections",
                name="word_findings",
            ),
            Node(
                page_nodes.word_offers,
                ["products", "counterfactuals", "concentration"],
                "offer_sections",
                name="word_offers",
            ),
            Node(
                page_nodes.word_fairness,
                ["fairness_by_policy", "fairness_frontier", "params:economics", "params:insights"],
                "fairness_sections",
                name="word_fairness",
            ),
            Node(
                page_nodes.summarise,
                [
                    "drivers",
                    "findings",
                    "claims",
                    "policy_comparison",
                    "recommendations",
                    "fairness_by_policy",
                    "target_checks",
                    "approvals",
                    "profits",
                    "loans",
                    "params:economics",
                ],
                "summary",
                name="summarise",
            ),
            Node(
                page_nodes.render_insights,
                [
                    "summary",
                    "policy_sections",
                    "rule_sections",
                    "finding_sections",
                    "offer_sections",
                    "fairness_sections",
                    "loans",
                    "reconciliation",
                    "params:economics",
                    "params:insights",
                ],
                "insights_page",
                name="render_insights",
            ),
            # Offers: products by segment, counterfactual odds ratios, concentration by region.
            Node(
                offers_nodes.tabulate_products,
                ["loans", "application_model@judged", "params:policy", "params:economics", "params:offers"],
                "products",
                name="tabulate_products",
            ),
            Node(
                offers_nodes.estimate_counterfactuals,
                ["loans", "params:offers"],
                "counterfactuals",
                name="estimate_counterfactuals",
            ),
            Node(
                offers_nodes.measure_concentration,
                ["loans", "application_model@judged", "params:policy", "params:economics", "params:offers"],
                "concentration",
                name="measure_concentration",
            ),
        ],
        namespace="insights",
        inputs={"application_model", "lending_model", "loans", "reconciliation", "splits"},
        outputs={"recommendations"},
        parameters={"params:economics", "params:insights", "params:offers", "params:policy"},
        prefix_datasets_with_namespace=True,
        tags="insights",
    )
