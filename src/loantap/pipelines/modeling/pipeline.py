"""Wiring of the `modeling` pipeline."""

from kedro.pipeline import Pipeline

from loantap.features.definitions import MODELS
from loantap.pipelines.modeling import nodes
from loantap.wiring import make_node

_OPTIONS = "params:modeling"
_EVALUATION = "params:evaluation"
_SHARED = ("leakage_report", "labelled_loans", "reconciliation", "target")


def create_template(*, is_signed: bool) -> Pipeline:
	"""Search, cross-validate, calibrate, predict, challenge, judge, package: for every model."""
	return Pipeline(
		[
			make_node(nodes.search_hyperparameters, ["model_input", _OPTIONS], ["search_outcome", "candidates"]),
			make_node(nodes.predict_out_of_fold, ["model_input", "search_outcome", _OPTIONS], "out_of_fold"),
			make_node(nodes.calibrate_model, ["search_outcome", "out_of_fold", _OPTIONS], ["logistic", "coefficients"]),
			make_node(nodes.predict_samples, ["model_input", "logistic", _OPTIONS], "logistic_predictions"),
			make_node(
				nodes.challenge_model,
				["model_input", "logistic", "logistic_predictions", "leakage_report", _OPTIONS],
				["contest", "predictions"],
			),
			make_node(nodes.assemble_model, ["model_input", "contest", "reconciliation", "target", _OPTIONS], "trained"),
			make_node(
				nodes.propose_promotion if is_signed else nodes.judge_promotion,
				["model_input", "contest", "trained", "leakage_report", "champions", "target", _OPTIONS],
				["verdicts", "promotion"],
			),
			make_node(nodes.report_calibration, ["out_of_fold", _OPTIONS, _EVALUATION], "calibration_report"),
			make_node(
				nodes.report_training, ["candidates", "coefficients", "calibration_report", "promotion"], "training_report"
			),
			make_node(
				nodes.package_model,
				["model_input", "labelled_loans", "trained", "predictions", "training_report", "verdicts"],
				"model@release",
			),
		]
	)


def create_pipeline(*, is_signed: bool = False) -> Pipeline:
	"""The template for each model, with parameters of its own; if `is_signed`, a person decides on promotion."""
	inputs = (*_SHARED, *(f"{feature_set}_input" for feature_set in MODELS.values()))
	return Pipeline(
		[_instantiate(*model, is_signed=is_signed) for model in MODELS.items()],
		namespace="modeling",
		inputs=set(inputs),
		outputs={f"{model}_model" for model in MODELS},
		parameters={_EVALUATION, *(f"{_OPTIONS}.{model}" for model in MODELS)},
		prefix_datasets_with_namespace=True,
		tags="modeling",
	)


def _instantiate(model: str, feature_set: str, *, is_signed: bool) -> Pipeline:
	shared = {name: name for name in (*_SHARED, "champions")}
	return Pipeline(
		create_template(is_signed=is_signed),
		namespace=model,
		inputs=shared | {"model_input": f"{feature_set}_input"},
		outputs={"model": f"{model}_model"},
		parameters={_OPTIONS: f"{_OPTIONS}.{model}", _EVALUATION: _EVALUATION},
		prefix_datasets_with_namespace=True,
	)
