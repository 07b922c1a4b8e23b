import pytest
from pydantic import ValidationError

from loantap.hooks.run_parameters import RUN_PARAMETERS, check_parameter_groups, check_run_parameters, flatten
from loantap.model.training.options import SplitOptions
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import IngestionOptions, SourcesOptions
from tests.conftest import OUT_OF_TIME


def test_nested_parameters_are_flattened_and_a_group_without_any_has_no_path():
	nested = {"split": {"seed": 42, "out_of_time": {"term_months": 36}}, "name": "lending"}

	assert flatten({"features": nested, "as_of": None, "empty": {}}) == {
		"features.split.seed": 42,
		"features.split.out_of_time.term_months": 36,
		"features.name": "lending",
		"as_of": None,
	}


GROUPS = ("sources", "ingestion", "modeling.lending", "modeling.application")


@pytest.fixture
def folder(tmp_path, monkeypatch):
	for name in ("loans.csv", "loans.CSV", "loans.parquet", "loans.ods", "metrics.txt"):
		(tmp_path / name).write_text("something")
	(tmp_path / "empty.csv").touch()
	(tmp_path / "folder.csv").mkdir()
	monkeypatch.chdir(tmp_path)
	monkeypatch.setenv("HOME", str(tmp_path))
	return tmp_path


@pytest.mark.parametrize(
	"given",
	[
		{},
		{"modeling": {"lending": {"seed": 3}}},
		dict.fromkeys(RUN_PARAMETERS),
		{
			"portfolio": "loans.csv",
			"loans": 5_000,
			"replace_real": "true",
			"seed": 7,
			"as_of": "2026-11-23",
			"since": "2016-01",
			"applications": "loans.parquet",
			"scores": "scores.parquet",
			"offered": "offers.csv",
			"external": "~/loans.CSV",
			"decisions": "loans.parquet",
			"service_metrics": "metrics.txt",
			"summary": "full",
			"columns": "lending_club",
			"target": "dpd_90_within_12",
		},
	],
	ids=["none", "of a group", "all null", "all"],
)
@pytest.mark.usefixtures("folder")
def test_every_known_parameter_is_taken(given):
	assert len(given) <= 1 or set(given) == set(RUN_PARAMETERS)

	check_run_parameters(given, GROUPS)


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
	("given", "name", "guess"),
	[
		({"foreign": 1}, "foreign", "external"),
		({"asof": 1}, "asof", "as_of"),
		({"ingestoin": 1}, "ingestoin", "ingestion"),
		({"modeling": {"landing": {"seed": 3}}}, r"modeling\.landing", r"modeling\.lending"),
	],
	ids=["former", "misspelt", "group", "model"],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_known_one(given, name, guess):
	said = f"--params {name}: unknown parameter.*Did you mean {guess}[?]"

	with pytest.raises(InputError, match=said):
		check_run_parameters(given, GROUPS)


def test_where_none_is_near_all_known_ones_are_listed():
	with pytest.raises(InputError) as refused:
		check_run_parameters({"zzz": 1}, GROUPS)

	assert "Did you mean" not in refused.value.remedy
	for name in (*RUN_PARAMETERS, *GROUPS):
		assert name in refused.value.remedy


@pytest.mark.parametrize(
	("parameter", "file", "problem"),
	[
		("portfolio", "nowhere.csv", "file nowhere.csv does not exist"),
		("applications", "folder.csv", "folder.csv is a folder"),
		("external", "empty.csv", "file empty.csv is empty"),
		("portfolio", "loans.ods", r"file loans.ods is not \.csv, \.csv\.gz, .* or \.parq"),
		("scores", "new.xlsx", r"'new.xlsx' is not a \.parquet or"),
		("offered", "new.xlsx", r"'new.xlsx' is not a \.parquet or"),
	],
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_used_is_refused_by_name(parameter, file, problem):
	with pytest.raises(InputError, match=f"--params {parameter}: {problem}"):
		check_run_parameters({parameter: file}, GROUPS)


def test_a_missing_file_is_looked_for_from_the_folder_that_is_named(folder):
	with pytest.raises(InputError, match=f"relative to {folder.name}/"):
		check_run_parameters({"portfolio": "nowhere.csv"}, GROUPS)
	with pytest.raises(InputError, match="Check its name") as refused:
		check_run_parameters({"portfolio": str(folder / "nowhere.csv")}, GROUPS)
	assert "relative" not in str(refused.value)


MODELS = {"sources": SourcesOptions, "modeling.lending": IngestionOptions}


def check(lending=None, **sources):
	valid = {"loans": 20_000, "seed": 1, "as_of": "2026-11-23", "tolerated_bad_share": 0}
	below = {"as_of": "2026-11-23", "max_quarantined_share": 0.05, "overlap_days": 1}
	parameters = {"sources": valid | sources, "modeling": {"lending": lending or below}}
	check_parameter_groups(parameters, MODELS)


def test_groups_that_are_valid_pass_and_are_checked_below_the_first_level_as_well():
	check()
	with pytest.raises(InputError, match=r"parameter modeling\.lending\.max_quarantined_share"):
		check(lending={"as_of": "2026-11-23", "overlap_days": 1})


def test_groups_with_a_bad_value_are_refused_by_path_value_and_remedy():
	with pytest.raises(InputError) as refused:
		check(loans=12)

	assert refused.value.where == "parameter sources.loans"
	assert refused.value.problem.startswith("12 cannot be used: ")
	assert "1000" in refused.value.problem
	assert "--params" in refused.value.remedy
	assert isinstance(refused.value.__cause__, ValidationError)


def test_groups_with_a_misspelt_name_are_refused_with_the_nearest_known_one():
	with pytest.raises(InputError, match=r"parameter sources\.sed: .* Did you mean seed\?"):
		check(sed=1)


@pytest.mark.parametrize(("old", "new"), [("snapshot", "outcomes_as_of"), ("last_mnth", "last_month")])
def test_a_name_below_is_answered_with_that_of_its_own_group(old, new):
	split = {"seed": 1, "test_share": 0.1, "min_outcomes": 50}
	split |= {"out_of_time": OUT_OF_TIME | {old: "2017-03-01"}}

	with pytest.raises(InputError, match=rf"split\.out_of_time\.{old}: .* mean {new}\?"):
		check_parameter_groups({"split": split}, {"split": SplitOptions})


def test_an_old_name_is_no_answer_in_a_group_that_never_had_it():
	with pytest.raises(InputError, match=r"parameter sources\.snapshot: unknown") as refused:
		check(snapshot=1)
	assert "outcomes_as_of" not in refused.value.remedy
