from importlib import import_module
from pathlib import Path
from typing import ClassVar

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from loantap import settings
from loantap.datasets import SourceTableDataset
from loantap.pipeline_registry import register_pipelines
from loantap.portfolio.dictionary import System
from tests.conftest import PROJECT

# In Kedro-Viz, from left to right.
FOLDERS = {
	"source": "00_sources",
	"raw": "01_raw",
	"intermediate": "02_intermediate",
	"primary": "03_primary",
	"feature": "04_feature",
	"model_input": "05_model_input",
	"models": "06_models",
	"model_output": "07_model_output",
	"reporting": "08_reporting",
}
LAYERS = list(FOLDERS)
# Tables with a row per person's loan: nothing of them may be seen in Kedro-Viz.
PERSONAL = {
	"sources.portfolio_file",
	"sources.portfolio",
	"sources.portfolio_quarantine",
	"source_loans",
	"source_applications",
	"source_loan_events",
	"ingestion.raw_loans",
	"ingestion.raw_applications",
	"ingestion.raw_loan_events",
	"ingestion.typed_loans",
	"ingestion.typed_applications",
	"ingestion.typed_loan_events",
	"ingestion.loans_quarantine",
	"ingestion.applications_quarantine",
	"ingestion.loan_events_quarantine",
	"ingestion.unmatched_loans",
	"ingestion.unmatched_applications",
	"ingestion.unmatched_loan_events",
	"loans",
	"loan_months",
	"ingestion.instalment_exceptions",
	"ingestion.warehouse_portfolio",
	"ingestion.warehouse_loan_months",
	"feature_engineering.features",
	"labelled_loans",
	"splits",
	"benchmark_input",
	"lending_input",
	"application_input",
	"applications",
	"scores",
	"evaluation.external_loans",
	"scoring.warehouse_decisions",
	"offers",
	"early_warning.loan_panel",
	"watchlist",
	"early_warning.watchlist_situations",
	"early_warning.watchlist_page",
	"help_plans",
}
PERSONAL_OF_A_MODEL = ("predictions", "out_of_fold")


def load_configuration(env="local", **runtime_params):
	return OmegaConfigLoader(str(PROJECT / "conf"), env=env, runtime_params=runtime_params, **settings.CONFIG_LOADER_ARGS)


def make_catalog(loader):
	return DataCatalog.from_config(loader["catalog"], credentials=loader["credentials"])


PIPELINES = register_pipelines()
CONFIGURATION = load_configuration()
DECLARED = CONFIGURATION["catalog"]
RESOLVER = make_catalog(CONFIGURATION).config_resolver


def is_parameter(name):
	return name == "parameters" or name.startswith("params:")


def find_declaration(name):
	pattern = name if name in DECLARED else RESOLVER.match_dataset_pattern(name)
	assert pattern in DECLARED, f"{name} is declared nowhere in conf/base"
	return pattern


DATASETS = set().union(*(pipeline.datasets() for pipeline in PIPELINES.values()))
DECLARATION_OF = {name: find_declaration(name) for name in DATASETS if not is_parameter(name)}
USED = {name: DECLARED[pattern] for name, pattern in DECLARATION_OF.items()}


def layer_of(name):
	return str(USED[name]["metadata"]["kedro-viz"]["layer"])


def is_shown(name):
	return USED[name]["metadata"]["kedro-viz"].get("preview", True)


def path_of(name):
	return str(USED[name].get("filepath") or USED[name].get("dataset", {}).get("filepath", ""))


def is_output(name):
	return any(name in pipeline.all_outputs() for pipeline in PIPELINES.values())


def is_personal(name):
	return name in PERSONAL or name.endswith(PERSONAL_OF_A_MODEL)


def test_every_dataset_has_a_layer_and_is_described_in_one_line():
	for name, entry in USED.items():
		description = entry["metadata"]["description"]
		assert layer_of(name) in LAYERS, name
		assert 10 <= len(description) < 110, name
		assert "\n" not in description, name
		assert not description.endswith("."), name


def test_data_flow_from_left_to_right_in_kedro_viz():
	"""Two layers that feed each other would make it show none."""
	backwards = [
		f"{made} of {layer_of(made)} is made by {node.name} from {given} of {layer_of(given)}"
		for pipeline in PIPELINES.values()
		for node in pipeline.nodes
		for given in node.inputs
		if not is_parameter(given)
		for made in node.outputs
		if LAYERS.index(layer_of(given)) > LAYERS.index(layer_of(made))
	]

	assert not backwards


def test_a_file_lies_in_the_folder_of_its_layer_or_is_a_report():
	for name in filter(path_of, USED):
		folders = {FOLDERS[layer_of(name)], FOLDERS["reporting"]}
		assert path_of(name).split("/")[:-1][:2] in [["data", folder] for folder in folders], name


def test_every_file_that_a_run_makes_is_published_only_when_it_succeeds():
	types = {USED[name]["type"] for name in filter(path_of, USED) if is_output(name)}

	assert types == {f"loantap.datasets.{kind}Dataset" for kind in ("Figure", "Staged", "Snapshot", "Batched")}


def test_every_table_from_primary_on_is_validated():
	for name, entry in USED.items():
		is_table = entry.get("dataset", {}).get("type") == "pandas.ParquetDataset"
		if is_table and LAYERS.index(layer_of(name)) >= LAYERS.index("primary"):
			assert entry["validator"]["class"].startswith("loantap."), name


