"""Every dataset is declared, described, layered, validated and used."""

from pathlib import Path
from typing import Any, ClassVar

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
LAYERS = [
    "source", "raw", "intermediate", "primary", "feature", "model_input", "models",
    "model_output", "reporting",
]  # fmt: skip
FOLDERS = {
    "source": "00_sources", "raw": "01_raw", "intermediate": "02_intermediate",
    "primary": "03_primary", "feature": "04_feature", "model_input": "05_model_input",
    "models": "06_models", "model_output": "07_model_output", "reporting": "08_reporting",
}  # fmt: skip
# Tables with a row per person's loan: nothing of them may be seen in Kedro-Viz.
PERSONAL = {
    "sources.portfolio_csv", "sources.portfolio", "sources.portfolio_quarantine", "source_loans",
    "source_applications", "source_loan_events", "ingestion.raw_loans",
    "ingestion.raw_applications", "ingestion.raw_loan_events", "ingestion.typed_loans",
    "ingestion.typed_applications", "ingestion.typed_loan_events", "ingestion.loans_quarantine",
    "ingestion.applications_quarantine", "ingestion.loan_events_quarantine",
    "ingestion.unmatched_loans", "ingestion.unmatched_applications",
    "ingestion.unmatched_loan_events", "loans", "loan_months", "ingestion.instalment_exceptions",
    "ingestion.warehouse_portfolio", "ingestion.warehouse_loan_months",
    "feature_engineering.features", "splits", "benchmark_input", "lending_input",
    "application_input", "applications", "scores", "evaluation.external_loans",
    "scoring.warehouse_decisions", "offers",
}  # fmt: skip
PERSONAL_OF_A_MODEL = ("predictions", "out_of_fold")

Entry = dict[str, Any]


def load_configuration(env="local", **runtime_params):
    return OmegaConfigLoader(
        str(PROJECT / "conf"),
        env=env,
        runtime_params=runtime_params,
        **settings.CONFIG_LOADER_ARGS,
    )


def make_catalog(loader):
    return DataCatalog.from_config(loader["catalog"], credentials=loader["credentials"])


PIPELINES = register_pipelines()
CONFIGURATION = load_configuration()
DECLARED = CONFIGURATION["catalog"]
RESOLVER = make_catalog(CONFIGURATION).config_resolver


def is_parameter(name):
    return name == "parameters" or name.startswith("params:")


def used_datasets():
    names = set().union(*(pipeline.datasets() for pipeline in PIPELINES.values()))
    return sorted(name for name in names if not is_parameter(name))


def resolve(name):
    """Name of the entry that declares a dataset, and the entry."""
    pattern = name if name in DECLARED else RESOLVER.match_dataset_pattern(name)
    assert pattern in DECLARED, f"{name} is declared nowhere in conf/base"
    return pattern, DECLARED[pattern]


USED = {name: resolve(name) for name in used_datasets()}


def layer_of(name):
    return str(USED[name][1]["metadata"]["kedro-viz"]["layer"])


def path_of(name):
    """Path of a dataset's file; empty where it is none."""
    entry = USED[name][1]
    return str(entry.get("filepath") or entry.get("dataset", {}).get("filepath", ""))


def is_output(name):
    return any(name in pipeline.all_outputs() for pipeline in PIPELINES.values())


def is_table(name):
    return USED[name][1].get("dataset", {}).get("type") == "pandas.ParquetDataset"


def is_personal(name):
    return name in PERSONAL or name.endswith(PERSONAL_OF_A_MODEL)


@pytest.mark.parametrize("name", USED)
def test_every_dataset_is_described_in_one_line(name):
    description = USED[name][1]["metadata"]["description"]

    assert 10 <= len(description) < 110
    assert "\n" not in description
    assert not description.endswith(".")


@pytest.mark.parametrize("name", USED)
def test_every_dataset_has_a_layer(name):
    assert layer_of(name) in LAYERS


@pytest.mark.parametrize("name", PIPELINES)
def test_data_flow_from_left_to_right_in_kedro_viz(name):
    """Two layers that feed each other would make it show none."""
    backwards = [
        f"{made} of {layer_of(made)} is made by {node.name} from {given} of {layer_of(given)}"
        for node in PIPELINES[name].nodes
        for given in node.inputs
        if not is_parameter(given)
        for made in node.outputs
        if LAYERS.index(layer_of(given)) > LAYERS.index(layer_of(made))
    ]

    assert not backwards


NAMESPACES = sorted({part for node in PIPELINES["all"].nodes for part in node.namespace_prefixes})


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_data_flow_from_left_to_right_through_a_closed_box_of_kedro_viz(namespace):
    box = PIPELINES["all"].only_nodes_with_namespaces([namespace])
    rest = PIPELINES["all"] - box
    taken = {layer_of(name) for name in box.inputs() if not is_parameter(name)}
    given = {layer_of(name) for name in box.outputs() | (rest.inputs() & box.all_outputs())}

    assert max(map(LAYERS.index, taken)) <= min(map(LAYERS.index, given))


