import copy
from functools import reduce

import pytest
from kedro.config import OmegaConfigLoader
from kedro.validation.type_extractor import TypeExtractor

from loantap import settings
from loantap.hooks.run_parameters import check_parameter_groups
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.errors import InputError
from tests.conftest import PROJECT

MODELS = TypeExtractor(register_pipelines()).extract_types_from_pipelines()


def load_parameters(**given):
	loader = OmegaConfigLoader(str(PROJECT / "conf"), env="local", runtime_params=given, **settings.CONFIG_LOADER_ARGS)
	return loader["parameters"]


SHIPPED = load_parameters()


def group(parameters, path):
	return reduce(lambda at, name: at[name], path.split("."), parameters)


def test_every_pipeline_has_a_group_of_its_name_and_so_have_money_and_policy():
	groups = {path.partition(".")[0] for path in MODELS}
	files = {path.stem for path in (PROJECT / "conf" / "base").glob("parameters_*.yml")}

	assert groups == {
		"sources",
		"ingestion",
		"feature_engineering",
		"modeling",
		"evaluation",
		"insights",
		"scoring",
		"offers",
		"economics",
		"policy",
		"early_warning",
		"monitoring",
	}
	assert groups == {name for name in SHIPPED if not name.startswith("_")}
	assert files == {f"parameters_{name}" for name in groups}


def test_every_parameter_a_node_takes_has_a_model():
	read = {name for pipeline in register_pipelines().values() for name in pipeline.inputs()}

	assert {name.removeprefix("params:") for name in read if name.startswith("params:")} == set(MODELS)


@pytest.mark.parametrize("path", MODELS)
def test_the_configuration_is_valid_and_frozen_and_hides_no_default(path):
	given = group(SHIPPED, path)
	validated = MODELS[path].model_validate(given)

	assert validated.model_config["frozen"]
	fields = MODELS[path].model_fields
	assert {name for name, field in fields.items() if field.is_required()} <= set(given)


@pytest.mark.parametrize("path", MODELS)
def test_an_unknown_key_is_refused_by_its_path(path):
	parameters = copy.deepcopy(SHIPPED)
	group(parameters, path)["colour"] = "blue"

	with pytest.raises(InputError, match=rf"parameter {path}\.colour: unknown parameter"):
		check_parameter_groups(parameters, MODELS)


@pytest.mark.parametrize(
	("given", "said"),
	[
		({"loans": 10}, r"sources\.loans: 10 cannot be used: .*greater than or equal to 1000"),
		({"seed": 2**32}, r"sources\.seed: 4294967296 cannot be used"),
		({"as_of": 2016}, r"sources\.as_of: 2016 cannot be used"),
		({"since": 201601}, r"parameter ingestion\.since: 201601 cannot be used: .*2016-01-15"),
		({"since": 2016, "as_of": "2015-01-01"}, r"ingestion\.since: 2016 cannot.*is after 2015-0"),
		({"modeling": {"lending": {"balancing": ["adasyn"]}}}, r"balancing\.0: 'adasyn' cannot"),
		({"sources": 3}, r"parameter sources: 3 cannot be used"),
		({"policy": {"rules": {"review_margin": -1}}}, r"policy\.rules\.review_margin: -1 cannot"),
		({"policy": {"approved_by": None}}, r"parameter policy: .*not approved by a second person"),
		({"economics": {"main": "gentle"}}, r"parameter economics: .*there is no scenario gentle"),
		(
			{"feature_engineering": {"split": {"out_of_time": {"last_month": "2016-01-01"}}}},
			r"split\.out_of_time: .*not matured as of",
		),
	],
	ids=str,
)
def test_a_value_that_cannot_be_used_is_refused_with_path_and_remedy(given, said):
	with pytest.raises(InputError, match=said) as refused:
		check_parameter_groups(load_parameters(**given), MODELS)
	assert refused.value.remedy == "Correct it in conf/, or after --params"


@pytest.mark.parametrize(("name", "value"), [("seed", 7), ("as_of", "2020-02-29")])
def test_one_run_parameter_reaches_every_group_that_has_it(name, value):
	given = load_parameters(**{name: value})

	holders = [path for path, model in MODELS.items() if name in model.model_fields]
	assert len(holders) >= 4
	assert {path: group(given, path)[name] for path in holders} == dict.fromkeys(holders, value)
