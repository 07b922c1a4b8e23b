"""Which pipelines there are."""

from kedro.pipeline import Pipeline

from loantap.pipelines import (
	check_sources,
	early_warning,
	evaluation,
	feature_engineering,
	ingestion,
	insights,
	modeling,
	monitoring,
	offers,
	scoring,
	sources,
)


def register_pipelines() -> dict[str, Pipeline]:
	"""Every pipeline by name; composites and the default are sums of them."""
	single = {
		"sources": sources.create_pipeline(),
		"ingestion": ingestion.create_pipeline(),
		"feature_engineering": feature_engineering.create_pipeline(),
		"modeling": modeling.create_pipeline(),
		"evaluation": evaluation.create_pipeline(),
		"insights": insights.create_pipeline(),
		"scoring": scoring.create_pipeline(),
		"early_warning": early_warning.create_pipeline(),
		"monitoring": monitoring.create_pipeline(),
	}
	before, after = single["ingestion"] + single["feature_engineering"], single["evaluation"] + single["insights"]
	training = before + single["modeling"] + after
	default = single["sources"] + training
	return single | {
		"check_sources": check_sources.create_pipeline(),
		"offers": offers.create_pipeline(),
		"training": training,
		"retraining": before + modeling.create_pipeline(is_signed=True) + after,
		"all": default + single["scoring"] + single["monitoring"],
		"__default__": default,
	}
