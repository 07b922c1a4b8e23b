"""Wiring of the `offers` pipeline."""

from kedro.pipeline import Pipeline

from loantap.pipelines.offers.nodes import account_for_applications, make_offers
from loantap.wiring import make_node


def create_pipeline() -> Pipeline:
	"""Offers to a file of applicants, priced from the PD of the application model."""
	return Pipeline(
		[
			make_node(
				make_offers,
				["applications", "application_model@champion", "params:policy", "params:economics", "params:offers"],
				"offers",
			),
			make_node(account_for_applications, ["offers", "applications", "params:offers"], "offers_account"),
		],
		namespace="offers",
		inputs={"applications", "application_model"},
		outputs={"offers"},
		parameters={"params:economics", "params:offers", "params:policy"},
		prefix_datasets_with_namespace=True,
		tags="offers",
	)
