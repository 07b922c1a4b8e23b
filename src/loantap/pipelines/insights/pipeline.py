"""Wiring of the `insights` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.insights import nodes
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""What the finished portfolio says, in a table, a file and two pages."""
	return Pipeline(
		[
			make_node(nodes.impute_profits, ["loans", "params:economics"], "profits"),
			# Comparison of policies.
			make_node(
				nodes.compare_policies,
				["lending_model@judged", "loans", "splits", "params:economics", "params:insights"],
				["approvals", "policy_comparison", "frontier"],
			),
			make_node(
				nodes.check_policy_targets,
				["lending_model@judged", "loans", "params:policy", "params:economics"],
				"target_checks",
			),
			# Policy lab.
			make_node(
				nodes.backtest_rules,
				["loans", "profits", "lending_model@judged", "params:economics", "params:insights"],
				"rule_tests",
			),
			make_node(
				nodes.recommend, ["rule_tests", "reconciliation", "params:economics", "params:insights"], "recommendations"
			),
			# Fairness of policies.
			make_node(
				nodes.audit_policies,
				["lending_model@judged", "approvals", "loans", "profits", "params:economics", "params:insights"],
				["fairness_by_policy", "fairness_frontier"],
			),
			make_node(nodes.render_eda, ["loans", "reconciliation", "params:insights"], "eda_page"),
			# Findings.
			make_node(
				nodes.find_effects,
				["loans", "profits", "params:economics", "params:insights"],
				["findings", "finding_years", "drivers", "claims"],
			),
			make_node(nodes.measure_information, ["loans", "params:insights"], ["information_values", "bins"]),
			# What the page says of them.
			make_node(
				nodes.word_policies,
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
			),
			make_node(nodes.word_rules, ["rule_tests", "recommendations"], "rule_sections"),
			make_node(
				nodes.word_findings,
				["findings", "finding_years", "drivers", "claims", "information_values", "bins"],
				"finding_sections",
			),
			make_node(nodes.word_offers, ["products", "counterfactuals", "concentration"], "offer_sections"),
			make_node(
				nodes.word_fairness,
				["fairness_by_policy", "fairness_frontier", "params:economics", "params:insights"],
				"fairness_sections",
			),
			make_node(
				nodes.summarise,
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
			),
			make_node(
				nodes.render_insights,
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
			),
			# Offers: products by segment, counterfactual odds ratios, concentration by region.
			make_node(
				nodes.tabulate_products,
				["loans", "application_model@judged", "params:policy", "params:economics", "params:offers"],
				"products",
			),
			make_node(nodes.estimate_counterfactuals, ["loans", "params:offers"], "counterfactuals"),
			make_node(
				nodes.measure_concentration,
				["loans", "application_model@judged", "params:policy", "params:economics", "params:offers"],
				"concentration",
			),
		],
		namespace="insights",
		inputs={"application_model", "lending_model", "loans", "reconciliation", "splits"},
		outputs={"recommendations"},
		parameters={"params:economics", "params:insights", "params:offers", "params:policy"},
		prefix_datasets_with_namespace=True,
		tags="insights",
	)
