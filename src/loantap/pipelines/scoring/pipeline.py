"""Wiring of the `scoring` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.scoring.nodes import account_for_applications, publish_decisions, score_applications
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""Score a file of applications with the champion, and write the decisions back."""
	return Pipeline(
		[
			make_node(
				score_applications,
				[
					"applications",
					"lending_model@champion",
					"params:scoring",
					"params:policy",
					"params:economics",
					"recommendations",
				],
				"scores",
			),
			make_node(account_for_applications, ["scores", "applications", "params:scoring"], "scoring_account"),
			make_node(publish_decisions, ["scores", "scoring_account", "params:scoring"], "warehouse_decisions"),
		],
		namespace="scoring",
		inputs={"applications", "lending_model", "recommendations"},
		outputs={"scores"},
		parameters={"params:economics", "params:policy", "params:scoring"},
		prefix_datasets_with_namespace=True,
		tags="scoring",
	)
