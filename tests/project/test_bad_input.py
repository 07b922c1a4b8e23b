"""What cannot be used ends the run with one clear message, and changes nothing."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable

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
Change = Callable[[pd.DataFrame], pd.DataFrame]


def set_value(column, value):
    """Put `value` into `column` of the fourth row."""
    return lambda rows: rows.assign(
        **{column: rows[column].where(rows.index != 3, value)}  # row 4 of the file, counted from 1
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


class TestPortfolioFile:
    """A bad CSV leaves the last good outputs, of the demo, untouched."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                lambda rows: rows.drop(columns="dti"),
                ("column dti missing", "Add it; the columns expected are loan_amnt,"),
            ),
            (
                set_value("loan_amnt", "plenty"),
                ("1 of 1,000 rows", "row 4: loan_amnt 'plenty' is not a number", "Correct or"),
            ),
            (
                lambda rows: pd.concat([rows, rows.head(2)]),
                ("2 of 1,002 rows", "row 1,001: repeats an earlier row", "Correct or remove"),
            ),
            (
                lambda rows: rows.head(0),
                ("loans.csv: it has a header and no rows", "Give a file with rows in it"),
            ),
        ],
        ids=["a missing column", "text for a number", "duplicate rows", "a header only"],
    )
    def test_a_file_with_a_fault_is_refused(self, change, said, demo, portfolio_text, tmp_path):
        path = tmp_path / "loans.csv"
        change(portfolio_text).to_csv(path, index=False)

        refuse(demo, f"--params portfolio={path}", said=said)

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("loans.csv", b"\xff\xfe\x00\x81" * 99, ("loans.csv: it is UTF-16 text", "Save it as")),
            (
                "loans.csv",
                b"some words\nand more\n",
                ("columns loan_amnt, term,", "missing", "those found are some words"),
            ),
            ("loans.xlsx", b"PK", ("loans.xlsx is not .csv", "Convert or rename it")),
        ],
        ids=["bytes", "plain text", "a workbook"],
    )
    def test_a_file_that_is_no_portfolio_is_refused(self, name, content, said, demo, tmp_path):
        path = tmp_path / name
        path.write_bytes(content)

        refuse(demo, f"--params portfolio={path}", said=said)

    def test_a_row_that_does_not_fit_is_named_by_its_line(self, demo, portfolio_text, tmp_path):
        path = tmp_path / "loans.csv"
        text = portfolio_text.head(9).assign(address="1 Nowhere Lane").to_csv(index=False)
        header, first, second, *others = text.splitlines()
        path.write_text("\n".join([header, first, f"1,{second}", *others]), encoding="utf-8")

        refuse(
            demo,
            f"--params portfolio={path}",
            said=("1 of 9 rows", "row 2: line 3: it has 28 values and the header 27 names"),
        )

    def test_faults_can_be_tolerated_as_the_message_says(
        self, empty_project, portfolio_text, tmp_path
    ):
        path = tmp_path / "loans.csv"
        set_value("loan_amnt", "plenty")(portfolio_text).to_csv(path, index=False)
        refused = empty_project.run("--pipelines", "sources", "--params", f"portfolio={path}")
        remedy = refused.output.rpartition("--params ")[2].strip()
        assert remedy.startswith("sources.tolerated_bad_share=")

        result = empty_project.run(
            "--pipelines", "sources", "--params", f"portfolio={path},{remedy}"
        )

        assert result.exit_code == 0, result.output
        quarantine = pd.read_parquet(
            empty_project.folder / "data/00_sources/portfolio_quarantine.parquet"
        )
        assert quarantine[["row", "reason"]].to_numpy().tolist() == [
            [4, "loan_amnt 'plenty' is not a number"]
        ]