def outside_of_boxes(pipeline):
    """Datasets that Kedro-Viz shows beside the closed boxes of a pipeline; forms of one are one."""
    shown = set()
    for box in {node.namespace.partition(".")[0] for node in pipeline.nodes}:
        inside = pipeline.only_nodes_with_namespaces([box])
        used_elsewhere = {
            _forms_of_one(name)
            for node in (pipeline - inside).nodes
            for name in (*node.inputs, *node.outputs)
        }
        made = {_forms_of_one(name) for name in inside.all_outputs()}
        ends = {_forms_of_one(name) for name in inside.inputs() | inside.outputs()}
        shown |= {name for name in ends | (made & used_elsewhere) if not is_parameter(name)}
    return shown


def _forms_of_one(name):
    return name.partition("@")[0]


def test_the_first_view_of_kedro_viz_can_be_read():
    assert len(outside_of_boxes(PIPELINES["__default__"])) <= 25


@pytest.mark.parametrize("name", [name for name in USED if path_of(name)])
def test_a_file_lies_in_the_folder_of_its_layer_or_is_a_report(name):
    folders = {FOLDERS[layer_of(name)], FOLDERS["reporting"]}

    assert path_of(name).split("/")[:-1][:2] in [["data", folder] for folder in folders]


@pytest.mark.parametrize("name", [name for name in USED if path_of(name) and is_output(name)])
def test_every_file_that_a_run_makes_is_published_only_when_it_succeeds(name):
    assert USED[name][1]["type"] in {
        "loantap.datasets.FigureDataset",
        "loantap.datasets.StagedDataset",
        "loantap.datasets.SnapshotDataset",
        "loantap.datasets.BatchedDataset",
    }


@pytest.mark.parametrize("name", [name for name in USED if is_table(name)])
def test_every_table_from_primary_on_is_validated(name):
    is_early = LAYERS.index(layer_of(name)) < LAYERS.index("primary")

    assert is_early or USED[name][1]["validator"]["class"].startswith("loantap.")


def test_validators_are_schemas_that_exist():
    catalog = make_catalog(CONFIGURATION)
    for name in USED:
        catalog.get(name)

    for name, (_, entry) in USED.items():
        if "validator" in entry:
            module, _, attribute = entry["validator"]["class"].rpartition(".")
            schema = getattr(__import__(module, fromlist=[attribute]), attribute)
            assert schema.name, name
            assert not getattr(schema, "coerce", False), f"{name}: a wrong type must be an error"


def test_no_declared_dataset_is_an_orphan():
    assert set(DECLARED) == {declaration for declaration, _ in USED.values()}


@pytest.mark.parametrize("name", [name for name in USED if is_personal(name)])
def test_personal_data_is_never_previewed(name):
    assert USED[name][1]["metadata"]["kedro-viz"]["preview"] is False


def test_what_is_called_personal_is_there():
    assert {name for name in USED if is_personal(name)} > PERSONAL


@pytest.mark.parametrize("layer", ["source", "raw", "intermediate", "primary"])
def test_up_to_primary_only_what_holds_no_loan_is_previewed(layer):
    shown = {
        name
        for name, (_, entry) in USED.items()
        if layer_of(name) == layer and entry["metadata"]["kedro-viz"].get("preview", True)
    }

    assert shown <= {
        "reconciliation",
        "ingestion.warehouse_reconciliation",
        "sources.portfolio_account",
        "sources.simulated_truth",
    }


@pytest.mark.parametrize(
    "name",
    [
        "evaluation.metrics",
        "evaluation.vintage_analysis",
        "leakage_report",
        "recommendations",
    ],
)
def test_reports_are_previewed(name):
    assert USED[name][1]["metadata"]["kedro-viz"].get("preview", True)


@pytest.mark.parametrize("given", [None, "loans.csv"])
def test_a_portfolio_is_read_as_text_and_described(given):
    entry = load_configuration(**({"portfolio": given} if given else {}))["catalog"][
        "sources.portfolio_csv"
    ]

    if given is None:
        assert entry["type"] == "MemoryDataset"
    else:
        assert entry["type"] == "loantap.datasets.TableFileDataset"
        assert entry["whole"]
    assert entry["metadata"]["kedro-viz"] == {"layer": "source", "preview": False}


@pytest.mark.parametrize("name", ["portfolio", "applications", "external"])
@pytest.mark.parametrize("given", ["new.csv", "~/new.csv.gz", "NEW.CSV", "new.parquet"])
def test_every_door_has_the_same_reader(given, name):
    entries = {"portfolio": "sources.portfolio_csv", "external": "evaluation.external_loans"}
    entry = load_configuration(**{name: given})["catalog"][entries.get(name, name)]

    assert entry["type"] == "loantap.datasets.TableFileDataset"
    assert entry["filepath"] == str(Path(given).expanduser().absolute())
    assert entry.get("whole", False) == (name in entries)


