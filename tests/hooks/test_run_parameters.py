"""A run refuses a parameter that nothing reads, before anything is done."""

import pytest
from pydantic import ValidationError

from loantap.hooks.run_parameters import (
    RUN_PARAMETERS,
    check_parameter_groups,
    check_run_parameters,
)
from loantap.model.training.options import SplitOptions
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import IngestionOptions, SourcesOptions
from tests.conftest import OUT_OF_TIME

GROUPS = ("sources", "ingestion", "modeling.lending", "modeling.application")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder with a few files, where the run is started."""
    for name in ("loans.csv", "loans.CSV", "loans.parquet", "loans.xlsx"):
        (tmp_path / name).write_text("something")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_given_is_fine():
    check_run_parameters({}, GROUPS)


def test_every_known_parameter_is_taken(folder):
    given = {
        "portfolio": "loans.csv",
        "loans": 5_000,
        "replace_real": "true",
        "seed": 7,
        "as_of": "2026-11-23",
        "since": "2016-01",
        "applications": "loans.parquet",
        "scores": "scores.parquet",
        "offered": "offers.parquet",
        "external": "loans.parquet",
        "summary": "full",
    }
    assert set(given) == set(RUN_PARAMETERS)

    check_run_parameters(given, GROUPS)


def test_a_group_of_the_configuration_can_be_overridden():
    check_run_parameters({"modeling": {"lending": {"seed": 3}}}, GROUPS)


@pytest.mark.parametrize(
    ("given", "guess"),
    [
        ("offers", "Did you mean offered[?] Known"),
        ("sources", "Did you mean portfolio[?] Known"),
        ("ingestion", "Known names: portfolio"),
    ],
)
def test_a_file_under_the_name_of_a_group_is_refused_with_the_real_name(given, guess):
    said = f"--params {given}: it is a group of parameters, not one of them. {guess}"

    with pytest.raises(InputError, match=said):
        check_run_parameters({given: "offers.parquet"}, (*GROUPS, "offers"))
    check_run_parameters({given: {"min_loans": 30}}, (*GROUPS, "offers"))


@pytest.mark.parametrize(
    ("given", "guess"),
    [
        ("foreign", "external"),
        ("portfolo", "portfolio"),
        ("asof", "as_of"),
        ("Seed", "seed"),
        ("ingestoin", "ingestion"),
    ],
)
def test_a_misspelt_parameter_is_refused_with_the_nearest_known_one(given, guess):
    with pytest.raises(
        InputError, match=f"--params {given}: unknown parameter.*Did you mean {guess}"
    ):
        check_run_parameters({given: 1}, GROUPS)


def test_a_misspelt_model_is_refused_with_the_nearest_known_one():
    with pytest.raises(
        InputError, match=r"--params modeling\.landing: .*Did you mean modeling\.lend"
    ):
        check_run_parameters({"modeling": {"landing": {"seed": 3}}}, GROUPS)


def test_an_unknown_parameter_is_refused_with_the_list_of_known_ones():
    with pytest.raises(InputError) as refused:
        check_run_parameters({"zzz": 1}, GROUPS)

    assert "Did you mean" not in refused.value.remedy
    for name in (*RUN_PARAMETERS, *GROUPS):
        assert name in refused.value.remedy


@pytest.mark.parametrize("parameter", ["portfolio", "applications", "external"])
@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("nowhere.csv", "file nowhere.csv does not exist"),
        ("folder.csv", "folder.csv is a folder"),
        ("empty.csv", "file empty.csv is empty"),
        ("loans.xlsx", r"file loans.xlsx is not \.csv, \.csv\.gz, .* or \.parq"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(parameter, file, problem, folder):
    with pytest.raises(InputError, match=f"--params {parameter}: {problem}"):
        check_run_parameters({parameter: file}, GROUPS)


def test_a_missing_file_is_looked_for_from_the_folder_that_is_named(folder):
    with pytest.raises(InputError, match=f"relative to {folder.name}/"):
        check_run_parameters({"portfolio": "nowhere.csv"}, GROUPS)


def test_a_missing_file_with_its_whole_path_is_not_said_to_be_relative(folder):
    with pytest.raises(InputError, match="Check its name") as refused:
        check_run_parameters({"portfolio": str(folder / "nowhere.csv")}, GROUPS)

    assert "relative" not in str(refused.value)


@pytest.mark.parametrize("name", ["portfolio", "applications", "external"])
@pytest.mark.parametrize("given", ["loans.csv", "loans.CSV", "loans.parquet", "~/loans.csv"])
def test_every_door_takes_csv_and_parquet(given, name, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))

    check_run_parameters({name: given}, GROUPS)


@pytest.mark.parametrize("output", ["scores", "offered"])
def test_scores_and_offers_go_to_a_parquet_or_csv_file_only(output):
    for name in ("new.parquet", "new.csv"):
        check_run_parameters({output: name}, GROUPS)
    with pytest.raises(InputError, match=rf"--params {output}: 'new.xlsx' is not a \.parquet or"):
        check_run_parameters({output: "new.xlsx"}, GROUPS)


def test_a_parameter_given_as_null_is_not_given():
    check_run_parameters(
        {"portfolio": None, "applications": None, "scores": None, "external": None}, GROUPS
    )


class TestGroups:
    MODELS = {"sources": SourcesOptions, "modeling.lending": IngestionOptions}  # noqa: RUF012

    @staticmethod
    def parameters(**changes):
        sources = {"loans": 20_000, "seed": 1, "as_of": "2026-11-23", "tolerated_bad_share": 0}
        lending = {"as_of": "2026-11-23", "max_quarantined_share": 0.05, "overlap_days": 1}
        return {"sources": sources | changes, "modeling": {"lending": lending}}

    def test_that_are_valid_pass(self):
        check_parameter_groups(self.parameters(), self.MODELS)

    def test_with_a_bad_value_are_refused_by_path_value_and_remedy(self):
        with pytest.raises(InputError) as refused:
            check_parameter_groups(self.parameters(loans=12), self.MODELS)

        assert refused.value.where == "parameter sources.loans"
        assert refused.value.problem.startswith("12 cannot be used: ")
        assert "1000" in refused.value.problem
        assert "--params" in refused.value.remedy
        assert isinstance(refused.value.__cause__, ValidationError)

    def test_with_a_misspelt_name_are_refused_with_the_nearest_known_one(self):
        with pytest.raises(InputError, match=r"parameter sources\.sed: .* Did you mean seed\?"):
            check_parameter_groups(self.parameters(sed=1), self.MODELS)

    @pytest.mark.parametrize(("old", "new"), [("snapshot", "outcomes_as_of"),
                                              ("first_orign", "first_origin"),
                                              ("last_mnth", "last_month")])  # fmt: skip
    def test_a_name_below_is_answered_with_that_of_its_own_group(self, old, new):
        split = {"seed": 1, "test_share": 0.1, "min_outcomes": 50}
        split |= {"out_of_time": OUT_OF_TIME | {old: "2017-03-01"}}

        with pytest.raises(InputError, match=rf"split\.out_of_time\.{old}: .* mean {new}\?"):
            check_parameter_groups({"split": split}, {"split": SplitOptions})

    def test_an_old_name_is_no_answer_in_a_group_that_never_had_it(self):
        with pytest.raises(InputError, match=r"parameter sources\.snapshot: unknown") as refused:
            check_parameter_groups(self.parameters(snapshot=1), self.MODELS)
        assert "outcomes_as_of" not in refused.value.remedy

    def test_are_checked_below_the_first_level_as_well(self):
        parameters = self.parameters()
        parameters["modeling"] = {"lending": {"as_of": "2026-11-23", "overlap_days": 1}}

        with pytest.raises(InputError, match=r"parameter modeling\.lending\.max_quarantined_share"):
            check_parameter_groups(parameters, self.MODELS)
