import re
import shutil

import duckdb
import pytest

from loantap.pipelines.evaluation import card_nodes

# What a run says as it goes: a line per node that has run, and the model that scores.
_PROGRESS = re.compile(
	r"^ *\d+/\d+ [\w.]+ +[\d.]+ s$"
	r"|^(?:\[[^]]+\])? *INFO +Scoring with [\s\S]*? loans(?: +\w+\.py:\d+)? *$",
	re.MULTILINE,
)


def assert_one_message(output, *said):
	"""The output is one message, told once, that says all of this; no traceback, no noise."""
	told = " ".join(_PROGRESS.sub("", output).split())
	assert told.startswith(("Error: ", "Usage: ")), output
	assert len([line for line in output.splitlines() if line.startswith("Error: ")]) == 1, output
	for part in said:
		assert told.count(part) == 1, f"{part!r} is not told once in: {told}"
	for noise in ("Traceback", "NoneType", "WARNING", "Did you mean None"):
		assert noise not in output
	assert len(told) < 1_200


def refuse(project, words, *, said):
	"""Run; expect this message and exit code 1 or 2, and outputs and aliases as they were."""
	files, aliases = project.digests(), project.aliases()

	result = project.run(*words.split())

	assert result.exit_code in {1, 2}, result.output
	assert_one_message(result.output, *said)
	assert project.digests() == files
	assert project.aliases() == aliases
	return result.output


# A bad file leaves the last good outputs, of the demo, untouched, whatever it is for.


@pytest.mark.parametrize(
	("command", "where"),
	[
		("--params portfolio=", "1 of 1,000 rows"),
		("--pipelines evaluation --params external=", "external sample: 1 of 1,000 rows"),
	],
	ids=["portfolio", "external"],
)
def test_a_portfolio_is_refused(command, where, demo, portfolio_text, tmp_path):
	path = tmp_path / "loans.csv"
	# Row 4 of the file, counted from 1.
	rate = portfolio_text["int_rate"].where(portfolio_text.index != 3, "dear")
	portfolio_text.assign(int_rate=rate).to_csv(path, index=False)

	refuse(demo, f"{command}{path}", said=(where, "row 4: int_rate 'dear' is not a number"))


def test_applications_are_refused(demo, tmp_path):
	path = tmp_path / "new.csv"
	path.write_text("application_id,loan_amnt,term\nA1,1,36 months\n", "utf-8")

	refuse(
		demo,
		f"--pipelines scoring --params applications={path}",
		said=("applications: columns", "those found are application_id, loan_amnt, term"),
	)


def test_scoring_without_applications_is_refused(demo):
	refuse(demo, "--pipelines scoring", said=("no applications are given", "Add --params applications=FILE.csv"))


@pytest.mark.parametrize(
	("given", "said"),
	[
		("colour=blue", ("--params colour: unknown parameter", "Known names: portfolio, columns, loans,")),
		("loans=10", ("sources.loans: 10 cannot be used", "1000", "Correct it in conf/")),
		("portfolio=", ("--params portfolio: there is no value after it", "shell variable")),
		# Of the group of another pipeline than the one that is to run.
		("modeling.lending.folds=1 --pipelines scoring", ("parameter modeling.lending.folds: 1 cannot be used",)),
	],
)
def test_a_parameter_that_cannot_be_used_is_refused(given, said, demo):
	refuse(demo, f"--params {given}", said=said)


@pytest.mark.parametrize(
	("pipeline", "dataset"), [("ingestion", "source_applications"), ("modeling", "/05_model_input/")]
)
def test_a_pipeline_before_its_inputs_exist_names_what_is_missing(pipeline, dataset, empty_project):
	refuse(
		empty_project,
		f"--pipelines {pipeline}",
		said=("Error: dataset ", dataset, "does not exist yet", "Run the pipeline that makes"),
	)
	assert empty_project.digests() == {}


@pytest.fixture
def copy_of_demo(demo, empty_project):
	"""A project with the data of the demo, but not its registry."""
	shutil.copytree(demo.folder / "data", empty_project.folder / "data")
	return empty_project


@pytest.mark.parametrize(
	("statement", "said"),
	[
		(
			"ALTER TABLE loans DROP COLUMN int_rate",
			("warehouse, table loans: column int_rate is missing", "Have it restored"),
		),
		(
			"UPDATE loans SET grade = 'Z' WHERE grade = 'B'",
			(
				"source table loans",
				"more than 5%: grade is not one of A, B, C, D, E, F, G (",
				"ingestion.max_quarantined_share",
			),
		),
	],
	ids=["no column", "too many bad rows"],
)
def test_a_source_that_cannot_be_used_stops_the_run(statement, said, copy_of_demo):
	path = copy_of_demo.folder / "data" / "00_sources" / "warehouse.duckdb"
	with duckdb.connect(str(path)) as connection:
		connection.execute(statement)

	refuse(copy_of_demo, "--pipelines training", said=said)


def test_scoring_without_a_model_is_refused(copy_of_demo, portfolio_text, tmp_path):
	path = tmp_path / "new.csv"
	portfolio_text.head(3).to_csv(path, index=False)

	refuse(
		copy_of_demo,
		f"--pipelines scoring --params applications={path}",
		said=("model registry", "no champion named loantap-lending", "Train one with"),
	)


@pytest.mark.parametrize("pipelines", ["__default__", "sources,training"])
def test_demo_rows_are_never_written_to_a_real_system(pipelines, demo):
	output = refuse(
		demo,
		f"--env odbc --pipelines {pipelines}",
		said=("pipeline sources", "never written into one", "Run `--pipelines training`"),
	)
	assert "make_portfolio" not in output  # no node ran


def test_reading_without_a_connection_string_names_the_variable(demo, monkeypatch):
	monkeypatch.setenv("LOANTAP_WAREHOUSE", "Driver={X};Server=db")
	for system in ("APPSTREAM", "BUSINESS_EVENTS", "WAREHOUSE_OUTPUT"):
		monkeypatch.delenv(f"LOANTAP_{system}", raising=False)

	refuse(
		demo,
		"--env odbc --pipelines training",
		said=("LOANTAP_APPSTREAM is not set", "Set it to an ODBC connection string"),
	)


# Everything but the last node has run when it fails: all is as it was before.


@pytest.fixture
def failing_last_node(monkeypatch):
	def fail(card):
		raise ZeroDivisionError("the last node fails")

	monkeypatch.setattr(card_nodes, "render", fail)


def test_nothing_is_published_and_the_next_run_starts_afresh(demo, failing_last_node, monkeypatch):
	files, aliases = demo.digests(), demo.aliases()

	with pytest.raises(ZeroDivisionError, match="the last node fails"):
		demo.run("--pipelines", "training", "--params", "seed=7")

	assert demo.digests() == files
	assert demo.aliases() == aliases
	# The models were logged before the failure: it is the alias that was held back.
	versions = demo.mlflow.search_model_versions("name = 'loantap-lending-demo'")
	assert max(int(version.version) for version in versions) > max(v for _, _, v in aliases)
	experiment = demo.mlflow.get_experiment_by_name("loantap")
	latest = demo.mlflow.search_runs([experiment.experiment_id], order_by=["start_time DESC"], max_results=1)
	assert latest[0].info.status == "FAILED"

	before = (demo.reporting / "metrics.json").read_bytes()
	monkeypatch.undo()
	assert demo.run("--pipelines", "evaluation").exit_code == 0
	assert (demo.reporting / "metrics.json").read_bytes() == before