def test_external_loans_are_described():
    entry = load_configuration(external="new.csv")["catalog"]["evaluation.external_loans"]

    assert entry["metadata"]["description"].startswith("External sample")


class TestRealSystems:
    """`conf/odbc` replaces the embedded databases by real systems, and nothing else."""

    VARIABLES: ClassVar = {
        System.WAREHOUSE: "LOANTAP_WAREHOUSE",
        System.APPSTREAM: "LOANTAP_APPSTREAM",
        System.BUSINESS_EVENTS: "LOANTAP_BUSINESS_EVENTS",
    }
    TABLES: ClassVar = {
        System.WAREHOUSE: "source_loans",
        System.APPSTREAM: "source_applications",
        System.BUSINESS_EVENTS: "source_loan_events",
    }

    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch):
        for variable in self.VARIABLES.values():
            monkeypatch.delenv(variable, raising=False)

    @pytest.mark.parametrize("system", list(System))
    def test_the_connection_string_comes_from_the_environment(self, system, monkeypatch):
        given = "Driver={X};Server=db;Uid=me;Pwd=s3cret;"
        monkeypatch.setenv(self.VARIABLES[system], given)

        credentials = load_configuration("odbc")["credentials"]

        assert credentials[system] == {"connection": given}

    @pytest.mark.parametrize("system", list(System))
    def test_without_it_the_entry_resolves_and_says_which_variable_to_set(self, system):
        catalog = make_catalog(load_configuration("odbc"))
        table = catalog.get(self.TABLES[system])

        assert isinstance(table, SourceTableDataset)
        assert table.system == system
        assert not table.is_embedded
        with pytest.raises(ValueError, match=f"{self.VARIABLES[system]} is not set"):
            table.require_credentials()

    def test_the_catalog_itself_is_the_same(self):
        assert load_configuration("odbc")["catalog"] == load_configuration("base")["catalog"]
        assert [path.name for path in (PROJECT / "conf" / "odbc").iterdir()] == ["credentials.yml"]

    @pytest.mark.parametrize(
        "path",
        sorted((PROJECT / "conf").rglob("*.yml")),
        ids=lambda path: f"{path.parent.name}/{path.name}",
    )
    def test_no_file_holds_a_secret(self, path):
        lines = path.read_text("utf-8").lower().splitlines()
        text = "\n".join(line.partition("#")[0] for line in lines)
        for word in ("pwd=", "password:", "password=", "token:", "token=", "secret:"):
            assert word not in text

    def test_every_connection_string_is_a_reference_to_the_environment(self):
        text = (PROJECT / "conf" / "odbc" / "credentials.yml").read_text("utf-8")
        strings = [line for line in text.splitlines() if "connection:" in line]

        assert len(strings) == len(System) + 1  # one to write with
        assert all("connection: ${oc.env:LOANTAP_" in line for line in strings)


class TestPipelines:
    def test_these_pipelines_can_be_run(self):
        assert set(PIPELINES) == {
            "sources", "ingestion", "feature_engineering", "modeling", "evaluation", "insights",
            "scoring", "offers", "check_sources", "training", "all", "__default__",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "parts"),
        [
            ("training",
             ["ingestion", "feature_engineering", "modeling", "evaluation", "insights"]),
            ("__default__", ["sources", "training"]),
            ("all", ["__default__", "scoring"]),
        ],
    )  # fmt: skip
    def test_composites_are_sums(self, name, parts):
        summed = sum((PIPELINES[part] for part in parts), Pipeline([]))

        assert {node.name for node in PIPELINES[name].nodes} == {n.name for n in summed.nodes}

    @pytest.mark.parametrize("node", PIPELINES["all"].nodes, ids=lambda node: node.name)
    def test_a_node_is_named_like_its_function(self, node):
        assert node.name.rpartition(".")[2] == node.func.__name__

    @pytest.mark.parametrize("node", PIPELINES["all"].nodes, ids=lambda node: node.name)
    def test_a_node_says_what_it_does(self, node):
        assert node.func.__doc__

    @pytest.mark.parametrize("node", PIPELINES["all"].nodes, ids=lambda node: node.name)
    def test_a_node_belongs_to_one_pipeline(self, node):
        assert len(node.tags) == 1
        assert node.tags < set(PIPELINES)

    def test_a_run_needs_no_input_but_files_that_may_be_given_and_champions_if_any(self):
        inputs = {name for name in PIPELINES["all"].inputs() if not is_parameter(name)}

        assert inputs == {
            "sources.portfolio_csv", "applications", "evaluation.external_loans",
            "modeling.champions",
        }  # fmt: skip

    def test_only_sources_writes_to_a_source_system(self):
        outputs = PIPELINES["training"].all_outputs() | PIPELINES["scoring"].all_outputs()

        assert not {"source_loans", "source_applications", "source_loan_events"} & outputs