def test_validators_are_schemas_that_exist():
	catalog = make_catalog(CONFIGURATION)
	for name, entry in USED.items():
		catalog.get(name)
		if "validator" in entry:
			module, _, attribute = entry["validator"]["class"].rpartition(".")
			schema = getattr(import_module(module), attribute)
			assert schema.name, name
			assert not getattr(schema, "coerce", False), f"{name}: a wrong type must be an error"


def test_no_declared_dataset_is_an_orphan():
	assert set(DECLARED) == set(DECLARATION_OF.values())


def test_personal_data_is_never_previewed():
	personal = set(filter(is_personal, USED))

	assert personal > PERSONAL
	assert not {name for name in personal if USED[name]["metadata"]["kedro-viz"]["preview"]}


def test_up_to_primary_only_what_holds_no_loan_is_previewed():
	early = LAYERS[: LAYERS.index("primary") + 1]

	assert {name for name in USED if layer_of(name) in early and is_shown(name)} == {
		"reconciliation",
		"sources.portfolio_account",
		"sources.simulated_truth",
	}


@pytest.mark.parametrize(
	("door", "name", "is_whole"),
	[
		("portfolio", "sources.portfolio_file", False),
		("external", "evaluation.external_loans", True),
		("applications", "applications", False),
	],
)
@pytest.mark.parametrize("given", ["~/new.csv.gz", "new.parquet"])
def test_every_door_has_the_same_reader(given, door, name, is_whole):
	entry = load_configuration(**{door: given})["catalog"][name]

	assert entry["type"] == "loantap.datasets.TableFileDataset"
	assert entry["filepath"] == str(Path(given).expanduser().absolute())
	assert entry.get("whole", False) is is_whole
	assert entry["metadata"]["kedro-viz"]["preview"] is False
	assert len(entry["metadata"]["description"]) > 10


# `conf/odbc` replaces the embedded databases by real systems, and nothing else.

TABLES: ClassVar = {
	System.WAREHOUSE: "source_loans",
	System.APPSTREAM: "source_applications",
	System.BUSINESS_EVENTS: "source_loan_events",
}


@pytest.mark.parametrize("system", list(System))
def test_the_connection_string_comes_from_the_environment(system, monkeypatch):
	variable = f"LOANTAP_{system.upper()}"
	monkeypatch.delenv(variable, raising=False)
	table = make_catalog(load_configuration("odbc")).get(TABLES[system])

	assert isinstance(table, SourceTableDataset)
	assert table.system == system
	assert not table.is_embedded
	with pytest.raises(ValueError, match=f"{variable} is not set"):
		table.require_credentials()

	given = "Driver={X};Server=db;Uid=me;Pwd=s3cret;"
	monkeypatch.setenv(variable, given)
	assert load_configuration("odbc")["credentials"][system] == {"connection": given}


def test_the_catalog_itself_is_the_same():
	assert load_configuration("odbc")["catalog"] == load_configuration("base")["catalog"]
	assert [path.name for path in (PROJECT / "conf" / "odbc").iterdir()] == ["credentials.yml"]


def test_no_file_holds_a_secret():
	for path in (PROJECT / "conf").rglob("*.yml"):
		lines = path.read_text("utf-8").lower().splitlines()
		text = "\n".join(line.partition("#")[0] for line in lines)
		for word in ("pwd=", "password:", "password=", "token:", "token=", "secret:"):
			assert word not in text, path

	text = (PROJECT / "conf" / "odbc" / "credentials.yml").read_text("utf-8")
	strings = [line for line in text.splitlines() if "connection:" in line]
	assert len(strings) == len(System) + 1  # one to write with
	assert all("connection: ${oc.env:LOANTAP_" in line for line in strings)


def test_these_pipelines_can_be_run():
	assert set(PIPELINES) == {
		"sources",
		"ingestion",
		"feature_engineering",
		"modeling",
		"evaluation",
		"insights",
		"scoring",
		"offers",
		"early_warning",
		"monitoring",
		"check_sources",
		"training",
		"retraining",
		"all",
		"__default__",
	}


@pytest.mark.parametrize(
	("name", "parts"),
	[
		("training", ["ingestion", "feature_engineering", "modeling", "evaluation", "insights"]),
		("__default__", ["sources", "training"]),
		("all", ["__default__", "scoring", "monitoring"]),
	],
)
def test_composites_are_sums(name, parts):
	summed = sum((PIPELINES[part] for part in parts), Pipeline([]))

	assert {node.name for node in PIPELINES[name].nodes} == {n.name for n in summed.nodes}


def test_a_node_is_named_like_its_function_says_what_it_does_and_has_one_pipeline():
	for node in PIPELINES["all"].nodes:
		assert node.name.rpartition(".")[2] == node.func.__name__
		assert node.func.__doc__, node.name
		assert len(node.tags) == 1, node.name
		assert node.tags < set(PIPELINES), node.name


def test_a_run_needs_no_input_but_files_that_may_be_given_and_champions_if_any():
	inputs = {name for name in PIPELINES["all"].inputs() if not is_parameter(name)}

	files = {"sources.portfolio_file", "applications", "evaluation.external_loans"}
	watched = (
		"decision_reader",
		"monitored_applications",
		"history_before",
		"report_before",
		"source_states",
		"service_counts",
	)
	assert inputs == files | {"modeling.champions", "feature_engineering.last_training"} | {
		f"monitoring.{name}" for name in watched
	}


def test_only_sources_writes_to_a_source_system():
	outputs = PIPELINES["training"].all_outputs() | PIPELINES["scoring"].all_outputs()

	assert not {"source_loans", "source_applications", "source_loan_events"} & outputs