class TestParameters:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (
                "colour=blue",
                ("--params colour: unknown parameter", "Known names: portfolio, loans,"),
            ),
            ("portfolo=x.csv", ("--params portfolo: unknown", "Did you mean portfolio?")),
            ("modeling.lendng.folds=3", ("modeling.lendng", "Did you mean modeling.lending?")),
            ("modeling.lending.flods=3", ("modeling.lending.flods", "Did you mean folds?")),
            ("loans=many", ("sources.loans: 'many' cannot be used", "as an integer", "Correct it")),
            ("loans=10", ("sources.loans: 10 cannot be used", "1000", "Correct it in conf/")),
            ("as_of=yesterday", ("--params as_of: 'yesterday' is not a day", "YYYY-MM-DD")),
            ("portfolio=", ("--params portfolio: there is no value after it", "shell variable")),
            ("modeling.lending.folds=", ("modeling.lending.folds: there is no value after it",)),
            ("replace_real=perhaps", ("replace_real: 'perhaps' is not true or false",)),
            ("scores=s.xlsx", ("--params scores: 's.xlsx' is not a .parquet or .csv file",)),
            ("loans", ("Invalid format of `params` option",)),
        ],
    )
    def test_a_parameter_that_cannot_be_used_is_refused(self, given, said, demo):
        refuse(demo, f"--params {given}", said=said)

    @pytest.mark.parametrize("pipeline", ["sources", "insights", "scoring"])
    def test_a_fault_in_another_pipelines_group_is_refused_as_well(self, pipeline, demo):
        refuse(
            demo,
            f"--pipelines {pipeline} --params modeling.lending.folds=1",
            said=("parameter modeling.lending.folds: 1 cannot be used",),
        )

    def test_a_day_before_the_loans_were_made_is_refused(self, demo):
        refuse(
            demo,
            "--pipelines ingestion --params as_of=2005-01-01",
            said=("source table loans", "no usable row"),
        )


