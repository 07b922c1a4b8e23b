"""What cannot be used ends the run with one clear message, and changes nothing."""

import re
import shutil

import duckdb
import pandas as pd
import pytest

from loantap.pipelines.evaluation import card_nodes
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render

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


def write_odd_rate(rows):
    """A rate in words in the fourth row."""
    return rows.assign(int_rate=rows["int_rate"].where(rows.index != 3, "dear")).to_csv(index=False)


def write_value_too_many(rows):
    text = rows.head(9).assign(address="1 Nowhere Lane").to_csv(index=False)
    header, first, second, *others = text.splitlines()
    return "\n".join([header, first, f"1,{second}", *others])


class TestFiles:
    """A bad file leaves the last good outputs, of the demo, untouched, whatever it is for."""

    @pytest.mark.parametrize(
        ("write", "said"),
        [
            (
                lambda rows: rows.drop(columns="dti").to_csv(index=False),
                ("column dti missing", "Add it; the columns expected are loan_amnt,"),
            ),
            (
                write_odd_rate,
                ("1 of 1,000 rows", "row 4: int_rate 'dear' is not a number", "Correct or"),
            ),
            (
                write_value_too_many,
                ("1 of 9 rows", "row 2: line 3: it has 28 values and the header 27 names"),
            ),
            (
                lambda rows: "some words\nand more\n",
                ("columns loan_amnt, term,", "missing", "those found are some words"),
            ),
        ],
        ids=["a missing column", "text for a number", "a value too many", "plain text"],
    )
    def test_a_portfolio_is_refused(self, write, said, demo, portfolio_text, tmp_path):
        path = tmp_path / "loans.csv"
        path.write_text(write(portfolio_text), "utf-8")

        refuse(demo, f"--params portfolio={path}", said=said)

    @pytest.mark.parametrize(
        ("write", "said"),
        [
            (write_odd_rate, ("1 of 1,000 rows", "row 4: int_rate 'dear' is not a number")),
            (
                lambda rows: rows.assign(loan_status="Fully Paid").to_csv(index=False),
                ("0 of its 1,000 loans are charged off", "Give a portfolio with more"),
            ),
        ],
        ids=["text for a number", "one outcome"],
    )
    def test_an_external_portfolio_is_refused(self, write, said, demo, portfolio_text, tmp_path):
        path = tmp_path / "older.csv"
        path.write_text(write(portfolio_text), "utf-8")

        refuse(
            demo,
            f"--pipelines evaluation --params external={path}",
            said=[f"external sample: {said[0]}", *said[1:]],
        )

    def test_the_loans_trained_on_are_refused(self, demo, tmp_path):
        trained_on = pd.read_parquet(demo.folder / "data" / "03_primary" / "loans.parquet")
        path = tmp_path / "own.parquet"
        columns = [column for column in portfolio_columns() if column.name in trained_on]
        render(trained_on, columns).to_parquet(path)

        refuse(
            demo,
            f"--pipelines evaluation --params external={path}",
            said=("1,800 of its 2,000 loans are among those that loantap-", "was trained on"),
        )

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("new.parquet", b"PAR1", ("new.parquet: it is damaged", "Copy or write it again")),
            (
                "new.csv",
                b"application_id,loan_amnt,term\nA1,1,36 months\n",
                ("applications: columns", "those found are application_id, loan_amnt, term"),
            ),
        ],
        ids=["a cut file", "columns missing"],
    )
    def test_applications_are_refused(self, name, content, said, demo, tmp_path):
        path = tmp_path / name
        path.write_bytes(content)

        refuse(demo, f"--pipelines scoring --params applications={path}", said=said)

    def test_scoring_without_applications_is_refused(self, demo):
        refuse(
            demo,
            "--pipelines scoring",
            said=("no applications are given", "Add --params applications=FILE.csv"),
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("colour=blue", ("--params colour: unknown parameter", "Known names: portfolio, loans,")),
        ("modeling.lendng.folds=3", ("modeling.lendng", "Did you mean modeling.lending?")),
        ("loans=10", ("sources.loans: 10 cannot be used", "1000", "Correct it in conf/")),
        ("as_of=yesterday", ("--params as_of: 'yesterday' is not a day", "YYYY-MM-DD")),
        ("portfolio=", ("--params portfolio: there is no value after it", "shell variable")),
        ("scores=s.xlsx", ("--params scores: 's.xlsx' is not a .parquet or .csv file",)),
        ("loans", ("Invalid format of `params` option",)),
        # Of the group of another pipeline than the one that is to run.
        (
            "modeling.lending.folds=1 --pipelines scoring",
            ("parameter modeling.lending.folds: 1 cannot be used",),
        ),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(given, said, demo):
    refuse(demo, f"--params {given}", said=said)


def test_a_day_before_the_loans_were_made_is_refused(demo):
    refuse(
        demo,
        "--pipelines ingestion --params as_of=2005-01-01",
        said=("source table loans", "no usable row"),
    )


class TestMissing:
    @pytest.mark.parametrize(
        ("pipeline", "dataset"), [("ingestion", "source_applications"), ("modeling", "_input")]
    )
    def test_a_pipeline_before_its_inputs_exist_names_what_is_missing(
        self, pipeline, dataset, empty_project
    ):
        refuse(
            empty_project,
            f"--pipelines {pipeline}",
            said=("Error: dataset ", dataset, "does not exist yet", "Run the pipeline that makes"),
        )
        assert empty_project.digests() == {}

    @pytest.fixture
    def copy_of_demo(self, demo, empty_project):
        """A project with the data of the demo, but not its registry."""
        shutil.copytree(demo.folder / "data", empty_project.folder / "data")
        return empty_project

    @pytest.mark.parametrize(
        ("statement", "said"),
        [
            (
                "DROP TABLE loans",
                ("dataset source_loans", "system='warehouse'", "it does not exist yet"),
            ),
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
        ids=["no table", "no column", "too many bad rows"],
    )
    def test_a_source_that_cannot_be_used_stops_the_run(self, statement, said, copy_of_demo):
        path = copy_of_demo.folder / "data" / "00_sources" / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement)

        refuse(copy_of_demo, "--pipelines training", said=said)

    def test_scoring_without_a_model_is_refused(self, copy_of_demo, portfolio_text, tmp_path):
        path = tmp_path / "new.csv"
        portfolio_text.head(3).to_csv(path, index=False)

        refuse(
            copy_of_demo,
            f"--pipelines scoring --params applications={path}",
            said=("model registry", "no champion named loantap-lending", "Train one with"),
        )


class TestRealSystems:
    @pytest.mark.parametrize("pipelines", ["__default__", "all", "sources,training"])
    def test_demo_rows_are_never_written_to_a_real_system(self, pipelines, demo):
        output = refuse(
            demo,
            f"--env odbc --pipelines {pipelines}",
            said=("pipeline sources", "never written into one", "Run `--pipelines training`"),
        )
        assert "make_portfolio" not in output  # no node ran

    def test_reading_without_a_connection_string_names_the_variable(self, demo, monkeypatch):
        monkeypatch.setenv("LOANTAP_WAREHOUSE", "Driver={X};Server=db")
        for system in ("APPSTREAM", "BUSINESS_EVENTS", "WAREHOUSE_OUTPUT"):
            monkeypatch.delenv(f"LOANTAP_{system}", raising=False)

        refuse(
            demo,
            "--env odbc --pipelines training",
            said=("LOANTAP_APPSTREAM is not set", "Set it to an ODBC connection string"),
        )


class TestFailureInTheMiddle:
    """Everything but the last node has run when it fails: all is as it was before."""

    @pytest.fixture
    def failing_last_node(self, monkeypatch):
        def fail(card):
            raise ZeroDivisionError("the last node fails")

        monkeypatch.setattr(card_nodes, "render", fail)

    def test_nothing_is_published_and_the_next_run_starts_afresh(
        self, demo, failing_last_node, monkeypatch
    ):
        files, aliases = demo.digests(), demo.aliases()

        with pytest.raises(ZeroDivisionError, match="the last node fails"):
            demo.run("--pipelines", "training", "--params", "seed=7")

        assert demo.digests() == files
        assert demo.aliases() == aliases
        # The models were logged before the failure: it is the alias that was held back.
        versions = demo.mlflow.search_model_versions("name = 'loantap-lending-demo'")
        assert max(int(version.version) for version in versions) > max(v for _, _, v in aliases)
        experiment = demo.mlflow.get_experiment_by_name("loantap")
        latest = demo.mlflow.search_runs(
            [experiment.experiment_id], order_by=["start_time DESC"], max_results=1
        )
        assert latest[0].info.status == "FAILED"

        before = (demo.reporting / "metrics.json").read_bytes()
        monkeypatch.undo()
        assert demo.run("--pipelines", "evaluation").exit_code == 0
        assert (demo.reporting / "metrics.json").read_bytes() == before