class TestExternalFile:
    """A portfolio to judge on is as strictly read as one to train on."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                lambda rows: rows.drop(columns="annual_inc"),
                ("external sample: column annual_inc missing", "Add it; the columns expected are"),
            ),
            (
                set_value("int_rate", "dear"),
                ("external sample: 1 of 1,000 rows", "row 4: int_rate 'dear' is not a number"),
            ),
            (
                lambda rows: rows.assign(loan_status="Fully Paid"),
                (
                    "external sample: 0 of its 1,000 loans are charged off",
                    "Give a portfolio with more",
                ),
            ),
        ],
        ids=["a missing column", "text for a number", "one outcome"],
    )
    def test_a_file_with_a_fault_is_refused(self, change, said, demo, portfolio_text, tmp_path):
        path = tmp_path / "older.csv"
        change(portfolio_text).to_csv(path, index=False)

        refuse(demo, f"--pipelines evaluation --params external={path}", said=said)

    def test_the_loans_trained_on_are_refused(self, demo, tmp_path):
        trained_on = pd.read_parquet(demo.folder / "data" / "03_primary" / "loans.parquet")
        path = tmp_path / "own.parquet"
        columns = [column for column in portfolio_columns() if column.name in trained_on]
        render(trained_on, columns).to_parquet(path)

        refuse(
            demo,
            f"--pipelines evaluation --params external={path}",
            said=(
                "1,800 of its 2,000 loans are among those that loantap-",
                "-demo version 1 was trained on",
            ),
        )


class TestMissing:
    @pytest.mark.parametrize(
        ("pipeline", "said"),
        [
            ("ingestion", ("source_applications", "does not exist yet")),
            ("feature_engineering", ("loans", "does not exist yet")),
            ("modeling", ("_input", "does not exist yet", "05_model_input")),
            ("evaluation", ("does not exist yet", "parquet")),
            ("insights", ("application_model", "does not exist yet")),
        ],
    )
    def test_a_pipeline_before_its_inputs_exist_names_what_is_missing(
        self, pipeline, said, empty_project
    ):
        result = empty_project.run("--pipelines", pipeline)

        assert result.exit_code == 1
        told = " ".join(result.output.split())
        assert told.startswith("Error: dataset ")
        for part in (*said, "Run the pipeline that makes it first; `kedro run` runs all of them"):
            assert part in told
        assert "Traceback" not in told
        assert empty_project.digests() == {}

    @pytest.fixture
    def copy_of_demo(self, demo, empty_project):
        """A project with the data of the demo, but not its registry."""
        shutil.copytree(demo.folder / "data", empty_project.folder / "data")
        return empty_project

    @pytest.mark.parametrize(
        ("system", "table"),
        [
            ("warehouse", "loans"),
            ("appstream", "applications"),
            ("business_events", "loan_events"),
        ],
    )
    def test_a_source_table_that_is_missing_is_named(self, system, table, copy_of_demo):
        path = copy_of_demo.folder / "data" / "00_sources" / f"{system}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"DROP TABLE {table}")

        refuse(
            copy_of_demo,
            "--pipelines training",
            said=(f"dataset source_{table}", f"system='{system}'", "it does not exist yet"),
        )

    def test_a_source_column_that_is_missing_is_named(self, copy_of_demo):
        path = copy_of_demo.folder / "data" / "00_sources" / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("ALTER TABLE loans DROP COLUMN int_rate")

        refuse(
            copy_of_demo,
            "--pipelines training",
            said=("warehouse, table loans: column int_rate is missing", "Have it restored"),
        )

    def test_a_source_with_too_many_bad_rows_stops_the_run(self, copy_of_demo):
        path = copy_of_demo.folder / "data" / "00_sources" / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE loans SET grade = 'Z' WHERE grade = 'B'")

        refuse(
            copy_of_demo,
            "--pipelines training",
            said=(
                "source table loans",
                "more than 5%: grade is not one of A, B, C, D, E, F, G (",
                "ingestion.max_quarantined_share",
            ),
        )

    def test_scoring_without_a_model_is_refused(self, copy_of_demo, portfolio_text, tmp_path):
        path = tmp_path / "new.csv"
        portfolio_text.head(3).to_csv(path, index=False)

        refuse(
            copy_of_demo,
            f"--pipelines scoring --params applications={path}",
            said=("model registry", "no champion named loantap-lending", "Train one with"),
        )

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("new.parquet", b"PAR1", ("new.parquet: it is damaged", "Copy or write it again")),
            (
                "new.csv",
                b'application_id,loan_amnt,term\nA1,"1,36\nA2,2,36\n',
                ("new.csv, line 2: a quotation mark opens a value", "Take the mark out"),
            ),
            (
                "new.csv",
                b"application_id,loan_amnt,term\nA1,1,36 months\n",
                ("applications: columns", "those found are application_id, loan_amnt, term"),
            ),
        ],
        ids=["a cut file", "a mark never closed", "columns missing"],
    )
    def test_applications_that_cannot_be_read_are_refused(
        self, name, content, said, demo, tmp_path
    ):
        path = tmp_path / name
        path.write_bytes(content)

        refuse(demo, f"--pipelines scoring --params applications={path}", said=said)

    def test_scoring_without_applications_is_refused(self, demo):
        refuse(
            demo,
            "--pipelines scoring",
            said=("no applications are given", "Add --params applications=FILE.csv"),
        )


class TestRealSystems:
    def test_demo_rows_are_never_written_to_a_real_system(self, demo):
        result = demo.run("--env", "odbc")

        assert result.exit_code == 1
        assert_one_message(
            result.output,
            "pipeline sources",
            "never written into one",
            "Run `--pipelines training`",
        )
        assert "make_portfolio" not in result.output  # no node ran

    @pytest.mark.parametrize("pipelines", ["__default__", "all", "sources", "sources,training"])
    def test_no_composition_gets_round_it(self, pipelines, demo):
        refuse(demo, f"--env odbc --pipelines {pipelines}", said=("never written into one",))

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

    def test_nothing_is_published_and_no_alias_moves(self, demo, failing_last_node):
        files, aliases = demo.digests(), demo.aliases()

        with pytest.raises(ZeroDivisionError, match="the last node fails"):
            demo.run("--pipelines", "training", "--params", "seed=7")

        assert demo.digests() == files
        assert demo.aliases() == aliases
        # The models were logged before the failure: it is the alias that was held back.
        versions = demo.mlflow.search_model_versions("name = 'loantap-lending-demo'")
        assert max(int(version.version) for version in versions) > max(v for _, _, v in aliases)

    def test_the_run_is_marked_failed_and_the_next_starts_afresh(
        self, demo, failing_last_node, monkeypatch
    ):
        before = (demo.reporting / "metrics.json").read_bytes()
        with pytest.raises(ZeroDivisionError):
            demo.run("--pipelines", "evaluation", "--params", "seed=7")
        experiment = demo.mlflow.get_experiment_by_name("loantap")
        latest = demo.mlflow.search_runs(
            [experiment.experiment_id], order_by=["start_time DESC"], max_results=1
        )
        assert latest[0].info.status == "FAILED"

        monkeypatch.undo()
        assert demo.run("--pipelines", "evaluation").exit_code == 0
        assert (demo.reporting / "metrics.json").read_bytes() == before


def test_the_command_itself_tells_one_message(demo):
    """The same through the installed `kedro` command, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--params", "lones=3"],
        cwd=demo.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 1
    assert_one_message(
        said.stdout + said.stderr, "--params lones: unknown parameter", "Did you mean loans?"
    )


def test_an_environment_that_is_not_there_is_refused(empty_project):
    result = empty_project.run("--env", "nope")

    assert result.exit_code == 1
    assert_one_message(
        result.output, "--env nope: unknown environment", "Known names: aws, base, local, odbc"
    )
